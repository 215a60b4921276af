//! The sections in the order in which they are read, and what is in each.

use incident_core::model::afterwards::Section;
use maud::{Markup, html};

use super::Report;

/// Sections under one heading.
struct Group {
    id: &'static str,
    name: &'static str,
    sections: &'static [Section],
}

const fn group(id: &'static str, name: &'static str, sections: &'static [Section]) -> Group {
    Group { id, name, sections }
}

/// Everything after the summary and the picture. A group of one section has the section's own id.
const GROUPS: [Group; 13] = [
    group("impact", "Impact", &[Section::Impact]),
    group("detection", "Detection", &[Section::Detection]),
    group("causes", "Why it happened", &[Section::Trigger, Section::ContributingFactors, Section::RootCause]),
    group("lessons", "What we learned", &[Section::WentWell, Section::CouldBeBetter, Section::Lucky]),
    group("resolution", "Resolution", &[Section::Resolution]),
    group("communication", "Communication", &[Section::Communication]),
    group("response-times", "Response times", &[Section::ResponseTimes]),
    group("roles", "Roles", &[Section::Roles]),
    group("action-items", "Action items", &[Section::Actions]),
    group("documentation", "Documentation", &[Section::Documentation]),
    group("review-meeting", "Review meeting", &[Section::Meeting]),
    group("timeline", "Timeline", &[Section::Timeline]),
    group("further", "Evidence and links", &[Section::Evidence, Section::Links]),
];
/// What is missing comes before the timeline, which is long.
const MISSING: (&str, &str) = ("missing", "Still missing");

/// The headings, by id and name.
pub(super) fn contents(report: &Report<'_>) -> Vec<(String, String)> {
    let mut contents = vec![("summary", "Summary"), ("picture", "At a glance")];
    for group in &GROUPS {
        if group.id == "timeline" && !report.it.completeness.findings.is_empty() {
            contents.push(MISSING);
        }
        contents.push((group.id, group.name));
    }
    contents.into_iter().map(|(id, name)| (id.to_owned(), name.to_owned())).collect()
}

/// The id of a section on the page.
pub(super) fn place(section: Section) -> String {
    section.to_string().to_lowercase().replace(' ', "-")
}

impl Report<'_> {
    /// The summary with the `picture`, and everything after it.
    pub(super) fn main(&self, picture: &Markup) -> Vec<Markup> {
        let mut main = vec![self.summary(picture)];
        for group in &GROUPS {
            if group.id == "timeline" && !self.it.completeness.findings.is_empty() {
                main.push(framed(MISSING.0, MISSING.1, &self.missing()));
            }
            main.push(framed(group.id, group.name, &self.group(group)));
        }
        main
    }

    fn group(&self, group: &Group) -> Markup {
        if let [section] = group.sections {
            return self.section(*section);
        }
        html! {
            div class={ "parts " (group.id) } {
                @for section in group.sections {
                    div class="part" id=(place(*section)) {
                        h3 { (section) }
                        (self.section(*section))
                    }
                }
            }
        }
    }

    /// What people wrote and what the log says, or that there is nothing.
    fn section(&self, section: Section) -> Markup {
        let words = self.words(section);
        let more = match section {
            Section::RootCause => self.causes(),
            Section::Resolution => self.mitigations(),
            Section::Communication => self.communication(),
            Section::ResponseTimes => self.times(),
            Section::Timeline => self.timeline(),
            Section::Actions => self.actions(),
            Section::Documentation => self.documentation(),
            Section::Meeting => self.meeting(),
            Section::Links => self.links(),
            Section::Evidence => self.evidence(),
            _ => html! {},
        };
        let empty = words.0.is_empty() && more.0.is_empty();
        html! {
            (words) (more)
            @if empty {
                p class="none" {
                    @match section {
                        Section::Trigger | Section::WentWell | Section::CouldBeBetter | Section::Lucky => "To be written.",
                        _ => "Nothing is recorded.",
                    }
                }
            }
        }
    }

    /// What people wrote into a section, and beside it what the log says in sentences.
    pub(super) fn words(&self, section: Section) -> Markup {
        let part = self.it.sections.iter().find(|part| part.section == section);
        html! {
            @if let Some(part) = part {
                @if let Some(written) = &part.written { (self.prose(written)) }
                // The meeting has its own words, with names and a link.
                @if section != Section::Meeting { (self.statements(part.beside())) }
            }
        }
    }
}

fn framed(id: &str, name: &str, inside: &Markup) -> Markup {
    html! {
        section id=(id) aria-labelledby={ (id) "-h" } {
            h2 id={ (id) "-h" } { (name) }
            (inside)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_has_one_place() {
        for section in Section::ALL.into_iter().filter(|section| *section != Section::Summary) {
            let groups = GROUPS.iter().filter(|group| group.sections.contains(&section));
            let ids: Vec<String> = groups
                .map(|group| if group.sections.len() == 1 { group.id.to_owned() } else { place(section) })
                .collect();
            assert_eq!(ids, [place(section)], "{section}");
        }
    }
}
