//! The suite for notifiers.
//!
//! ```no_run
//! use incident_core::conformance::notifier;
//! # use incident_core::conformance::notifier::NotifierHarness;
//! # async fn test<H: NotifierHarness>(my_harness: impl Fn() -> H) {
//! // In `tests/conformance.rs` of your adapter's crate; `my_harness` makes a fresh backend each time.
//! notifier::check(my_harness).await.assert();
//! # }
//! ```

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::backend::{
    Arrival, Backend, Checked, Fault, HASTE, How, Outcome, Report, all_of, context, drop_midway, effect,
    ensure, given, hides, in_time, is_final, may_have_happened, now, passes_on, writes_since,
};
use super::log::Log;
use crate::model::effect::Receipt;
use crate::model::id::Seq;
use crate::model::notice::{Label, Line, Notice, NoticeKind};
use crate::model::severity::Audience;
use crate::port::{AdapterError, Found, Notifier, PreflightContext, Repeat};

/// A notifier, and the backend behind it.
#[async_trait]
pub trait NotifierHarness: Backend {
    /// The notifier, set up as in production, towards the harness's backend.
    async fn notifier(&self) -> Arc<dyn Notifier>;
}

/// What no text may do to its readers.
const HOSTILE: &str =
    "@channel @here <!channel> <@U1> [x](javascript:alert(1)) ```\u{202e}\u{7}\r\n*bold* #1 | <script>";

fn notice(number: u64) -> Notice {
    let (incident, seq) = (effect(number).incident, Seq(number));
    let mut notice =
        Notice::new(incident, seq, NoticeKind::Update, vec![Audience::new("team")], "checkout is slow");
    (notice.started_at, notice.issued_at) = (Some(now()), now());
    notice.lines.push(Line { label: Label::Progress, text: format!("the {number}. of many updates") });
    notice
}

/// Checks every promise, each on a backend of its own.
pub async fn check<H: NotifierHarness>(make: impl Fn() -> H) -> Report {
    let mut report = Report::default();
    macro_rules! cases {
        ($($case:ident: $promise:literal;)*) => {
            $(report.add(stringify!($case), $promise, $case(&make()).await);)*
        };
    }
    cases! {
        a_notice_arrives_with_its_id: "a notice arrives once, says what it says, and carries the effect's id";
        a_repeat_is_as_declared: "a second delivery does what `repeat` declares";
        a_lost_reply_is_settled_as_declared: "after a lost reply the notice is there once, or says that it may be a repeat";
        a_late_answer_is_a_lost_one: "who isn't answered in time doesn't know, and goes on as after a lost reply";
        what_may_have_happened_is_said_to: "`applied` is Maybe whenever it may have been";
        a_look_that_can_not_know_says_so: "`find` says No only of what certainly isn't there, and changes nothing";
        a_refusal_is_final: "a refusal for good asks for no retry";
        a_wait_is_passed_on: "a wait that the backend asks for is passed on, in its own dialect";
        a_write_is_sent_once: "the adapter never sends a write again by itself";
        a_deadline_is_kept: "a call ends within its deadline, whatever the backend does";
        a_dropped_call_breaks_nothing: "a call that was dropped leaves the adapter usable";
        a_lost_conversation_is_begun_anew: "a notice arrives although its conversation is gone";
        no_secret_is_shown: "no secret is in Debug, in an error with all its causes, or in a log";
        hostile_text_stays_text: "what people wrote mentions nobody and breaks out of nothing";
        a_drill_says_so: "every message of a drill says that it is one";
        preflight_writes_nothing: "preflight changes nothing outside";
    }
    report
}

async fn of(backend: &dyn NotifierHarness, number: u64) -> Vec<Arrival> {
    let inbox = backend.inbox().await;
    inbox.into_iter().filter(|it| it.effect == Some(effect(number))).collect()
}

/// Delivers as the engine does after an attempt of which no word came back.
async fn goes_on(notifier: &dyn Notifier, number: u64) -> Result<Receipt, AdapterError> {
    let (cx, mut notice) = (context(number).with_attempt(2, now()), notice(number));
    match notifier.repeat(&notice) {
        Repeat::Lookup => match notifier.find(&cx, &notice).await? {
            Found::Yes(receipt) => return Ok(receipt),
            Found::No => {}
            Found::CannotTell => notice.possible_repeat = true,
        },
        Repeat::Visible => notice.possible_repeat = true,
        Repeat::Native { .. } | Repeat::Converging => {}
    }
    notifier.deliver(&cx, &notice).await
}

