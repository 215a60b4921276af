//! What was said to whom.

use std::collections::BTreeMap;

use super::document::Statement;
use super::promise::Promises;
use super::source::{Source, statement};
use crate::log::event::Fact;
use crate::model::effect::{Outcome, Work};
use crate::model::id::Seq;
use crate::model::time::stamp;

impl Source<'_> {
    /// How the promise of updates was kept, who was told first when, and whose promises were missed.
    pub(super) fn communication(&self, updates: Promises) -> Vec<Statement> {
        let Promises { kept, missed } = updates;
        let posted = self.all(|fact| matches!(fact, Fact::UpdatePosted(_)));
        let words = format!("Updates promised in time and given: {kept}; deadlines missed: {missed}");
        let mut said = vec![statement(&words, posted.chain(self.declared()))];
        for (audience, (seq, at)) in self.first_told() {
            said.push(statement(&format!("{audience} first told: {at}"), [seq]));
        }
        said.extend(
            self.tell(|fact| matches!(fact, Fact::AudienceUnreached(_) | Fact::ObligationBreached(_))),
        );
        said
    }

    /// When each audience first heard, and the record that says so.
    fn first_told(&self) -> BTreeMap<String, (Seq, String)> {
        let mut first_told = BTreeMap::new();
        let mut planned = BTreeMap::new();
        for record in self.records {
            match &record.fact {
                Fact::EffectPlanned(it) => {
                    planned.insert(record.seq, &it.work);
                }
                Fact::EffectSettled(it) => {
                    let Outcome::Done(_) = &it.outcome else { continue };
                    let Some(Work::Notify(notify)) = planned.get(&it.effect) else { continue };
                    for audience in &notify.audiences {
                        let told = (record.seq, stamp(record.occurred_at));
                        first_told.entry(audience.to_string()).or_insert(told);
                    }
                }
                _ => {}
            }
        }
        first_told
    }
}
