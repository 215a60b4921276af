//! What the bot says to whom.

use std::sync::{Arc, Mutex, PoisonError};

use incident_core::log::incident::Incident;
use incident_core::model::id::CommandId;
use incident_core::port::EvidenceStore;
use incident_core::rules::command::{Absorb, Approve, Command, CommandKind, ExecutePlan, Refusal, Request};
use incident_core::runtime::{CommandError, Done};
use incident_core::{Actor, Engine, IncidentId, PostMortem};
use incident_slack::SlackBackend;
use incident_slack::intake::{
    Answer, Event, Intake, Interaction, Modal, Quote, Replays, Slash, SlashCommand, Triaging, Verb, Wish,
    list, on_call, permit, post_mortem, status,
};
use incident_slack::socket::Delivery;

use crate::setup::INSIDE;

/// The reaction that puts a message on the timeline.
const ON_THE_TIMELINE: &str = "memo";

/// Hears what comes from Slack, asks the engine, and answers.
#[derive(Debug)]
pub(crate) struct Bot {
    pub(crate) engine: Engine,
    pub(crate) slack: SlackBackend,
    /// Where post-mortems are kept, so that they are posted as files.
    documents: Arc<dyn EvidenceStore>,
    /// Declarations that were heard: each would be an incident of its own, so Slack's own repetition is told here.
    heard: Mutex<Replays>,
}

