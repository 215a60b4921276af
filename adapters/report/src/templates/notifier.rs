//! A notifier that says notices in a team's own words.

use std::sync::Arc;

use async_trait::async_trait;
use incident_core::model::effect::Receipt;
use incident_core::model::notice::Notice;
use incident_core::port::{
    Adapter, AdapterError, Capabilities, EffectContext, Found, Notifier, Preflight, PreflightContext, Repeat,
};

use super::Templates;

/// A notifier that puts a team's own words in place of the runbook's before it hands a notice on.
///
/// If a template fails, the notice goes out in the runbook's words and the log says so: no template holds up a page.
///
/// ```
/// use incident_core::runbook::Runbook;
/// use incident_core::local::Console;
/// use incident_report::templates::{Templated, Templates};
///
/// let own = "{{ severity }} on {{ service }}: {{ summary }}. Be there in {{ respond_within }}.";
/// let templates = Templates::new(&Runbook::default())?.with([("page.txt", own)])?;
/// let pager = Templated::new(Console::stdout(), templates);
/// # Ok::<(), incident_report::templates::TemplateError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Templated {
    notifier: Arc<dyn Notifier>,
    templates: Templates,
}

impl Templated {
    /// `notifier`, in the words of `templates`.
    pub fn new(notifier: impl Notifier, templates: Templates) -> Self {
        Self::shared(Arc::new(notifier), templates)
    }

    /// Like [`new`](Self::new), for a notifier that settings built.
    #[must_use]
    pub fn shared(notifier: Arc<dyn Notifier>, templates: Templates) -> Self {
        Self { notifier, templates }
    }

    fn said(&self, notice: &Notice) -> Notice {
        let mut notice = notice.clone();
        match self.templates.say(&notice) {
            Ok(said) => notice.said = said,
            Err(error) => tracing::warn!(%error, "a template failed; the notice says the runbook's words"),
        }
        notice
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Adapter for Templated {
    fn capabilities(&self) -> Capabilities {
        self.notifier.capabilities()
    }

    async fn preflight(&self, cx: &PreflightContext) -> Result<Preflight, AdapterError> {
        self.notifier.preflight(cx).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Notifier for Templated {
    fn repeat(&self, notice: &Notice) -> Repeat {
        self.notifier.repeat(notice)
    }

    async fn deliver(&self, cx: &EffectContext, notice: &Notice) -> Result<Receipt, AdapterError> {
        self.notifier.deliver(cx, &self.said(notice)).await
    }

    async fn find(&self, cx: &EffectContext, notice: &Notice) -> Result<Found<Receipt>, AdapterError> {
        self.notifier.find(cx, &self.said(notice)).await
    }
}

#[cfg(test)]
mod tests {
    use incident_core::model::id::{IncidentId, Seq};
    use incident_core::model::notice::NoticeKind;
    use incident_core::model::severity::Audience;
    use incident_core::runbook::Runbook;

    use super::*;

    #[test]
    fn a_template_that_fails_leaves_the_runbooks_words() {
        // It passes every sample, whose notices have one link or none.
        let own = "{% if links | length > 1 %}{{ nobody }}{% endif %}own words";
        let templates = Templates::new(&Runbook::default()).unwrap().with([("page.txt", own)]).unwrap();
        let templated = Templated::new(incident_core::local::Console::to(std::io::sink()), templates);
        let audience = vec![Audience::new("responders")];
        let mut notice =
            Notice::new(IncidentId::from_bytes([0; 16]), Seq(1), NoticeKind::Page, audience, "it broke");
        notice.said = "the runbook's words".to_owned();
        assert_eq!(templated.said(&notice).said, "own words");
        notice.links = vec!["https://a.example".to_owned(), "https://b.example".to_owned()];
        assert_eq!(templated.said(&notice).said, "the runbook's words");
    }
}
