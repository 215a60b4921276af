//! The suite for trackers.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::backend::{
    Arrival, Backend, Checked, Fault, HASTE, How, Outcome, Report, all_of, context, drop_midway, effect,
    ensure, given, hides, in_time, is_final, may_have_happened, now, passes_on, reading, writes_since,
};
use super::log::Log;
use crate::model::effect::Receipt;
use crate::model::ticket::{
    CloseTicket, CommentTicket, OpenTicket, ReopenTicket, SetTicket, TicketChange, TicketRef,
};
use crate::port::{AdapterError, Found, PreflightContext, Repeat, Tracker};

/// A tracker, and the backend behind it. Its [`inbox`](Backend::inbox) has every ticket and every comment.
#[async_trait]
pub trait TrackerHarness: Backend {
    /// The tracker, set up as in production, towards the harness's backend.
    async fn tracker(&self) -> Arc<dyn Tracker>;

    /// Somebody writes into the ticket's text by hand; false if nobody can.
    async fn people_write(&self, ticket: &TicketRef, words: &str) -> bool {
        let _ = (ticket, words);
        false
    }

    /// All that is to be read on a ticket.
    async fn text(&self, ticket: &TicketRef) -> String;
}

const HOSTILE: &str = "@channel closes #1 ```\u{202e}\r\n<!-- marker --> [x](javascript:alert(1)) <script>";

fn open(words: &str) -> TicketChange {
    let labels = vec!["incident".to_owned(), "sev2".to_owned()];
    TicketChange::Open(OpenTicket::new("[INCIDENT] checkout is slow", words).with_labels(labels))
}

fn comment(ticket: &TicketRef, words: &str) -> TicketChange {
    TicketChange::Comment(CommentTicket::new(ticket.clone(), words))
}

/// Checks every promise, each on a backend of its own.
pub async fn check<H: TrackerHarness>(make: impl Fn() -> H) -> Report {
    let mut report = Report::default();
    macro_rules! cases {
        ($($case:ident: $promise:literal;)*) => {
            $(report.add(stringify!($case), $promise, $case(&make()).await);)*
        };
    }
    cases! {
        a_ticket_is_opened_once_with_its_id: "a ticket is opened once, and carries the effect's id";
        a_repeat_is_as_declared: "a second application does what `repeat` declares, for each kind of change";
        a_lost_reply_opens_one_ticket: "after a lost reply there is one ticket, and one comment";
        a_late_answer_is_a_lost_one: "who isn't answered in time doesn't know, and goes on as after a lost reply";
        a_look_that_can_not_know_says_so: "`find` says No only of what certainly isn't there, and changes nothing";
        comments_keep_their_order: "comments are there in the order they were made";
        only_what_is_named_is_touched: "what people wrote stays, whatever is changed";
        what_is_read_back_is_so: "`read` shows open and closed, and leaves out what isn't there";
        what_may_have_happened_is_said_to: "`applied` is Maybe whenever it may have been";
        a_refusal_is_final: "a refusal for good asks for no retry";
        a_wait_is_passed_on: "a wait that the backend asks for is passed on, in its own dialect";
        a_write_is_sent_once: "the adapter never sends a write again by itself";
        a_deadline_is_kept: "a call ends within its deadline, whatever the backend does";
        a_dropped_call_breaks_nothing: "a call that was dropped leaves the adapter usable";
        no_secret_is_shown: "no secret is in Debug, in an error with all its causes, or in a log";
        hostile_text_stays_text: "what people wrote mentions nobody and breaks out of nothing";
        preflight_writes_nothing: "preflight changes nothing outside";
    }
    report
}

async fn of(backend: &dyn TrackerHarness, number: u64) -> Vec<Arrival> {
    let inbox = backend.inbox().await;
    inbox.into_iter().filter(|it| it.effect == Some(effect(number))).collect()
}

async fn opened(backend: &dyn TrackerHarness) -> Result<(Arc<dyn Tracker>, TicketRef), How> {
    let tracker = backend.tracker().await;
    let receipt = tracker.apply(&context(1), &open("it is slow")).await?;
    Ok((tracker, TicketRef::new(&receipt.reference)))
}

