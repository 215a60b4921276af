//! What must wake somebody: whom it is for, and what to do.

use incident_core::model::notice::Notice;
use incident_core::model::severity::Audience;
use serde_json::Value;

use super::Style;
use super::card::{card, foot};
use super::escape::{brief, channel, many, readable, user};
use super::kit::{actions, button, context, markup, named, plain, section};
use super::limits::{FIELD, MENTIONS};
use super::words::Words;
use crate::intake::{ACKNOWLEDGE, Approval};
use crate::place::Place;

/// The id of the block that says that somebody has to pass the message on.
pub(super) const OUTSIDE_ID: &str = "ir_outside";

/// The blocks of a page, and what of its words didn't fit.
pub(super) fn page(notice: &Notice, style: &Style) -> (Vec<Value>, String) {
    let mut blocks = card(notice);
    blocks.insert(0, named(super::course::headline(notice), "ir_what"));
    blocks.extend(whom(notice, style));
    let words = Words::of(notice);
    blocks.extend(words.blocks);
    if style.buttons && notice.kind == incident_core::model::notice::NoticeKind::Page {
        let value = Approval::incident(notice.incident);
        blocks.push(actions(&[button(ACKNOWLEDGE, "Acknowledge", &value, Some("primary"), None)]));
    }
    let place = notice.conversation.as_ref().and_then(|it| it.conversation.as_deref()?.parse::<Place>().ok());
    if let Some(Place::Room { channel: room, .. }) = place {
        blocks.extend(channel(&room).map(|room| context(&format!("Incident channel: {room}"))));
    }
    blocks.extend(foot(notice));
    (blocks, words.rest)
}

/// Mentions of those whom it is for, and the names of those who have no account here.
pub(super) fn whom(notice: &Notice, style: &Style) -> Vec<Value> {
    let mut mentions = Vec::new();
    let mut names = Vec::new();
    for recipient in &notice.recipients {
        let accounts = recipient.identities.iter().filter_map(|it| it.account_in("slack"));
        let known: Vec<String> = accounts.filter_map(user).collect();
        if known.is_empty() {
            names.push(recipient.name.as_str());
        }
        mentions.extend(known);
    }
    mentions.truncate(MENTIONS);
    if notice.kind.is_page() {
        mentions.extend(style.mentions.iter().filter_map(|whom| many(whom)));
    }
    let mut blocks = Vec::new();
    let outside = notice.audiences.iter().filter(|audience| style.passes_on && audience.is_external());
    let outside: Vec<&str> = outside.map(Audience::as_str).collect();
    if !outside.is_empty() {
        let who = readable(&format!("For {}: a person has to publish this", outside.join(", ")));
        blocks.push(named(section(plain(&brief(&who, FIELD))), OUTSIDE_ID));
    }
    if !mentions.is_empty() {
        blocks.push(section(markup(&mentions.join(" "))));
    }
    if !names.is_empty() {
        blocks.push(section(plain(&brief(&readable(&format!("To {}", names.join(", "))), FIELD))));
    }
    blocks
}
