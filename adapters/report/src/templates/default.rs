//! The runbook's own texts as templates.

/// The built-in document, section by section.
pub(super) const POST_MORTEM: &str =
    "{{ head }}{% for section in sections %}## {{ section.title }}\n{{ section.body }}{% endfor %}";

/// What the runbook says.
pub(super) const NOTICE: &str = "{{ said }}";

/// A document's head, and its sections by their titles.
pub(super) fn sections(markdown: &str) -> (String, Vec<(String, String)>) {
    let mut head = String::new();
    let mut sections: Vec<(String, String)> = Vec::new();
    for line in markdown.split_inclusive('\n') {
        match (line.strip_prefix("## "), sections.last_mut()) {
            (Some(title), _) => sections.push((title.trim_end().to_owned(), String::new())),
            (None, Some((_, body))) => body.push_str(line),
            (None, None) => head.push_str(line),
        }
    }
    (head, sections)
}
