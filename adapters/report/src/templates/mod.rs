//! A team's own texts: notices and the post-mortem said in words of its own, as [minijinja](https://docs.rs/minijinja)
//! templates.
//!
//! Without a template of yours, a notice is `{{ said }}`: what the runbook says. [`Templates::source`] shows the template in
//! force.
//!
//! | template | what it may name |
//! |---|---|
//! | `page.txt`, `opening.txt`, `update.txt` … one for each kind of notice | `said`, the runbook's own text; the runbook's gaps, such as `{{ severity }}` and `{{ next_update }}`; `kind`, `title`, `drill`, `possible_repeat`, `audiences`, `recipients`, `links`; `lines`, each with `label` and `text`, and of these `besides`, those that the runbook's phrase has no gap for; `details_follow` |
//! | `post_mortem.md` | `head`; `sections`, each with `title` and `body`, as the built-in document has them; `post_mortem`, the whole document as its JSON schema says |
//! | `_anything.txt`, `_anything.md` | what the template that includes it may |
//!
//! # Guarantees
//! - A name that isn't known is an error, and so is a misspelt file. Errors name the template and the line.
//! - Each template is tried when it is added, on a notice of its kind with every line and on one with none: what works then
//!   works in an incident. If one fails all the same, the notice goes out in the runbook's words.
//! - A template reads nothing but what it is given: only files that lie in the folder itself are templates, and a link is none.
//! - The work and the memory of one text are bounded.
//!
//! # What is escaped
//! In `.md`, whatever isn't Markdown already – `head` and the bodies of sections are – shows as it was written and acts as
//! nothing. In `.txt` nothing is escaped: a notice is plain text, and the adapter that carries it escapes it for its backend,
//! which a template can't know. Escaping for HTML would put `&amp;` into chats.

mod default;
mod folder;
mod notifier;
mod sample;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use incident_core::model::inert;
use incident_core::model::notice::{Line, Notice, NoticeKind};
use incident_core::model::severity::Severity;
use incident_core::postmortem::PostMortem;
use incident_core::runbook::{PLACEHOLDERS, Runbook};
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context, escape_formatter};
use serde_json::json;

pub use notifier::Templated;

/// How much work one text may be: about as many instructions, and sixty-four times as many bytes.
const FUEL: u64 = 200_000;
/// How deep templates may include each other.
const DEEPEST: usize = 32;
/// The most bytes that a template may have.
const LONGEST: usize = 64 * 1024;
/// The name of the post-mortem's template.
const POST_MORTEM: &str = "post_mortem.md";

/// The texts of a team.
#[derive(Clone)]
pub struct Templates {
    environment: Arc<Environment<'static>>,
    sources: BTreeMap<String, String>,
    details_follow: Vec<Severity>,
}

impl Templates {
    /// The runbook's own texts.
    ///
    /// # Errors
    /// [`TemplateError`] if they can't be rendered, which would be a fault of this crate.
    pub fn new(runbook: &Runbook) -> Result<Self, TemplateError> {
        let mut templates = Self {
            environment: Arc::new(environment()),
            sources: BTreeMap::new(),
            details_follow: runbook.afterwards.required_for.clone(),
        };
        for kind in NoticeKind::ALL {
            templates.put(&name_of(kind), default::NOTICE)?;
        }
        templates.put(POST_MORTEM, default::POST_MORTEM)?;
        templates.try_all()?;
        Ok(templates)
    }

    /// With these templates in place of those of the same name.
    ///
    /// # Errors
    /// [`TemplateError`], with the template and the line.
    pub fn with<'a>(
        mut self,
        templates: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, TemplateError> {
        for (name, source) in templates {
            let partial = name.starts_with('_') && (name.ends_with(".txt") || name.ends_with(".md"));
            if !partial && !self.sources.contains_key(name) {
                let known: Vec<&str> = self.sources.keys().map(String::as_str).collect();
                let problem = format!(
                    "no text is called so; known are {}, and those beginning with _",
                    known.join(", ")
                );
                return Err(TemplateError::new(&shown(name), None, &problem));
            }
            self.put(name, source)?;
        }
        self.try_all()?;
        Ok(self)
    }

    /// With the templates in `folder`. Files whose names begin with a dot, and folders in it, are passed over.
    ///
    /// # Errors
    /// [`TemplateError`], with the template and the line, or with the file that can't be read.
    pub fn with_folder(self, folder: &Path) -> Result<Self, TemplateError> {
        let files = folder::read(folder)?;
        self.with(files.iter().map(|(name, source)| (name.as_str(), source.as_str())))
    }