/// Goes on as the engine does after an attempt of which no word came back; a person does what nobody can be asked about.
async fn goes_on(
    tracker: &dyn Tracker,
    number: u64,
    change: &TicketChange,
) -> Result<Option<Receipt>, AdapterError> {
    let cx = context(number).with_attempt(2, now());
    match tracker.repeat(change) {
        Repeat::Lookup => match tracker.find(&cx, change).await? {
            Found::Yes(receipt) => return Ok(Some(receipt)),
            Found::CannotTell => return Ok(None),
            Found::No => {}
        },
        Repeat::Visible => return Ok(None),
        Repeat::Native { .. } | Repeat::Converging => {}
    }
    tracker.apply(&cx, change).await.map(Some)
}

async fn a_ticket_is_opened_once_with_its_id(backend: &dyn TrackerHarness) -> Outcome {
    let (_, ticket) = opened(backend).await?;
    ensure!(!ticket.as_str().is_empty(), "the receipt doesn't name the ticket");
    let came = of(backend, 1).await;
    ensure!(came.len() == 1, "one ticket was opened, and {} carry the effect's id", came.len());
    ensure!(came[0].text.contains("checkout is slow"), "the ticket lacks its title: {:?}", came[0].text);
    Ok(Checked::Kept)
}

async fn a_repeat_is_as_declared(backend: &dyn TrackerHarness) -> Outcome {
    let (tracker, ticket) = opened(backend).await?;
    let changes = [
        (1, open("it is slow")),
        (2, comment(&ticket, "we look")),
        (3, TicketChange::Close(CloseTicket::new(ticket.clone(), "it is over"))),
    ];
    for (number, change) in changes {
        if number > 1 {
            tracker.apply(&context(number), &change).await?;
        }
        goes_on(&*tracker, number, &change).await?;
        let came = of(backend, number).await.len();
        ensure!(
            came <= 1,
            "{:?} was declared for {change:?}, and it is there {came} times",
            tracker.repeat(&change)
        );
    }
    Ok(Checked::Kept)
}

async fn a_lost_reply_opens_one_ticket(backend: &dyn TrackerHarness) -> Outcome {
    let tracker = backend.tracker().await;
    given!(backend.meets(Fault::LoseReply).await);
    let change = open("it is slow");
    let lost = tracker.apply(&context(1), &change).await;
    let Err(error) = lost else {
        return Err(How("the reply was lost, and the call says it was done".to_owned()));
    };
    may_have_happened(&error)?;
    let again = goes_on(&*tracker, 1, &change).await?;
    let came = of(backend, 1).await.len();
    ensure!(came == 1, "the reply to opening was lost, and there are {came} tickets");
    let Some(receipt) = again else { return Ok(Checked::Kept) };
    let comment = comment(&TicketRef::new(&receipt.reference), "we look");
    given!(backend.meets(Fault::LoseReply).await);
    let _ = tracker.apply(&context(2), &comment).await;
    goes_on(&*tracker, 2, &comment).await?;
    let came = of(backend, 2).await.len();
    ensure!(came == 1, "the reply to commenting was lost, and there are {came} comments");
    Ok(Checked::Kept)
}

async fn a_late_answer_is_a_lost_one(backend: &dyn TrackerHarness) -> Outcome {
    let tracker = backend.tracker().await;
    given!(backend.meets(Fault::AnswerLate).await);
    let change = open("it is slow");
    match in_time(tracker.apply(&context(1).with_deadline(HASTE), &change)).await? {
        Ok(_) => return Err(How("nobody answered in time, and the call says it was done".to_owned())),
        Err(error) => may_have_happened(&error)?,
    }
    goes_on(&*tracker, 1, &change).await?;
    let came = of(backend, 1).await.len();
    ensure!(came == 1, "the answer to opening came late, and there are {came} tickets");
    Ok(Checked::Kept)
}

