//! Incidents to draw and to print: a simple one, a long one, one of hostile words, and one with thousands of records.

use incident_core::domain::afterwards::{ActionKind, CauseKind, Section};
use incident_core::domain::check::Colour;
use incident_core::domain::command::{
    Absorb, Assign, Attest, Because, Command, Correct, Declare, Hypothesise, JudgeHypothesis, Note,
    PostUpdate, RecordFix, Resolve, SetSeverity, StepBack, Undo,
};
use incident_core::domain::event::{CauseClass, FixStep};
use incident_core::domain::impact::Impact;
use incident_core::domain::mitigation::{Mitigation, RollBack, Scale, SwitchFeature};
use incident_core::domain::role::Role;
use incident_core::domain::runbook::Priority;
use incident_core::domain::{Actor, Detection, IncidentId, PersonId, Phase, Severity, Signal};

use super::aftermath::{add, afterwards, because, write};
use super::driver::Driver;

fn owned(text: &str) -> String {
    text.to_owned()
}

fn some(text: &str) -> Option<String> {
    Some(owned(text))
}

fn update(driver: &mut Driver, progress: &str, next_steps: &str) {
    let (progress, next_steps) = (owned(progress), some(next_steps));
    driver.alice(Command::PostUpdate(PostUpdate { progress, next_steps, eta: None }));
    driver.settle();
}

/// So many minutes with a look at the checks every so many.
fn watch(driver: &mut Driver, minutes: u64, every: u64, colour: Colour, except: &[(&str, Colour)]) {
    for _ in 0..minutes / every {
        driver.wait(every).look(colour, except);
    }
}

fn alert(driver: &mut Driver, fingerprint: &str, summary: &str, firing: bool) {
    let signal = Signal::firing(fingerprint, summary, Detection::MetricAlert);
    let signal = if firing { signal } else { signal.resolved() };
    driver.by(Actor::Automation(owned("alertmanager")), Command::Signals(vec![signal]));
    driver.settle();
}

fn roll_back() -> Mitigation {
    Mitigation::RollBack(RollBack { workload: owned("deployment/checkout"), to_revision: some("41") })
}

/// A bad deployment: half an hour, one rollback, one missed update, everything filled in.
#[must_use]
pub fn simple() -> Driver {
    let declare = Declare::new("Checkout drops orders")
        .severity(Severity::Sev2)
        .service("checkout")
        .detected_by(Detection::MetricAlert)
        .started_at("2026-03-02T13:52:00Z".parse().expect("a time"));
    let mut driver = Driver::declare(declare);
    alert(&mut driver, "error-rate", "Error rate of checkout above 2 %", true);
    driver.wait(2);
    driver.alice(Command::Acknowledge);
    driver.alice(Command::Assign(Assign { role: Role::Commander, to: PersonId::new("alice") }));
    driver.bob(Command::Assign(Assign { role: Role::OpsLead, to: PersonId::new("bob") }));
    driver.advance().wait(3);
    let because = owned("orders are lost, not only delayed");
    driver.alice(Command::SetSeverity(SetSeverity { severity: Severity::Sev1, because }));
    driver.alice(Command::AssessImpact(Box::new(Impact {
        users: Some(1_200),
        users_percent: Some(12.5),
        services: vec![owned("checkout"), owned("orders")],
        business: some("One checkout in eight fails; nobody can tell the customer"),
        data_loss: Some(true),
        security_breach: Some(false),
        customer_facing: Some(true),
        failed_requests: Some(48_200),
        money: some("about 9,400 EUR of orders"),
        slo_minutes: Some(31),
    })));
    driver.settle().advance().wait(1).advance().wait(4);
    let class = Some(CauseClass::RecentDeployment);
    let statement = owned("Version 42 drops orders that carry a voucher");
    let cause = driver.bob(Command::Hypothesise(Hypothesise { statement, class }));
    let statement = owned("The order database is full");
    let other = driver
        .bob(Command::Hypothesise(Hypothesise { statement, class: Some(CauseClass::ResourceExhaustion) }));
    driver.wait(2);
    let note = driver.bob(Command::Note(Note { text: owned("Version 24 went out at 13:50") }));
    let (text, because) = (some("Version 42 went out at 13:50"), owned("I mistyped"));
    driver.bob(Command::Correct(Correct { record: note, text, occurred_at: None, because }));
    update(&mut driver, "The deployment of 13:50 is suspected", "Roll back to version 41");
    driver.advance();
    driver.look(Colour::Green, &[("error-rate", Colour::Red), ("latency-p95", Colour::Unknown)]);
    driver.mitigate("cluster", roll_back(), "It began with the deployment");
    watch(&mut driver, 12, 2, Colour::Green, &[("error-rate", Colour::Red)]);
    update(&mut driver, "Version 41 is back, errors go down", "Watch the checks");
    alert(&mut driver, "error-rate", "Error rate of checkout above 2 %", false);
    let because = owned("Errors ended with the rollback");
    driver.bob(Command::JudgeHypothesis(JudgeHypothesis { hypothesis: cause, confirmed: true, because }));
    let because = owned("It has 40 % free");
    driver.bob(Command::JudgeHypothesis(JudgeHypothesis { hypothesis: other, confirmed: false, because }));
    driver.advance();
    recover(&mut driver);
    let what = owned("Vouchers are kept when an order is split");
    let link = some("https://code.example/shop/change/9");
    driver.bob(Command::RecordFix(RecordFix { step: FixStep::Change, what, link }));
    afterwards(&mut driver);
    driver
}

