//! One incident, played step by step. After each step everything that must hold always is checked.

use incident_core::log::chain;
use incident_core::log::chain::StoredRecord;
use incident_core::log::event::{Fact, NoticeIssued, Record};
use incident_core::log::incident::Incident;
use incident_core::log::index::index;
use incident_core::log::wake::{HEARTBEAT, next_wake};
use incident_core::model::effect::{Effect, EffectState, Repeat, Work};
use incident_core::model::id::{CommandId, Digest, IncidentId, Seq};
use incident_core::model::notice::NoticeKind;
use incident_core::model::obligation::{Obligation, ObligationKind};
use incident_core::model::role::Actor;
use incident_core::model::route::Routes;
use incident_core::model::severity::Severity;
use incident_core::model::time::Time;
use incident_core::model::time::after;
use incident_core::rules::command::{Begin, Command, Conclude, Declare, EffectResult, Refusal, Request};
use incident_core::rules::context::{Context, OtherIncident};
use incident_core::rules::decide::{Decision, decide};
use incident_core::rules::due::{Due, due};
use incident_core::runbook::Runbook;

use crate::{samples, world};

/// An incident, its log, and the world around it: all data.
#[derive(Clone)]
pub(crate) struct Scenario {
    pub(crate) start: Time,
    pub(crate) now: Time,
    pub(crate) it: Incident,
    /// The same, folded from the stored bytes.
    folded: Incident,
    pub(crate) log: Vec<StoredRecord>,
    pub(crate) head: Digest,
    /// Every record, as it was decided.
    pub(crate) records: Vec<Record>,
    pub(crate) runbook: Runbook,
    pub(crate) live: Routes,
    pub(crate) drill: Routes,
    pub(crate) taken: Vec<String>,
    /// The other incidents of the store: an older and a younger one, open and live.
    pub(crate) others: Vec<OtherIncident>,
    pub(crate) open_incidents: Option<u32>,
    /// When the commands say they happened; none means now.
    pub(crate) occurred_at: Option<Time>,
    actor: Actor,
    commands: u64,
}

/// A Monday morning.
pub(crate) const MONDAY: &str = "2026-03-02T10:00:00Z";

impl Scenario {
    /// Nothing has happened yet.
    pub(crate) fn blank(start: &str) -> Self {
        Self::blank_as(IncidentId::new(world::time(start), [7; 16]), start)
    }

    /// Nothing has happened yet to the incident `id`.
    pub(crate) fn blank_as(id: IncidentId, start: &str) -> Self {
        let start = world::time(start);
        Self {
            start,
            now: start,
            it: Incident::blank(id),
            folded: Incident::blank(id),
            log: Vec::new(),
            head: chain::origin(id),
            records: Vec::new(),
            runbook: world::runbook(),
            live: world::live(),
            drill: world::drill(),
            taken: Vec::new(),
            others: [samples::older(), samples::younger()].map(OtherIncident::new).to_vec(),
            open_incidents: Some(1),
            occurred_at: None,
            actor: Actor::human("chat", "alice"),
            commands: 0,
        }
    }

    /// On Monday morning, alice declares an incident of this severity that has just begun.
    pub(crate) fn declared(severity: Severity) -> Self {
        Self::with_runbook(severity, |_| {})
    }

    /// As [`declared`](Self::declared), under a runbook that `change` changed.
    pub(crate) fn with_runbook(severity: Severity, change: impl FnOnce(&mut Runbook)) -> Self {
        let mut it = Self::blank(MONDAY);
        change(&mut it.runbook);
        it.does(Command::Declare(Box::new(declare(severity, it.start))));
        it
    }

    /// The clock shows this long after the start.
    pub(crate) fn at(&mut self, offset: &str) -> &mut Self {
        self.now = after(self.start, world::long(offset.trim_start_matches('+')));
        self
    }

    /// The clock goes on by this long.
    pub(crate) fn later(&mut self, length: &str) -> &mut Self {
        self.now = after(self.now, world::long(length));
        self
    }

