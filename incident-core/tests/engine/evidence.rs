//! Evidence is kept as what it is: text without secrets, pictures as pictures.

use std::sync::Arc;

use async_trait::async_trait;
use incident_core::config::Ports;
use incident_core::local::FolderEvidence;
use incident_core::log::event::{EvidenceItem, Fact};
use incident_core::model::id::Digest;
use incident_core::model::side::Side;
use incident_core::model::time::Time;
use incident_core::port::{
    Adapter, AdapterError, Capabilities, Capture, Collector, EvidenceStore, Onset, Preflight,
    PreflightContext, ReadContext,
};
use incident_core::runtime::Engine;
use incident_core::store::MemoryStore;

use crate::world::{EVERYBODY, Shared, chat, runbook};
use crate::{clock, declare};

/// The first bytes of a picture, with what would be a secret if it were text.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\xff\xfe password=hunter2 \x00\x80";

#[derive(Debug)]
struct Camera;

#[async_trait]
impl Adapter for Camera {
    fn capabilities(&self) -> Capabilities {
        Capabilities::new("camera")
    }

    async fn preflight(&self, _: &PreflightContext) -> Result<Preflight, AdapterError> {
        Ok(Preflight::default())
    }
}

#[async_trait]
impl Collector for Camera {
    async fn collect(&self, cx: &ReadContext) -> Result<Vec<Capture>, AdapterError> {
        assert!(matches!(cx.onset, Onset::Assumed(_)), "nobody said when it started");
        Ok(vec![
            Capture::binary("dashboard.png", "image/png", PICTURE.to_vec()),
            Capture::text("app.log", "password=hunter2"),
        ])
    }
}

#[tokio::test]
async fn a_picture_is_kept_to_the_byte_and_marked_as_not_redacted() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::builder(MemoryStore::new())
        .clock(clock() as _)
        .runbook(runbook())
        .evidence(FolderEvidence::new(folder.path()))
        .ports("chat", chat(&Shared::default()))
        .ports("camera", Ports::new().with_collector(Camera))
        .route("chat", &EVERYBODY)
        .build()
        .unwrap();
    let id = declare(&engine, Side::Live).await;
    while engine.tick(Time::MAX_UTC).await.unwrap().ran > 0 {}

    let records = engine.incident(id).records().await.unwrap();
    let kept = records.into_iter().find_map(|record| match record.fact {
        Fact::EvidenceKept(kept) => Some(kept.items),
        _ => None,
    });
    let [picture, log]: [EvidenceItem; 2] = kept.unwrap().try_into().unwrap();
    assert!(picture.unredacted && !log.unredacted);
    assert_eq!((picture.redactions, log.redactions), (0, 1));
    assert_eq!(picture.sha256, Digest::sha256(PICTURE));
    let store = Arc::new(FolderEvidence::new(folder.path()));
    assert_eq!(store.get(picture.sha256).await.unwrap().unwrap(), PICTURE);
    assert!(!store.get(log.sha256).await.unwrap().unwrap().windows(7).any(|it| it == b"hunter2"));
}
