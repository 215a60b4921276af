//! Files: an address to send the bytes to, the bytes, and where they are shared.

use serde_json::json;

use super::workspace::{good, refuse};
use super::{Asked, Reply, Workspace};

/// A file on its way.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) name: String,
    length: usize,
    bytes: Option<Vec<u8>>,
}

impl Workspace {
    pub(super) fn begin_upload(&mut self, asked: &Asked) -> Reply {
        // Takes its arguments from a query or a form alone.
        let length = if asked.is_json { 0 } else { asked.text("length").parse().unwrap_or(0) };
        let name = asked.text("filename");
        if length == 0 || name.is_empty() {
            return refuse("missing_argument");
        }
        let id = format!("F{}", self.next());
        let url = format!("{}/upload?id={id}", self.origin);
        self.uploads.insert(id.clone(), Upload { name, length, bytes: None });
        good(json!({"upload_url": url, "file_id": id}))
    }

    pub(super) fn upload(&mut self, asked: &Asked) -> Reply {
        match self.uploads.get_mut(&asked.text("id")) {
            Some(upload) if upload.length == asked.body.len() => {
                upload.bytes = Some(asked.body.clone());
                Reply::Text("OK - 17")
            }
            _ => Reply::Status(400, Vec::new(), json!({"ok": false})),
        }
    }

    /// Shares a file; a second time it isn't there any more. No message is named: it comes later.
    pub(super) fn complete_upload(&mut self, asked: &Asked) -> Reply {
        let id = asked.args["files"][0]["id"].as_str().unwrap_or_default().to_owned();
        let Some(upload) = self.uploads.remove(&id).filter(|upload| upload.bytes.is_some()) else {
            return refuse("file_not_found");
        };
        let Some(channel) = self.channels.get_mut(&asked.text("channel_id")) else {
            return refuse("channel_not_found");
        };
        let content = String::from_utf8(upload.bytes.unwrap_or_default()).unwrap();
        let file =
            json!({"id": id, "name": upload.name, "content": content, "thread_ts": asked.text("thread_ts")});
        channel.files.push(file);
        good(json!({"files": [{"id": id}]}))
    }
}