/// Green for long enough, with an update on the way; resolved.
fn recover(driver: &mut Driver) {
    driver.look(Colour::Green, &[]);
    let (check, detail) = (owned("user-reports"), owned("Support has no open tickets"));
    driver.bob(Command::Attest(Attest { check, colour: Colour::Green, detail }));
    watch(driver, 8, 2, Colour::Green, &[]);
    update(driver, "Orders flow again", "Watch for another ten minutes");
    watch(driver, 10, 2, Colour::Green, &[]);
    let cause = owned("Version 42 dropped orders with vouchers");
    let override_because = some("Everybody agreed");
    driver.alice(Command::Resolve(Resolve { cause, override_because }));
    driver.settle();
}

/// Two days with several mitigations, one of them taken back, a merge, and a relapse after it was over.
#[must_use]
pub fn long() -> Driver {
    let mut driver = Driver::declare(Declare::new("Search is slow, then gone").service("search"));
    for at in 0..4 {
        alert(&mut driver, &format!("latency-{at}"), &format!("p95 of shard {at} above 2 s"), true);
    }
    driver.wait(4);
    driver.bob(Command::Acknowledge);
    driver.bob(Command::Assign(Assign { role: Role::Commander, to: PersonId::new("bob") }));
    let because = owned("one customer in three sees it");
    driver.bob(Command::SetSeverity(SetSeverity { severity: Severity::Sev3, because }));
    driver.advance().advance().advance().wait(90);
    driver.advance();
    let scale = Mitigation::Scale(Scale { workload: owned("deployment/search"), replicas: 12 });
    let scaled = driver.mitigate("cluster", scale, "More instances take the load");
    watch(&mut driver, 240, 20, Colour::Green, &[("latency-p95", Colour::Red)]);
    let because = owned("the shards do not answer at all now");
    driver.bob(Command::SetSeverity(SetSeverity { severity: Severity::Sev1, because }));
    let other = IncidentId::new(driver.now, [9; 16]);
    let because = owned("the same shards");
    driver.bob(Command::Absorb(Absorb { other, because }));
    driver.settle();
    driver.holds = false;
    driver.mitigate("cluster", roll_back(), "Perhaps it is the deployment");
    driver.holds = true;
    for shard in 0..9 {
        watch(&mut driver, if shard == 5 { 40 } else { 10 }, 10, Colour::Red, &[("health", Colour::Green)]);
        update(&mut driver, &format!("Shard {shard} is rebuilt"), "The next one");
    }
    let back =
        driver.alice(Command::Undo(Undo { mitigation: scaled, because: owned("It starves the rebuild") }));
    driver.settle().carry_out(back);
    let off = Mitigation::SwitchFeature(SwitchFeature { feature: owned("suggestions"), on: false });
    driver.mitigate("flags", off, "Suggestions cost a third of all queries");
    driver.advance();
    recover(&mut driver);
    driver.wait(20 * 60);
    driver.alice(Command::Reopen(Because { because: owned("Shard 3 is gone again") }));
    alert(&mut driver, "latency-3", "p95 of shard 3 above 2 s", true);
    if driver.incident.phase > Phase::Investigation {
        let because = owned("the cause was another one");
        driver.alice(Command::StepBack(StepBack { to: Phase::Investigation, because }));
    }
    driver.settle();
    watch(&mut driver, 40, 10, Colour::Red, &[("health", Colour::Green)]);
    update(&mut driver, "A full disk was the cause", "It is exchanged");
    driver.advance().advance();
    recover(&mut driver);
    afterwards(&mut driver);
    driver
}

