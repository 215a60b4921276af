//! Past incidents from elsewhere, taken over with their own times.

use incident_core::log::chain::{encode, origin};
use incident_core::log::event::{FixStep, Origin, Record};
use incident_core::log::incident::Incident;
use incident_core::log::index::index;
use incident_core::model::id::{CommandId, Digest, IncidentId, Seq};
use incident_core::model::role::Actor;
use incident_core::model::route::Routes;
use incident_core::model::time::Time;
use incident_core::port::Store;
use incident_core::port::store::{Commit, CommitError};
use incident_core::rules::command::{
    AddAction, Close, Command, CompleteAction, Declare, Hypothesise, JudgeHypothesis, Note, RecordFix,
    Refusal, Request, Resolve,
};
use incident_core::rules::context::Context;
use incident_core::rules::decide::{Decision, decide, recount};
use incident_core::runbook::Runbook;

use super::fields::{Fields, Wrong};
use super::past_incident::{PastAction, PastIncident, PastNote};

/// Where every record that was taken over says it comes from.
const ORIGIN: &str = "import";

/// How past incidents are taken over.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Importing<'a> {
    /// What they come from, such as `jira`. With an incident's id there, it makes the same incident each time.
    pub source: &'a str,
    /// Who takes them over: a person of the runbook, who answers for the gates that nobody looks at any more.
    pub actor: Actor,
    /// The runbook, for its persons and for how long action items may take.
    pub runbook: &'a Runbook,
    /// Now, UTC: when everything is recorded.
    pub now: Time,
    /// Bytes that nobody can guess: they salt the texts, so that one that is taken out later can't be guessed either.
    pub entropy: [u8; 16],
}

impl<'a> Importing<'a> {
    /// From `source`, by `actor`, at `now`, with fresh entropy.
    #[must_use]
    pub fn new(source: &'a str, actor: Actor, runbook: &'a Runbook, now: Time, entropy: [u8; 16]) -> Self {
        Self { source, actor, runbook, now, entropy }
    }
}

/// Past incidents that were read and judged, and can be written down.
#[derive(Debug)]
pub struct Import {
    incidents: Vec<(Incident, Vec<Record>)>,
    now: Time,
}

/// What became of an import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// The incidents that are new.
    pub added: Vec<IncidentId>,
    /// Those that were taken over before, which stay as they are.
    pub present: Vec<IncidentId>,
}

/// Why nothing is taken over, or no more of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A line isn't JSON.
    #[error("line {line}, column {column}: expected an object as JSON on one line")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A field isn't right.
    #[error("line {line}: {field}: {problem}")]
    Field {
        /// The line, from 1.
        line: usize,
        /// The field: `actions[1].priority`.
        field: String,
        /// What is wrong and what was expected. It never repeats what was there.
        problem: String,
    },
    /// The runbook says no.
    #[error("line {line}: the incident can't be written down")]
    Refused {
        /// The line, from 1.
        line: usize,
        /// Why.
        #[source]
        refusal: Refusal,
    },
    /// The store failed. What was written stays, each incident whole; import the same again to go on.
    #[error("{} incidents were taken over before the store failed; import the same again to go on", .so_far.added.len())]
    Store {
        /// What was taken over.
        so_far: Imported,
        /// Why it ended.
        #[source]
        error: CommitError,
    },
}

