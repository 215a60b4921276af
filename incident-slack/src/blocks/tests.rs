use incident_core::Time;
use incident_core::model::id::{Digest, IncidentId, Seq};
use incident_core::model::notice::{ApprovalRequest, Label, Line, NoticeKind, Recipient};
use incident_core::model::phase::Status;
use incident_core::model::role::{Identity, PersonId};
use incident_core::model::severity::{Audience, Severity};
use proptest::prelude::*;
use serde_json::json;

use super::*;

use super::limits_of_slack as limits;

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

fn style() -> Style {
    Style { mentions: vec!["here".to_owned()], buttons: true, passes_on: true }
}

fn json(message: &Message) -> Value {
    json!({ "text": message.text, "blocks": message.blocks })
}

fn line(label: Label, text: &str) -> Line<String> {
    Line { label, text: text.to_owned() }
}

/// A notice as the engine would issue it.
fn notice(kind: NoticeKind) -> Notice {
    let incident = IncidentId::new(at("2026-11-26T14:30:00Z"), [7; 16]);
    let mut notice = Notice::new(incident, Seq(9), kind, vec![Audience::new("team")], "Checkout is slow");
    notice.service = Some("checkout".to_owned());
    notice.severity = Severity::Sev2;
    notice.started_at = Some(at("2026-11-26T14:25:00Z"));
    notice.issued_at = at("2026-11-26T14:30:00Z");
    notice.commander = Some(PersonId::new("alice"));
    notice.next_update = Some(at("2026-11-26T15:00:00Z"));
    notice.links = vec!["https://github.com/acme/shop/issues/17".to_owned()];
    match kind {
        NoticeKind::Opening => {
            notice.said =
                "SEV2, investigating: Checkout is slow. Impact: one in ten orders fails.".to_owned();
        }
        NoticeKind::Update => {
            notice.lines = vec![
                line(Label::Progress, "The cache is cold since the last deployment"),
                line(Label::NextSteps, "Roll it back"),
                line(Label::Eta, "15 min"),
            ];
        }
        NoticeKind::SeverityChanged => {
            notice.severity = Severity::Sev1;
            notice.lines =
                vec![line(Label::Summary, "SEV1 (was SEV2)"), line(Label::Because, "all of Europe")];
        }
        NoticeKind::Page | NoticeKind::Breach | NoticeKind::PersonNeeded | NoticeKind::Reminder => {
            let mut alice = Recipient::new(PersonId::new("alice"), "Alice A.");
            alice.identities = vec![Identity::new("github", "alice"), Identity::new("slack", "U1ALICE")];
            notice.recipients = vec![alice, Recipient::new(PersonId::new("bob"), "Bob B.")];
            notice.lines = vec![line(Label::Do, "acknowledge and start investigating")];
        }
        NoticeKind::ApprovalWanted => {
            notice.approval = Some(ApprovalRequest::new(Seq(12), Digest::sha256(b"plan")));
            notice.lines = vec![
                line(Label::Plan, "roll back shop/deployment/checkout"),
                line(Label::Plan, "image: shop:42 → shop:41"),
            ];
        }
        NoticeKind::Resolved => {
            notice.status = Status::Resolved;
            notice.said =
                "Resolved: Checkout is slow. Duration: 45 min. Cause: a cold cache. · Details follow in the \
                 post-mortem, due 2026-11-28 17:00:00 UTC."
                    .to_owned();
        }
        NoticeKind::PostMortemPublished => notice.status = Status::Resolved,
        NoticeKind::Closed => {
            notice.status = Status::Resolved;
            notice.lines = vec![line(Label::Summary, "open action items: #214")];
        }
        _ => notice.lines = vec![line(Label::Summary, "applied and verified")],
    }
    notice
}

