//! Mitigations as declared HTTP calls.

use std::fmt;

use async_trait::async_trait;
use http::header::{HeaderName, HeaderValue};
use incident_core::model::plan::{ApprovedPlan, Execution, Intent, Plan, Verification};
use incident_core::model::time::{since, spoken};
use incident_core::port::{
    Adapter, AdapterError, Capabilities, EffectContext, ErrorKind, Found, Mitigator, Preflight,
    PreflightContext, ReadContext,
};
use serde_json::{Value, json};

use crate::budget::Budget;
use crate::catalogue::Catalogue;
use crate::client::Client;
use crate::compare::equal;
use crate::error::{Purpose, accepted};
use crate::state::{Seen, Trace, pinned_value};
use crate::step::{Draft, PLAN, Step, show};

const EXECUTE: &str = "carry out the plan";
const VERIFY: &str = "verify the change";

/// Switches features, clears caches and makes other declared calls.
///
/// # Expected flow
/// `plan` reads the state and pins it. `execute` reads again, refuses if anything moved, and sends one request with the
/// effect's id in a header and, where declared, the pinned version as a condition – the only guard that leaves no gap
/// between reading and writing. `verify` compares what can be read with what was wanted.
///
/// # Whether it was done
/// `find` answers from what can be read:
///
/// | what is seen | answer |
/// |---|---|
/// | a receipt with the effect's id | yes |
/// | receipts without it | no |
/// | no receipts; value and version as pinned | no |
/// | anything else, or nothing can be read | can't tell |
///
/// Without receipts the wanted value proves nothing, because another client may have set it: the engine asks a person. So
/// declare a `receipt` wherever the service can keep one.
///
/// # Caveats
/// Without `read` nothing is pinned; that carrying out a plan twice has one effect is then up to the service, which
/// sees the same effect id both times. The plan warns of it.
pub struct HttpMitigator {
    client: Client,
    catalogue: Catalogue,
    effect_header: HeaderName,
}

impl HttpMitigator {
    pub(crate) fn new(client: Client, catalogue: Catalogue, effect_header: HeaderName) -> Self {
        Self { client, catalogue, effect_header }
    }

    async fn draft_plan(&self, cx: &ReadContext, intent: Intent<'_>) -> Result<Plan, AdapterError> {
        let draft = match intent {
            Intent::Do(mitigation) => Draft::forth(&self.catalogue, mitigation)?,
            Intent::Undo(execution) => Draft::back(&self.catalogue, self.client.shown(), execution)?,
            _ => {
                let error = AdapterError::new(ErrorKind::Refused, PLAN);
                return Err(error.with_context("this adapter is too old for what is asked"));
            }
        };
        let seen = match &draft.action.read {
            Some(read) => Some(read.look(&self.client, &Budget::within(cx.deadline), cx.now).await?),
            None => None,
        };
        draft.plan(&self.catalogue, self.client.shown(), seen.as_ref())
    }

    /// Carries `plan` out; whether enough people agreed to it is the type of [`Mitigator::execute`]'s to say.
    pub(crate) async fn carry_out(&self, cx: &EffectContext, plan: &Plan) -> Result<Execution, AdapterError> {
        let budget = Budget::within(cx.deadline);
        let step = Step::of(plan)?;
        let action = step.action(&self.catalogue, self.client.shown(), plan, EXECUTE)?;
        let mut request = action.call.request().with_header(self.effect_header.clone(), effect_id(cx)?);
        let mut before = Value::Null;
        if let Some(read) = &action.read {
            let seen = read.look(&self.client, &budget, cx.now).await?;
            if let Some(what) = seen.moved(plan) {
                return Err(AdapterError::new(ErrorKind::Precondition, EXECUTE)
                    .with_context(format!("{what} changed since the plan was made; make a new one")));
            }
            before = json!({ "value": seen.value });
            request = read.condition(request, plan)?;
        }
        let answer = self.client.send(&request, &budget).await;
        let answer = answer.map_err(|failure| failure.into_error(EXECUTE, Purpose::Write))?;
        accepted(EXECUTE, Purpose::Write, cx.now, answer)?;
        Ok(execution(cx, plan).with_before(before))
    }