impl Import {
    /// Reads past incidents from JSON Lines, each a [`PastIncident`], and writes nothing yet: either every line is right, or
    /// the error names the first one that isn't. Empty lines are passed over.
    ///
    /// An incident happened when its line says and is recorded now; its id follows from the source, its id there and when
    /// it was declared. Nobody is told and no ticket is opened. Only action items that aren't done are owed from now on.
    ///
    /// # Errors
    /// [`ImportError`], with the line and the field.
    pub fn read(lines: &str, how: &Importing<'_>) -> Result<Self, ImportError> {
        let mut incidents: Vec<(Incident, Vec<Record>)> = Vec::new();
        let mut seen = std::collections::BTreeMap::new();
        let runbook = how.runbook.digest();
        // A byte-order mark at the start is no part of the text. Lines may end in CRLF.
        let lines = lines.strip_prefix('\u{feff}').unwrap_or(lines);
        for (at, text) in lines.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
            let line = at + 1;
            let value = serde_json::from_str(text)
                .map_err(|error| ImportError::Syntax { line, column: error.column() })?;
            let wrong = |Wrong { field, problem }| ImportError::Field { line, field, problem };
            let past = read(value).map_err(wrong)?;
            if let Some(first) = seen.insert(past.id.clone(), line) {
                return Err(wrong(Wrong::new(
                    "id",
                    &format!("line {first} has it, too; expected one that is new"),
                )));
            }
            incidents.push(Telling::new(&past, how, runbook).tell(&past).map_err(|it| it.at(line))?);
        }
        Ok(Self { incidents, now: how.now })
    }

    /// How many incidents were read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.incidents.len()
    }

    /// Whether none was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.incidents.is_empty()
    }

    /// Writes them down, each in one commit, so none is ever half there. What is there already stays as it is; after an
    /// error or a crash the same import goes on where it ended.
    ///
    /// # Errors
    /// [`ImportError::Store`], with what was taken over until then.
    pub async fn commit(&self, store: &dyn Store) -> Result<Imported, ImportError> {
        let mut so_far = Imported::default();
        for (incident, records) in &self.incidents {
            let (stored, _) = encode(records, origin(incident.id));
            let commit = Commit::new(stored, index(incident), self.now);
            match store.commit(incident.id, Seq::ZERO, &commit).await {
                Ok(()) => so_far.added.push(incident.id),
                Err(CommitError::Conflict) => so_far.present.push(incident.id),
                Err(error) => return Err(ImportError::Store { so_far, error }),
            }
        }
        Ok(so_far)
    }
}

const TIME: &str = "a time such as 2026-03-02T14:00:00Z";

fn read(value: serde_json::Value) -> Result<PastIncident, Wrong> {
    let mut it = Fields::of(value, "")?;
    let notes = it.objects("notes")?.into_iter().map(note).collect::<Result<_, _>>()?;
    let actions = it.objects("actions")?.into_iter().map(action).collect::<Result<_, _>>()?;
    let past = PastIncident {
        id: it.required("id", "the incident's name where it comes from")?,
        title: it.required("title", "a text")?,
        service: it.optional("service", "a text")?,
        severity: it.required("severity", "sev1, sev2, sev3 or sev4")?,
        drill: it.optional("drill", "true or false")?.unwrap_or_default(),
        detected_by: it
            .optional("detected_by", "a way to notice it, such as metric_alert or support_ticket")?
            .unwrap_or(incident_core::model::signal::Detection::TeamObservation),
        started_at: it.optional("started_at", TIME)?,
        detected_at: it.optional("detected_at", TIME)?,
        declared_at: it.required("declared_at", TIME)?,
        acknowledged_at: it.optional("acknowledged_at", TIME)?,
        mitigated_at: it.optional("mitigated_at", TIME)?,
        resolved_at: it.required("resolved_at", TIME)?,
        closed_at: it.optional("closed_at", TIME)?,
        cause: it.required("cause", "a text")?,
        cause_class: it.optional("cause_class", "a class of cause, such as recent_deployment")?,
        mitigation: it.optional("mitigation", "a text")?,
        impact: it.optional("impact", "an object with users, users_percent, services and so on")?,
        link: it.optional("link", "a text")?,
        notes,
        actions,
    };
    it.done()?;
    let declared = Some(past.declared_at);
    for (field, time, not_before, of) in [
        ("detected_at", past.detected_at, past.started_at, "started_at"),
        ("declared_at", declared, past.detected_at.or(past.started_at), "detected_at and started_at"),
        ("acknowledged_at", past.acknowledged_at, declared, "declared_at"),
        ("mitigated_at", past.mitigated_at, declared, "declared_at"),
        ("resolved_at", Some(past.resolved_at), declared, "declared_at"),
        ("closed_at", past.closed_at, Some(past.resolved_at), "resolved_at"),
    ] {
        if matches!((time, not_before), (Some(time), Some(earliest)) if time < earliest) {
            return Err(Wrong::new(field, &format!("expected a time not before {of}")));
        }
    }
    Ok(past)
}

