//! How it goes: updates, changes of severity, reminders, the end, the post-mortem.

use incident_core::model::notice::{Notice, NoticeKind};
use serde_json::Value;

use super::card::{links, marks, next_update, status};
use super::escape::{brief, date};
use super::kit::{context, markup, named, plain, section};
use super::words::in_short;

/// The name that begins the ids of blocks with the latest news.
pub(super) const LATEST_ID: &str = "ir_latest";

/// One line that says what this message is: `*Update* · SEV2 · investigating · today, 14:30`.
pub(super) fn headline(notice: &Notice) -> Value {
    let mut what = notice.kind.to_string();
    what[..1].make_ascii_uppercase();
    let (severity, status) = (notice.severity, status(notice));
    let line = format!("{}*{what}* · {severity} · {status} · {}", marks(notice), date(notice.issued_at));
    section(markup(&line))
}

/// What comes below the words.
pub(super) fn below(notice: &Notice) -> Vec<Value> {
    let promises = matches!(
        notice.kind,
        NoticeKind::Update | NoticeKind::SeverityChanged | NoticeKind::Reopened | NoticeKind::Reminder
    );
    let next = next_update(notice).filter(|_| promises);
    let next = next.map(|next| context(&format!("Next update {next}")));
    let shows_links = matches!(notice.kind, NoticeKind::Resolved | NoticeKind::PostMortemPublished);
    next.into_iter().chain(links(notice).filter(|_| shows_links)).collect()
}

/// The latest word, for the message that the incident is known by.
pub(super) fn latest(notice: &Notice) -> Vec<Value> {
    const LATEST: usize = 600;
    let when = format!("*Latest: {}* · {}", notice.kind, date(notice.issued_at));
    let words = brief(&in_short(notice), LATEST);
    let words = (!words.is_empty()).then(|| named(section(plain(&words)), "ir_latest_words"));
    std::iter::once(named(context(&when), "ir_latest")).chain(words).collect()
}
