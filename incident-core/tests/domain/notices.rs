//! What people read: every kind of notice, at every severity, inside and outside, live and in a drill.

use std::collections::{BTreeMap, BTreeSet};

use incident_core::log::event::Fact;
use incident_core::log::fold::evolve;
use incident_core::log::incident::Incident;
use incident_core::log::index::Summary;
use incident_core::model::effect::{Applied, TicketWork, Work};
use incident_core::model::notice::{Notice, NoticeKind};
use incident_core::model::phase::Phase;
use incident_core::model::role::Role;
use incident_core::model::severity::Severity;
use incident_core::model::side::Side;
use incident_core::model::ticket::TicketRef;
use incident_core::rules::command::{
    Assign, Command, Declare, EffectResult, PostUpdate, RequestReview, SettleMitigation,
};
use incident_core::runbook::{PLACEHOLDERS, Runbook};
use incident_core::views::render::{self, Named};
use incident_core::views::timeline::describe;

use crate::course::{action, advance_to, because, impact, publish, resolve_anyway, severity, update};
use crate::samples::older;
use crate::scenario::{MONDAY, Scenario, declare};
use crate::world::{failure, person};

/// Every notice of a scenario, each as it was when it was planned.
fn notices(it: &Scenario, runbook: &Runbook) -> Vec<Notice> {
    let mut incident = Incident::blank(it.it.id);
    let mut notices = Vec::new();
    for record in &it.records {
        evolve(&mut incident, record);
        let effect = incident.effects.get(&record.seq);
        if let (Fact::EffectPlanned(_), Some(effect)) = (&record.fact, effect)
            && let Work::Notify(notify) = &effect.work
        {
            notices.extend(render::notice(&incident, effect, notify, runbook));
        }
    }
    notices
}

fn begun(level: Severity, side: Side) -> Scenario {
    let mut it = Scenario::blank(MONDAY);
    let mut declare = declare(level, it.start);
    declare.link = Some("https://alerts.internal/graph?g0.expr=secret".to_owned());
    declare.title = "Checkout fails on pod checkout-7d9f".to_owned();
    if side == Side::Drill {
        declare = declare.drill();
        it.others.iter_mut().for_each(|other| other.side = side);
        it.drill.notices = it.live.notices.clone();
        for route in &mut it.drill.notices {
            route.name = format!("drill-{}", route.name);
            route.fallback = route.fallback.as_ref().map(|name| format!("drill-{name}"));
        }
    }
    it.does(Command::Declare(Box::new(declare)));
    it
}

fn public_update() -> Command {
    Command::PostUpdate(PostUpdate {
        progress: "The connection pool of db-7 is exhausted".to_owned(),
        next_steps: Some("Roll back to v7".to_owned()),
        eta: Some("15 min".to_owned()),
        public: Some("Some payments fail. We have found the cause.".to_owned()),
    })
}

/// One incident in which everything is said that can be.
fn everything(level: Severity, side: Side) -> Vec<Scenario> {
    let mut it = begun(level, side);
    let live = side == Side::Live;
    it.at("+1m").does(Command::Escalate(because("I am alone")));
    it.passes("40m");
    it.does(Command::Acknowledge);
    it.does(Command::Assign(Assign { role: Role::Commander, to: person("alice") }));
    it.does(impact(true));
    it.does(advance_to(Phase::Investigation));
    it.later("1m").does(update("Looking at the database"));
    it.later("1m").does(public_update());
    let (other, back) =
        if level == Severity::Sev1 { (Severity::Sev2, Severity::Sev1) } else { (Severity::Sev1, level) };
    it.later("1m").does(severity(other));
    it.later("1m").does(severity(back));
    if live {
        it.does(advance_to(Phase::Resolution));
        it.has_mitigated("deployment/checkout");
        let proposal = it.has_ordered("deployment/cart");
        let execute = it.effect(|work| *work == Work::Execute(proposal));
        it.starts(execute);
        it.concludes(execute, failure(Applied::Maybe, false, None));
        it.later("1m").starts(execute);
        it.concludes(execute, EffectResult::CannotTell);
        let because = "it is not there".to_owned();
        it.does(Command::SettleMitigation(SettleMitigation { proposal, happened: false, because }));
    }
    it.passes("35m");
    it.as_("alice").does(resolve_anyway());
    it.later("5m").does(Command::Reopen(because("errors are back")));
    it.passes("20m");
    it.does(Command::Acknowledge);
    it.does(resolve_anyway());
    it.does(action(Some("bob")));
    it.does(Command::RequestReview(RequestReview { reviewers: vec![person("bob")] }));
    it.settles();
    let up_to = it.it.version;
    it.does(publish(up_to));
    it.does(Command::Close(incident_core::rules::command::Close {
        override_because: Some("the rest follows".to_owned()),
    }));
    it.settles();

    let mut cancelled = begun(level, side);
    cancelled.does(advance_to(Phase::Communication));
    cancelled.does(Command::Cancel(because("a test of the load balancer")));
    let mut merged = begun(level, side);
    merged.does(Command::MergeInto(older()));
    vec![it, cancelled, merged]
}

