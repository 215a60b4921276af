//! What holds whatever is done in whatever order, and whatever is read from a store.

use std::sync::LazyLock;

use incident_core::log::chain;
use incident_core::log::chain::StoredRecord;
use incident_core::log::event::Record;
use incident_core::log::fold::evolve;
use incident_core::log::incident::Incident;
use incident_core::log::index::index;
use incident_core::log::wake::next_wake;
use incident_core::model::colour::Colour;
use incident_core::model::effect::{Applied, Repeat};
use incident_core::model::id::{CommandId, IncidentId};
use incident_core::model::id::{Digest, Seq};
use incident_core::model::impact::Impact;
use incident_core::model::phase::Phase;
use incident_core::model::role::Actor;
use incident_core::model::route::Routes;
use incident_core::model::severity::Severity;
use incident_core::model::time::Time;
use incident_core::rules::command::{
    Approve, Command, CommandKind, CompleteAction, Correct, EffectResult, ExecutePlan, Proposal, RedactSlot,
    Reject, SettleMitigation, Undo,
};
use incident_core::rules::context::Context;
use incident_core::rules::decide::decide;
use incident_core::rules::due::due;
use incident_core::runbook::Runbook;
use proptest::prelude::*;

use crate::course::{action, advance_to, because, firing, propose, publish, resolve_anyway};
use crate::samples::sample;
use crate::scenario::{Scenario, same};
use crate::world::{failure, ideal, one_probe, readings, time};

/// One step of a random life.
#[derive(Debug, Clone)]
enum Step {
    /// A command of some kind, about whatever `pick` points to, by somebody.
    Command(usize, usize, u8),
    /// The clock moves, now and then backwards.
    Time(i64),
    Wake,
    /// Everything that may begin begins, and ends well.
    Settle,
    /// One effect begins.
    Start(usize, u8),
    /// Something comes of one.
    Conclude(usize, u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..CommandKind::ALL.len(), 0_usize..8, 0_u8..4).prop_map(|(kind, pick, who)| Step::Command(kind, pick, who)),
        2 => prop_oneof![0_i64..600, 0_i64..20_000, Just(86_400), -30_i64..0].prop_map(Step::Time),
        1 => Just(Step::Wake),
        1 => Just(Step::Settle),
        2 => (0_usize..8, 0_u8..4).prop_map(|(pick, repeat)| Step::Start(pick, repeat)),
        2 => (0_usize..8, 0_u8..8).prop_map(|(pick, how)| Step::Conclude(pick, how)),
    ];
    prop::collection::vec(step, 1..40)
}

/// The `pick`-th of `all`, beginning anew after the last.
fn nth<T: Clone>(all: Vec<T>, pick: usize) -> Option<T> {
    (!all.is_empty()).then(|| all[pick % all.len()].clone())
}

/// A command of `kind` about something that is there, if anything is.
fn about(it: &Scenario, kind: CommandKind, pick: usize) -> Command {
    use CommandKind as K;
    let proposal = nth(it.it.mitigations.keys().copied().collect(), pick).unwrap_or(Seq(9_999));
    let plan = it.it.mitigations.get(&proposal).and_then(|it| it.plan.as_ref());
    let digest = plan.map_or_else(Digest::default, |plan| plan.digest);
    let words = || "words".to_owned();
    match kind {
        K::Signals if pick.is_multiple_of(2) => {
            Command::Signals(vec![firing("disk").resolved(), firing("cpu")])
        }
        K::SetSeverity => crate::course::severity(Severity::ALL[pick % 4]),
        K::Advance => advance_to(nth(Phase::ALL[1..6].to_vec(), pick).unwrap_or(Phase::Triage)),
        K::Resolve => resolve_anyway(),
        K::Propose => propose(["deployment/a", "deployment/b"][pick % 2]),
        K::Undo => Command::Undo(Undo { mitigation: proposal, because: words() }),
        K::Approve => Command::Approve(Approve { proposal, digest, break_glass: None }),
        K::WithdrawApproval => Command::WithdrawApproval(Proposal { proposal }),
        K::Reject => Command::Reject(Reject { proposal, because: words() }),
        K::Execute => Command::Execute(ExecutePlan { proposal, digest }),
        K::SettleMitigation => {
            let happened = pick.is_multiple_of(2);
            Command::SettleMitigation(SettleMitigation { proposal, happened, because: words() })
        }
        K::Look => readings([Colour::Green, Colour::Red, Colour::Unknown][pick % 3]),
        K::AddAction => action([Some("bob"), None][pick % 2]),
        K::CompleteAction => {
            let action = nth(it.it.actions.keys().copied().collect(), pick).unwrap_or(Seq(9_999));
            Command::CompleteAction(CompleteAction { action, outcome: words() })
        }
        K::Correct => {
            let occurred_at = Some(time("2026-03-02T09:00:00Z"));
            let record =
                nth(it.records.iter().map(|record| record.seq).collect(), pick * 7).unwrap_or(Seq(1));
            Command::Correct(Correct { record, text: Some(words()), occurred_at, because: words() })
        }
        K::Redact => {
            let worded = it.records.iter().filter(|record| !record.slots.is_empty()).collect();
            let record: &Record = nth(worded, pick).expect("the declaration has words");
            let slots = vec![RedactSlot { slot: 0, text: record.slots[0].text() }];
            let (record, because) = (record.seq, words());
            Command::Redact(incident_core::rules::command::Redact { record, slots, because })
        }
        K::PublishPostMortem => publish(it.it.version),
        K::Cancel if !pick.is_multiple_of(4) => Command::Escalate(because("help")),
        K::MergeInto if !pick.is_multiple_of(4) => sample(K::Note),
        kind => sample(kind),
    }
}