    /// `account` in the chat acts from now on.
    pub(crate) fn as_(&mut self, account: &str) -> &mut Self {
        self.actor = Actor::human("chat", account);
        self
    }

    pub(crate) fn as_actor(&mut self, actor: Actor) -> &mut Self {
        self.actor = actor;
        self
    }

    /// Does `command`; gives the records it led to.
    #[track_caller]
    pub(crate) fn does(&mut self, command: Command) -> Vec<Record> {
        match self.tries(command.clone()) {
            Ok(records) => records,
            Err(refusal) => panic!("{command:?} was refused: {refusal}"),
        }
    }

    /// Why `command` is refused.
    #[track_caller]
    pub(crate) fn refuses(&mut self, command: Command) -> Refusal {
        match self.tries(command.clone()) {
            Ok(_) => panic!("{command:?} was not refused"),
            Err(refusal) => refusal,
        }
    }

    #[track_caller]
    pub(crate) fn tries(&mut self, command: Command) -> Result<Vec<Record>, Refusal> {
        let id = self.next_command();
        let engine = matches!(
            command,
            Command::Wake
                | Command::Look(_)
                | Command::Start(_)
                | Command::Conclude(_)
                | Command::MergeInto(_)
        );
        let actor = if engine { Actor::Engine } else { self.actor.clone() };
        let mut request = Request::new(id, actor, command);
        request.occurred_at = self.occurred_at.filter(|_| !engine);
        self.sends(&request)
    }

    /// Sends a request as it is, commits what comes of it, and checks all that must hold.
    #[track_caller]
    pub(crate) fn sends(&mut self, request: &Request) -> Result<Vec<Record>, Refusal> {
        let decision = self.decides(request)?;
        let (stored, head) = chain::encode(&decision.records, self.head);
        chain::extend(&mut self.folded, &mut self.head, &stored).expect("what was written can be read");
        assert_eq!(self.head, head);
        self.log.extend(stored);
        for (seq, slot) in &decision.redact {
            let record = &mut self.log[usize::try_from(seq.0).unwrap() - 1];
            if let Some(slot) = record.slots.get_mut(usize::try_from(*slot).unwrap()) {
                slot.clear();
            }
        }
        if !decision.redact.is_empty() {
            self.folded = chain::fold(self.it.id, &self.log).expect("what was written can be read").0;
        }
        self.records.extend(decision.records.iter().cloned());
        self.it = decision.after;
        // A whole fold after each step of a long log would take most of the time; what was emptied shows only there.
        if self.log.len() < 48 || self.commands.is_multiple_of(16) || !decision.redact.is_empty() {
            self.is_whole();
        }
        self.holds();
        Ok(decision.records)
    }

    /// Decides without committing.
    #[track_caller]
    pub(crate) fn decides(&self, request: &Request) -> Result<Decision, Refusal> {
        let cx = Context {
            now: self.now,
            runbook: &self.runbook,
            digest: self.runbook.digest(),
            live: &self.live,
            drill: &self.drill,
            taken: &self.taken,
            others: &self.others,
            open_incidents: self.open_incidents,
            entropy: [9; 16],
        };
        let decision = decide(&self.it, request, &cx);
        let again = decide(&self.it, request, &cx);
        let records =
            |it: &Result<Decision, Refusal>| it.as_ref().map(|it| it.records.clone()).map_err(Clone::clone);
        assert_eq!(records(&decision), records(&again), "deciding is pure");
        decision
    }

    pub(crate) fn next_command(&mut self) -> CommandId {
        self.commands += 1;
        CommandId::named(&format!("command {}", self.commands))
    }

    /// Begins `effect`, for a minute.
    #[track_caller]
    pub(crate) fn starts(&mut self, effect: Seq) -> Vec<Record> {
        let repeat = self.it.effects.get(&effect).map_or(Repeat::Visible, |it| world::usual_repeat(&it.work));
        self.starts_as(effect, repeat)
    }

