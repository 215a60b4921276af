//! How much Slack takes. Its documentation counts characters and doesn't say whether before or after escaping, nor of which
//! kind: what is counted here is the escaped text in UTF-16, which is never less.

/// Characters of a header.
pub(super) const HEADER: usize = 150;
/// Characters of a section's text: 3,000, less what is said of a truncation.
pub(super) const SECTION: usize = 2_900;
/// Characters of one of a section's fields. Slack takes 2,000; what stands in them is short or not worth more.
pub(super) const FIELD: usize = 300;
/// Fields that a section has.
pub(super) const FIELDS: usize = 10;
/// Links that are shown; more would fill the message.
pub(super) const LINKS: usize = 8;
/// Characters of a link, and of all of them; longer ones are left to the ticket.
pub(super) const LINK: usize = 1_000;
pub(super) const ALL_LINKS: usize = 1_500;
/// Persons that are mentioned in one message.
pub(super) const MENTIONS: usize = 50;
/// Characters of what people wrote in one message. Slack refuses about 13,000 over all blocks; the rest is for labels, fields
/// and links.
pub(super) const WORDS: usize = 7_500;
/// Characters of the plain text beside the blocks: a message with more than 4,000 can't be edited any more.
pub(super) const FALLBACK: usize = 3_800;
/// Characters of a channel's topic.
pub(crate) const TOPIC: usize = 250;
