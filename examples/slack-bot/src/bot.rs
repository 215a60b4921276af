//! What the bot says to whom.

use std::sync::{Mutex, PoisonError};

use incident_core::domain::command::{Command, ExecutePlan, Refusal, Request};
use incident_core::domain::id::CommandId;
use incident_core::domain::incident::Incident;
use incident_core::port::store::Query;
use incident_core::runtime::CommandError;
use incident_core::{Actor, Engine, IncidentId};
use incident_slack::SlackBackend;
use incident_slack::intake::{
    Answer, Event, Intake, Interaction, Quote, Replays, SlashCommand, Verb, is_about, status,
};
use incident_slack::socket::Delivery;

/// The reaction that puts a message on the timeline.
const ON_THE_TIMELINE: &str = "memo";

/// Hears what comes from Slack, asks the engine, and answers.
#[derive(Debug)]
pub(crate) struct Bot {
    engine: Engine,
    slack: SlackBackend,
    /// Declarations that were heard: each would be an incident of its own, so Slack's own repetition is told here.
    heard: Mutex<Replays>,
}

impl Bot {
    pub(crate) fn new(engine: Engine, slack: SlackBackend) -> Self {
        Self { engine, slack, heard: Mutex::default() }
    }

    /// Does what a delivery asks for. Slack has its acknowledgement already; the answer goes to the response URL.
    pub(crate) async fn hear(&self, delivery: Delivery) {
        match delivery {
            Delivery::Command(command) => {
                let answer = self.command(&command).await.unwrap_or_else(|answer| answer);
                self.answer(&command.response_url, &answer).await;
            }
            Delivery::Interaction(Interaction::Button { intake, response_url }) => {
                let answer = self.button(*intake).await.unwrap_or_else(|answer| answer);
                self.answer(&response_url, &answer).await;
            }
            Delivery::Interaction(Interaction::Quote { quote, response_url }) => {
                let link = self.slack.permalink(&quote.channel, &quote.ts).await;
                let answer = self.quote(quote.at(link)).await.unwrap_or_else(|answer| answer);
                self.answer(&response_url, &answer).await;
            }
            Delivery::Event(Event::Reaction(reaction)) if reaction.emoji == ON_THE_TIMELINE => {
                // A reaction has no address to answer to.
                if let Ok(quote) = self.slack.quote(&reaction).await {
                    let _ = self.quote(quote).await;
                }
            }
            _ => {}
        }
    }

    /// A command that can't be answered is only lost for the one who waits for it; what it did is recorded.
    async fn answer(&self, response_url: &str, answer: &Answer) {
        let _ = self.slack.respond(response_url, answer).await;
    }

    async fn command(&self, command: &SlashCommand) -> Result<Answer, Answer> {
        let slash = command.parse(&self.engine.runbook()).map_err(|error| Answer::unreadable(&error))?;
        match slash.verb {
            Verb::Help => Ok(Answer::help()),
            Verb::Declare(declare) => self.declare(command, Command::Declare(declare)).await,
            Verb::Status => {
                let incident = self.find(slash.incident.as_deref(), &command.channel, None).await?;
                Ok(status(&incident, &self.engine.runbook(), self.engine.now()))
            }
            Verb::Act(act) => {
                let incident = self.find(slash.incident.as_deref(), &command.channel, None).await?;
                self.send(incident.id, command.request(*act)).await?;
                Ok(Answer::new("Recorded."))
            }
            _ => Ok(Answer::help()),
        }
    }

    async fn declare(&self, command: &SlashCommand, declare: Command) -> Result<Answer, Answer> {
        let first = {
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.is_first(&command.trigger, self.engine.now())
        };
        if !first {
            return Ok(Answer::new("This was heard already."));
        }
        let incident = self.engine.new_incident_id();
        self.send(incident, command.request(declare)).await?;
        Ok(Answer::declared(incident).to_everybody())
    }

