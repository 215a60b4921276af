//! The suites that every mitigator and every probe is held to, on the tests' API server, through a kubeconfig.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod support;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use incident_core::config::{AdapterConfig, BuildContext, Ports};
use incident_core::conformance::backend::{Arrival, Backend, Fault as Wanted};
use incident_core::conformance::mitigator::{self, MitigatorHarness};
use incident_core::conformance::probe::{self, ProbeHarness};
use incident_core::model::mitigation::{
    Mitigation, RestartInstance, RollBack, RollingRestart, RouteTraffic, Scale, SetResources, SwitchFeature,
};
use incident_core::port::{Mitigator, Probe};
use serde_json::{Value, json};
use support::samples::{deployment, service, set_image};
use support::{Answer, Asked, Fake, Fault};
use tempfile::TempDir;
use tokio::sync::OnceCell;

const SECRET: &str = "sesame-open-4711";

/// A mitigation, what of the cluster it changes, and how somebody else would change the same.
#[derive(Clone, Copy)]
struct Subject {
    mitigation: fn() -> Mitigation,
    seen: fn(&Fake) -> Value,
    meddle: fn(&Fake),
}

fn checkout(fake: &Fake) -> Value {
    fake.get("deployments/checkout").unwrap()
}

fn container(fake: &Fake) -> Value {
    checkout(fake)["spec"]["template"]["spec"]["containers"][0].clone()
}

/// The pods that there are, each by who it is.
fn pods(fake: &Fake) -> Value {
    fake.state().all("pods").map(|(_, pod)| pod["metadata"]["uid"].clone()).collect()
}

fn push_an_image(fake: &Fake) {
    fake.change("deployments/checkout", set_image("web:9"));
}

fn workload() -> String {
    "deployment/checkout".to_owned()
}

const SUBJECTS: [Subject; 7] = [
    Subject {
        mitigation: || Mitigation::RollBack(RollBack { workload: workload(), to_revision: None }),
        seen: |fake| container(fake)["image"].clone(),
        meddle: push_an_image,
    },
    Subject {
        mitigation: || Mitigation::Scale(Scale { workload: workload(), replicas: 5 }),
        seen: |fake| checkout(fake)["spec"]["replicas"].clone(),
        meddle: |fake| fake.change("deployments/checkout", |it| it["spec"]["replicas"] = json!(7)),
    },
    Subject {
        mitigation: || {
            let limits = [("memory".to_owned(), "512Mi".to_owned())].into();
            let container = "web".to_owned();
            Mitigation::SetResources(SetResources {
                workload: workload(),
                container,
                requests: [].into(),
                limits,
            })
        },
        seen: |fake| container(fake)["resources"].clone(),
        meddle: push_an_image,
    },
    Subject {
        mitigation: || Mitigation::RollingRestart(RollingRestart { workload: workload() }),
        seen: |fake| checkout(fake)["spec"]["template"]["metadata"]["annotations"].clone(),
        meddle: push_an_image,
    },
    Subject {
        mitigation: || Mitigation::SwitchFeature(SwitchFeature { feature: "pricing".to_owned(), on: false }),
        seen: |fake| container(fake)["env"].clone(),
        meddle: push_an_image,
    },
    Subject {
        mitigation: || {
            Mitigation::RouteTraffic(RouteTraffic { service: "checkout".to_owned(), to: "page".to_owned() })
        },
        seen: |fake| fake.get("services/checkout").unwrap()["spec"]["selector"].clone(),
        meddle: |fake| {
            fake.change("services/checkout", |it| it["spec"]["selector"]["track"] = json!("canary"));
        },
    },
    Subject {
        mitigation: || Mitigation::RestartInstance(RestartInstance { instance: "pod/checkout".to_owned() }),
        seen: pods,
        meddle: |fake| {
            let pod = fake.state().all("pods").next().map(|(key, _)| key.clone()).unwrap();
            fake.with(|state| state.objects.remove(&pod));
        },
    },
];

struct Cluster {
    subject: Subject,
    folder: TempDir,
    fake: OnceCell<Fake>,
}

impl Cluster {
    fn new(subject: Subject) -> Self {
        Self { subject, folder: TempDir::new().unwrap(), fake: OnceCell::new() }
    }

    async fn fake(&self) -> &Fake {
        let start = || async {
            let fake = Fake::start().await;
            fake.state().now = "2026-03-20T09:00:00Z".parse().unwrap();
            fake.put([deployment("maintenance", "page:1"), service("checkout", "checkout")]);
            fake.put([deployment("checkout", "web:1")]);
            fake.change("deployments/checkout", set_image("web:2"));
            fake
        };
        self.fake.get_or_init(start).await
    }