/// A notice of hostile, huge or empty words.
fn any_notice() -> impl Strategy<Value = Notice> {
    let word = prop_oneof![
        any::<String>(),
        "[<>&!@#*_~`|:a-z\u{202e}\u{7}🔥é\n]{0,200}",
        Just("<!channel> <@U1> &amp; ```".repeat(150)),
        Just("&".repeat(4_000)),
        Just("🔥".repeat(4_000)),
        Just(String::new()),
    ];
    let lines = prop::collection::vec((prop::sample::select(Label::ALL.to_vec()), word.clone()), 0..12);
    let links =
        prop::collection::vec(prop_oneof![word.clone(), "https://[a-z]{1,9}\\.example/[ -~]{0,400}"], 0..12);
    let name = "[<>&!@#*_~`|:a-z\u{202e}🔥é\n]{0,60}";
    let people = prop::collection::vec((name, prop_oneof![name, "U[A-Z0-9]{1,12}"]), 0..80);
    let kind = prop::sample::select(NoticeKind::ALL.to_vec());
    (kind, lines, links, people, [word.clone(), word.clone(), word.clone(), word], any::<[bool; 3]>())
        .prop_map(|(kind, lines, links, people, [title, said, service, lead], [drill, repeat, approval])| {
            let mut notice = notice(kind);
            notice.lines = lines.into_iter().map(|(label, text)| Line { label, text }).collect();
            notice.recipients = people
                .into_iter()
                .map(|(name, account)| {
                    let mut who = Recipient::new(PersonId::new("x"), &name);
                    who.identities = vec![Identity::new("slack", &account)];
                    who
                })
                .collect();
            (notice.title, notice.said, notice.links) = (title, said, links);
            (notice.service, notice.commander) = (Some(service), Some(PersonId::new(&lead)));
            (notice.drill, notice.possible_repeat) = (drill, repeat);
            notice.approval = approval.then(|| ApprovalRequest::new(Seq(u64::MAX), Digest::sha256(b"plan")));
            notice
        })
}

#[test]
fn each_kind_of_notice_looks_like_this() {
    for kind in NoticeKind::ALL {
        let name = kind.to_string().replace([' ', '-'], "_");
        let (root, reply) = (root(&notice(kind), &style()), reply(&notice(kind), &style()));
        assert_eq!(limits::offences(&json(&root)), Vec::<String>::new(), "{kind}");
        assert_eq!(limits::offences(&json(&reply)), Vec::<String>::new(), "{kind}");
        insta::assert_json_snapshot!(format!("{name}_first"), json(&root));
        if !kind.is_page() {
            insta::assert_json_snapshot!(format!("{name}_answer"), json(&reply));
        }
    }
}

#[test]
fn the_first_message_stays_current_and_keeps_what_it_began_with() {
    let first = root(&notice(NoticeKind::Opening), &style());
    let refreshed = refreshed(&notice(NoticeKind::Update), &first.blocks);
    insta::assert_json_snapshot!("refreshed", json(&refreshed));
    assert_eq!(limits::offences(&json(&refreshed)), Vec::<String>::new());
}

#[test]
fn a_start_that_nobody_knows_is_unknown() {
    let mut notice = notice(NoticeKind::Opening);
    notice.started_at = None;
    let shown = limits::readable(&json!({ "blocks": root(&notice, &style()).blocks }));
    assert!(shown.contains("*Started*\nunknown") && !shown.contains("14:25"), "{shown}");
}

#[test]
fn what_is_for_people_outside_says_that_somebody_has_to_pass_it_on() {
    let mut notice = notice(NoticeKind::Opening);
    notice.audiences = vec![Audience::new("customers"), Audience::new("public")];
    for message in [root(&notice, &style()), reply(&notice, &style())] {
        let shown = limits::readable(&json(&message));
        assert!(shown.contains("For customers, public: a person has to publish this"), "{shown}");
    }
    let bare = limits::readable(&json(&root(&notice, &Style::default())));
    assert!(!bare.contains("has to publish"), "{bare}");
}

