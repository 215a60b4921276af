//! The runbook as a document for people.

use std::collections::VecDeque;
use std::fmt::{self, Write};

use super::lint::key;
use super::{ApprovalRule, CheckedBy, Runbook};
use crate::model::severity::Severity;
use crate::model::signal::{SignalPolicy, WordMeans, WorseNews};
use crate::model::time::spoken;
use crate::runbook::triage::{Branch, TriageTree};

impl Runbook {
    /// The runbook as Markdown, with its quick-reference card at the end.
    ///
    /// The same runbook always gives the same text, so it can be kept under version control and compared.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut out = String::new();
        // Writing to a string can't fail.
        let _ = write(self, &mut out);
        out
    }
}

fn write(runbook: &Runbook, out: &mut String) -> fmt::Result {
    writeln!(out, "# {}", line(&runbook.title))?;
    severities(runbook, out)?;
    triage(runbook, out)?;
    phases(runbook, out)?;
    signals(runbook, out)?;
    deadlines(runbook, out)?;
    recovery(runbook, out)?;
    safety(runbook, out)?;
    afterwards(runbook, out)?;
    people(runbook, out)?;
    heading(out, "Phrases")?;
    for (name, phrase) in &runbook.phrases {
        writeln!(out, "- {}: {}", code(name), command(phrase, "  "))?;
    }
    writeln!(out, "\nPeople outside the organisation read only: {}.", code_list(&runbook.public))?;
    heading(out, "Quick reference")?;
    for entry in &runbook.card {
        writeln!(out, "- {}: {}", line(&entry.purpose), command(&entry.command, "  "))?;
    }
    Ok(())
}

fn severities(runbook: &Runbook, out: &mut String) -> fmt::Result {
    heading(out, "Severities")?;
    writeln!(out, "| severity | meaning | respond within | updates | audiences | status page | examples |")?;
    writeln!(out, "|---|---|---|---|---|---|---|")?;
    for (severity, policy) in &runbook.severities {
        let mut audiences = list(&policy.audiences);
        if !policy.audiences_if_customer_facing.is_empty() {
            let besides = list(&policy.audiences_if_customer_facing);
            let _ = write!(audiences, "; {besides} if customers see it");
        }
        writeln!(
            out,
            "| {severity} | {} | {} | {} | {} | {} | {} |",
            cell(&policy.meaning),
            policy.respond_within,
            policy.cadence(),
            cell(&audiences),
            yes_no(policy.status_page),
            cell(&policy.examples.join(", ")),
        )?;
    }
    Ok(())
}

fn triage(runbook: &Runbook, out: &mut String) -> fmt::Result {
    heading(out, "Triage")?;
    writeln!(
        out,
        "Begin with {}. What nobody knows counts as the worse answer.\n",
        code(&runbook.triage.first)
    )?;
    writeln!(out, "| question | | yes | no |\n|---|---|---|---|")?;
    let leads = |branch: &Branch| match branch {
        Branch::Ask(name) => format!("ask {}", code(name)),
        Branch::Severity(severity) => severity.to_string(),
    };
    for name in in_order(&runbook.triage) {
        if let Some(question) = runbook.triage.questions.get(name) {
            let (yes, no) = (leads(&question.yes), leads(&question.no));
            writeln!(
                out,
                "| {} | {} | {} | {} |",
                cell(&code(name)),
                cell(&question.ask),
                cell(&yes),
                cell(&no)
            )?;
        }
    }
    Ok(())
}

/// The questions as they may be asked, then those that never are.
fn in_order(tree: &TriageTree) -> Vec<&str> {
    let mut order = Vec::new();
    let mut open = VecDeque::from([tree.first.as_str()]);
    while let Some(name) = open.pop_front() {
        if order.contains(&name) {
            continue;
        }
        order.push(name);
        for branch in tree.questions.get(name).into_iter().flat_map(|question| [&question.yes, &question.no])
        {
            if let Branch::Ask(next) = branch {
                open.push_back(next);
            }
        }
    }
    let never: Vec<_> =
        tree.questions.keys().map(String::as_str).filter(|name| !order.contains(name)).collect();
    order.extend(never);
    order
}

