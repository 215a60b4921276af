//! What the configuration takes, what it refuses, and that it tells no secret.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod support;

use std::path::Path;

use incident_core::config::{AdapterConfig, BuildContext, ConfigError, Ports};
use incident_core::model::id::IncidentId;
use incident_core::port::{Colour, ErrorKind, ReadContext};
use incident_k8s::{K8sBackend, K8sConfig};
use support::samples::deployment;
use support::{Answer, Fake, Fault};

async fn build(text: &str, base: &Path) -> Result<Ports, ConfigError> {
    incident_k8s::register();
    let config: Box<dyn AdapterConfig> = toml::from_str(text).unwrap();
    config.build(&BuildContext::new("cluster", base)).await
}

/// A kubeconfig with two contexts, of which the current one leads nowhere.
fn kubeconfig(fake: &Fake, folder: &Path) {
    let text = format!(
        r#"
apiVersion: v1
kind: Config
current-context: elsewhere
clusters:
  - {{name: prod, cluster: {{server: "http://{}"}}}}
  - {{name: gone, cluster: {{server: "http://127.0.0.1:1"}}}}
users:
  - {{name: bot, user: {{token: hunter2-token}}}}
contexts:
  - {{name: prod-eu, context: {{cluster: prod, user: bot, namespace: other}}}}
  - {{name: elsewhere, context: {{cluster: gone, user: bot}}}}
"#,
        fake.address()
    );
    std::fs::write(folder.join("kubeconfig"), text).unwrap();
}

#[tokio::test]
async fn the_named_context_is_used_and_never_the_current_one() {
    let fake = Fake::start().await;
    fake.put([deployment("checkout", "web:1")]);
    let folder = tempfile::tempdir().unwrap();
    kubeconfig(&fake, folder.path());
    let text = r#"
        type = "kubernetes"
        cluster = "prod"
        context = "prod-eu"
        kubeconfig = "kubeconfig"
        namespace = "shop"
        namespaces = ["pay"]
        timeout = "5s"
        verify_within = "20m"
        scale = { replicas = 30, factor = 2 }

        [features.new-pricing]
        workload = "deployment/checkout"
        container = "web"
        variable = "NEW_PRICING"

        [routes.checkout.page]
        selector = { app = "maintenance" }

        [probes.pods]
        check = "ready"
        workload = "deployment/checkout"

        [probes.errors]
        check = "error_lines"
        workload = "deployment/checkout"
        at_most = 5.0

        [probes.traffic]
        check = "endpoints"
        service = "checkout"

        [evidence]
        workloads = ["deployment/checkout"]
        logs_since = "30m"
    "#;
    let ports = build(text, folder.path()).await.unwrap();
    assert!(ports.mitigator.is_some() && ports.collector.is_some());
    let now = "2026-11-23T14:30:00Z".parse().unwrap();
    let cx = ReadContext::new(IncidentId::new(now, [1; 16]), now);
    assert_eq!(ports.probes["pods"].look(&cx).await.unwrap().colour, Colour::Green);
    assert!(!format!("{ports:?}").contains("hunter2"));

    // The client's own retry is off, also for reads: the engine is the one place that retries.
    fake.forget();
    fake.meddle(|_| Some(Fault::Answer(Answer::throttled(1))));
    let error = ports.probes["pods"].look(&cx).await.unwrap_err();
    assert_eq!((error.kind, fake.asked().len()), (ErrorKind::RateLimited, 1));
}

#[tokio::test]
async fn a_cluster_is_trusted_by_the_authority_that_its_kubeconfig_names() {
    let (fake, authority) = Fake::start_tls().await;
    let (_, other) = Fake::start_tls().await;
    fake.put([deployment("checkout", "web:1")]);
    let now = "2026-11-23T14:30:00Z".parse().unwrap();
    let cx = ReadContext::new(IncidentId::new(now, [1; 16]), now);
    for (authority, is_trusted) in [(authority, true), (other, false)] {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            r#"
apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "https://{}", certificate-authority: ca.pem}}}}]
users: [{{name: bot, user: {{token: hunter2-token}}}}]
contexts: [{{name: prod-eu, context: {{cluster: c, user: bot}}}}]
"#,
            fake.address()
        );
        std::fs::write(folder.path().join("kubeconfig"), text).unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority).unwrap();
        let text = r#"
            type = "kubernetes"
            cluster = "prod"
            context = "prod-eu"
            kubeconfig = "kubeconfig"
            namespace = "shop"
            probes.pods = { check = "ready", workload = "deployment/checkout" }
        "#;
        let ports = build(text, folder.path()).await.unwrap();
        match ports.probes["pods"].look(&cx).await {
            Ok(reading) => assert!(is_trusted && reading.colour == Colour::Green),
            Err(error) => assert!(!is_trusted && error.kind == ErrorKind::Unavailable, "{error:?}"),
        }
    }
}