async fn a_notice_arrives_with_its_id(backend: &dyn NotifierHarness) -> Outcome {
    let notifier = backend.notifier().await;
    notifier.deliver(&context(1), &notice(1)).await?;
    let inbox = backend.inbox().await;
    ensure!(inbox.len() == 1, "one notice was delivered, and {} are there", inbox.len());
    ensure!(inbox[0].effect == Some(effect(1)), "it forgets the effect's id: {:?}", inbox[0].effect);
    ensure!(
        inbox[0].text.contains("checkout is slow"),
        "it doesn't say what the incident is called: {:?}",
        inbox[0].text
    );
    Ok(Checked::Kept)
}

async fn a_repeat_is_as_declared(backend: &dyn NotifierHarness) -> Outcome {
    let notifier = backend.notifier().await;
    let declared = notifier.repeat(&notice(1));
    notifier.deliver(&context(1), &notice(1)).await?;
    goes_on(&*notifier, 1).await?;
    let came = of(backend, 1).await;
    settled_as(declared, &came)
}

/// That what came is what `declared` allows.
fn settled_as(declared: Repeat, came: &[Arrival]) -> Outcome {
    ensure!(!came.is_empty(), "nothing came");
    if declared == Repeat::Visible {
        let plain = came.iter().filter(|it| !it.marked).count();
        ensure!(plain <= 1, "it came {} times without saying that it may be a repeat", plain);
    } else {
        ensure!(came.len() == 1, "it declares {declared:?}, and it is there {} times", came.len());
    }
    Ok(Checked::Kept)
}

async fn a_lost_reply_is_settled_as_declared(backend: &dyn NotifierHarness) -> Outcome {
    let notifier = backend.notifier().await;
    given!(backend.meets(Fault::LoseReply).await);
    let lost = notifier.deliver(&context(1), &notice(1)).await;
    let Err(error) = lost else {
        return Err(How("the reply was lost, and the call says it was done".to_owned()));
    };
    may_have_happened(&error)?;
    goes_on(&*notifier, 1).await?;
    settled_as(notifier.repeat(&notice(1)), &of(backend, 1).await)
}

async fn a_late_answer_is_a_lost_one(backend: &dyn NotifierHarness) -> Outcome {
    let notifier = backend.notifier().await;
    given!(backend.meets(Fault::AnswerLate).await);
    match in_time(notifier.deliver(&context(1).with_deadline(HASTE), &notice(1))).await? {
        Ok(_) => return Err(How("nobody answered in time, and the call says it was done".to_owned())),
        Err(error) => may_have_happened(&error)?,
    }
    goes_on(&*notifier, 1).await?;
    settled_as(notifier.repeat(&notice(1)), &of(backend, 1).await)
}

async fn what_may_have_happened_is_said_to(backend: &dyn NotifierHarness) -> Outcome {
    let notifier = backend.notifier().await;
    given!(backend.meets(Fault::Break).await);
    match notifier.deliver(&context(1), &notice(1)).await {
        Ok(_) => Err(How("the backend broke, and the call says it was done".to_owned())),
        Err(error) => may_have_happened(&error).map(|()| Checked::Kept),
    }
}

async fn a_look_that_can_not_know_says_so(backend: &dyn NotifierHarness) -> Outcome {
    let notifier = backend.notifier().await;
    given!(notifier.repeat(&notice(1)) == Repeat::Lookup);
    let before = backend.writes().await;
    let never = notifier.find(&context(1), &notice(1)).await?;
    ensure!(!matches!(never, Found::Yes(_)), "it finds what was never delivered");
    notifier.deliver(&context(2), &notice(2)).await?;
    let found = notifier.find(&context(2), &notice(2)).await?;
    ensure!(!matches!(found, Found::No), "it says No of what was delivered");
    writes_since(backend, before, 1).await?;
    if backend.meets(Fault::Unreachable).await {
        let asked = notifier.find(&context(2), &notice(2)).await;
        ensure!(!matches!(asked, Ok(Found::No)), "nobody could be asked, and it says No");
    }
    Ok(Checked::Kept)
}

async fn a_refusal_is_final(backend: &dyn NotifierHarness) -> Outcome {
    let notifier = backend.notifier().await;
    given!(backend.meets(Fault::Refuse).await);
    match notifier.deliver(&context(1), &notice(1)).await {
        Ok(_) => Err(How("the backend refused, and the call says it was done".to_owned())),
        Err(error) => is_final(&error).map(|()| Checked::Kept),
    }
}

async fn a_wait_is_passed_on(backend: &dyn NotifierHarness) -> Outcome {
    let (notifier, wait) = (backend.notifier().await, Duration::from_secs(17));
    given!(backend.meets(Fault::Wait(wait)).await);
    match notifier.deliver(&context(1), &notice(1)).await {
        Ok(_) => Err(How("the backend put it off, and the call says it was done".to_owned())),
        Err(error) => passes_on(&error, wait).map(|()| Checked::Kept),
    }
}

