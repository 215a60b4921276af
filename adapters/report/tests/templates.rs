//! Templates: the runbook's texts as they are, a team's own, and what is found wrong before an incident.

#![cfg(feature = "templates")]
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking, and documents itself by its name"
)]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use incident_core::conformance::backend::{Arrival, Backend, Fault};
use incident_core::conformance::fake::FakeRemote;
use incident_core::conformance::notifier::{self, NotifierHarness};
use incident_core::log::event::{Fact, Record};
use incident_core::log::fold::evolve;
use incident_core::log::incident::Incident;
use incident_core::model::effect::Work;
use incident_core::model::id::IncidentId;
use incident_core::model::notice::{Notice, NoticeKind};
use incident_core::port::{Notifier, Repeat};
use incident_core::postmortem::PostMortem;
use incident_core::rules::command::Declare;
use incident_core::runbook::Runbook;
use incident_core::views::render;
use incident_report::templates::{Templated, Templates};
use incident_report_testing::{CORPUS, Log, corpus};
use support::driver::Driver;

fn defaults() -> Templates {
    Templates::new(&Runbook::default()).unwrap()
}

/// Every notice that an incident's log asked for, as it was when it was due.
fn notices(id: IncidentId, records: &[Record], runbook: &Runbook) -> Vec<Notice> {
    let mut incident = Incident::blank(id);
    let mut notices = Vec::new();
    for record in records {
        evolve(&mut incident, record);
        if let Fact::EffectPlanned(_) = &record.fact
            && let Some(effect) = incident.effects.get(&record.seq)
            && let Work::Notify(notify) = &effect.work
        {
            notices.extend(render::notice(&incident, effect, notify, runbook));
        }
    }
    notices
}

#[test]
fn the_defaults_say_what_the_runbook_says() {
    let drill = Driver::declare(Declare::new("Practice {{ severity }} {% x %} {#").drill());
    let mut kinds = BTreeSet::new();
    let logs = CORPUS.map(|name| {
        let Log { incident, records, runbook, .. } = corpus(name);
        (incident.id, records, runbook)
    });
    let drill = (drill.incident.id, drill.records, drill.runbook);
    for (id, records, runbook) in logs.into_iter().chain([drill]) {
        let templates = Templates::new(&runbook).unwrap();
        for notice in notices(id, &records, &runbook) {
            assert_eq!(templates.say(&notice).unwrap(), notice.said, "{:?}", notice.kind);
            kinds.insert(notice.kind);
        }
    }
    for kind in [
        NoticeKind::Page,
        NoticeKind::Opening,
        NoticeKind::Update,
        NoticeKind::SeverityChanged,
        NoticeKind::Breach,
        NoticeKind::ApprovalWanted,
        NoticeKind::Mitigation,
        NoticeKind::Resolved,
        NoticeKind::Reopened,
    ] {
        assert!(kinds.contains(&kind), "no {kind} was compared");
    }
}

#[test]
fn a_runbooks_own_phrases_are_its_defaults() {
    let mut driver = Driver::declare(Declare::new("Checkout is down"));
    let phrase = "{{severity}} {severity} {nonsense} {# {% {severity";
    driver.runbook.phrases.insert("opening".to_owned(), phrase.to_owned());
    let templates = Templates::new(&driver.runbook).unwrap();
    let openings: Vec<_> = notices(driver.incident.id, &driver.records, &driver.runbook)
        .into_iter()
        .filter(|it| it.kind == NoticeKind::Opening)
        .collect();
    assert!(!openings.is_empty());
    for notice in openings {
        assert_eq!(templates.say(&notice).unwrap(), notice.said);
    }
}

#[test]
fn the_default_post_mortem_is_the_built_in_one() {
    for driver in CORPUS.map(corpus) {
        let document = PostMortem::write(&driver.incident, &driver.records, &driver.runbook);
        assert_eq!(defaults().post_mortem(&document).unwrap(), document.to_markdown());
    }
}

#[test]
fn a_teams_own_words_are_said() {
    let own = "{% include \"_head.txt\" %}{{ summary | upper }}{% if details_follow %}!{% endif %}\n";
    let templates = defaults().with([("_head.txt", "{{ severity }} "), ("opening.txt", own)]).unwrap();
    let driver = Driver::declare(Declare::new("Checkout is down"));
    let notice = notices(driver.incident.id, &driver.records, &driver.runbook)
        .into_iter()
        .find(|it| it.kind == NoticeKind::Opening)
        .unwrap();
    assert_eq!(templates.say(&notice).unwrap(), "SEV2 CHECKOUT IS DOWN!");
}