    #[track_caller]
    pub(crate) fn starts_as(&mut self, effect: Seq, repeat: Repeat) -> Vec<Record> {
        let until = after(self.now, world::long("1m"));
        self.does(Command::Start(vec![Begin { effect, worker: "w1".to_owned(), until, repeat }]))
    }

    /// Records what came of the attempt at `effect` that runs.
    #[track_caller]
    pub(crate) fn concludes(&mut self, effect: Seq, result: EffectResult) -> Vec<Record> {
        let attempt = self.it.effects.get(&effect).map_or(0, |it| it.attempts);
        self.concludes_attempt(effect, attempt, result)
    }

    #[track_caller]
    pub(crate) fn concludes_attempt(
        &mut self,
        effect: Seq,
        attempt: u32,
        result: EffectResult,
    ) -> Vec<Record> {
        self.does(Command::Conclude(Box::new(Conclude { effect, attempt, result })))
    }

    /// Carries out whatever may begin now, with backends that are well.
    #[track_caller]
    pub(crate) fn settles(&mut self) -> &mut Self {
        self.settles_but(|_| false)
    }

    /// As [`settles`](Self::settles), leaving alone what `left` says.
    #[track_caller]
    pub(crate) fn settles_but(&mut self, left: impl Fn(&Effect) -> bool) -> &mut Self {
        for _ in 0..1_000 {
            let ready = self.due().start.into_iter().find(|seq| !left(&self.it.effects[seq]));
            let Some(seq) = ready else { return self };
            self.starts(seq);
            let Some(effect) = self.it.effects.get(&seq) else { continue };
            let result = world::ideal(&self.it, effect, self.now);
            self.concludes(seq, result);
        }
        panic!("effects never end: {:?}", self.it.effects);
    }

    /// Lets the time pass with an engine at work: it wakes when it should, probes show green, backends are well.
    #[track_caller]
    pub(crate) fn passes(&mut self, length: &str) -> &mut Self {
        let until = after(self.now, world::long(length));
        self.settles();
        while let Some(next) = next_wake(&self.it).filter(|next| *next <= until) {
            self.now = self.now.max(next);
            if self.due().wake {
                self.does(Command::Wake);
            }
            if self.due().look {
                self.does(world::readings(incident_core::model::colour::Colour::Green));
            }
            self.settles();
        }
        self.now = until;
        self
    }

    pub(crate) fn due(&self) -> Due {
        due(&self.it, self.now)
    }

    /// The log folds from its first record, in order, and is as it was written.
    #[track_caller]
    pub(crate) fn is_whole(&self) {
        let (folded, head) = chain::fold(self.it.id, &self.log).expect("what was written can be read");
        same(&folded, &self.it);
        let verified = chain::verify(self.it.id, &self.log, Some(head)).expect("the log is whole");
        assert_eq!((verified.version, verified.head), (self.it.version, self.head));
        for (at, record) in (1..).zip(&self.log) {
            assert_eq!(record.seq, Seq(at), "no gap");
        }
    }

    /// What must hold after every step.
    #[track_caller]
    fn holds(&self) {
        let it = &self.it;
        same(&self.folded, it);
        assert_eq!(index(&self.folded), index(it));
        assert_eq!(due(&self.folded, self.now), self.due());
        let wake = next_wake(it);
        assert_eq!(wake, self.due().next);
        assert_eq!(wake.is_none(), it.is_settled(), "an incident that owes something is looked at again");
        assert!(wake.is_none_or(|wake| wake <= after(it.recorded_at, HEARTBEAT)), "within a day");
        let due = self.due();
        let something = due.wake || due.look || !due.start.is_empty();
        assert!(wake.is_none_or(|wake| wake > self.now) || something, "nobody is woken for nothing: {it:#?}");
        self.wakes_once();
    }

    /// A timer that is due writes something, and then it's no longer due.
    #[track_caller]
    fn wakes_once(&self) {
        if !self.it.exists() || !self.due().wake {
            return;
        }
        let wake = Request::new(CommandId::named("wake"), Actor::Engine, Command::Wake);
        let decision = self.decides(&wake).expect("a timer is never refused");
        assert!(!decision.records.is_empty(), "a timer that is due has something to write");
        assert!(!due(&decision.after, self.now).wake, "what was written is no longer due");
    }

