//! The suite for evidence stores.

use std::sync::Arc;

use async_trait::async_trait;

use super::backend::{Checked, How, Outcome, Report, ensure};
use crate::model::id::Digest;
use crate::port::EvidenceStore;
use crate::port::store::{StoreError, StoreTrouble};

/// An evidence store, and a way to what lies in it.
#[async_trait]
pub trait EvidenceHarness: Send + Sync {
    /// The store, set up as in production, with pieces of up to [`LARGEST`] bytes. Every call gives a store on the same
    /// place.
    async fn evidence(&self) -> Arc<dyn EvidenceStore>;

    /// Puts other bytes in the place of a piece, as a failing disk or somebody with access would.
    async fn damage(&self, digest: Digest, bytes: &[u8]);
}

/// The most bytes that a piece may have while the suite runs.
pub const LARGEST: usize = 4096;

/// Checks every promise, each on a place of its own.
pub async fn check<H: EvidenceHarness>(make: impl Fn() -> H) -> Report {
    let mut report = Report::default();
    macro_rules! cases {
        ($($case:ident: $promise:literal;)*) => {
            $(report.add(stringify!($case), $promise, $case(&make()).await);)*
        };
    }
    cases! {
        bytes_come_back_as_they_were: "what was kept comes back byte by byte, under its plain SHA-256, also by another store on the same place";
        what_is_not_there_is_none: "what nobody kept isn't there";
        keeping_it_again_changes_nothing: "keeping the same bytes again changes nothing, however many do it at once";
        damage_is_an_error: "bytes that don't match their digest are an error, never evidence";
        damage_is_mended: "keeping a damaged piece again mends it";
        what_is_too_large_is_refused: "a piece that is too large is refused as such, and nothing of it is kept";
    }
    report
}

impl From<StoreError> for How {
    fn from(error: StoreError) -> Self {
        Self(format!("a call failed that should have worked: {error}: {error:?}"))
    }
}

async fn bytes_come_back_as_they_were(place: &dyn EvidenceHarness) -> Outcome {
    let every_byte: Vec<u8> = (0..=u8::MAX).cycle().take(LARGEST).collect();
    for bytes in [&b""[..], b"\0", b"a log\r\n", "\u{1f525}".as_bytes(), &every_byte] {
        let digest = place.evidence().await.put(bytes).await?;
        ensure!(digest == Digest::sha256(bytes), "{} bytes are kept under {digest}", bytes.len());
        let kept = place.evidence().await.get(digest).await?;
        ensure!(kept.as_deref() == Some(bytes), "{} bytes don't come back as they were", bytes.len());
    }
    Ok(Checked::Kept)
}

async fn what_is_not_there_is_none(place: &dyn EvidenceHarness) -> Outcome {
    let evidence = place.evidence().await;
    ensure!(evidence.get(Digest::sha256(b"x")).await?.is_none(), "an empty place has something");
    evidence.put(b"x").await?;
    ensure!(evidence.get(Digest::sha256(b"y")).await?.is_none(), "it has what nobody kept");
    Ok(Checked::Kept)
}

async fn keeping_it_again_changes_nothing(place: &dyn EvidenceHarness) -> Outcome {
    let evidence = place.evidence().await;
    let puts = futures_util::future::join_all((0..8).map(|_| evidence.put(b"log"))).await;
    for put in puts {
        ensure!(put? == Digest::sha256(b"log"), "two names for the same bytes");
    }
    let kept = evidence.get(Digest::sha256(b"log")).await?;
    ensure!(kept.as_deref() == Some(b"log"), "what was kept eight times is {kept:?}");
    Ok(Checked::Kept)
}

async fn damage_is_an_error(place: &dyn EvidenceHarness) -> Outcome {
    let evidence = place.evidence().await;
    let digest = evidence.put(b"genuine").await?;
    for bytes in [&b"forged!"[..], b"", b"genuine and more"] {
        place.damage(digest, bytes).await;
        match evidence.get(digest).await {
            Err(error) if error.kind == StoreTrouble::Corrupt => {}
            other => return Err(How(format!("damaged evidence reads as {other:?}"))),
        }
    }
    Ok(Checked::Kept)
}

async fn damage_is_mended(place: &dyn EvidenceHarness) -> Outcome {
    let evidence = place.evidence().await;
    let digest = evidence.put(b"genuine").await?;
    for bytes in [&b"forged!"[..], b"", &[0; LARGEST + 1]] {
        place.damage(digest, bytes).await;
        evidence.put(b"genuine").await?;
        let kept = evidence.get(digest).await?;
        ensure!(kept.as_deref() == Some(b"genuine"), "it was kept again and is still damaged");
    }
    Ok(Checked::Kept)
}

async fn what_is_too_large_is_refused(place: &dyn EvidenceHarness) -> Outcome {
    let evidence = place.evidence().await;
    let bytes = vec![7; LARGEST + 1];
    match evidence.put(&bytes).await {
        Err(error) if error.kind == StoreTrouble::TooLarge => {}
        other => return Err(How(format!("{} bytes where {LARGEST} may be: {other:?}", bytes.len()))),
    }
    ensure!(evidence.get(Digest::sha256(&bytes)).await?.is_none(), "what was refused is there");
    Ok(Checked::Kept)
}