fn note(mut it: Fields) -> Result<PastNote, Wrong> {
    let note = PastNote { at: it.required("at", TIME)?, text: it.required("text", "a text")? };
    it.done().map(|()| note)
}

fn action(mut it: Fields) -> Result<PastAction, Wrong> {
    let action = PastAction {
        what: it.required("what", "a text")?,
        kind: it.optional("kind", "prevent, mitigate, detect or process")?,
        priority: it.required("priority", "critical, high, medium or low")?,
        owner: it.optional("owner", "the short name of a person in the runbook")?,
        due: it.optional("due", TIME)?,
        done: it.required("done", "true or false")?,
    };
    it.done().map(|()| action)
}

/// A refusal, and the fields that what was refused came from.
struct Told {
    time: String,
    words: String,
    refusal: Refusal,
}

impl Told {
    /// Which field of the line is meant; the domain names the command's.
    fn at(self, line: usize) -> ImportError {
        let Self { time, words, refusal } = self;
        match refusal {
            Refusal::Invalid { field: "occurred_at", problem } => {
                ImportError::Field { line, field: time, problem }
            }
            Refusal::Invalid { field: "cause" | "statement" | "text" | "what", problem } => {
                ImportError::Field { line, field: words, problem }
            }
            Refusal::Invalid { field, problem } => {
                ImportError::Field { line, field: field.to_owned(), problem }
            }
            refusal => ImportError::Refused { line, refusal },
        }
    }
}

type Decide = fn(&Incident, &Request, &Context<'_>) -> Result<Decision, Refusal>;

/// An incident in the telling, command by command.
struct Telling<'a> {
    how: &'a Importing<'a>,
    runbook: Digest,
    incident: Incident,
    records: Vec<Record>,
    name: String,
    commands: u32,
}

impl<'a> Telling<'a> {
    fn new(past: &PastIncident, how: &'a Importing<'a>, runbook: Digest) -> Self {
        let name = Digest::of(&[how.source.as_bytes(), past.id.as_bytes()]);
        let mut entropy = [0; 16];
        entropy.copy_from_slice(&name.0[..16]);
        let incident = Incident::blank(IncidentId::new(past.declared_at, entropy));
        Self { how, runbook, incident, records: Vec::new(), name: format!("{ORIGIN} {name}"), commands: 0 }
    }

    fn tell(mut self, past: &PastIncident) -> Result<(Incident, Vec<Record>), Told> {
        let mut declare = Declare::new(&past.title).severity(past.severity).detected_by(past.detected_by);
        declare.service.clone_from(&past.service);
        declare.started_at = past.started_at;
        declare.declared_at = Some(past.declared_at);
        declare.link.clone_from(&past.link);
        if past.drill {
            declare = declare.drill();
        }
        let declare = Command::Declare(Box::new(declare));
        self.recount(("detected_at", past.detected_at.unwrap_or(past.declared_at)), "title", declare)?;
        for (at, note) in past.notes.iter().enumerate() {
            let (time, words) = (format!("notes[{at}].at"), format!("notes[{at}].text"));
            self.recount((&time, note.at), &words, Command::Note(Note { text: note.text.clone() }))?;
        }
        if let Some(at) = past.acknowledged_at {
            self.recount(("acknowledged_at", at), "", Command::Acknowledge)?;
        }
        self.findings(past)?;
        let over = Some(self.as_said());
        let resolve = Resolve { cause: past.cause.clone(), override_because: over.clone() };
        self.recount(("resolved_at", past.resolved_at), "cause", Command::Resolve(resolve))?;
        for (at, action) in past.actions.iter().enumerate() {
            self.action(past, &format!("actions[{at}].what"), action)?;
        }
        let close = Command::Close(Close { override_because: over });
        self.recount(("closed_at", past.closed_at.unwrap_or(past.resolved_at)), "", close)?;
        Ok((self.incident, self.records))
    }