/// Words that want to be markup, links, scripts, other directions; where people write and where machines do.
#[must_use]
pub fn hostile() -> Driver {
    let script = "<script>alert(1)</script>";
    let quote = "\"><img src=x onerror=alert(2)>";
    let mut declare = Declare::new(&format!("{script} & ]]> {quote}")).service("<b>shop</b>");
    declare.link = some("javascript:alert(3)");
    let mut driver = Driver::declare(declare);
    alert(&mut driver, script, "</title></svg><script>alert(4)</script>", true);
    for text in [
        "a\u{202e}drow",
        "\u{0}\u{7}\u{1b}[2J",
        "&#60;script&#62;",
        "<!-- not a comment",
        "</style><style>*{display:none}",
        "#r1\" onclick=\"alert(5)",
        "\u{fffe}\u{ffff}\u{feff}",
        "https://a.example/?\"><svg/onload=alert(6)>",
        "@everyone ${7*7} {{7*7}} `x`",
    ] {
        driver.bob(Command::Note(Note { text: owned(text) }));
    }
    driver.bob(Command::Note(Note { text: "a word without an end ".repeat(3) + &"W".repeat(600) }));
    driver.alice(Command::AssessImpact(Box::new(Impact {
        services: vec![owned(quote)],
        business: some(script),
        money: some("</dd><h1>rich</h1>"),
        ..Impact::default()
    })));
    let feature = owned("</text><script>alert(8)</script>");
    driver.mitigate("flags", Mitigation::SwitchFeature(SwitchFeature { feature, on: false }), quote);
    for (at, link) in ["javascript:alert(9)", "https://a.example/\" onfocus=\"x", "data:text/html,<script>"]
        .into_iter()
        .enumerate()
    {
        let step = [FixStep::Change, FixStep::Staging, FixStep::Deployment][at];
        driver.bob(Command::RecordFix(RecordFix { step, what: owned(script), link: some(link) }));
    }
    for section in Section::ALL {
        write(&mut driver, section, &format!("{script}\n\n{quote}\n</p></section></main>\n# no heading"));
    }
    let mut under = None;
    for _ in 0..6 {
        under = Some(because(&mut driver, under, "</li></ul><h1>why</h1>", CauseKind::Cause));
    }
    add(&mut driver, "<a href=//evil.example>do</a>", ActionKind::Prevent, Priority::High, None);
    driver
}

/// At least so many records: notes, alerts that flap, checks that flap, updates that come and don't.
#[must_use]
pub fn crowded(records: usize) -> Driver {
    let mut driver =
        Driver::declare(Declare::new("Everything at once").severity(Severity::Sev2).service("all"));
    driver.alice(Command::Acknowledge);
    driver.advance().advance().advance();
    let mut round = 0_u64;
    while driver.records.len() < records {
        round += 1;
        driver.wait(3);
        let colour = if round.is_multiple_of(2) { Colour::Red } else { Colour::Green };
        driver.look(colour, &[]);
        alert(&mut driver, &format!("alert-{}", round % 7), "A queue is too long", !round.is_multiple_of(3));
        for at in 0..6 {
            let text =
                format!("Observation {at} of round {round}: the queue has {} entries", round * 37 % 1_000);
            driver.bob(Command::Note(Note { text }));
        }
        if round.is_multiple_of(8) {
            update(&mut driver, "Still at it", "Go on");
        }
        driver.settle();
    }
    driver
}