fn outcome(it: &Scenario, effect: Seq, how: u8) -> EffectResult {
    match how {
        0 => failure(Applied::No, true, None),
        1 => failure(Applied::Maybe, true, Some("1h")),
        2 => failure(Applied::No, false, None),
        3 => failure(Applied::Maybe, false, None),
        4 => EffectResult::CannotTell,
        5 => EffectResult::Pending { again: std::time::Duration::ZERO },
        _ => ideal(&it.it, &it.it.effects[&effect], it.now),
    }
}

fn lives(steps: &[Step]) -> Scenario {
    let mut it = Scenario::with_runbook(Severity::Sev2, one_probe);
    for step in steps {
        let before = it.records.len();
        match step {
            Step::Command(kind, pick, who) => {
                let command = about(&it, CommandKind::ALL[*kind], *pick);
                match who {
                    0 => it.as_("alice"),
                    1 => it.as_("bob"),
                    2 => it.as_("stranger"),
                    _ => it.as_actor(Actor::Automation("bot".to_owned())),
                };
                drop(it.tries(command));
            }
            Step::Time(seconds) => it.now += chrono::TimeDelta::seconds(*seconds),
            Step::Wake => drop(it.does(Command::Wake)),
            Step::Settle => drop(it.settles()),
            Step::Start(pick, repeat) => {
                let within = std::time::Duration::from_secs(60);
                let repeats =
                    [Repeat::Native { within }, Repeat::Lookup, Repeat::Converging, Repeat::Visible];
                if let Some(effect) = nth(it_effects(&it), *pick) {
                    it.starts_as(effect, repeats[usize::from(*repeat) % 4]);
                }
            }
            Step::Conclude(pick, how) => {
                if let Some(effect) = nth(it_effects(&it), *pick) {
                    let plan_is_there = it.it.mitigations.values().all(|it| it.plan.is_some());
                    let how = if plan_is_there { *how } else { how % 6 };
                    let result = outcome(&it, effect, how);
                    it.concludes(effect, result);
                }
            }
        }
        assert!(it.records.len() - before < 500, "what follows from one step ends: {step:?}");
    }
    it
}

fn it_effects(it: &Scenario) -> Vec<Seq> {
    it.it.effects.keys().copied().collect()
}

/// A log in which almost everything happened.
static LOG: LazyLock<Scenario> = LazyLock::new(|| {
    let mut it = Scenario::declared(Severity::Sev1);
    it.goes_to(Phase::Resolution);
    it.at("+40m").does(Command::Wake);
    it.has_mitigated("deployment/cart");
    it.does(crate::course::update("better"));
    let proposal = it.has_planned("deployment/checkout");
    it.does(Command::Reject(Reject { proposal, because: "no".to_owned() }));
    it.does(Command::Signals(vec![firing("disk")]));
    it.does(Command::Escalate(because("help")));
    it.does(resolve_anyway());
    it.does(action(Some("bob")));
    it.settles();
    it.does(Command::Reopen(because("again")));
    it.does(sample(CommandKind::Absorb));
    it.does(resolve_anyway());
    it.does(sample(CommandKind::Close));
    it
});

fn fold(records: &[Record]) -> Incident {
    let mut incident = Incident::blank(LOG.it.id);
    records.iter().for_each(|record| evolve(&mut incident, record));
    incident
}

