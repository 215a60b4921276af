//! A document as a file below the message that tells of it: an address, the bytes, and only then a place where it is seen.
//!
//! The bytes go first, for nobody sees them; sharing comes last, and is sent once. Slack shares later and names no message, so
//! that after a doubt nobody can tell, and a second time would show the file twice or find it gone.

use incident_core::domain::notice::Notice;
use serde_json::json;

use crate::budget::Budget;
use crate::error::Failure;
use crate::notifier::SlackNotifier;
use crate::post::Posted;

/// Bytes of a document that are taken along.
const MOST: usize = 8 * 1024 * 1024;

/// A file that nobody sees yet.
pub(crate) struct Uploaded {
    id: String,
    title: String,
}

impl SlackNotifier {
    /// Sends the document that `notice` tells of, if there is one and its bytes are kept here.
    pub(crate) async fn upload(
        &self,
        notice: &Notice,
        budget: &Budget,
        degraded: &mut Vec<String>,
    ) -> Option<Uploaded> {
        let (digest, kept) = (notice.document?, self.evidence.as_ref()?);
        let bytes = match kept.get(digest).await {
            Ok(Some(bytes)) if !bytes.is_empty() && bytes.len() <= MOST => bytes,
            Ok(Some(_)) => {
                degraded.push("the document is empty or too large to attach".to_owned());
                return None;
            }
            // Not every document is kept where evidence is.
            Ok(None) => return None,
            Err(_) => {
                degraded.push("the document can't be read, and isn't attached".to_owned());
                return None;
            }
        };
        match self.send_file(notice, bytes, budget).await {
            Ok(uploaded) => Some(uploaded),
            Err(failure) => {
                degraded.push(format!("the document isn't attached: {}", failure.brief()));
                None
            }
        }
    }

    async fn send_file(&self, notice: &Notice, bytes: Vec<u8>, budget: &Budget) -> Result<Uploaded, Failure> {
        let name = format!("post-mortem-{}.md", notice.incident.short());
        let params = [("filename", name.clone()), ("length", bytes.len().to_string())];
        let told = self.client.read("files.getUploadURLExternal", &params, budget).await?;
        let text = |key: &str| told[key].as_str().map(str::to_owned).ok_or(Failure::Odd);
        let (url, id) = (text("upload_url")?, text("file_id")?);
        self.client.send(&url, "application/octet-stream", bytes, budget).await?;
        Ok(Uploaded { id, title: name })
    }

    /// Shows the file below the message that tells of it.
    pub(crate) async fn share(
        &self,
        uploaded: &Uploaded,
        below: &Posted,
        budget: &Budget,
        degraded: &mut Vec<String>,
    ) {
        let body = json!({
            "files": [{ "id": uploaded.id, "title": uploaded.title }],
            "channel_id": below.channel,
            "thread_ts": below.thread.as_deref().unwrap_or(&below.ts),
        });
        if let Err(failure) = self.client.write("files.completeUploadExternal", &body, budget).await {
            degraded.push(format!("whether the document is attached isn't known: {}", failure.brief()));
        }
    }
}