    async fn button(&self, intake: Intake) -> Result<Answer, Answer> {
        let Intake { incident, request, .. } = intake;
        let (actor, id) = (request.actor.clone(), request.id);
        let approved = match &request.command {
            Command::Approve(plan) => Some(ExecutePlan { proposal: plan.proposal, digest: plan.digest }),
            _ => None,
        };
        self.send(incident, request).await?;
        match approved {
            Some(plan) => self.execute(incident, &actor, id, plan).await,
            None => Ok(Answer::new("Recorded.")),
        }
    }

    /// Orders the execution of a plan that was just approved, if that was the last approval it needs.
    async fn execute(
        &self,
        incident: IncidentId,
        actor: &Actor,
        approval: CommandId,
        plan: ExecutePlan,
    ) -> Result<Answer, Answer> {
        let proposal = plan.proposal;
        let id = CommandId::named(&format!("{approval}/execute"));
        let request = Request::new(id, actor.clone(), Command::Execute(plan));
        match self.engine.send(incident, request).await {
            Ok(_) => Ok(Answer::new(&format!("Plan {proposal} is approved and ordered.")).to_everybody()),
            Err(CommandError::Refused(Refusal::NotApproved { given, needed })) => {
                Ok(Answer::new(&format!("Plan {proposal}: {given} of {needed} approvals.")).to_everybody())
            }
            Err(error) => Err(failed(&error)),
        }
    }

    async fn quote(&self, quote: Quote) -> Result<Answer, Answer> {
        let incident = self.find(None, &quote.channel, Some(&quote.thread)).await?;
        let Intake { incident, request, .. } = quote.into_intake(incident.id, &self.engine.runbook());
        self.send(incident, request).await?;
        Ok(Answer::new("It is on the timeline."))
    }

    async fn send(&self, incident: IncidentId, request: Request) -> Result<(), Answer> {
        self.engine.send(incident, request).await.map(drop).map_err(|error| failed(&error))
    }

    /// The incident that is meant: the one named, the one whose place this is, or the only one there is.
    async fn find(
        &self,
        name: Option<&str>,
        channel: &str,
        thread: Option<&str>,
    ) -> Result<Incident, Answer> {
        let open = self.open().await?;
        let meant: Vec<&Incident> = match name {
            Some(name) => open.iter().filter(|it| it.id.to_string().ends_with(name)).collect(),
            None => open.iter().filter(|it| is_about(it, channel, thread)).collect(),
        };
        match (meant.as_slice(), open.as_slice()) {
            ([incident], _) => Ok((*incident).clone()),
            ([], [incident]) if name.is_none() => Ok(incident.clone()),
            (_, []) => Err(Answer::new("There is no open incident. /incident declare begins one.")),
            (_, several) => {
                let line = |it: &Incident| format!("#{} {}", it.id.short(), it.title_words());
                let names: Vec<String> = several.iter().map(line).collect();
                Err(Answer::new(&format!("Which one? Name it first: {}", names.join(", "))))
            }
        }
    }

    /// The incidents that haven't ended, of those that owe anything.
    async fn open(&self) -> Result<Vec<Incident>, Answer> {
        let unread = |_| Answer::new("The store can't be read at the moment; try again.");
        let (mut open, mut after) = (Vec::new(), None);
        loop {
            let page = self.engine.store().list(&Query::unsettled().after(after)).await.map_err(unread)?;
            for row in &page.rows {
                // One that this version can't read is left alone, and said elsewhere.
                if let Ok(incident) = self.engine.incident(row.id).state().await
                    && incident.ended.is_none()
                {
                    open.push(incident);
                }
            }
            after = page.rows.last().map(|row| row.id);
            if !page.more || after.is_none() {
                return Ok(open);
            }
        }
    }
}

fn failed(error: &CommandError) -> Answer {
    match error {
        CommandError::Refused(refusal) => Answer::refused(refusal),
        CommandError::Unknown { .. } => {
            Answer::new("Nobody knows whether that was recorded; it is safe to ask again.")
        }
        other => Answer::new(&format!("Nothing was recorded: {other}.")),
    }
}