#[test]
fn in_markdown_only_what_is_markdown_acts() {
    let own = "# {{ post_mortem.title.text }}\n{% for it in sections if it.title == \"Timeline\" %}{{ it.body }}{% endfor %}";
    let templates = defaults().with([("post_mortem.md", own)]).unwrap();
    let driver = corpus("hostile");
    let document = PostMortem::write(&driver.incident, &driver.records, &driver.runbook);
    let text = templates.post_mortem(&document).unwrap();
    assert!(text.starts_with("# \\<img"), "{text}");
    assert!(!text.replace("\\<", "").contains("<script"), "{text}");
}

#[test]
fn what_is_wrong_is_found_when_it_is_added_and_named_with_its_line() {
    for (name, source, expect) in [
        ("opening.txt", "a\n{{ sevrity }}", "opening.txt, line 2: undefined value"),
        ("opening.txt", "a\n\n{% if %}", "opening.txt, line 3: syntax error"),
        ("opening.txt", "{{ severity | shout }}", "opening.txt, line 1: unknown filter"),
        ("opening.txt", "{% include \"../secrets\" %}", "opening.txt, line 1: template not found"),
        ("opening.txt", "{% include \"opening.txt\" %}", "opening.txt, line 1: "),
        (
            "opening.txt",
            "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}",
            "opening.txt, line 1: engine ran out of fuel",
        ),
        ("opening.txt", "{{ \"x\" * 1000000000 }}", "opening.txt, line 1: "),
        (
            "openning.txt",
            "x",
            "openning.txt: no text is called so; known are approval_wanted.txt, breach.txt",
        ),
        ("post_mortem.md", "{{ sections[0].titel }}", "post_mortem.md, line 1: undefined value"),
    ] {
        let error = defaults().with([(name, source)]).unwrap_err().to_string();
        assert!(error.starts_with(expect), "{error} isn't {expect}");
    }
    let included = [("_a.txt", "\n{{ nobody }}"), ("page.txt", "{% include \"_a.txt\" %}")];
    assert!(
        defaults().with(included).unwrap_err().to_string().starts_with("_a.txt, line 2: undefined value")
    );
}

#[test]
fn a_folder_is_read_and_nothing_outside_it() {
    let folder = tempfile::tempdir().unwrap();
    let outside = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&outside, "secret").unwrap();
    std::fs::write(folder.path().join("page.txt"), "{{ severity }}: {{ summary }}\n").unwrap();
    std::fs::write(folder.path().join(".notes"), "{{ nobody }}").unwrap();
    std::fs::create_dir(folder.path().join("old")).unwrap();
    let templates = defaults().with_folder(folder.path()).unwrap();
    assert_eq!(templates.source("page.txt"), Some("{{ severity }}: {{ summary }}\n"));

    let path = outside.path().display().to_string();
    for source in [path.as_str(), "../x", "/etc/passwd"] {
        let own = format!("{{% include {source:?} %}}");
        std::fs::write(folder.path().join("page.txt"), own).unwrap();
        let error = defaults().with_folder(folder.path()).unwrap_err();
        assert!(error.problem.contains("template not found"), "{error}");
    }
    std::fs::write(folder.path().join("page.txt"), "x").unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(outside.path(), folder.path().join("_link.txt")).unwrap();
        let error = defaults().with_folder(folder.path()).unwrap_err();
        assert_eq!(error.to_string(), "_link.txt: expected a file, not a link or a device");
        std::fs::remove_file(folder.path().join("_link.txt")).unwrap();
    }
    std::fs::write(folder.path().join("_long.txt"), "x".repeat(70_000)).unwrap();
    assert_eq!(defaults().with_folder(folder.path()).unwrap_err().template, "_long.txt");
    assert_eq!(defaults().with_folder(&folder.path().join("no")).unwrap_err().template, "the folder");
}

/// The fake backend of the core, behind a template.
struct InOwnWords(FakeRemote);

#[async_trait]
impl Backend for InOwnWords {
    async fn meets(&self, fault: Fault) -> bool {
        self.0.meets(fault).await
    }

    async fn inbox(&self) -> Vec<Arrival> {
        self.0.inbox().await
    }

    async fn writes(&self) -> usize {
        self.0.writes().await
    }

    fn acts(&self, text: &str) -> Vec<String> {
        self.0.acts(text)
    }
}

#[async_trait]
impl NotifierHarness for InOwnWords {
    async fn notifier(&self) -> Arc<dyn Notifier> {
        let own = "{{ kind }}: {{ title }}{% for line in lines %} · {{ line.text }}{% endfor %}";
        let all = NoticeKind::ALL.map(|kind| kind.to_string().replace([' ', '-'], "_") + ".txt");
        let templates = defaults().with(all.iter().map(|name| (name.as_str(), own))).unwrap();
        Arc::new(Templated::shared(self.0.notifier().await, templates))
    }
}

#[tokio::test]
async fn a_notifier_keeps_every_promise_in_a_teams_own_words() {
    for repeat in [Repeat::Lookup, Repeat::Visible, Repeat::Converging] {
        notifier::check(|| InOwnWords(FakeRemote::new(repeat))).await.assert();
    }
}
