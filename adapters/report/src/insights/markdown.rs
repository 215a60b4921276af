//! Insights as Markdown.

use std::fmt::{self, Write};

use incident_core::model::inert;

use super::words::{ages, class, counted, day, period, seconds, share, trend};
use super::{Group, Insights};

pub(super) fn markdown(it: &Insights) -> String {
    let mut out = String::new();
    // Writing to a string can't fail.
    let _ = write(it, &mut out);
    out
}

fn write(it: &Insights, out: &mut String) -> fmt::Result {
    writeln!(out, "# Incidents from {}\n\n{}", period(&it.period), counted(it))?;
    groups(out, "Response times", std::slice::from_ref(&it.all))?;
    groups(out, "By severity", &it.severities)?;
    groups(out, "By service", &it.services)?;
    months(it, out)?;
    promises(it, out)?;
    causes(it, out)?;
    follow_ups(it, out)
}

fn groups(out: &mut String, title: &str, groups: &[Group]) -> fmt::Result {
    heading(out, title)?;
    if groups.iter().all(|group| group.figures.is_empty()) {
        return writeln!(out, "Nothing is recorded.");
    }
    writeln!(out, "| of | interval | n | median | 90 % | first half → second half |")?;
    writeln!(out, "|---|---|--:|--:|--:|---|")?;
    for group in groups {
        for figure in &group.figures {
            writeln!(
                out,
                "| {} ({}) | {} ({}) | {} | {} | {} | {} |",
                text(&group.name),
                group.incidents,
                figure.interval,
                figure.interval.bounds(),
                figure.n,
                seconds(figure.median_seconds),
                seconds(figure.p90_seconds),
                trend(figure)
            )?;
        }
    }
    Ok(())
}

fn months(it: &Insights, out: &mut String) -> fmt::Result {
    use incident_core::model::severity::Severity;
    use incident_core::views::metrics::Interval::{Acknowledge, Resolve};
    heading(out, "Month by month")?;
    writeln!(out, "| month | SEV1 | SEV2 | SEV3 | SEV4 | median to acknowledge | median to resolve |")?;
    writeln!(out, "|---|--:|--:|--:|--:|--:|--:|")?;
    for month in &it.months {
        let count = |severity| month.severities.get(&severity).copied().unwrap_or_default();
        let median = |interval| {
            let figure = month.figures.iter().find(|figure| figure.interval == interval);
            figure.map_or_else(|| "–".to_owned(), |figure| seconds(figure.median_seconds))
        };
        let [one, two, three, four] = Severity::ALL.map(count);
        let (acknowledge, resolve) = (median(Acknowledge), median(Resolve));
        writeln!(out, "| {} | {one} | {two} | {three} | {four} | {acknowledge} | {resolve} |", month.month)?;
    }
    Ok(())
}

fn promises(it: &Insights, out: &mut String) -> fmt::Result {
    heading(out, "Promises")?;
    writeln!(out, "| owed | kept in time | broken | share kept | deadlines missed | open or dropped |")?;
    writeln!(out, "|---|--:|--:|--:|--:|--:|")?;
    for keeping in &it.promises {
        writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            keeping.what,
            keeping.kept,
            keeping.broken,
            share(keeping),
            keeping.deadlines_missed,
            keeping.open_or_dropped
        )?;
    }
    Ok(())
}

fn causes(it: &Insights, out: &mut String) -> fmt::Result {
    heading(out, "Causes")?;
    for causes in &it.causes {
        let mut services: Vec<_> = causes.services.iter().collect();
        services.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let services: Vec<String> =
            services.iter().map(|(service, count)| format!("{} {count}", text(service))).collect();
        writeln!(out, "- {}: {} ({})", class(causes.class), causes.incidents, services.join(", "))?;
    }
    writeln!(out, "- no class of cause: {}", it.without_cause)?;
    for repeat in &it.repeats {
        let classes: Vec<&str> = repeat.classes.iter().map(|it| class(*it)).collect();
        writeln!(
            out,
            "- Again: {} (`{}`) repeats `{}` of {}, {} before: {}",
            text(&repeat.title),
            repeat.incident,
            repeat.repeats,
            text(&repeat.service),
            seconds(repeat.apart_seconds),
            classes.join(", ")
        )?;
    }
    Ok(())
}

fn follow_ups(it: &Insights, out: &mut String) -> fmt::Result {
    let all = &it.follow_ups;
    heading(out, "Follow-ups")?;
    writeln!(out, "- Done: {}, of which {} in time", all.done, all.done_in_time)?;
    writeln!(
        out,
        "- Open: {}, of which {} overdue and {} without an owner",
        all.open, all.overdue, all.without_owner
    )?;
    writeln!(out, "\n| open for | items | of which overdue |\n|---|--:|--:|")?;
    for (age, count) in ages(&all.ages) {
        writeln!(out, "| {age} | {} | {} |", count.open, count.overdue)?;
    }
    if !all.oldest.is_empty() {
        writeln!(out, "\nLongest overdue:\n")?;
    }
    for late in &all.oldest {
        let owner = late.owner.as_deref().map_or_else(|| "no owner".to_owned(), text);
        let (what, due) = (text(&late.what), day(late.due));
        writeln!(out, "- {what} – {owner}, due {due}, {} of `{}`", late.record, late.incident)?;
    }
    Ok(())
}

fn heading(out: &mut String, title: &str) -> fmt::Result {
    writeln!(out, "\n## {title}\n")
}

fn text(words: &str) -> String {
    inert::markdown(words)
}