/// Whatever can be asked of a state is answered, and a timer can be run on it.
fn answers(incident: &Incident, now: Time) {
    let _ = (index(incident), due(incident, now));
    assert_eq!(next_wake(incident).is_none(), incident.is_settled());
    let (runbook, routes) = (Runbook::default(), Routes::default());
    let (live, drill, taken, others) = (&routes, &routes, &[][..], &[][..]);
    let (digest, open_incidents, entropy) = (runbook.digest(), None, [1; 16]);
    let cx = Context { now, runbook: &runbook, digest, live, drill, taken, others, open_incidents, entropy };
    for command in [Command::Wake, resolve_anyway(), sample(CommandKind::Close), Command::Acknowledge] {
        let request =
            incident_core::rules::command::Request::new(CommandId::named("x"), Actor::Engine, command);
        drop(decide(incident, &request, &cx));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// The scenario itself checks, after each step, all that must hold always.
    #[test]
    fn a_random_life_keeps_every_invariant(steps in steps()) {
        lives(&steps).is_whole();
    }

    #[test]
    fn a_random_life_comes_to_rest(steps in steps()) {
        let mut it = lives(&steps);
        if it.it.ended.is_none() {
            it.as_("alice").settles();
            drop(it.tries(Command::Cancel(because("over"))));
        }
        it.now = it.now.max(it.it.recorded_at);
        for _ in 0..200 {
            it.settles();
            let Some(next) = next_wake(&it.it).filter(|_| it.it.ended.is_some()) else { break };
            if it.it.is_idle(it.now) { break }
            it.now = it.now.max(next);
            it.does(Command::Wake);
        }
        prop_assert!(it.it.ended.is_none() || it.it.is_idle(it.now), "{:?}", it.it.effects);
    }

    #[test]
    fn records_in_any_order_are_folded(order in prop::collection::vec(0..LOG.records.len(), 0..200), at in 0_i64..400_000) {
        let records: Vec<Record> = order.iter().map(|at| LOG.records[*at].clone()).collect();
        answers(&fold(&records), LOG.start + chrono::TimeDelta::seconds(at));
    }

    #[test]
    fn records_that_refer_to_anything_are_folded(
        order in prop::collection::vec((0..LOG.records.len(), 0_u64..150, any::<i64>()), 0..100),
    ) {
        let records = order.iter().map(|(at, seq, time)| {
            let mut record = LOG.records[*at].clone();
            record.seq = Seq(*seq);
            record.recorded_at = Time::from_timestamp_millis(*time).unwrap_or(Time::MAX_UTC);
            record.occurred_at = record.recorded_at;
            record
        });
        answers(&fold(&records.collect::<Vec<_>>()), LOG.start);
    }

    #[test]
    fn a_fold_goes_on_from_any_record(at in 0..LOG.log.len()) {
        let (before, after) = LOG.log.split_at(at);
        let (mut incident, mut head) = chain::fold(LOG.it.id, before).unwrap();
        chain::extend(&mut incident, &mut head, after).unwrap();
        same(&incident, &LOG.it);
    }

    #[test]
    fn a_missing_doubled_or_moved_record_is_found(one in 0..LOG.log.len(), other in 0..LOG.log.len(), how in 0..3) {
        let mut log = LOG.log.clone();
        match how {
            0 => drop(log.remove(one)),
            1 => log.insert(one, log[other].clone()),
            _ => log.swap(one, other),
        }
        let found = chain::fold(LOG.it.id, &log);
        // Without a head kept elsewhere, a log that was cut at its end passes as a shorter one.
        let cut = how == 0 && one + 1 == LOG.log.len();
        prop_assert_eq!(found.is_ok(), cut || log == LOG.log);
        prop_assert_eq!(chain::verify(LOG.it.id, &log, Some(LOG.head)).is_ok(), log == LOG.log);
    }

    #[test]
    fn a_flipped_bit_is_found(at in 0..LOG.log.len(), place in any::<prop::sample::Index>(), bit in 0_u8..8, what in 0..3) {
        let mut log = LOG.log.clone();
        if !flip(&mut log[at], place, bit, what) {
            return Ok(());
        }
        prop_assert!(chain::verify(LOG.it.id, &log, None).is_err());
        if what != 1 {
            prop_assert!(chain::fold(LOG.it.id, &log).is_err());
        }
    }

    #[test]
    fn any_bytes_are_a_record_or_an_error(body in prop::collection::vec(any::<u8>(), 0..200), slot in prop::collection::vec(any::<u8>(), 0..40)) {
        let id = LOG.it.id;
        let chain = chain::link(chain::origin(id), Seq(1), &body);
        let log = [StoredRecord { seq: Seq(1), body, slots: vec![slot], chain }];
        prop_assert!(chain::fold(id, &log).is_err());
    }

    #[test]
    fn a_share_reads_back_to_the_last_digit(share in 0.0_f64..=100.0) {
        let mut it = Scenario::declared(Severity::Sev4);
        let impact = Impact { users_percent: Some(share), ..Impact::default() };
        it.does(Command::AssessImpact(Box::new(impact)));
    }
}

/// Flips a bit of the body, of a slot or of the link; false if there is none.
fn flip(stored: &mut StoredRecord, place: prop::sample::Index, bit: u8, what: i32) -> bool {
    let bytes: &mut [u8] = match what {
        0 => &mut stored.body,
        1 => match stored.slots.first_mut() {
            Some(slot) => slot,
            None => return false,
        },
        _ => &mut stored.chain.0,
    };
    if bytes.is_empty() {
        return false;
    }
    bytes[place.index(bytes.len())] ^= 1 << bit;
    true
}

#[test]
fn an_incident_under_another_id_is_not_taken_for_it() {
    let other = IncidentId::new(LOG.start, [1; 16]);
    assert!(chain::fold(other, &LOG.log).is_err());
}