    async fn look_for(&self, cx: &EffectContext, plan: &Plan) -> Result<Found<Execution>, AdapterError> {
        let step = Step::of(plan)?;
        let action = step.action(&self.catalogue, self.client.shown(), plan, "look for the change");
        let Ok(Some(read)) = action.map(|action| action.read.as_ref()) else {
            return Ok(Found::CannotTell);
        };
        let seen = read.look(&self.client, &Budget::within(cx.deadline), cx.now).await?;
        Ok(match judge(&seen, cx, plan) {
            Found::Yes(()) => {
                Found::Yes(execution(cx, plan).with_before(json!({ "value": pinned_value(plan) })))
            }
            Found::No => Found::No,
            Found::CannotTell => Found::CannotTell,
        })
    }

    async fn look_at(&self, cx: &EffectContext, done: &Execution) -> Result<Verification, AdapterError> {
        let step = Step::of(&done.plan)?;
        let action = step.action(&self.catalogue, self.client.shown(), &done.plan, VERIFY)?;
        let Some(verify) = &action.verify else { return Ok(Verification::Holds) };
        let Some(wanted) = verify.is.as_ref().or(step.wanted.as_ref()) else {
            return Ok(Verification::Holds);
        };
        let seen = verify.read.look(&self.client, &Budget::within(cx.deadline), cx.now).await?;
        if equal(&seen.value, wanted) {
            return Ok(Verification::Holds);
        }
        let (seen, wanted) = (show(&seen.value), show(wanted));
        if since(cx.now, done.accepted_at) < verify.within {
            let detail = format!("it is {seen}, not yet {wanted}");
            return Ok(Verification::Pending { again: verify.again, detail });
        }
        let within = spoken(verify.within);
        Ok(Verification::Failed { detail: format!("it is {seen} and not {wanted} within {within}") })
    }
}

impl fmt::Debug for HttpMitigator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpMitigator").field("client", &self.client).finish_non_exhaustive()
    }
}

#[async_trait]
impl Adapter for HttpMitigator {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("http")
    }

    async fn preflight(&self, cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        let budget = Budget::within(cx.deadline);
        let mut found = Preflight::default();
        for (what, read) in self.catalogue.reads() {
            let line = format!("the state of {what} can be read");
            found = match read.look(&self.client, &budget, cx.now).await {
                Ok(_) => found.good(&line),
                Err(error) if error.kind == ErrorKind::Unavailable => return Err(error),
                Err(error) => found.bad(&line, &error.to_string()),
            };
        }
        Ok(found)
    }
}

#[async_trait]
impl Mitigator for HttpMitigator {
    async fn plan(&self, cx: &ReadContext, intent: Intent<'_>) -> Result<Plan, AdapterError> {
        self.draft_plan(cx, intent).await
    }

    async fn execute(&self, cx: &EffectContext, plan: &ApprovedPlan) -> Result<Execution, AdapterError> {
        self.carry_out(cx, plan.plan()).await
    }

    async fn find(&self, cx: &EffectContext, plan: &Plan) -> Result<Found<Execution>, AdapterError> {
        self.look_for(cx, plan).await
    }

    async fn verify(&self, cx: &EffectContext, execution: &Execution) -> Result<Verification, AdapterError> {
        self.look_at(cx, execution).await
    }
}

fn judge(seen: &Seen, cx: &EffectContext, plan: &Plan) -> Found<()> {
    match seen.trace(&cx.effect.to_string(), plan) {
        Trace::Ours => Found::Yes(()),
        Trace::Absent => Found::No,
        Trace::Unclear => Found::CannotTell,
        Trace::Untold if seen.moved(plan).is_none() => Found::No,
        Trace::Untold => Found::CannotTell,
    }
}

fn execution(cx: &EffectContext, plan: &Plan) -> Execution {
    Execution::new(plan.clone(), cx.now).with_reference(&cx.effect.to_string())
}

fn effect_id(cx: &EffectContext) -> Result<HeaderValue, AdapterError> {
    HeaderValue::from_str(&cx.effect.to_string())
        .map_err(|error| AdapterError::new(ErrorKind::Invalid, EXECUTE).caused_by(error))
}

#[cfg(test)]
mod tests;