/// `kind → audiences`, then the text, each different text once.
fn read_aloud(level: Severity, side: Side) -> String {
    let mut seen = BTreeSet::new();
    let mut text = String::new();
    for it in everything(level, side) {
        for notice in notices(&it, &it.runbook) {
            let to: Vec<_> = notice.audiences.iter().map(ToString::to_string).collect();
            let said = format!("── {} → {}\n{}\n\n", notice.kind, to.join(", "), notice.to_text());
            if seen.insert(said.clone()) {
                text.push_str(&said);
            }
        }
    }
    text
}

#[test]
fn live_notices_read_well_at_every_severity() {
    for level in Severity::ALL {
        insta::assert_snapshot!(format!("live_{level}"), read_aloud(level, Side::Live));
    }
}

#[test]
fn every_message_of_a_drill_says_so() {
    for level in Severity::ALL {
        for it in everything(level, Side::Drill) {
            for notice in notices(&it, &it.runbook) {
                let text = notice.to_text();
                assert!(text.starts_with("[DRILL] ") && text.contains("this is an exercise"), "{text}");
            }
        }
    }
    insta::assert_snapshot!("drill", read_aloud(Severity::Sev2, Side::Drill));
}

/// No gap stays open, no label without a value, no length of zero, and nothing is said that nobody knows.
#[test]
fn nothing_is_said_without_a_value() {
    let labels = ["ETA: unknown", "Started: unknown", "Affected: unknown"];
    let mut kinds = BTreeSet::new();
    for level in Severity::ALL {
        for side in [Side::Live, Side::Drill] {
            for it in everything(level, side) {
                for notice in notices(&it, &it.runbook) {
                    kinds.insert(notice.kind);
                    let text = notice.to_text();
                    for line in text.lines() {
                        let known = !line.contains("unknown") || labels.contains(&line);
                        let whole = !line.trim_end().ends_with(':') && !line.contains(['{', '}']);
                        assert!(known && whole, "{line} in {text}");
                        for odd in ["not known yet", " 0 s", "nobody", "instead of", "None"] {
                            assert!(!line.contains(odd), "{line} in {text}");
                        }
                    }
                }
            }
        }
    }
    assert_eq!(kinds, NoticeKind::ALL.into_iter().collect());
}

/// Each phrase of the default runbook is said, and each gap is filled, by somebody.
#[test]
fn every_phrase_and_every_gap_is_used() {
    let mut runbook = Runbook::default();
    runbook.persons = crate::world::runbook().persons;
    runbook.public = PLACEHOLDERS.iter().map(|(gap, _)| (*gap).to_owned()).collect();
    runbook.public.retain(|gap| gap != "summary");
    let gaps: String = PLACEHOLDERS.iter().map(|(gap, _)| format!("\n<{gap}> {{{gap}}}")).collect();
    for (name, phrase) in &mut runbook.phrases {
        *phrase = format!("<{name}>{gaps}");
    }
    let mut said = String::new();
    for it in everything(Severity::Sev1, Side::Live).iter().chain(&everything(Severity::Sev1, Side::Drill)) {
        for notice in notices(it, &runbook) {
            said.push_str(&notice.said);
            said.push_str(&notice.title);
        }
    }
    // A recovery that was watched to its end, and the ticket's words.
    let mut recovered = Scenario::declared(Severity::Sev1);
    recovered.goes_to(Phase::PostIncident);
    for notice in notices(&recovered, &runbook) {
        said.push_str(&notice.said);
    }
    let of_tickets = ["ticket_title", "ticket_closed", "post_mortem_scheduled"];
    for name in runbook.phrases.keys().filter(|name| !of_tickets.contains(&name.as_str())) {
        assert!(said.contains(&format!("<{name}>")), "the phrase {name:?} is never said");
    }
    for (gap, _) in PLACEHOLDERS {
        assert!(said.contains(&format!("<{gap}> ")), "the gap {gap:?} never has a value");
    }
}

/// What people outside read holds nothing that people or alerts wrote for inside.
#[test]
fn nothing_internal_leaves() {
    let internal = [
        "7d9f",
        "alerts.internal",
        "g0.expr",
        "tickets.example",
        "alice",
        "bob",
        "db-7",
        "pool",
        "database",
        "v7",
        "Roll back",
        "seen",
        "I am alone",
        "errors are back",
        "bad image",
        "docs.example",
        "load balancer",
        "checkout-",
        "secret",
    ];
    let mut outside = 0;
    for level in Severity::ALL {
        for side in [Side::Live, Side::Drill] {
            for it in everything(level, side) {
                for notice in notices(&it, &it.runbook) {
                    if !notice.audiences.iter().any(incident_core::model::severity::Audience::is_external) {
                        continue;
                    }
                    outside += 1;
                    let everything = format!("{notice:?} {} {:?}", notice.to_text(), notice.figures);
                    for word in internal {
                        assert!(!everything.contains(word), "{word} in {everything}");
                    }
                }
            }
        }
    }
    assert!(outside > 40, "{outside}");
}

