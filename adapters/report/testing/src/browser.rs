//! A headless Chromium that is spoken to through a pipe, and ends when the pipe does.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// How long an answer may take; the machine may be busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);
/// Chromium speaks through the descriptors 3 and 4, and ends when they are closed, as they are when we end.
const ON_A_PIPE: &str = r#"exec "$0" "$@" 3<&0 4>&1 0</dev/null 1>/dev/null"#;
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
];

/// A browser with a profile of its own.
#[derive(Debug)]
pub struct Browser {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    last: u64,
    _profile: TempDir,
}

impl Browser {
    /// Whether there is a Chromium to start.
    #[must_use]
    pub fn is_installed() -> bool {
        let found =
            Command::new("chromium").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        found.is_ok_and(|status| status.success())
    }

    /// Starts one.
    ///
    /// # Panics
    /// If there is no Chromium, saying what to install.
    #[must_use]
    pub fn start() -> Self {
        let profile = tempfile::tempdir().expect("a folder for the profile");
        assert!(
            Self::is_installed(),
            "needs `chromium`. On Debian: sudo apt-get install chromium; elsewhere put its folder on PATH"
        );
        let mut child = Command::new("sh")
            .args(["-c", ON_A_PIPE, "chromium"])
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell");
        let to = child.stdin.take().expect("it was piped");
        let (heard, from) = channel();
        let said = BufReader::new(child.stdout.take().expect("it was piped"));
        thread::spawn(move || {
            for message in said.split(0).map_while(Result::ok) {
                if heard.send(serde_json::from_slice(&message).unwrap_or_default()).is_err() {
                    return;
                }
            }
        });
        Self { child, to, from, last: 0, _profile: profile }
    }

    /// Opens `file` in a tab that is so many pixels wide, and waits for its load event.
    pub fn open(&mut self, file: &Path, width: u32, dark: bool) -> Tab<'_> {
        let target = self.ask(None, "Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.ask(None, "Target.attachToTarget", &attach)["sessionId"].clone();
        let mut tab = Tab { browser: self, session, complaints: Vec::new() };
        for domain in ["Page", "Runtime", "Log"] {
            tab.ask(&format!("{domain}.enable"), &json!({}));
        }
        // What a page that lets scripts in would call; it only says so here.
        let tell = json!({ "source": "window.alert = (what) => console.error('alert', what);" });
        tab.ask("Page.addScriptToEvaluateOnNewDocument", &tell);
        let scheme = json!({ "name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" } });
        tab.ask("Emulation.setEmulatedMedia", &json!({ "features": [scheme] }));
        let size = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        tab.ask("Emulation.setDeviceMetricsOverride", &size);
        tab.ask("Page.navigate", &json!({ "url": format!("file://{}", file.display()) }));
        while tab.browser.hear(&mut tab.complaints)["method"] != "Page.loadEventFired" {}
        tab
    }

    fn ask(&mut self, session: Option<&Value>, method: &str, params: &Value) -> Value {
        self.ask_noting(session, method, params, &mut Vec::new())
    }

    fn ask_noting(
        &mut self,
        session: Option<&Value>,
        method: &str,
        params: &Value,
        complaints: &mut Vec<String>,
    ) -> Value {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": params });
        if let Some(session) = session {
            message["sessionId"] = session.clone();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).expect("Chromium listens");
        loop {
            let mut heard = self.hear(complaints);
            if heard["id"] == self.last {
                assert_eq!(heard["error"], Value::Null, "{method}");
                return heard["result"].take();
            }
        }
    }

    /// The next message; what a page complains of is noted.
    fn hear(&mut self, complaints: &mut Vec<String>) -> Value {
        let heard = self.from.recv_timeout(PATIENCE).expect("Chromium answers");
        let complains = match heard["method"].as_str() {
            Some("Log.entryAdded" | "Runtime.exceptionThrown") => true,
            Some("Runtime.consoleAPICalled") => heard["params"]["type"] == "error",
            _ => false,
        };
        if complains {
            complaints.push(heard["params"].to_string());
        }
        heard
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.to.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let _ = self.child.wait();
    }
}

/// One page in a browser.
#[derive(Debug)]
pub struct Tab<'a> {
    browser: &'a mut Browser,
    session: Value,
    complaints: Vec<String>,
}

impl Tab<'_> {
    /// What `script` comes to, looked at from outside: the page's policy doesn't apply.
    ///
    /// # Panics
    /// If the script fails.
    pub fn look(&mut self, script: &str) -> Value {
        let look =
            json!({ "expression": script, "returnByValue": true, "awaitPromise": true, "replMode": true });
        let mut seen = self.ask("Runtime.evaluate", &look);
        assert_eq!(seen["exceptionDetails"], Value::Null, "{script}");
        seen["result"]["value"].take()
    }

    /// Presses a key: `Tab`, `Enter`.
    pub fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            _ => (32, " "),
        };
        for kind in ["keyDown", "keyUp"] {
            let event =
                json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text });
            self.ask("Input.dispatchKeyEvent", &event);
        }
    }

    /// Sends a command of the DevTools protocol.
    pub fn ask(&mut self, method: &str, params: &Value) -> Value {
        let session = self.session.clone();
        self.browser.ask_noting(Some(&session), method, params, &mut self.complaints)
    }

    /// What the console heard so far: errors, exceptions, and what the page's policy kept out.
    #[must_use]
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// How long the page took from the navigation to the end of its load event, in milliseconds.
    pub fn load_millis(&mut self) -> f64 {
        let settled = "await new Promise(done => setTimeout(() => done(performance.getEntriesByType('navigation')[0].loadEventEnd), 0))";
        self.look(settled).as_f64().expect("a number of milliseconds")
    }
}