#[test]
fn between_two_notices_the_first_message_keeps_its_words_and_the_latest_news() {
    let first = root(&notice(NoticeKind::Opening), &style());
    let later = refreshed(&notice(NoticeKind::Update), &first.blocks);
    let mut now = notice(NoticeKind::Update);
    now.lines.clear();
    now.commander = Some(PersonId::new("bob"));
    let message = restated(&now, &later.blocks);
    let shown = limits::readable(&json!({ "blocks": message.blocks }));
    for words in
        ["one in ten orders fails", "The cache is cold since the last deployment", "Incident lead\nbob"]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert_eq!(limits::offences(&json(&message)), Vec::<String>::new());
}

#[test]
fn a_drill_and_a_possible_repeat_say_so_in_every_message() {
    for kind in NoticeKind::ALL {
        let mut notice = notice(kind);
        (notice.drill, notice.possible_repeat) = (true, true);
        for message in [root(&notice, &style()), reply(&notice, &style()), refreshed(&notice, &[])] {
            let blocks = serde_json::to_string(&message.blocks).unwrap();
            for text in [&message.text, &blocks] {
                assert!(text.contains("[DRILL]") && text.contains("possibly sent before"), "{kind}: {text}");
            }
        }
    }
}

#[test]
fn a_page_mentions_its_recipients_and_whom_the_route_names_and_nothing_else_does() {
    let mentions = |notice: &Notice| {
        let message = root(notice, &style());
        let mut acting = limits::acting(&json(&message));
        acting.retain(|it| it.starts_with(['@', '!']) && !it.starts_with("!date"));
        acting
    };
    assert_eq!(mentions(&notice(NoticeKind::Page)), ["@U1ALICE", "!here"]);
    assert_eq!(mentions(&notice(NoticeKind::Reminder)), ["@U1ALICE"]);
    assert_eq!(mentions(&notice(NoticeKind::Opening)), Vec::<String>::new());
}

#[test]
fn words_that_do_not_fit_follow_in_a_second_message() {
    let mut long = notice(NoticeKind::Update);
    let text: String = (0..2_000).map(|number| format!("word{number} ")).collect();
    long.lines = vec![line(Label::Progress, &text)];
    let message = reply(&long, &style());
    let more = continued(&message.rest).unwrap();
    assert!(limits::readable(&json(&message)).contains("truncated; the rest follows"));
    assert_eq!(limits::offences(&json(&message)), Vec::<String>::new());
    assert_eq!(limits::offences(&json(&more)), Vec::<String>::new());
    let blocks = |message: &Message| limits::readable(&json!({ "blocks": message.blocks }));
    let all = format!("{} {}", blocks(&message), blocks(&more));
    let words: Vec<&str> = all.split_whitespace().filter(|word| word.starts_with("word")).collect();
    let expect: Vec<String> = (0..words.len()).map(|number| format!("word{number}")).collect();
    assert_eq!(words, expect, "each word once and in order");
    assert!(words.len() > 1_000, "two messages hold more than {}", words.len());
    assert!(
        blocks(&more).contains("more characters are in the incident's record"),
        "it says what is missing"
    );
    assert_eq!(continued(""), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn slack_takes_every_message_and_no_words_act(notice in any_notice()) {
        let first = root(&notice, &style());
        let again = refreshed(&notice, &first.blocks);
        let answer = reply(&notice, &style());
        let more = continued(&answer.rest);
        for message in [Some(first), Some(again), Some(answer), more].into_iter().flatten() {
            let json = json(&message);
            prop_assert_eq!(limits::offences(&json), Vec::<String>::new());
            for acting in limits::acting(&json) {
                let ours = acting.starts_with("!date^") || acting == "!here" || acting.starts_with("@U")
                    || acting.starts_with("https://") || acting.starts_with("http://");
                prop_assert!(ours, "{} acts", acting);
            }
        }
        prop_assert!(topic(&notice).encode_utf16().count() <= 250);
    }
}