async fn a_look_that_can_not_know_says_so(backend: &dyn TrackerHarness) -> Outcome {
    let tracker = backend.tracker().await;
    let change = open("it is slow");
    given!(tracker.repeat(&change) == Repeat::Lookup);
    let never = tracker.find(&context(1), &change).await?;
    ensure!(!matches!(never, Found::Yes(_)), "it finds what was never opened");
    tracker.apply(&context(1), &change).await?;
    let before = backend.writes().await;
    let found = tracker.find(&context(1), &change).await?;
    ensure!(!matches!(found, Found::No), "it says No of what was opened");
    writes_since(backend, before, 0).await?;
    if backend.meets(Fault::Unreachable).await {
        let asked = tracker.find(&context(2), &change).await;
        ensure!(!matches!(asked, Ok(Found::No)), "nobody could be asked, and it says No");
    }
    Ok(Checked::Kept)
}

async fn comments_keep_their_order(backend: &dyn TrackerHarness) -> Outcome {
    let (tracker, ticket) = opened(backend).await?;
    for number in 2..8 {
        tracker.apply(&context(number), &comment(&ticket, &format!("update no. {number}."))).await?;
    }
    let text = backend.text(&ticket).await;
    let places: Vec<_> = (2..8).map(|number| text.find(&format!("update no. {number}"))).collect();
    ensure!(places.iter().all(Option::is_some), "a comment is missing: {places:?}");
    ensure!(places.is_sorted(), "comments changed places: {places:?}");
    Ok(Checked::Kept)
}

async fn only_what_is_named_is_touched(backend: &dyn TrackerHarness) -> Outcome {
    let (tracker, ticket) = opened(backend).await?;
    let words = "somebody wrote this by hand";
    given!(backend.people_write(&ticket, words).await);
    let reopened = TicketChange::Reopen(ReopenTicket::new(ticket.clone(), "again"));
    let changes = [
        TicketChange::Set(SetTicket::new(ticket.clone(), "Status: identified")),
        comment(&ticket, "we look"),
        TicketChange::Close(CloseTicket::new(ticket.clone(), "it is over")),
        reopened,
        TicketChange::Set(SetTicket::new(ticket.clone(), "Status: monitoring")),
    ];
    for (number, change) in (2..).zip(changes) {
        tracker.apply(&context(number), &change).await?;
        ensure!(backend.text(&ticket).await.contains(words), "what somebody wrote is gone after {change:?}");
    }
    let text = backend.text(&ticket).await;
    ensure!(
        text.contains("monitoring") && !text.contains("identified"),
        "the status isn't the last one: {text:?}"
    );
    Ok(Checked::Kept)
}

async fn what_is_read_back_is_so(backend: &dyn TrackerHarness) -> Outcome {
    let (tracker, ticket) = opened(backend).await?;
    let gone = TicketRef::new(&format!("{}999999", ticket.as_str()));
    let asked = [ticket.clone(), gone];
    let close = TicketChange::Close(CloseTicket::new(ticket.clone(), "it is over"));
    let reopen = TicketChange::Reopen(ReopenTicket::new(ticket.clone(), "again"));
    for (number, change, expected) in [(2, None, true), (3, Some(close), false), (4, Some(reopen), true)] {
        if let Some(change) = change {
            tracker.apply(&context(number), &change).await?;
        }
        let read = tracker.read(&reading(), &asked).await?;
        ensure!(read.len() == 1, "of a ticket and one that isn't there, {} are read", read.len());
        ensure!(read[0].reference == ticket, "another ticket is read");
        ensure!(
            read[0].open == expected,
            "it is {}, and read otherwise",
            if expected { "open" } else { "closed" }
        );
    }
    Ok(Checked::Kept)
}

async fn fails(backend: &dyn TrackerHarness, fault: Fault) -> Result<Option<AdapterError>, How> {
    let tracker = backend.tracker().await;
    if !backend.meets(fault).await {
        return Ok(None);
    }
    match tracker.apply(&context(1), &open("it is slow")).await {
        Ok(_) => Err(How(format!("the backend met {fault:?}, and the call says it was done"))),
        Err(error) => Ok(Some(error)),
    }
}

async fn what_may_have_happened_is_said_to(backend: &dyn TrackerHarness) -> Outcome {
    let Some(error) = fails(backend, Fault::Break).await? else { return Ok(Checked::NotApplicable) };
    may_have_happened(&error).map(|()| Checked::Kept)
}

