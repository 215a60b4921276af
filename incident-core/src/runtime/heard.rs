//! What adapters say, bounded and cleaned in one place before it is logged or recorded.

use std::error::Error;

use crate::model::effect::Receipt;
use crate::model::inert::{clip, plain};
use crate::port::{AdapterError, Preflight, PreflightCheck, Reading};
use crate::rules::command::{EffectResult, Failure};

/// The most bytes of one text that an adapter hands back.
const LONGEST: usize = 1_024;
/// How many causes of an error are told.
const DEEPEST: usize = 4;

/// A text of an adapter: in one line, without control characters, and not too long.
pub(super) fn words(text: &str) -> String {
    // Cut first: cleaning megabytes takes a while, and nobody reads them.
    plain(&clip(text, LONGEST), LONGEST)
}

/// An adapter's error and its causes.
pub(super) fn error(error: &AdapterError) -> String {
    words(&error.to_string())
}

/// What is beneath an adapter's error, for the log.
pub(super) fn source(error: &AdapterError) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let told: Vec<_> = causes.take(DEEPEST).map(|cause| clip(&cause.to_string(), LONGEST)).collect();
    words(&told.join(": "))
}

/// The outcome of a call as it is recorded.
pub(super) fn outcome(result: EffectResult) -> EffectResult {
    match result {
        EffectResult::Done(receipt) => EffectResult::Done(self::receipt(&receipt)),
        EffectResult::Verified { holds, detail } => EffectResult::Verified { holds, detail: words(&detail) },
        EffectResult::Failed(failure) => {
            EffectResult::Failed(Failure { error: words(&failure.error), ..failure })
        }
        EffectResult::Executed(mut execution) => {
            execution.reference = execution.reference.as_deref().map(words);
            EffectResult::Executed(execution)
        }
        EffectResult::Collected(mut items) => {
            for item in &mut items {
                (item.name, item.media_type) = (words(&item.name), words(&item.media_type));
            }
            EffectResult::Collected(items)
        }
        EffectResult::Tickets(mut tickets) => {
            for ticket in &mut tickets {
                ticket.title = words(&ticket.title);
                ticket.link = ticket.link.as_deref().map(words);
                ticket.unread = ticket.unread.as_deref().map(words);
            }
            EffectResult::Tickets(tickets)
        }
        EffectResult::TicketGone { error } => EffectResult::TicketGone { error: words(&error) },
        other @ (EffectResult::Planned(_) | EffectResult::Pending { .. } | EffectResult::CannotTell) => other,
    }
}

fn receipt(receipt: &Receipt) -> Receipt {
    let mut clean = Receipt::new(&words(&receipt.reference));
    clean.link = receipt.link.as_deref().map(words);
    clean.conversation = receipt.conversation.as_deref().map(words);
    clean.moved_from = receipt.moved_from.as_deref().map(words);
    clean.degraded = receipt.degraded.iter().take(16).map(|it| words(it)).collect();
    clean
}

/// A probe's reading.
pub(super) fn reading(reading: &Reading) -> Reading {
    Reading::new(reading.colour, &words(&reading.detail))
}

/// What a preflight found.
pub(super) fn preflight(mut found: Preflight) -> Preflight {
    found.checks = found
        .checks
        .iter()
        .take(1_000)
        .map(|it| PreflightCheck { what: words(&it.what), missing: it.missing.as_deref().map(words) })
        .collect();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::effect::Applied;
    use crate::port::{Colour, ErrorKind};

    /// Five megabytes that clear a terminal, and try to write a line of their own into the log.
    fn hostile() -> String {
        format!("\u{1b}[2J\u{202e}down\r\n2026-01-01 all is well {}", "x".repeat(5_000_000))
    }

    fn is_clean(text: &str) -> bool {
        text.len() <= LONGEST && !text.contains(|it: char| it.is_control() || it == '\u{202e}')
    }

    #[test]
    fn every_text_of_an_adapter_is_bounded_and_acts_as_nothing() {
        let mut receipt = Receipt::new(&hostile()).with_link(&hostile()).in_conversation(&hostile());
        receipt.degraded = vec![hostile(); 50];
        let EffectResult::Done(done) = outcome(EffectResult::Done(receipt)) else { panic!("it is done") };
        let texts = [Some(done.reference), done.link, done.conversation];
        assert!(texts.iter().flatten().chain(&done.degraded).all(|it| is_clean(it)));
        assert_eq!(done.degraded.len(), 16);

        let failure = Failure { applied: Applied::Maybe, retry: true, wait: None, error: hostile() };
        let EffectResult::Failed(failed) = outcome(EffectResult::Failed(failure)) else {
            panic!("it failed")
        };
        assert!(is_clean(&failed.error) && failed.error.contains("down"));
        let verified = outcome(EffectResult::Verified { holds: true, detail: hostile() });
        assert!(matches!(verified, EffectResult::Verified { detail, .. } if is_clean(&detail)));

        let said = AdapterError::new(ErrorKind::Refused, "post").with_context(hostile()).caused_by(hostile());
        assert!(is_clean(&error(&said)) && is_clean(&source(&said)));
        assert!(is_clean(&reading(&Reading::new(Colour::Red, &hostile())).detail));
        let found = preflight(Preflight::default().bad(&hostile(), &hostile()));
        let checks = found.checks.iter().flat_map(|it| [Some(&it.what), it.missing.as_ref()]);
        assert!(checks.flatten().all(|it| is_clean(it)));
    }
}