fn phases(runbook: &Runbook, out: &mut String) -> fmt::Result {
    for (phase, policy) in &runbook.phases {
        heading(out, &format!("Phase: {phase}"))?;
        let (from, to) = (spoken(policy.expected.from), spoken(policy.expected.to));
        if from == to {
            writeln!(out, "Usually takes {from}.\n")?;
        } else {
            writeln!(out, "Usually takes {from} to {to}.\n")?;
        }
        for (number, step) in (1..).zip(&policy.steps) {
            writeln!(out, "{number}. {} ({}) {}", code(&step.id), step.who, line(&step.what))?;
            if let Some(how) = &step.how {
                writeln!(out, "    {}", command(how, "    "))?;
            }
        }
        if !policy.gates.is_empty() {
            writeln!(out, "\nMay be left when:\n")?;
        }
        for gate in &policy.gates {
            writeln!(out, "- {}", line(&gate.to_string()))?;
        }
    }
    Ok(())
}

fn signals(runbook: &Runbook, out: &mut String) -> fmt::Result {
    heading(out, "Alerts")?;
    writeln!(out, "The first rule that matches makes an alert an incident:\n")?;
    for (number, rule) in (1..).zip(&runbook.signals.rules) {
        let labels: Vec<_> =
            rule.matches.iter().map(|(name, value)| code(&format!("{name}={value}"))).collect();
        let labels = if labels.is_empty() { "every alert".to_owned() } else { labels.join(", ") };
        let severity =
            rule.severity.map_or_else(|| "as its label says".to_owned(), |severity| severity.to_string());
        let together = [vec![rule.service_label.clone()], rule.group_by.clone()].concat();
        writeln!(
            out,
            "{number}. {labels}: {severity}, one incident for each {}",
            code(&together.join(", "))
        )?;
    }
    severity_words(&runbook.signals, out)?;
    news(&runbook.signals, out)?;
    let storm = runbook.signals.storm;
    if storm.incidents == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "After {} incidents of one severity within {}, one more gathers the alerts of further groups, for as long as so \
         many come in that time.",
        storm.incidents,
        spoken(storm.within)
    )
}

fn severity_words(policy: &SignalPolicy, out: &mut String) -> fmt::Result {
    writeln!(out, "\nThe label `severity` means:\n")?;
    for means in [WordMeans::Sev1, WordMeans::Sev2, WordMeans::Sev3, WordMeans::Sev4, WordMeans::Ignore] {
        let words = policy.severities.iter().filter(|(_, it)| **it == means);
        let words: Vec<_> = words.map(|(word, _)| code(word)).collect();
        let severity = means.severity().map_or_else(|| "ignored".to_owned(), |it| it.to_string());
        if !words.is_empty() {
            writeln!(out, "- {severity}: {}", words.join(", "))?;
        }
    }
    writeln!(out, "- any other word, or none: {} assumed", policy.unknown)
}

fn news(policy: &SignalPolicy, out: &mut String) -> fmt::Result {
    let worse = match policy.worse {
        WorseNews::Raise => "raises the incident's severity and pages its responders",
        WorseNews::Page => "pages the incident's responders and leaves the severity to them",
        WorseNews::Separate => "is an incident of its own",
    };
    writeln!(out, "\nAn alert that is worse than its incident {worse}.")?;
    let (quiet, flap_window) = (spoken(policy.quiet), spoken(policy.flap_window));
    writeln!(out, "A new alert in an acknowledged incident pages again if none came for {quiet}.")?;
    writeln!(out, "An alert that fires again within {flap_window} of resolve reopens the incident and pages.")
}