    /// The source of a template in force; the runbook's own, if nobody replaced it.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&str> {
        self.sources.get(name).map(String::as_str)
    }

    /// What a notice says as a whole.
    ///
    /// # Errors
    /// [`TemplateError`], with the template and the line.
    pub fn say(&self, notice: &Notice) -> Result<String, TemplateError> {
        let details_follow = self.details_follow.contains(&notice.severity);
        self.render(&name_of(notice.kind), Value::from(Serde(&figures(notice, details_follow))))
    }

    /// The post-mortem as Markdown.
    ///
    /// # Errors
    /// [`TemplateError`], with the template and the line.
    pub fn post_mortem(&self, document: &PostMortem) -> Result<String, TemplateError> {
        let (head, sections) = default::sections(&document.to_markdown());
        let section = |(title, body): (String, String)| {
            let (title, body) = (Value::from_safe_string(title), Value::from_safe_string(body));
            context! { title, body }
        };
        let sections: Vec<Value> = sections.into_iter().map(section).collect();
        self.render(
            POST_MORTEM,
            context! {
                head => Value::from_safe_string(head),
                sections,
                post_mortem => Value::from(Serde(document)),
            },
        )
    }

    fn put(&mut self, name: &str, source: &str) -> Result<(), TemplateError> {
        if source.len() > LONGEST {
            let problem = format!("it has {} bytes; expected at most {LONGEST}", source.len());
            return Err(TemplateError::new(name, None, &problem));
        }
        let environment = Arc::make_mut(&mut self.environment);
        environment
            .add_template_owned(name.to_owned(), source.to_owned())
            .map_err(|error| of(name, &error))?;
        self.sources.insert(name.to_owned(), source.to_owned());
        Ok(())
    }

    /// Says everything once, so that what is wrong is found before an incident.
    fn try_all(&self) -> Result<(), TemplateError> {
        for notice in sample::notices() {
            for details_follow in [true, false] {
                let figures = Value::from(Serde(&figures(&notice, details_follow)));
                self.render(&name_of(notice.kind), figures)?;
            }
        }
        self.post_mortem(&sample::post_mortem()).map(|_| ())
    }

    fn render(&self, name: &str, given: Value) -> Result<String, TemplateError> {
        let template = self.environment.get_template(name).map_err(|error| of(name, &error))?;
        template.render(given).map_err(|error| of(name, &error))
    }
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates").field("names", &self.sources.keys()).finish_non_exhaustive()
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(DEEPEST);
    environment.set_auto_escape_callback(|name| {
        if name.ends_with(".md") { AutoEscape::Custom("markdown".into()) } else { AutoEscape::None }
    });
    environment.set_formatter(|out, state, value| match state.auto_escape() {
        AutoEscape::Custom(_) if value.is_safe() => out.write_str(&value.to_string()).map_err(Into::into),
        AutoEscape::Custom(_) => out.write_str(&inert::markdown(&value.to_string())).map_err(Into::into),
        _ => escape_formatter(out, state, value),
    });
    environment
}

/// The name of a kind's template: `severity_changed.txt`.
fn name_of(kind: NoticeKind) -> String {
    let name: String =
        kind.to_string().chars().map(|it| if it.is_ascii_alphabetic() { it } else { '_' }).collect();
    format!("{name}.txt")
}

/// What a notice's template may name.
fn figures(notice: &Notice, details_follow: bool) -> serde_json::Value {
    let mut figures: serde_json::Map<String, serde_json::Value> =
        PLACEHOLDERS.iter().map(|(gap, _)| ((*gap).to_owned(), json!("unknown"))).collect();
    figures.extend(notice.figures.iter().map(|(gap, figure)| ((*gap).to_owned(), json!(figure))));
    let line = |line: &Line<String>| json!({ "label": line.label.to_string(), "text": line.text });
    for (name, value) in [
        ("incident", json!(notice.incident)),
        ("said", json!(notice.said)),
        ("kind", json!(notice.kind.to_string())),
        ("title", json!(notice.title)),
        ("drill", json!(notice.drill)),
        ("possible_repeat", json!(notice.possible_repeat)),
        ("audiences", json!(notice.audiences)),
        ("recipients", notice.recipients.iter().map(|it| json!(it.name)).collect()),
        ("links", json!(notice.links)),
        ("lines", notice.lines.iter().map(line).collect()),
        ("besides", notice.besides.iter().map(line).collect()),
        ("details_follow", json!(details_follow)),
    ] {
        figures.insert(name.to_owned(), value);
    }
    serde_json::Value::Object(figures)
}

/// A template that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{template}{}: {problem}", .line.map(|line| format!(", line {line}")).unwrap_or_default())]
#[non_exhaustive]
pub struct TemplateError {
    /// The template, by its name.
    pub template: String,
    /// The line, from 1, where one can be named.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: String,
}

impl TemplateError {
    fn new(template: &str, line: Option<usize>, problem: &str) -> Self {
        Self { template: template.to_owned(), line, problem: problem.to_owned() }
    }
}

/// What the engine says of `name` or of what that includes, up to its first cause.
fn of(name: &str, error: &minijinja::Error) -> TemplateError {
    let mut innermost = error;
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<minijinja::Error>() {
            innermost = error;
        }
        cause = error.source();
    }
    let detail = innermost.detail().map(|detail| format!(": {}", inert::line(detail))).unwrap_or_default();
    let problem = format!("{}{detail}", innermost.kind());
    TemplateError::new(innermost.name().unwrap_or(name), innermost.line(), &problem)
}

fn shown(name: &str) -> String {
    inert::clip(&inert::line(name), 64)
}