async fn a_refusal_is_final(backend: &dyn TrackerHarness) -> Outcome {
    let Some(error) = fails(backend, Fault::Refuse).await? else { return Ok(Checked::NotApplicable) };
    is_final(&error).map(|()| Checked::Kept)
}

async fn a_wait_is_passed_on(backend: &dyn TrackerHarness) -> Outcome {
    let wait = Duration::from_secs(17);
    let Some(error) = fails(backend, Fault::Wait(wait)).await? else { return Ok(Checked::NotApplicable) };
    passes_on(&error, wait).map(|()| Checked::Kept)
}

async fn a_write_is_sent_once(backend: &dyn TrackerHarness) -> Outcome {
    let (tracker, ticket) = opened(backend).await?;
    let mut met = false;
    for (number, fault) in
        (2..).zip([Fault::LoseReply, Fault::Break, Fault::Refuse, Fault::Wait(Duration::from_secs(1))])
    {
        if backend.meets(fault).await {
            met = true;
            let before = backend.writes().await;
            let _ = tracker.apply(&context(number), &comment(&ticket, "we look")).await;
            writes_since(backend, before, 1).await?;
        }
    }
    given!(met);
    Ok(Checked::Kept)
}

async fn a_deadline_is_kept(backend: &dyn TrackerHarness) -> Outcome {
    let tracker = backend.tracker().await;
    given!(backend.meets(Fault::Hang).await);
    let (cx, change) = (context(1).with_deadline(HASTE), open("it is slow"));
    match in_time(tracker.apply(&cx, &change)).await? {
        Ok(_) => Err(How("the backend never answered, and the call says it was done".to_owned())),
        Err(error) => may_have_happened(&error).map(|()| Checked::Kept),
    }
}

async fn a_dropped_call_breaks_nothing(backend: &dyn TrackerHarness) -> Outcome {
    let tracker = backend.tracker().await;
    given!(backend.meets(Fault::Hang).await);
    let (cx, change) = (context(1), open("it is slow"));
    drop_midway(tracker.apply(&cx, &change)).await;
    tracker.apply(&context(2), &open("it is slow")).await?;
    ensure!(of(backend, 2).await.len() == 1, "the call after a dropped one did nothing");
    Ok(Checked::Kept)
}

async fn no_secret_is_shown(backend: &dyn TrackerHarness) -> Outcome {
    given!(backend.secret().is_some());
    let log = Log::default();
    let listening = log.listen();
    let tracker = backend.tracker().await;
    hides(backend, "Debug", &format!("{tracker:?}"))?;
    let faults = [
        Fault::Break,
        Fault::Refuse,
        Fault::LoseReply,
        Fault::Wait(Duration::from_secs(1)),
        Fault::Unreachable,
    ];
    for (number, fault) in (1..).zip(faults) {
        if backend.meets(fault).await
            && let Err(error) = tracker.apply(&context(number), &open("it is slow")).await
        {
            hides(backend, &format!("the error after {fault:?}"), &all_of(&error))?;
        }
    }
    drop(listening);
    hides(backend, "a log", &log.heard())?;
    Ok(Checked::Kept)
}

async fn hostile_text_stays_text(backend: &dyn TrackerHarness) -> Outcome {
    let tracker = backend.tracker().await;
    let change = TicketChange::Open(OpenTicket::new(&format!("[INCIDENT] {HOSTILE}"), HOSTILE));
    let ticket = TicketRef::new(&tracker.apply(&context(1), &change).await?.reference);
    tracker.apply(&context(2), &comment(&ticket, HOSTILE)).await?;
    tracker.apply(&context(3), &TicketChange::Set(SetTicket::new(ticket.clone(), HOSTILE))).await?;
    let text = backend.text(&ticket).await;
    let acts = backend.acts(&text);
    ensure!(acts.is_empty(), "hostile text gets through: {acts:?} acts in {text:?}");
    Ok(Checked::Kept)
}

async fn preflight_writes_nothing(backend: &dyn TrackerHarness) -> Outcome {
    let tracker = backend.tracker().await;
    let before = backend.writes().await;
    let _ = tracker.preflight(&PreflightContext::new(now())).await;
    ensure!(
        backend.writes().await == before && backend.inbox().await.is_empty(),
        "preflight wrote something"
    );
    Ok(Checked::Kept)
}
