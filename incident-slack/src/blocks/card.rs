//! The message that an incident is known by: where it stands, in a few fields.

use incident_core::model::notice::{Notice, NoticeKind};
use incident_core::model::phase::Status;
use serde_json::Value;

use super::escape::{brief, date, link, readable};
use super::kit::{context, fields, header, markup, named, plain};
use super::limits::{ALL_LINKS, FIELD, FIELDS, HEADER, LINKS};

/// Where the incident stands, as of this notice.
pub(super) fn card(notice: &Notice) -> Vec<Value> {
    let title =
        format!("{}{} · {}", marks(notice), notice.severity, readable(&notice.title).replace('\n', " "));
    let mut blocks = vec![named(header(&brief(&title, HEADER)), "ir_title")];
    let mut cells = vec![
        markup(&format!("*Status*\n{}", status(notice))),
        markup(&format!("*Severity*\n{}", notice.severity)),
        markup(&format!("*Started*\n{}", notice.started_at.map_or_else(|| "unknown".to_owned(), date))),
    ];
    if let Some(next) = next_update(notice) {
        cells.push(markup(&format!("*Next update*\n{next}")));
    }
    let mut cell = |label: &str, words: Option<&str>| {
        if let Some(words) = words.filter(|words| !words.trim().is_empty()) {
            cells.push(plain(&brief(&format!("{label}\n{}", readable(words).replace('\n', " ")), FIELD)));
        }
    };
    cell("Incident lead", Some(notice.commander.as_ref().map_or("none yet", |who| who.as_str())));
    cell("Affected", notice.service.as_deref());
    cells.truncate(FIELDS);
    blocks.push(named(fields(&cells), "ir_fields"));
    blocks
}

/// Links and what the incident is known as elsewhere.
pub(super) fn foot(notice: &Notice) -> Vec<Value> {
    let mut blocks: Vec<Value> = links(notice).into_iter().map(|block| named(block, "ir_links")).collect();
    blocks.push(named(context(&format!("Incident {}", notice.incident)), "ir_foot"));
    blocks
}

/// The links of a notice, as far as they lead to pages.
pub(super) fn links(notice: &Notice) -> Option<Value> {
    let mut room = ALL_LINKS;
    let links = notice.links.iter().filter_map(|it| link(it)).take(LINKS);
    let links: Vec<String> = links
        .take_while(|link| {
            let fits = link.len() < room;
            room = room.saturating_sub(link.len() + 3);
            fits
        })
        .collect();
    (!links.is_empty()).then(|| context(&links.join(" · ")))
}

/// What every message of a drill, and of a possible repeat, begins with.
pub(super) fn marks(notice: &Notice) -> String {
    let drill = if notice.drill { "[DRILL] " } else { "" };
    let repeat = if notice.possible_repeat { "[possibly sent before] " } else { "" };
    format!("{drill}{repeat}")
}

/// The status word, or how it ended.
pub(super) fn status(notice: &Notice) -> String {
    match notice.kind {
        NoticeKind::Cancelled => "cancelled, a false alarm".to_owned(),
        NoticeKind::Merged => "part of another incident".to_owned(),
        NoticeKind::Closed => "closed".to_owned(),
        _ => notice.status.to_string(),
    }
}

/// When the next update comes; none once it is over.
pub(super) fn next_update(notice: &Notice) -> Option<String> {
    let over = notice.status == Status::Resolved
        || matches!(notice.kind, NoticeKind::Cancelled | NoticeKind::Merged | NoticeKind::Closed);
    if over {
        return None;
    }
    Some(
        notice
            .next_update
            .map_or_else(|| "when there is news".to_owned(), |time| format!("by {}", date(time))),
    )
}