async fn a_write_is_sent_once(backend: &dyn NotifierHarness) -> Outcome {
    let notifier = backend.notifier().await;
    let faults = [Fault::LoseReply, Fault::Break, Fault::Refuse, Fault::Wait(Duration::from_secs(1))];
    let mut met = false;
    for (number, fault) in (1..).zip(faults) {
        if backend.meets(fault).await {
            met = true;
            let before = backend.writes().await;
            let _ = notifier.deliver(&context(number), &notice(number)).await;
            writes_since(backend, before, 1).await?;
        }
    }
    given!(met);
    Ok(Checked::Kept)
}

async fn a_deadline_is_kept(backend: &dyn NotifierHarness) -> Outcome {
    let notifier = backend.notifier().await;
    given!(backend.meets(Fault::Hang).await);
    let (cx, notice) = (context(1).with_deadline(HASTE), notice(1));
    match in_time(notifier.deliver(&cx, &notice)).await? {
        Ok(_) => Err(How("the backend never answered, and the call says it was done".to_owned())),
        Err(error) => may_have_happened(&error).map(|()| Checked::Kept),
    }
}

async fn a_dropped_call_breaks_nothing(backend: &dyn NotifierHarness) -> Outcome {
    let notifier = backend.notifier().await;
    given!(backend.meets(Fault::Hang).await);
    let (cx, one) = (context(1), notice(1));
    drop_midway(notifier.deliver(&cx, &one)).await;
    notifier.deliver(&context(2), &notice(2)).await?;
    ensure!(of(backend, 2).await.len() == 1, "the call after a dropped one did nothing");
    Ok(Checked::Kept)
}

async fn a_lost_conversation_is_begun_anew(backend: &dyn NotifierHarness) -> Outcome {
    let notifier = backend.notifier().await;
    let first = notifier.deliver(&context(1), &notice(1)).await?;
    given!(notifier.capabilities().conversations && backend.meets(Fault::ForgetConversation).await);
    notifier.deliver(&context(2).with_earlier(vec![first]), &notice(2)).await?;
    ensure!(of(backend, 2).await.len() == 1, "its conversation is gone, and the notice with it");
    Ok(Checked::Kept)
}

async fn no_secret_is_shown(backend: &dyn NotifierHarness) -> Outcome {
    given!(backend.secret().is_some());
    let log = Log::default();
    let listening = log.listen();
    let notifier = backend.notifier().await;
    hides(backend, "Debug", &format!("{notifier:?} {:?}", notifier.capabilities()))?;
    let faults = [
        Fault::Break,
        Fault::Refuse,
        Fault::LoseReply,
        Fault::Wait(Duration::from_secs(1)),
        Fault::Unreachable,
    ];
    for (number, fault) in (1..).zip(faults) {
        if backend.meets(fault).await
            && let Err(error) = notifier.deliver(&context(number), &notice(number)).await
        {
            hides(backend, &format!("the error after {fault:?}"), &all_of(&error))?;
        }
    }
    drop(listening);
    hides(backend, "a log", &log.heard())?;
    Ok(Checked::Kept)
}

async fn hostile_text_stays_text(backend: &dyn NotifierHarness) -> Outcome {
    let notifier = backend.notifier().await;
    let mut hostile = notice(1);
    hostile.title = format!("{} {HOSTILE}", hostile.title);
    hostile.lines[0].text = HOSTILE.to_owned();
    hostile.said = HOSTILE.to_owned();
    notifier.deliver(&context(1), &hostile).await?;
    for arrival in backend.inbox().await {
        let acts = backend.acts(&arrival.text);
        ensure!(acts.is_empty(), "hostile text gets through: {acts:?} acts in {:?}", arrival.text);
    }
    Ok(Checked::Kept)
}

async fn a_drill_says_so(backend: &dyn NotifierHarness) -> Outcome {
    let notifier = backend.notifier().await;
    let mut drill = notice(1);
    drill.drill = true;
    notifier.deliver(&context(1).with_side(crate::model::side::Side::Drill), &drill).await?;
    let says = backend.inbox().await.iter().all(|it| it.text.to_lowercase().contains("drill"));
    ensure!(says, "a drill's message doesn't say that it is one");
    Ok(Checked::Kept)
}

async fn preflight_writes_nothing(backend: &dyn NotifierHarness) -> Outcome {
    let notifier = backend.notifier().await;
    let before = backend.writes().await;
    let _ = notifier.preflight(&PreflightContext::new(now())).await;
    ensure!(
        backend.writes().await == before && backend.inbox().await.is_empty(),
        "preflight wrote something"
    );
    Ok(Checked::Kept)
}
