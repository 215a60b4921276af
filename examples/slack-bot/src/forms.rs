//! Forms and triage by buttons.

use incident_core::IncidentId;
use incident_core::model::afterwards::Section;
use incident_core::rules::command::{Command, Refusal};
use incident_core::runtime::CommandError;
use incident_slack::intake::{Answer, Filled, Intake, Modal, Submission, Triaging, permit};

use crate::bot::Bot;
use crate::setup::INSIDE;

impl Bot {
    pub(crate) async fn open_form(&self, trigger: &str, modal: &Modal) -> Result<(), Answer> {
        let late = |_| Answer::new("The form couldn't be opened: Slack took too long. Try again.");
        self.slack.open(trigger, modal).await.map_err(late)
    }

    /// Opens the form for a section of the post-mortem.
    pub(crate) async fn edit(
        &self,
        incident: IncidentId,
        section: Section,
        channel: &str,
        trigger: &str,
    ) -> Result<(), Answer> {
        let incident = self.state(incident).await?;
        self.open_form(trigger, &Modal::edit(&incident, section, channel)?).await
    }

    /// Asks the next question of triage; after the last one records the answers.
    pub(crate) async fn triage(&self, triaging: &Triaging, intake: Intake) -> Result<Answer, Answer> {
        permit(&intake.request, &self.engine.runbook())?;
        if let Some(question) = triaging.question(&self.engine.runbook()) {
            return Ok(question);
        }
        self.button(intake).await?;
        let severity = self.state(triaging.incident).await?.severity;
        Ok(Answer::new(&format!("Triage is recorded: {severity}.")))
    }

    /// Does what a form asks for.
    pub(crate) async fn submitted(&self, sent: &Submission) -> Result<Answer, Answer> {
        match &sent.filled {
            Filled::Declare(declare) => {
                self.declare(&sent.view, sent.request(Command::Declare(declare.clone()))).await
            }
            Filled::Section { incident, write } => {
                let request = sent.request(Command::WriteSection(write.clone()));
                permit(&request, &self.engine.runbook()).map_err(|refused| kept(&refused, &write.text))?;
                match self.engine.send(*incident, request).await {
                    Ok(_) => {
                        let state = self.state(*incident).await?;
                        let _ = self.slack.restate(&state, INSIDE, Some(&sent.user)).await;
                        Ok(Answer::new(&format!("{} is saved.", write.section)))
                    }
                    Err(CommandError::Refused(Refusal::Stale { section, yours, .. })) => {
                        let kept = |why: Answer| kept(&why, &yours);
                        let state = self.state(*incident).await.map_err(kept)?;
                        let modal = Modal::conflict(&state, section, &sent.channel, &yours).map_err(kept)?;
                        self.open_form(&sent.trigger, &modal).await.map_err(kept)?;
                        Ok(Answer::new(&format!(
                            "{section} isn't saved yet: somebody else changed it meanwhile. The form shows both texts."
                        )))
                    }
                    Err(error) => Err(kept(&self.failed(&error), &write.text)),
                }
            }
            _ => Ok(Answer::help()),
        }
    }
}

/// An answer that gives the unsaved text back to its author.
fn kept(answer: &Answer, text: &str) -> Answer {
    answer.clone().with(&format!("Your text, which isn't saved:\n{text}"))
}
