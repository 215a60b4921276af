//! A document as a file below the message that tells of it: an address, the bytes, and only then a place where it is seen.
//!
//! The bytes go first, for nobody sees them; sharing comes last, and is sent once. Slack shares later and names no message, so
//! that after a doubt nobody can tell, and a second time would show the file twice or find it gone.

use std::borrow::Cow;

use incident_core::model::inert;
use incident_core::model::notice::{Label, Line, Notice};
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
    /// The notice with its document's summary, and the document as a file, if it tells of one whose bytes are kept here.
    pub(crate) async fn attach<'a>(
        &self,
        notice: &'a Notice,
        budget: &Budget,
        degraded: &mut Vec<String>,
    ) -> (Cow<'a, Notice>, Option<Uploaded>) {
        let mut notice = Cow::Borrowed(notice);
        let Some(bytes) = self.document(&notice, degraded).await else { return (notice, None) };
        if let Some(text) = summary(&String::from_utf8_lossy(&bytes)) {
            notice.to_mut().lines.push(Line { label: Label::Summary, text });
        }
        match self.send_file(&notice, bytes, &budget.half()).await {
            Ok(uploaded) => (notice, Some(uploaded)),
            Err(failure) => {
                degraded.push(format!("the document isn't attached: {}", failure.brief()));
                (notice, None)
            }
        }
    }

    async fn document(&self, notice: &Notice, degraded: &mut Vec<String>) -> Option<Vec<u8>> {
        let (digest, kept) = (notice.document?, self.evidence.as_ref()?);
        match kept.get(digest).await {
            Ok(Some(bytes)) if !bytes.is_empty() && bytes.len() <= MOST => Some(bytes),
            Ok(Some(_)) => {
                degraded.push("the document is empty or too large to attach".to_owned());
                None
            }
            // Not every document is kept where evidence is.
            Ok(None) => None,
            Err(_) => {
                degraded.push("the document can't be read, and isn't attached".to_owned());
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

/// What stands below the heading `Summary` of a document in Markdown, as plain text.
fn summary(markdown: &str) -> Option<String> {
    let below = markdown.lines().skip_while(|line| !is_heading(line, "summary")).skip(1);
    let lines =
        below.take_while(|line| !line.starts_with('#')).map(str::trim).filter(|line| !line.is_empty());
    let lines: Vec<String> = lines.map(inert::unmarked).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn is_heading(line: &str, name: &str) -> bool {
    line.starts_with('#') && line.trim_start_matches('#').trim().eq_ignore_ascii_case(name)
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn a_summary_is_what_stands_below_its_heading() {
        for (document, expect) in [
            (
                "# Post-mortem\n\n## Summary\n\n- it was \\*slow\\* [#1]\n- for 53 min\n\n## Impact\n- x",
                Some("- it was *slow* [#1]\n- for 53 min"),
            ),
            ("## SUMMARY ##\nno", None),
            ("# summary\nyes", Some("yes")),
            ("## Summary\n\n## Impact", None),
            ("no headings", None),
            ("", None),
        ] {
            assert_eq!(summary(document).as_deref(), expect, "{document}");
        }
    }
}
