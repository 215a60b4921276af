//! A plugin for credentials: run once, within its time, again when its token is refused, and told as what it is.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use incident_core::model::id::IncidentId;
use incident_core::port::{AdapterError, Applied, ErrorKind, ReadContext, Reading};

use crate::backend::K8sBackend;
use crate::config::{K8sConfig, ProbeConfig, Ready};
use crate::support::samples::deployment;
use crate::support::{Answer, Fake, Fault};

/// A cluster behind a kubeconfig whose plugin is `script`, which counts its runs in the file `runs`.
struct Place {
    fake: Fake,
    folder: tempfile::TempDir,
    backend: Option<K8sBackend>,
}

impl Place {
    async fn new(script: &str) -> Self {
        let fake = Fake::start().await;
        fake.put([deployment("checkout", "web:1")]);
        let folder = tempfile::tempdir().unwrap();
        let plugin = folder.path().join("get-token");
        let runs = folder.path().join("runs");
        fs::write(&plugin, format!("#!/bin/sh\necho run >> {}\n{script}\n", runs.display())).unwrap();
        fs::set_permissions(&plugin, fs::Permissions::from_mode(0o755)).unwrap();
        let kubeconfig = format!(
            "apiVersion: v1\nkind: Config\n\
             clusters: [{{name: c, cluster: {{server: 'http://{}'}}}}]\n\
             contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n\
             users: [{{name: u, user: {{exec: {{apiVersion: client.authentication.k8s.io/v1, command: '{}', \
             interactiveMode: Never}}}}}}]\n",
            fake.address(),
            plugin.display()
        );
        fs::write(folder.path().join("config"), kubeconfig).unwrap();
        let mut place = Self { fake, folder, backend: None };
        place.backend = Some(place.connect().await);
        place
    }

    async fn connect(&self) -> K8sBackend {
        let mut config = K8sConfig::new("prod", "shop");
        config.context = Some("c".to_owned());
        config.kubeconfig = Some("config".into());
        config.probes.insert("ready".to_owned(), ProbeConfig::Ready(Ready::new("deployment/checkout")));
        K8sBackend::connect(config, self.folder.path()).await.unwrap()
    }

    async fn look(&mut self, times: usize, within: Duration) -> Vec<Result<Reading, AdapterError>> {
        let ports = self.backend.take().unwrap().into_ports();
        let now = "2026-11-23T14:30:00Z".parse().unwrap();
        let cx = ReadContext::new(IncidentId::new(now, [1; 16]), now).with_deadline(within);
        let mut seen = Vec::new();
        for _ in 0..times {
            seen.push(ports.probes["ready"].look(&cx).await);
        }
        seen
    }

    fn runs(&self) -> usize {
        let path: &Path = &self.folder.path().join("runs");
        fs::read_to_string(path).map_or(0, |text| text.lines().count())
    }
}

fn gives(token: &str) -> String {
    format!(
        "echo '{{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication.k8s.io/v1\",\
         \"status\":{{\"token\":\"{token}\"}}}}'"
    )
}

#[tokio::test]
async fn a_plugin_is_run_once_however_many_requests_there_are() {
    let mut place = Place::new(&gives("hunter2")).await;
    assert_eq!(place.runs(), 0, "connecting runs nothing");
    for seen in place.look(3, Duration::from_secs(10)).await {
        seen.unwrap();
    }
    assert_eq!(place.runs(), 1);
    assert!(place.fake.asked().iter().all(|asked| asked.authorization == "Bearer hunter2"));
}

#[tokio::test]
async fn a_plugin_that_hangs_ends_with_the_call_and_is_told_as_what_it_is() {
    let mut place = Place::new("sleep 30").await;
    let begun = tokio::time::Instant::now();
    let error = place.look(1, Duration::from_millis(500)).await.remove(0).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!((error.kind, error.applied), (ErrorKind::Auth, Applied::No));
    assert!(error.to_string().contains("the plugin get-token didn't answer in time"), "{error}");
    assert!(place.fake.asked().is_empty());
}

#[tokio::test]
async fn what_a_plugin_says_when_it_fails_is_not_repeated_and_not_blamed_on_certificates() {
    for (script, why) in [
        ("echo 'token: hunter2' >&2; exit 3", "get-token failed"),
        ("echo 'token: hunter2'", "get-token answered something else"),
        ("echo '{\"status\":{}}'", "get-token gave no credentials"),
    ] {
        let error = Place::new(script).await.look(1, Duration::from_secs(10)).await.remove(0).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Auth);
        assert!(error.to_string().contains(why), "{error}");
        assert!(
            !format!("{error} {error:?}").contains("hunter2") && !error.to_string().contains("certificate")
        );
    }
}

#[tokio::test]
async fn a_token_without_an_end_is_renewed_when_it_is_refused() {
    let mut place = Place::new(&format!(
        "if [ $(wc -l < $(dirname $0)/runs) = 1 ]; then {}; else {}; fi",
        gives("old"),
        gives("new")
    ))
    .await;
    place.fake.meddle(|asked| {
        (asked.authorization == "Bearer old").then_some(Fault::Answer(Answer::unauthorized()))
    });
    // The first token is refused at once: a plugin that always gives the same isn't run for each request.
    let seen = place.look(2, Duration::from_secs(10)).await;
    assert!(seen.iter().all(|it| it.as_ref().is_err_and(|error| error.kind == ErrorKind::Auth)), "{seen:?}");
    assert_eq!(place.runs(), 1);
    let mut place = Place::new(&format!(
        "if [ $(wc -l < $(dirname $0)/runs) = 1 ]; then {}; else {}; fi",
        gives("old"),
        gives("new")
    ))
    .await;
    let ports = place.backend.take().unwrap().into_ports();
    let now = "2026-11-23T14:30:00Z".parse().unwrap();
    let cx = ReadContext::new(IncidentId::new(now, [1; 16]), now);
    ports.probes["ready"].look(&cx).await.unwrap();
    place.fake.meddle(|asked| {
        (asked.authorization == "Bearer old").then_some(Fault::Answer(Answer::unauthorized()))
    });
    tokio::time::sleep(super::PAUSE + Duration::from_millis(100)).await;
    ports.probes["ready"].look(&cx).await.unwrap();
    assert_eq!(place.runs(), 2);
}