fn deadlines(runbook: &Runbook, out: &mut String) -> fmt::Result {
    heading(out, "Escalation and reminders")?;
    let steps = |severity| {
        let steps = runbook.escalation_steps(severity).into_iter();
        let steps = steps.map(|step| format!("{}{}", step.audience, in_brackets(&list(&step.persons))));
        cell(&steps.collect::<Vec<_>>().join(", then "))
    };
    writeln!(
        out,
        "| severity | when declared | if nobody acknowledges | each missed update |\n|---|---|---|---|"
    )?;
    for severity in Severity::ALL {
        let policy = runbook.severity(severity);
        let (within, steps) = (policy.respond_within, steps(severity));
        let notify = cell(&list(&runbook.working_on(severity)));
        let (verb, every) = if runbook.pages(severity) {
            ("page", format!("one every {}", spoken(runbook.escalation.every)))
        } else {
            ("remind", "again each time that long".to_owned())
        };
        let first = if runbook.pages(severity) { "page" } else { "notify" };
        let missed = policy.update_every.map_or_else(|| "–".to_owned(), |_| format!("{verb} {steps}"));
        writeln!(
            out,
            "| {severity} | {first} {notify} | after {within}: {verb} {steps}, {every} | {missed} |"
        )?;
    }
    writeln!(
        out,
        "\nAfter the last step the chain begins again with the first. A step that no route reaches is skipped at once."
    )?;
    let reminders = &runbook.reminders;
    writeln!(out, "\n- Before an update is due: a reminder {} ahead.", spoken(reminders.before_update))?;
    writeln!(
        out,
        "- Before a post-mortem, meeting or action item is due: a reminder {} ahead.",
        spoken(reminders.before_follow_up)
    )?;
    writeln!(
        out,
        "- An overdue post-mortem, meeting or action item: a reminder every {}, each time to the next step, then to the last.",
        spoken(reminders.chase_every)
    )
}

fn recovery(runbook: &Runbook, out: &mut String) -> fmt::Result {
    let recovery = &runbook.recovery;
    heading(out, "Recovered when")?;
    for (name, check) in &recovery.checks {
        let by = match check.by {
            CheckedBy::Probe => "by its probe",
            CheckedBy::Signals => "by the alerts",
            CheckedBy::Person => "attested by a person",
        };
        writeln!(out, "- {}: {} ({by})", code(name), line(&check.what))?;
    }
    let [hold, every, watch] = [recovery.hold, recovery.probe_every, recovery.watch].map(spoken);
    writeln!(
        out,
        "\nAll of them for {hold} without a break, looked at every {every}; watched for {watch} after resolve."
    )
}

fn safety(runbook: &Runbook, out: &mut String) -> fmt::Result {
    let safety = &runbook.safety;
    heading(out, "Before a mitigation runs")?;
    for severity in Severity::ALL {
        writeln!(out, "- At {severity}: {}.", rule(runbook.severity_rule(severity)))?;
    }
    for (kind, by_kind) in &safety.by_kind {
        writeln!(out, "- To {}, at least: {}.", key(kind).replace('_', " "), rule(by_kind))?;
    }
    writeln!(
        out,
        "- A plan may be approved and executed for {} after it was made.",
        spoken(safety.plan_lifetime)
    )?;
    writeln!(
        out,
        "- A change has {} to show that it holds, unless its plan says otherwise.",
        spoken(safety.verify_within)
    )?;
    writeln!(
        out,
        "- At most {} mitigations per hour; a target is then left alone for {}.",
        safety.budget_per_hour,
        spoken(safety.cooldown)
    )?;
    writeln!(out, "- At least {} % of the instances stay healthy.", safety.min_healthy_percent)?;
    writeln!(out, "- Beyond {} open incidents, automation proposes nothing.", safety.storm_brake)?;
    for (name, may) in &safety.automation {
        let may = list(&may.iter().collect::<Vec<_>>());
        writeln!(out, "- The automation {} may also {may}.", line(name))?;
    }
    let alone = if safety.break_glass.is_empty() { "nobody".to_owned() } else { list(&safety.break_glass) };
    writeln!(out, "- May act alone in an emergency, with a reason and everybody told: {}.", line(&alone))
}

fn rule(rule: &ApprovalRule) -> String {
    let persons = match rule.persons {
        0 => return "nobody has to agree".to_owned(),
        1 => "one person agrees".to_owned(),
        count => format!("{count} persons agree"),
    };
    let proposer = if rule.proposer_counts { "the proposer counts" } else { "the proposer doesn't count" };
    format!("{persons}{}; {proposer}", in_brackets(&list(&rule.roles)))
}

