//! How much one webhook may hold.

/// How much is taken of one webhook. Only a body with too many bytes is refused; what else is beyond a limit is left out and
/// noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of the body: 16 MiB.
    pub bytes: usize,
    /// Alerts listed: 10,000. Alertmanager's `max_alerts` has no limit by default. The others are counted.
    pub alerts: usize,
    /// Labels of an alert: 128. The others are left out, but for the alert's name, severity, service and job.
    pub labels: usize,
    /// Bytes of a text – a label's name or value, the summary: 4 KiB. A longer text is cut; a longer link is left out,
    /// because half of it leads nowhere.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 16 << 20, alerts: 10_000, labels: 128, text: 4 << 10 }
    }
}

impl Limits {
    /// With at most so many bytes of body.
    #[must_use]
    pub fn with_bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// With at most so many alerts.
    #[must_use]
    pub fn with_alerts(mut self, alerts: usize) -> Self {
        self.alerts = alerts;
        self
    }

    /// With at most so many labels an alert.
    #[must_use]
    pub fn with_labels(mut self, labels: usize) -> Self {
        self.labels = labels;
        self
    }

    /// With at most so many bytes a text.
    #[must_use]
    pub fn with_text(mut self, text: usize) -> Self {
        self.text = text;
        self
    }
}