/// Field by field: what inside and outside get of the same notice.
#[test]
fn what_leaves_field_by_field() {
    let it = &everything(Severity::Sev1, Side::Live)[0];
    let mut table = BTreeMap::new();
    for notice in notices(it, &it.runbook) {
        let to = if notice.audiences[0].is_external() { "outside" } else { "inside" };
        let json = serde_json::to_value(&notice).unwrap();
        for (field, value) in json.as_object().unwrap() {
            if ["seq", "audiences", "said"].contains(&field.as_str()) {
                continue;
            }
            let given = match value {
                serde_json::Value::Null => None,
                serde_json::Value::Array(items) if items.is_empty() => None,
                serde_json::Value::Array(items) if field == "lines" => {
                    Some(items.iter().map(|line| line["label"].to_string()).collect::<Vec<_>>().join(" "))
                }
                value => Some(value.to_string()),
            };
            let kind = notice.kind.public_phrase().map(|_| notice.kind);
            if let (Some(given), Some(kind)) = (given, kind) {
                table.insert((field.clone(), kind, to), given);
            }
        }
    }
    let rows: Vec<String> = table
        .into_iter()
        .map(|((field, kind, to), given)| format!("{field} | {kind} | {to} | {given}"))
        .collect();
    insta::assert_snapshot!(rows.join("\n"));
}

/// A team may mark more as public, or less.
#[test]
fn what_is_public_is_the_runbooks_choice() {
    let mut runbook = Runbook::default();
    runbook.public = vec!["summary".to_owned(), "links".to_owned()];
    runbook
        .phrases
        .insert("public_opening".to_owned(), "{summary}\nLead: {lead}\nStatus: {status}".to_owned());
    let mut it = begun(Severity::Sev1, Side::Live);
    it.does(advance_to(Phase::Communication));
    let opening = notices(&it, &runbook).into_iter().find(|it| it.audiences[0].is_external()).unwrap();
    assert_eq!(opening.said, "Checkout fails on pod checkout-7d9f");
    assert_eq!(opening.title, "Checkout fails on pod checkout-7d9f");
    assert_eq!((opening.links.len(), opening.service, opening.next_update), (1, None, None));
}

/// An older log knows one effect for inside and outside: it is rendered for those outside.
#[test]
fn a_notice_for_both_is_rendered_for_those_outside() {
    let mut it = begun(Severity::Sev1, Side::Live);
    it.does(Command::Acknowledge);
    let opening = it.notice_on("chat", NoticeKind::Opening);
    let effect = it.it.effects[&opening].clone();
    let Work::Notify(mut notify) = effect.work.clone() else { unreachable!() };
    notify.audiences.push(incident_core::model::severity::Audience::new("customers"));
    let notice = render::notice(&it.it, &effect, &notify, &it.runbook).unwrap();
    assert!(!notice.to_text().contains("7d9f"), "{}", notice.to_text());
}

/// Until somebody says when it began, no view shows the time of recording as the start, and a duration is a lower bound.
#[test]
fn an_unknown_start_is_never_shown_as_known() {
    let mut it = Scenario::blank(MONDAY);
    it.does(Command::Declare(Box::new(Declare::new("slow").severity(Severity::Sev2))));
    it.passes("29m");
    it.does(advance_to(Phase::Recovery));
    let records = it.does(resolve_anyway());
    let resolved = records.iter().find(|record| matches!(record.fact, Fact::Resolved(_))).unwrap();

    let mut incident = it.it.clone();
    incident.ticket = Some(TicketRef::new("https://tickets.example/1"));
    let named = Named { records: vec![resolved.clone()], ..Named::default() };
    let ticket = |work| format!("{:?}", render::ticket(&incident, &work, &named, &it.runbook).unwrap());
    let mut views = vec![
        ("new ticket", ticket(TicketWork::Open), "Started: unknown"),
        ("ticket's status", ticket(TicketWork::Sync), "Started: unknown"),
        ("closing comment", ticket(TicketWork::Close(resolved.seq)), "at least 29 min"),
        ("timeline", describe(&it.it, &it.records[0]), "start not known yet"),
    ];
    for notice in notices(&it, &it.runbook) {
        assert_eq!(notice.started_at, None, "{}", notice.kind);
        match notice.kind {
            NoticeKind::Opening | NoticeKind::Page => {
                views.push(("opening", notice.to_text(), "Started: unknown"));
            }
            NoticeKind::Resolved => views.push(("resolved", notice.to_text(), "at least 29 min")),
            _ => {}
        }
    }
    assert!(views.iter().any(|view| view.0 == "resolved") && views.iter().any(|view| view.0 == "opening"));
    for (view, says, expected) in views {
        assert!(says.contains(expected), "{view} lacks {expected:?}: {says}");
    }
    assert_eq!(Summary::of(&it.it).started_at, None);
}
