//! Updates: when one was promised, when one came, and how long people waited in vain.

use incident_core::Time;
use incident_core::log::event::Fact;
use incident_core::model::id::Seq;
use incident_core::model::obligation::ObligationKind;
use incident_core::views::timeline::Entry;

use super::story::Run;

/// The promise of updates, as it was made and as it was kept.
#[derive(Debug, Default)]
pub(crate) struct Promises {
    /// From each promise to its end, in order.
    pub(crate) waits: Vec<Run<Wait>>,
    /// When an update was due.
    pub(crate) due: Vec<(Time, Seq)>,
    /// When one came.
    pub(crate) given: Vec<(Time, Seq)>,
    /// How many came in time, and how many deadlines passed.
    pub(crate) kept: u32,
    pub(crate) missed: u32,
}

/// How people waited for an update; the later is the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wait {
    /// The next one wasn't due yet.
    InTime,
    /// It was overdue.
    Late,
}

/// The promises that `happened` made, up to `end` unless they were over before.
pub(super) fn promises(happened: &[(&Entry, &Fact)], end: Time) -> Promises {
    let mut promises = Promises::default();
    let mut open: Option<Open> = None;
    for (entry, fact) in happened {
        let (at, seq) = (entry.occurred_at, entry.seq);
        let of_ours = |record: Seq| open.is_some_and(|it| it.obligation == record);
        match fact {
            Fact::ObligationOpened(it) if it.kind == ObligationKind::Update => {
                open = Some(Open { obligation: seq, from: at, due: it.due, late: false });
            }
            Fact::ObligationMoved(it) if of_ours(it.obligation) => {
                open = open.map(|open| Open { due: it.due, ..open });
            }
            Fact::ObligationBreached(it) if of_ours(it.obligation) => {
                promises.missed = promises.missed.saturating_add(it.missed);
                promises.due.push((at, seq));
                if let Some(was) = open.filter(|open| !open.late) {
                    promises.wait(was, at);
                }
                open = open.map(|open| Open {
                    from: if open.late { open.from } else { at },
                    due: it.next_due.unwrap_or(open.due),
                    late: true,
                    ..open
                });
            }
            Fact::ObligationMet(it) if of_ours(it.obligation) => {
                let Some(met) = open.take() else { continue };
                promises.end(met, at);
                promises.given.push((at, it.by));
                promises.kept = promises.kept.saturating_add(u32::from(!met.late));
            }
            Fact::ObligationDropped(it) if of_ours(it.obligation) => {
                if let Some(dropped) = open.take() {
                    promises.wait(dropped, at);
                }
            }
            _ => {}
        }
    }
    if let Some(still) = open {
        promises.wait(still, end.max(still.from));
    }
    // What was due after the end was kept before, and says nothing.
    promises.due.retain(|(due, _)| *due <= end);
    promises
}

/// A promise that isn't kept yet.
#[derive(Debug, Clone, Copy)]
struct Open {
    obligation: Seq,
    from: Time,
    due: Time,
    late: bool,
}

impl Promises {
    /// `open` was kept at `at`.
    fn end(&mut self, open: Open, at: Time) {
        if !open.late {
            self.due.push((open.due, open.obligation));
        }
        self.wait(open, at);
    }

    fn wait(&mut self, open: Open, to: Time) {
        let what = if open.late { Wait::Late } else { Wait::InTime };
        self.waits.push(Run { from: open.from, to, what, record: open.obligation });
    }
}