fn afterwards(runbook: &Runbook, out: &mut String) -> fmt::Result {
    let afterwards = &runbook.afterwards;
    heading(out, "Afterwards")?;
    writeln!(out, "At {}, from resolve:\n", list(&afterwards.required_for))?;
    writeln!(out, "- Post-mortem published within: {}.", afterwards.post_mortem)?;
    writeln!(out, "- Review meeting held within: {}.", afterwards.meeting)?;
    for item in &afterwards.agenda {
        writeln!(out, "  - {}: {}", spoken(item.length), line(&item.topic))?;
    }
    writeln!(out, "- Published only with: {}.", code_list(&afterwards.publish_needs))?;
    writeln!(out, "- Documentation to decide on: {}.", code_list(&afterwards.documentation))?;
    writeln!(out, "- A hole in the timeline: nothing for {}.", spoken(afterwards.timeline_gap))?;
    writeln!(
        out,
        "- A recurrence: the same service and class of cause within {}.",
        spoken(afterwards.recurrence_within)
    )?;
    writeln!(out, "\nAction items, by priority:\n")?;
    for (priority, within) in &afterwards.follow_ups {
        writeln!(out, "- {priority}: {within}")?;
    }
    Ok(())
}

fn people(runbook: &Runbook, out: &mut String) -> fmt::Result {
    let calendar = &runbook.calendar;
    heading(out, "People")?;
    writeln!(
        out,
        "Business days: {}, {} to {}, {}.",
        list(&calendar.weekdays),
        calendar.opens.format("%H:%M"),
        calendar.closes.format("%H:%M"),
        calendar.zone
    )?;
    if !calendar.holidays.is_empty() {
        writeln!(out, "Holidays: {}.", list(&calendar.holidays))?;
    }
    if !runbook.persons.is_empty() {
        writeln!(out, "\n| person | name | accounts | roles |\n|---|---|---|---|")?;
    }
    for (id, person) in &runbook.persons {
        let (accounts, roles) = (list(&person.identities), list(&person.roles));
        writeln!(out, "| {} | {} | {} | {roles} |", cell(id.as_str()), cell(&person.name), cell(&accounts))?;
    }
    Ok(())
}

fn heading(out: &mut String, text: &str) -> fmt::Result {
    writeln!(out, "\n## {text}\n")
}

fn list(items: &[impl ToString]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn code_list(items: &[impl ToString]) -> String {
    items.iter().map(|item| code(&item.to_string())).collect::<Vec<_>>().join(", ")
}

fn in_brackets(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({})", line(text)) }
}

fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

/// Text on one line, so that it can't begin a block of its own.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    line(text).replace('|', "\\|")
}

/// A command, in a block of its own below `indent` if it has several lines.
fn command(text: &str, indent: &str) -> String {
    if !text.contains('\n') {
        return code(text);
    }
    let fence = "`".repeat(ticks_in_a_row(text).max(2) + 1);
    let lines = text.lines().map(|line| format!("\n{indent}{line}"));
    format!("\n{indent}{fence}{}\n{indent}{fence}", lines.collect::<String>())
}

fn ticks_in_a_row(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}

/// Text as code, between more backticks than it holds in a row.
fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    let ticks = "`".repeat(ticks_in_a_row(&text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{space}{text}{space}{ticks}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_reads_as_a_document() {
        insta::assert_snapshot!(Runbook::default().to_markdown());
    }

    #[test]
    fn text_of_a_team_keeps_its_place() {
        for (said, expect) in [
            (cell("a | b\nc"), "a \\| b c"),
            (line("a\n\n# b"), "a # b"),
            (code("a `b` ``c"), "```a `b` ``c```"),
            (code("`a`"), "`` `a` ``"),
            (command("a\n```\nb", "  "), "\n  ````\n  a\n  ```\n  b\n  ````"),
        ] {
            assert_eq!(said, expect);
        }
    }

    #[test]
    fn persons_holidays_and_unasked_questions_are_there() {
        let runbook = Runbook::from_toml(
            r#"
            calendar.holidays = ["2026-12-25"]
            persons.alice = { name = "Alice A.", identities = ["slack:U1", "github:alice"], roles = ["commander"] }
            safety.break_glass = ["alice"]
            triage.questions.lone = { ask = "Never?", yes.severity = "sev1", no.severity = "sev4" }
            "#,
        );
        let said = runbook.unwrap().to_markdown();
        for expect in [
            "Holidays: 2026-12-25.",
            "| alice | Alice A. | slack:U1, github:alice | incident commander |",
            "with a reason and everybody told: alice.",
            "| `lone` | Never? | SEV1 | SEV4 |",
        ] {
            assert!(said.contains(expect), "{expect}: {said}");
        }
    }
}