    /// The open obligation of `kind`.
    #[track_caller]
    pub(crate) fn owed(&self, kind: ObligationKind) -> &Obligation {
        self.it.obligation(kind).unwrap_or_else(|| panic!("nobody owes to {kind}: {:?}", self.it.obligations))
    }

    /// How long after the start the obligation of `kind` is due, in words.
    #[track_caller]
    pub(crate) fn due_in(&self, kind: ObligationKind) -> String {
        self.since_start(self.owed(kind).due)
    }

    pub(crate) fn since_start(&self, time: Time) -> String {
        incident_core::model::time::spoken(incident_core::model::time::since(time, self.start))
    }

    /// The effects that wait or run, whose work `wanted` says.
    pub(crate) fn effects(&self, wanted: impl Fn(&Work) -> bool) -> Vec<Seq> {
        self.it.effects.values().filter(|effect| wanted(&effect.work)).map(|effect| effect.seq).collect()
    }

    /// The one open effect whose work `wanted` says.
    #[track_caller]
    pub(crate) fn effect(&self, wanted: impl Fn(&Work) -> bool) -> Seq {
        match self.effects(wanted)[..] {
            [one] => one,
            ref several => panic!("expected one effect, found {several:?} of {:#?}", self.it.effects),
        }
    }

    /// The one open effect that carries a notice of `kind` on `route`.
    #[track_caller]
    pub(crate) fn notice_on(&self, route: &str, kind: NoticeKind) -> Seq {
        let fits = |effect: &&Effect| {
            effect.route == route && matches!(&effect.work, Work::Notify(notify) if notify.kind == kind)
        };
        match self.it.effects.values().filter(fits).map(|effect| effect.seq).collect::<Vec<_>>()[..] {
            [one] => one,
            ref several => panic!("expected one {kind} on {route}, found {several:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn state_of(&self, effect: Seq) -> &EffectState {
        &self.it.effects.get(&effect).expect("the effect isn't settled").state
    }
}

/// The log is the only truth: a fold of it is the state, to the letter.
#[track_caller]
pub(crate) fn same(folded: &Incident, live: &Incident) {
    if format!("{folded:?}") == format!("{live:?}") {
        return;
    }
    let (folded, live) = (format!("{folded:#?}"), format!("{live:#?}"));
    let differs = folded.lines().zip(live.lines()).find(|(folded, live)| folded != live);
    panic!("the fold of the log isn't the state; first difference (folded, live): {differs:#?}");
}

pub(crate) fn declare(severity: Severity, started: Time) -> Declare {
    Declare::new("checkout is down").severity(severity).service("checkout").started_at(started)
}

/// The kinds of the facts in `records`, in order.
pub(crate) fn kinds(records: &[Record]) -> Vec<&'static str> {
    records.iter().map(|record| record.fact.kind()).collect()
}

/// How many facts of `kind` there are.
pub(crate) fn count(records: &[Record], kind: &str) -> usize {
    records.iter().filter(|record| record.fact.kind() == kind).count()
}

/// The notices among `records`.
pub(crate) fn notices(records: &[Record]) -> Vec<&NoticeIssued> {
    records
        .iter()
        .filter_map(|record| match &record.fact {
            Fact::NoticeIssued(notice) => Some(notice),
            _ => None,
        })
        .collect()
}

/// What is said to whom by `records`: `update chat(team, leadership)`.
pub(crate) fn carried(records: &[Record]) -> Vec<String> {
    records
        .iter()
        .filter_map(|record| match &record.fact {
            Fact::EffectPlanned(planned) => match &planned.work {
                Work::Notify(notify) => {
                    let to: Vec<&str> =
                        notify.audiences.iter().map(incident_core::Audience::as_str).collect();
                    Some(format!("{} {}({})", notify.kind, planned.route, to.join(", ")))
                }
                _ => None,
            },
            _ => None,
        })
        .collect()
}
