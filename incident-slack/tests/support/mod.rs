//! What tests configure and say.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![allow(dead_code, reason = "each test uses a part of it")]

use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use incident_core::Time;
use incident_core::config::SecretRef;
use incident_core::model::id::{EffectId, IncidentId, Seq};
use incident_core::model::notice::{Label, Line, Notice, NoticeKind};
use incident_core::model::severity::Audience;
use incident_core::port::EffectContext;
use incident_slack::SlackConfig;

use crate::fake::{APP_TOKEN, CHANNEL, TOKEN};

/// The time of every call, that the workspace's messages follow.
pub(crate) fn now() -> Time {
    Time::from_timestamp(1_774_000_000, 0).unwrap()
}

pub(crate) fn incident() -> IncidentId {
    IncidentId::new(now(), [7; 16])
}

pub(crate) fn effect(number: u64) -> EffectId {
    EffectId { incident: incident(), seq: Seq(number) }
}

pub(crate) fn context(number: u64) -> EffectContext {
    EffectContext::new(effect(number), now())
}

/// A notice of this kind, with words.
pub(crate) fn notice(kind: NoticeKind) -> Notice {
    let mut notice = Notice::new(incident(), Seq(1), kind, vec![Audience::new("team")], "Checkout is slow");
    notice.started_at = Some(now());
    notice.issued_at = now();
    notice.lines.push(Line { label: Label::Progress, text: "looking at the payment service".to_owned() });
    notice
}

pub(crate) fn config(api: &str) -> SlackConfig {
    let mut config = SlackConfig::new(SecretRef::File(secret("token", TOKEN)), CHANNEL);
    config.api_url = api.to_owned();
    config
}

/// A file with the app-level token in it.
pub(crate) fn app_token() -> SecretRef {
    SecretRef::File(secret("app", APP_TOKEN))
}

/// A file with a secret in it.
pub(crate) fn secret(name: &str, secret: &str) -> PathBuf {
    static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());
    // Each in a file of its own, for tests run side by side.
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let file = FOLDER.path().join(format!("{name}-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
    std::fs::write(&file, secret).unwrap();
    file
}
