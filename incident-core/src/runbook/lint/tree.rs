//! Whether the triage tree always ends, and where.

use std::collections::BTreeSet;

use super::{Findings, Level, key};
use crate::model::severity::Severity;
use crate::runbook::triage::{Branch, TriageTree};

pub(super) fn check(tree: &TriageTree, found: &mut Findings) {
    let mut reached = BTreeSet::new();
    let mut severities = BTreeSet::new();
    let mut broken = false;
    let mut open = vec![("triage.first".to_owned(), tree.first.as_str())];
    while let Some((place, name)) = open.pop() {
        let Some(question) = tree.questions.get(name) else {
            found.error(place, format!("there is no question {name:?}"), "add it, or lead elsewhere");
            broken = true;
            continue;
        };
        if !reached.insert(name) {
            continue;
        }
        for (answer, branch) in [("yes", &question.yes), ("no", &question.no)] {
            match branch {
                Branch::Ask(next) => open.push((format!("triage.questions.{name}.{answer}"), next)),
                Branch::Severity(severity) => {
                    severities.insert(*severity);
                }
            }
        }
    }
    if broken {
        // What can't be reached follows from the missing question, and would only bury it.
        return;
    }
    for severity in Severity::ALL.into_iter().filter(|severity| !severities.contains(severity)) {
        let level = if severity == Severity::Sev1 { Level::Error } else { Level::Warning };
        let what = format!("no answers lead to {}", key(&severity));
        found.add(level, "triage.questions", what, "let a branch lead there");
    }
    for name in tree.questions.keys().filter(|name| !reached.contains(name.as_str())) {
        let then = "lead a branch to it, or take it out with `false`";
        found.warning(format!("triage.questions.{name}"), "it is never asked", then);
    }
    let ring = ring(tree, reached);
    if let Some(first) = ring.first() {
        let names: Vec<_> = ring.iter().copied().collect();
        let what = format!("these questions lead back to each other: {}", names.join(", "));
        found.error(format!("triage.questions.{first}"), what, "let each branch lead closer to a severity");
    }
}

/// The questions that lie on a ring, or between two.
fn ring<'a>(tree: &'a TriageTree, mut left: BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    let leads = |from: &str, to: &str| {
        tree.questions.get(from).is_some_and(|question| {
            [&question.yes, &question.no]
                .iter()
                .any(|branch| matches!(branch, Branch::Ask(name) if name == to))
        })
    };
    loop {
        let inner: BTreeSet<_> = left
            .iter()
            .copied()
            .filter(|name| {
                left.iter().any(|other| leads(name, other)) && left.iter().any(|other| leads(other, name))
            })
            .collect();
        if inner.len() == left.len() {
            return inner;
        }
        left = inner;
    }
}