impl Bot {
    pub(crate) fn new(engine: Engine, slack: SlackBackend, documents: Arc<dyn EvidenceStore>) -> Self {
        Self { engine, slack, documents, heard: Mutex::default() }
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
            Delivery::Interaction(Interaction::Triage { triaging, intake, response_url }) => {
                let answer = self.triage(&triaging, *intake).await.unwrap_or_else(|answer| answer);
                self.answer(&response_url, &answer.in_place()).await;
            }
            Delivery::Interaction(Interaction::DeclareForm { trigger }) => {
                // A shortcut has no address to answer to, and nobody waits in a channel.
                let _ = self.slack.open(&trigger, &Modal::declare("")).await;
            }
            Delivery::Interaction(Interaction::EditForm {
                incident,
                section,
                channel,
                trigger,
                response_url,
            }) => {
                if let Err(answer) = self.edit(incident, section, &channel, &trigger).await {
                    self.answer(&response_url, &answer).await;
                }
            }
            Delivery::Interaction(Interaction::Submission(sent)) => {
                let answer = self.submitted(&sent).await.unwrap_or_else(|answer| answer);
                let _ = self.slack.tell(&sent.channel, &sent.user, &answer).await;
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
        let (runbook, known) = (self.engine.runbook(), self.known().await?);
        let slash = command.parse(&runbook, &known, self.engine.now());
        let Slash { incident, verb, .. } = slash.map_err(|error| Answer::unreadable(&error))?;
        let find = || self.find(incident, &command.channel, None);
        match verb {
            Verb::Declare(declare) => {
                self.declare(&command.trigger, command.request(Command::Declare(declare))).await
            }
            Verb::DeclareForm => {
                self.open_form(&command.trigger, &Modal::declare(&command.channel)).await?;
                Ok(Answer::new("Fill in the form, or write /incident declare WHAT IS WRONG."))
            }
            Verb::List => Ok(list(&self.open().await?)),
            Verb::OnCall => Ok(on_call(&runbook)),
            Verb::Triage => {
                let first = Triaging::new(find().await?.id).question(&runbook);
                Ok(first.unwrap_or_else(|| Answer::new("The runbook's triage has no question to ask.")))
            }
            Verb::Status => Ok(status(&find().await?, &runbook, self.engine.now())),
            Verb::Act(act) => {
                let incident = find().await?;
                self.act(&incident, command.request(*act), &command.user).await
            }
            Verb::Wish(wish) => {
                let incident = find().await?;
                self.wish(&incident, &wish, command).await
            }
            Verb::Merge { other, because } => {
                let this = find().await?.id;
                let (into, other) = (this.min(other), this.max(other));
                let into = self.state(into).await?;
                let absorb = Command::Absorb(Absorb { other, because });
                self.act(&into, command.request(absorb), &command.user).await
            }
            _ => Ok(Answer::help()),
        }
    }

    /// Declares, once for each `name` that Slack gives a command or a form.
    pub(crate) async fn declare(&self, name: &str, request: Request) -> Result<Answer, Answer> {
        let first = {
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.is_first(name, self.engine.now())
        };
        if !first {
            return Ok(Answer::new("This was heard already."));
        }
        let incident = self.engine.new_incident_id();
        self.send(incident, request).await?;
        Ok(Answer::declared(&self.state(incident).await?).to_everybody())
    }

    /// Sends a request, says what came of it, and brings the incident's first message up to date.
    pub(crate) async fn act(
        &self,
        incident: &Incident,
        request: Request,
        user: &str,
    ) -> Result<Answer, Answer> {
        let kind = request.command.kind();
        let done = self.send(incident.id, request).await?;
        let state = self.state(incident.id).await?;
        // The next notice does the same, so nothing is lost if this fails.
        let _ = self.slack.restate(&state, INSIDE, Some(user)).await;
        Ok(match kind {
            CommandKind::Escalate => Answer::escalated(&state),
            CommandKind::Hypothesise
            | CommandKind::AddAction
            | CommandKind::FindCause
            | CommandKind::Propose
            | CommandKind::Undo => Answer::new(&format!("Recorded as {}.", done.seq)),
            _ => Answer::new("Recorded."),
        })
    }

    async fn wish(&self, incident: &Incident, wish: &Wish, command: &SlashCommand) -> Result<Answer, Answer> {
        let runbook = self.engine.runbook();
        if *wish == Wish::PostMortem {
            return Ok(post_mortem(incident, &runbook));
        }
        if let Wish::Edit { section } = wish {
            self.edit(incident.id, *section, &command.channel, &command.trigger).await?;
            return Ok(Answer::new("Edit the section in the form."));
        }
        if let Wish::Publish { .. } = wish {
            let records =
                self.engine.incident(incident.id).records().await.map_err(|error| self.failed(&error))?;
            let document = PostMortem::write(incident, &records, &runbook).to_markdown().into_bytes();
            let unkept = |_| {
                Answer::new("Nothing was published: the document can't be kept at the moment; try again.")
            };
            self.documents.put(&document).await.map_err(unkept)?;
            let Some(publish) = wish.publish(incident, &document) else { return Ok(Answer::help()) };
            self.act(incident, command.request(publish), &command.user).await?;
            return Ok(Answer::new("The post-mortem is published."));
        }
        let refused = |refusal: Refusal| Answer::refused(&refusal, &runbook);
        let Some(act) = wish.command(incident).map_err(refused)? else { return Ok(Answer::help()) };
        let request = command.request(act);
        if matches!(request.command, Command::Approve(_)) {
            return self.button(Intake::new(incident.id, request)).await;
        }
        self.act(incident, request, &command.user).await
    }

    pub(crate) async fn button(&self, intake: Intake) -> Result<Answer, Answer> {
        let Intake { incident, request, .. } = intake;
        let (actor, id) = (request.actor.clone(), request.id);
        let user = match &actor {
            Actor::Human(identity) => identity.account_in("slack").unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        let approved = match &request.command {
            Command::Approve(Approve { proposal, digest, .. }) => {
                Some(ExecutePlan { proposal: *proposal, digest: *digest })
            }
            _ => None,
        };
        let answer = self.act(&self.state(incident).await?, request, &user).await?;
        match approved {
            Some(plan) => self.execute(incident, &actor, id, plan).await,
            None => Ok(answer),
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
            Err(error) => Err(self.failed(&error)),
        }
    }

    async fn quote(&self, quote: Quote) -> Result<Answer, Answer> {
        let incident = self.find(None, &quote.channel, Some(&quote.thread)).await?;
        let Intake { incident, request, .. } = quote.into_intake(incident.id, &self.engine.runbook());
        self.send(incident, request).await?;
        Ok(Answer::new("It is on the timeline."))
    }

    /// Sends what a person may ask for: the one way to the engine.
    pub(crate) async fn send(&self, incident: IncidentId, request: Request) -> Result<Done, Answer> {
        permit(&request, &self.engine.runbook())?;
        self.engine.send(incident, request).await.map_err(|error| self.failed(&error))
    }

    pub(crate) fn failed(&self, error: &CommandError) -> Answer {
        match error {
            CommandError::Refused(refusal) => Answer::refused(refusal, &self.engine.runbook()),
            CommandError::Unknown { .. } => {
                Answer::new("Nobody knows whether that was recorded; it is safe to ask again.")
            }
            other => Answer::new(&format!("Nothing was recorded: {other}.")),
        }
    }
}
