//! What people who approve get to see of a change.

use serde_json::json;

use super::*;

fn lines(from: Value, to: Value) -> Vec<String> {
    let pod = |containers: Value| json!({"spec": {"containers": containers}});
    let harmless = Harmless::default().with(["FEATURE", "--workers"]);
    let changes = templates(&pod(from), &pod(to), &harmless);
    changes.into_iter().map(|it| format!("{}: {} -> {}", it.what, it.from, it.to)).collect()
}

/// A line without what marks are made of.
fn unmarked(line: &str) -> String {
    let mut parts = line.split('#');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |line, part| format!("{line}#{}", part.get(8..).unwrap_or_default()))
}

#[test]
fn each_difference_is_a_line_that_a_person_can_judge() {
    let env = |value: Value| json!([{"name": "web", "env": [value]}]);
    let from_secret = json!({"name": "URL", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}});
    for (from, to, expect) in [
        (
            json!([{"name": "web", "image": "w:2"}]),
            json!([{"name": "web", "image": "w:1"}]),
            vec!["image of web: w:2 -> w:1"],
        ),
        (
            json!([{"name": "web", "resources": {"requests": {"cpu": "1"}}}]),
            json!([{"name": "web", "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": 2}}}]),
            vec!["cpu request of web: 1 -> 2", "cpu limit of web: none -> 2"],
        ),
        (
            env(json!({"name": "FEATURE", "value": "true"})),
            env(json!({"name": "FEATURE", "value": "false"})),
            vec!["env FEATURE of web: true -> false"],
        ),
        (
            env(from_secret),
            env(json!({"name": "URL", "value": "x"})),
            vec!["env URL of web: from secretKeyRef db url -> hidden #"],
        ),
        (
            env(json!({"name": "DB_PASSWORD", "value": "hunter2"})),
            env(json!({"name": "DB_PASSWORD", "value": "hunter3"})),
            vec!["env DB_PASSWORD of web: hidden # -> hidden #"],
        ),
        (
            env(json!({"name": "ANYTHING", "value": "hunter2"})),
            env(json!({"name": "ANYTHING", "value": "hunter2"})),
            vec![],
        ),
        (
            json!([{"name": "web", "args": ["serve", "--password", "hunter2", "--workers", "2", "--key=hunter2"]}]),
            json!([{"name": "web", "args": ["serve", "-phunter2", "-u", "root:hunter2", "--workers=4"]}]),
            vec![
                "arguments of web: hidden # --password hidden # --workers 2 --key=hidden # -> hidden # hidden # \
                 hidden # hidden # --workers=4",
            ],
        ),
        (
            json!([{"name": "web", "livenessProbe": {"periodSeconds": 1}}]),
            json!([{"name": "web", "livenessProbe": {"periodSeconds": 9}}, {"name": "new", "image": "n:1"}]),
            vec!["web: livenessProbe.periodSeconds: as it is -> changed", "container new: none -> n:1"],
        ),
    ] {
        let lines = lines(from, to);
        assert!(!lines.concat().contains("hunter"), "{lines:?}");
        assert_eq!(lines.iter().map(|it| unmarked(it)).collect::<Vec<_>>(), expect);
    }
}

#[test]
fn hostile_values_stay_on_their_line_and_are_bounded() {
    let hostile = format!("a\n\u{1b}[2J@here{}", "x".repeat(5000));
    let env = |value: &str| json!([{"name": "web", "env": [{"name": "FEATURE", "value": value}]}]);
    let lines = lines(env("1"), env(&hostile));
    assert!(lines[0].len() < 300 && !lines[0].contains(['\n', '\u{1b}']), "{lines:?}");
}

#[test]
fn the_configuration_that_a_template_uses_is_named() {
    let template = json!({"spec": {
        "volumes": [{"configMap": {"name": "web"}}, {"secret": {"secretName": "tls"}}],
        "containers": [{"envFrom": [{"secretRef": {"name": "db"}}, {"configMapRef": {"name": "web"}}]}],
    }});
    assert_eq!(configuration(&template), ["configmap/web", "secret/db", "secret/tls"]);
}
