//! The suite that every tracker is held to, against a GitHub on loopback.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod fake;

use std::sync::Arc;

use async_trait::async_trait;
use fake::{Fake, TOKEN};
use incident_core::conformance::backend::{Arrival, Backend, Fault};
use incident_core::conformance::tracker::{self, TrackerHarness};
use incident_core::model::id::EffectId;
use incident_core::model::ticket::TicketRef;
use incident_core::port::{Adapter, PreflightContext, Tracker};
use incident_github::GithubBackend;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

#[derive(Default)]
struct GitHub(OnceCell<Fake>);

impl GitHub {
    async fn fake(&self) -> &Fake {
        self.0.get_or_init(Fake::start).await
    }
}

/// The effect that a text's marker names, as anybody can see it.
fn effect(text: &str) -> Option<EffectId> {
    text.split("<!-- ir:op=").nth(1)?.split(' ').next()?.parse().ok()
}

fn number(ticket: &TicketRef) -> u64 {
    ticket.as_str().split('#').nth(1).unwrap().parse().unwrap()
}

fn text(item: &Value, field: &str) -> String {
    item[field].as_str().unwrap_or_default().to_owned()
}

#[async_trait]
impl Backend for GitHub {
    async fn meets(&self, fault: Fault) -> bool {
        let fault = match fault {
            Fault::LoseReply => fake::Fault::LoseReply,
            Fault::AnswerLate => fake::Fault::AnswerLate,
            Fault::Hang => fake::Fault::Hang,
            Fault::Break => fake::Fault::answer(502, "Server Error"),
            Fault::Refuse => fake::Fault::answer(403, "Resource not accessible by personal access token"),
            Fault::Wait(wait) => {
                let headers = vec![("retry-after", wait.as_secs().to_string())];
                let message = "You have exceeded a secondary rate limit.";
                fake::Fault::Answer(403, headers, json!({ "message": message }))
            }
            // The adapter has its address for life, and an issue is the conversation.
            _ => return false,
        };
        self.fake().await.state().faults.push_back(fault);
        true
    }

    async fn inbox(&self) -> Vec<Arrival> {
        let state = self.fake().await.state();
        let issues = state.issues.iter().map(|issue| (text(issue, "title"), text(issue, "body")));
        let comments = state.comments.iter().map(|comment| (String::new(), text(comment, "body")));
        issues
            .chain(comments)
            .map(|(title, body)| Arrival::new(effect(&body), &format!("{title}\n{body}")))
            .collect()
    }

    async fn writes(&self) -> usize {
        self.fake().await.writes().len()
    }

    fn secret(&self) -> Option<String> {
        Some(TOKEN.to_owned())
    }

    fn acts(&self, text: &str) -> Vec<String> {
        let acts = ["@channel", "#1", "```", "\u{202e}", "<!-- marker", "[x](", "<script"];
        // A character that is escaped is one that is shown.
        let shows = |act: &&str| text.match_indices(*act).any(|(at, _)| !text[..at].ends_with('\\'));
        acts.into_iter().filter(shows).map(str::to_owned).collect()
    }
}

#[async_trait]
impl TrackerHarness for GitHub {
    async fn tracker(&self) -> Arc<dyn Tracker> {
        let tracker = GithubBackend::connect(self.fake().await.config()).unwrap().into_tracker();
        assert!(tracker.preflight(&PreflightContext::new(fake::t0())).await.unwrap().is_good());
        Arc::new(tracker)
    }

    async fn people_write(&self, ticket: &TicketRef, words: &str) -> bool {
        let mut state = self.fake().await.state();
        let body = text(state.issue(number(ticket)), "body");
        state.edit(number(ticket), "body", json!(format!("{words}\r\n\r\n{body}\r\n{words}")));
        true
    }

    async fn text(&self, ticket: &TicketRef) -> String {
        let state = self.fake().await.state();
        let body = text(state.issue(number(ticket)), "body");
        format!("{body}\n{}", state.said(number(ticket)).join("\n"))
    }
}

#[tokio::test]
async fn issues_keep_the_promises_of_a_tracker() {
    let report = tracker::check(GitHub::default).await;
    report.assert();
    assert!(report.not_applicable.is_empty(), "{report}");
}
