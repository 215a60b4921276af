//! What was promised and said.

use std::collections::BTreeMap;

use super::account::Promises;
use super::document::Statement;
use super::sections::{Source, statement};
use crate::domain::effect::{Outcome, Work};
use crate::domain::event::Fact;
use crate::domain::id::Seq;
use crate::domain::obligation::ObligationKind;
use crate::domain::time::stamp;

impl Source<'_> {
    /// How the promise of updates was kept, who was told first when, and whose promises were missed.
    pub(super) fn communication(&self) -> (Promises, Vec<Statement>) {
        let mut missed: BTreeMap<Seq, u32> = BTreeMap::new();
        let mut first_told: BTreeMap<String, (Seq, String)> = BTreeMap::new();
        let mut updates = Promises::default();
        let mut planned = BTreeMap::new();
        for record in self.records {
            match &record.fact {
                Fact::ObligationOpened(it) if it.kind == ObligationKind::Update => {
                    missed.insert(record.seq, 0);
                }
                Fact::ObligationBreached(it) => {
                    if let Some(count) = missed.get_mut(&it.obligation) {
                        *count = count.saturating_add(it.missed);
                        updates.missed = updates.missed.saturating_add(it.missed);
                    }
                }
                Fact::ObligationMet(it) if missed.get(&it.obligation) == Some(&0) => {
                    updates.kept = updates.kept.saturating_add(1);
                }
                Fact::EffectPlanned(it) => {
                    planned.insert(record.seq, &it.work);
                }
                Fact::EffectSettled(it) => {
                    if let (Outcome::Done(_), Some(Work::Notify(notify))) =
                        (&it.outcome, planned.get(&it.effect))
                    {
                        for audience in &notify.audiences {
                            let told = (record.seq, stamp(record.occurred_at));
                            first_told.entry(audience.to_string()).or_insert(told);
                        }
                    }
                }
                _ => {}
            }
        }
        let Promises { kept, missed } = updates;
        let posted = self.all(|fact| matches!(fact, Fact::UpdatePosted(_)));
        let words = format!("Updates promised in time and given: {kept}; deadlines missed: {missed}");
        let mut said = vec![statement(&words, posted)];
        for (audience, (seq, at)) in first_told {
            said.push(statement(&format!("{audience} first told: {at}"), [seq]));
        }
        said.extend(
            self.tell(|fact| matches!(fact, Fact::AudienceUnreached(_) | Fact::ObligationBreached(_))),
        );
        (updates, said)
    }
}
