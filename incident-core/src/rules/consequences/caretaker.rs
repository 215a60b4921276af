//! What the caretaker of the installation hears: routes that are missing or broken.

use super::notice::Said;
use crate::model::effect::{Effect, Work};
use crate::model::notice::{Label, NoticeKind};
use crate::model::severity::Audience;
use crate::model::time::{since, spoken};
use crate::rules::decide::Draft;

/// Tells the caretaker that a route is broken; a notice to the caretaker that fails is only on the timeline.
pub(super) fn hears_of_failure(draft: &mut Draft<'_>, given_up: &Effect, why: &str) {
    let caretaker = Audience::new(Audience::CARETAKER);
    if matches!(&given_up.work, Work::Notify(notify) if notify.audiences.contains(&caretaker)) {
        return;
    }
    let what = match &given_up.work {
        Work::Notify(notify) => format!("deliver a notice ({})", notify.kind),
        Work::ReadTickets => "read the tickets of action items".to_owned(),
        _ => "change a ticket".to_owned(),
    };
    let waited = spoken(since(draft.cx.now, given_up.planned_at));
    let words = format!("route \"{}\" could not {what}; given up after {waited}", given_up.route);
    let said = Said::new(NoticeKind::PersonNeeded).fixed(Label::Summary, &words);
    hears(draft, said.fixed(Label::Because, why).fixed(Label::Do, "repair the route, and do this by hand"));
}

/// Tells the caretaker which audiences no route reaches.
pub(super) fn hears_of_missing_routes(draft: &mut Draft<'_>, audiences: &[Audience]) {
    let names: Vec<String> = audiences.iter().map(|it| format!("\"{it}\"")).collect();
    let plural = if names.len() == 1 { "audience" } else { "audiences" };
    let words = format!("no route for {plural} {}", names.join(", "));
    let said = Said::new(NoticeKind::PersonNeeded).fixed(Label::Summary, &words);
    hears(draft, said.fixed(Label::Do, "add a route to the settings"));
}

/// Says something to whoever keeps the installation, if a route reaches them.
fn hears(draft: &mut Draft<'_>, said: Said) {
    let caretaker = Audience::new(Audience::CARETAKER);
    if draft.routes().to(&caretaker).next().is_some() {
        draft.say(said, &[caretaker]);
    }
}