#[tokio::test]
async fn what_is_wrong_is_named_by_its_field_and_shows_no_secret() {
    let fake = Fake::start().await;
    let folder = tempfile::tempdir().unwrap();
    kubeconfig(&fake, folder.path());
    std::fs::write(folder.path().join("broken"), "users: [{name: a, user: {token: hunter2-token}\n  :::")
        .unwrap();
    let head = "type = \"kubernetes\"\n";
    let context = "context = \"prod-eu\"\nkubeconfig = \"kubeconfig\"\n";
    let cluster = "cluster = \"prod\"\nnamespace = \"shop\"\n";
    let route = |it: &str| format!("{cluster}{context}[routes.checkout.page]\n{it}");
    for (text, field) in [
        (cluster.to_owned(), "context"),
        (format!("{cluster}{context}in_cluster = true"), "context"),
        (format!("{cluster}context = \"nobody\"\nkubeconfig = \"kubeconfig\""), "context"),
        (format!("{cluster}context = \"a\"\nkubeconfig = \"broken\""), "kubeconfig"),
        (format!("{cluster}context = \"a\"\nkubeconfig = \"missing\""), "kubeconfig"),
        (format!("{cluster}in_cluster = true"), "in_cluster"),
        (format!("cluster = \"a/b\"\nnamespace = \"shop\"\n{context}"), "cluster"),
        (format!("cluster = \"prod\"\nnamespace = \"../x\"\n{context}"), "namespace"),
        (format!("{cluster}{context}timeout = \"1s\"\nconnect_timeout = \"2s\""), "timeout"),
        (format!("{cluster}{context}field_manager = \"\""), "field_manager"),
        (route("selector = {}"), "routes.checkout.page"),
        (route("manifest = { kind = \"Ingress\" }"), "routes.checkout.page.manifest"),
        (
            route("manifest = { apiVersion = \"v1\", kind = \"Secret\", metadata = { name = \"x\" } }"),
            "routes.checkout.page.manifest",
        ),
        (
            format!(
                "{cluster}{context}[features.x]\nworkload = \"pod/x\"\ncontainer = \"a\"\nvariable = \"B\""
            ),
            "features.x.workload",
        ),
        (
            format!(
                "{cluster}{context}[probes.x]\ncheck = \"ready\"\nworkload = \"kube-system/deployment/dns\""
            ),
            "probes.x.workload",
        ),
        (format!("{cluster}{context}[evidence]\nworkloads = []"), "evidence.workloads"),
    ] {
        let error = build(&format!("{head}{text}"), folder.path()).await.unwrap_err();
        assert_eq!(error.field, field, "{text}: {error}");
        let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        assert!(!format!("{error} {error:?} {source}").contains("hunter2"), "{error:?}");
    }
    let unknown = toml::from_str::<Box<dyn AdapterConfig>>(&format!("{head}{cluster}retries = 3"));
    assert!(unknown.unwrap_err().to_string().contains("retries"));
}

#[tokio::test]
async fn several_clusters_stand_side_by_side() {
    let (here, there) = (Fake::start().await, Fake::start().await);
    here.put([deployment("checkout", "web:1")]);
    there.put([deployment("checkout", "web:bad")]);
    let now = "2026-11-23T14:30:00Z".parse().unwrap();
    let cx = ReadContext::new(IncidentId::new(now, [1; 16]), now);
    for (fake, name, colour) in [(&here, "eu", Colour::Green), (&there, "us", Colour::Red)] {
        let mut config = K8sConfig::new(name, "shop");
        let ready = incident_k8s::Ready::new(&format!("{name}/shop/deployment/checkout"));
        config.probes.insert("pods".to_owned(), incident_k8s::ProbeConfig::Ready(ready));
        let ports = K8sBackend::with_client(config, fake.client()).unwrap().into_ports();
        assert_eq!(ports.probes["pods"].look(&cx).await.unwrap().colour, colour);
    }
}