    fn as_said(&self) -> String {
        format!("As {} says", self.how.source)
    }

    /// What it did to whom, why, and what ended it.
    fn findings(&mut self, past: &PastIncident) -> Result<(), Told> {
        let resolved = ("resolved_at", past.resolved_at);
        if let Some(impact) = &past.impact {
            self.recount(resolved, "impact", Command::AssessImpact(Box::new(impact.clone())))?;
        }
        if let Some(class) = past.cause_class {
            let cause = Hypothesise { statement: past.cause.clone(), class: Some(class) };
            let hypothesis = self.recount(resolved, "cause", Command::Hypothesise(cause))?;
            let because = self.as_said();
            let judged = JudgeHypothesis { hypothesis, confirmed: true, because };
            self.recount(resolved, "cause", Command::JudgeHypothesis(judged))?;
        }
        if let Some(at) = past.mitigated_at {
            let what = past.mitigation.clone().unwrap_or_else(|| self.as_said());
            let fix = RecordFix { step: FixStep::Deployment, what, link: None };
            self.recount(("mitigated_at", at), "mitigation", Command::RecordFix(fix))?;
        }
        Ok(())
    }

    /// What is done is told; what isn't is owed from now on.
    fn action(&mut self, past: &PastIncident, words: &str, action: &PastAction) -> Result<(), Told> {
        let PastAction { what, kind, priority, owner, due, done } = action.clone();
        let resolved = ("resolved_at", past.resolved_at);
        // What is owed can't be due in the past.
        let due = due.filter(|due| !done && *due > self.how.now);
        let add = AddAction { what, kind, priority, owner, due };
        if !done {
            return self.request(resolved, words, Command::AddAction(add), decide).map(|_| ());
        }
        let action = self.recount(resolved, words, Command::AddAction(add))?;
        let complete = CompleteAction { action, outcome: self.as_said() };
        let closed = ("closed_at", past.closed_at.unwrap_or(past.resolved_at));
        self.recount(closed, words, Command::CompleteAction(complete)).map(|_| ())
    }

    fn recount(&mut self, at: (&str, Time), words: &str, command: Command) -> Result<Seq, Told> {
        self.request(at, words, command, recount)
    }

    /// The first record that `command` leads to; its time and its words come from the fields that are named.
    fn request(
        &mut self,
        (time, at): (&str, Time),
        words: &str,
        command: Command,
        decide: Decide,
    ) -> Result<Seq, Told> {
        self.commands += 1;
        let id = CommandId::named(&format!("{} {}", self.name, self.commands));
        let mut request = Request::new(id, self.how.actor.clone(), command);
        request.origin = Origin::new(ORIGIN);
        request.occurred_at = Some(at);
        let nowhere = Routes::default();
        let salt = Digest::of(&[&self.how.entropy, self.name.as_bytes(), &self.commands.to_be_bytes()]);
        let mut entropy = [0; 16];
        entropy.copy_from_slice(&salt.0[..16]);
        let cx = Context {
            now: self.how.now,
            runbook: self.how.runbook,
            digest: self.runbook,
            live: &nowhere,
            drill: &nowhere,
            taken: &[],
            others: &[],
            open_incidents: None,
            entropy,
        };
        let told = |refusal| Told { time: time.to_owned(), words: words.to_owned(), refusal };
        let decision = decide(&self.incident, &request, &cx).map_err(told)?;
        let first = decision.records.first().map_or(self.incident.version, |record| record.seq);
        self.incident = decision.after;
        self.records.extend(decision.records);
        Ok(first)
    }
}
