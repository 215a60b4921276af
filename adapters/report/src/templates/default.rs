//! The runbook's own texts as templates.

use incident_core::domain::notice::NoticeKind;
use incident_core::domain::runbook::{PLACEHOLDERS, Runbook};

/// The built-in document, section by section.
pub(super) const POST_MORTEM: &str =
    "{{ head }}{% for section in sections %}## {{ section.title }}\n{{ section.body }}{% endfor %}";

/// What the runbook says in a notice of `kind`: for a drill that it is one, the phrase, then every other line.
pub(super) fn notice(kind: NoticeKind, runbook: &Runbook) -> String {
    let drill = words(runbook.phrase("drill"));
    let Some(phrase) = kind.phrase() else {
        return format!(
            "{{% if drill %}}{drill}{{% if besides %}} · {{% endif %}}{{% endif %}}\
             {{{{ besides | map(attribute=\"text\") | join(\" · \") }}}}"
        );
    };
    let phrase = gaps(runbook.phrase(phrase));
    let follow = if kind == NoticeKind::Resolved {
        format!("{{% if details_follow %}} · {}{{% endif %}}", gaps(runbook.phrase("details_follow")))
    } else {
        String::new()
    };
    format!(
        "{{% if drill %}}{drill} · {{% endif %}}{phrase}{follow}\
         {{% for line in besides %}} · {{{{ line.text }}}}{{% endfor %}}"
    )
}

/// A phrase with its `{gaps}` as expressions.
fn gaps(phrase: &str) -> String {
    let mut template = String::new();
    let mut rest = phrase;
    while let Some((before, after)) = rest.split_once('{') {
        template.push_str(before);
        let gap = after.split_once('}').filter(|(name, _)| is_gap(name));
        rest = match gap {
            Some((name, after)) => {
                template.push_str(&expression(name));
                after
            }
            None => {
                template.push_str(&words("{"));
                after
            }
        };
    }
    template + rest
}

fn is_gap(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// A gap that has no figure reads `unknown`, as it does in the runbook.
fn expression(name: &str) -> String {
    let known = PLACEHOLDERS.iter().any(|(known, _)| *known == name);
    if known { format!("{{{{ {name} }}}}") } else { "unknown".to_owned() }
}

/// Words that open no expression.
fn words(words: &str) -> String {
    words.replace('{', "{{ \"{\" }}")
}

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