    /// As production has them: from a kubeconfig with a token in it.
    async fn ports(&self) -> Ports {
        kubeconfig(self.fake().await, self.folder.path());
        incident_k8s::register();
        let text = r#"
            type = "kubernetes"
            cluster = "prod"
            context = "prod"
            kubeconfig = "kubeconfig"
            namespace = "shop"
            timeout = "2s"
            connect_timeout = "1s"
            [features.pricing]
            workload = "deployment/checkout"
            container = "web"
            variable = "FEATURE_X"
            [routes.checkout.page]
            selector = { app = "maintenance" }
            [probes.ready]
            check = "ready"
            workload = "deployment/checkout"
        "#;
        let config: Box<dyn AdapterConfig> = toml::from_str(text).unwrap();
        config.build(&BuildContext::new("cluster", self.folder.path())).await.unwrap()
    }

    fn suffer(&self, whom: fn(&Asked) -> bool, wanted: Wanted) -> bool {
        let Some(fake) = self.fake.get() else { return false };
        let mut fault = Some(match wanted {
            Wanted::LoseReply => Fault::CutAfter,
            Wanted::Break => Fault::Answer(Answer::webhook_down("policy.shop")),
            Wanted::Refuse => Fault::Answer(Answer::denied_by_webhook("policy.shop")),
            Wanted::Wait(wait) => Fault::Answer(Answer::throttled(u32::try_from(wait.as_secs()).unwrap())),
            Wanted::Hang | Wanted::AnswerLate => Fault::SilenceAfter,
            Wanted::Unreachable => Fault::Cut,
            _ => return false,
        });
        fake.meddle(move |asked| if whom(asked) { fault.take() } else { None });
        true
    }
}

fn kubeconfig(fake: &Fake, folder: &Path) {
    let text = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "",
        "clusters": [{"name": "prod", "cluster": {"server": format!("http://{}", fake.address())}}],
        "users": [{"name": "bot", "user": {"token": SECRET}}],
        "contexts": [{"name": "prod", "context": {"cluster": "prod", "user": "bot"}}],
    });
    std::fs::write(folder.join("kubeconfig"), text.to_string()).unwrap();
}

#[async_trait]
impl Backend for Cluster {
    async fn meets(&self, fault: Wanted) -> bool {
        self.fake().await;
        self.suffer(Asked::is_write, fault)
    }

    async fn inbox(&self) -> Vec<Arrival> {
        let accepted = self.fake().await.accepted();
        (0..accepted).map(|_| Arrival::default()).collect()
    }

    async fn writes(&self) -> usize {
        self.fake().await.writes().len()
    }

    fn secret(&self) -> Option<String> {
        Some(SECRET.to_owned())
    }
}

#[async_trait]
impl MitigatorHarness for Cluster {
    async fn mitigator(&self) -> Arc<dyn Mitigator> {
        self.ports().await.mitigator.unwrap()
    }

    fn mitigation(&self) -> Mitigation {
        let mitigation = (self.subject.mitigation)();
        let Mitigation::RestartInstance(_) = mitigation else { return mitigation };
        let fake = self.fake.get().unwrap();
        let name = fake.state().all("pods").map(|(key, _)| format!("pod/{}", key.name)).next();
        Mitigation::RestartInstance(RestartInstance { instance: name.unwrap() })
    }

    async fn state(&self) -> String {
        (self.subject.seen)(self.fake().await).to_string()
    }

    async fn meddle(&self) {
        (self.subject.meddle)(self.fake().await);
    }

    fn carries_the_id(&self) -> bool {
        // A pod that is gone says nothing of who evicted it.
        !matches!((self.subject.mitigation)(), Mitigation::RestartInstance(_))
    }
}

/// A cluster whose deployment is looked at.
struct Watched(Cluster);

#[async_trait]
impl Backend for Watched {
    async fn meets(&self, fault: Wanted) -> bool {
        self.0.fake().await;
        self.0.suffer(|_| true, fault)
    }

    async fn inbox(&self) -> Vec<Arrival> {
        self.0.inbox().await
    }

    async fn writes(&self) -> usize {
        self.0.writes().await
    }

    fn secret(&self) -> Option<String> {
        self.0.secret()
    }
}

#[async_trait]
impl ProbeHarness for Watched {
    async fn probe(&self) -> Arc<dyn Probe> {
        Arc::clone(&self.0.ports().await.probes["ready"])
    }

    async fn set(&self, well: bool) {
        let fake = self.0.fake().await;
        fake.with(|state| state.controllers = false);
        fake.change("deployments/checkout", |it| {
            it["status"]["readyReplicas"] = json!(if well { 3 } else { 0 });
        });
    }
}

#[tokio::test]
async fn every_mitigation_keeps_the_promises_of_a_mitigator() {
    for subject in SUBJECTS {
        let mitigation = (subject.mitigation)();
        let report = mitigator::check(|| Cluster::new(subject)).await;
        assert!(report.broken.is_empty() && !report.kept.is_empty(), "{mitigation}: {report}");
    }
}

#[tokio::test]
async fn the_probe_keeps_the_promises_of_a_probe() {
    probe::check(|| Watched(Cluster::new(SUBJECTS[0]))).await.assert();
}
