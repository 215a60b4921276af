//! Who else manages an object, and would undo or fight a change. No I/O.

use std::fmt;

use serde_json::Value;

use crate::object::{annotation, controller, items, label, text};
use crate::target::is_name;

/// Something that will change an object back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ManagedBy {
    ArgoCd(String),
    FluxKustomization(String),
    FluxRelease(String),
    Helm(String),
    Owner(String),
}

impl ManagedBy {
    /// As an override names it.
    pub(crate) fn key(&self) -> &'static str {
        match self {
            Self::ArgoCd(_) => "argocd",
            Self::FluxKustomization(_) | Self::FluxRelease(_) => "flux",
            Self::Helm(_) => "helm",
            Self::Owner(_) => "owner",
        }
    }

    /// What its own tool offers instead.
    pub(crate) fn remedy(&self) -> String {
        match self {
            Self::ArgoCd(app) => format!(
                "revert the commit, or suspend automated sync of {app} (spec.syncPolicy.automated.enabled: false) and \
                 use `argocd app rollback`"
            ),
            Self::FluxKustomization(name) => {
                format!("revert the commit, or `flux suspend kustomization {name}` first")
            }
            Self::FluxRelease(name) => {
                format!("revert the release's values, or `flux suspend helmrelease {name}` first")
            }
            Self::Helm(release) => format!("`helm rollback {release}`"),
            Self::Owner(owner) => format!("change {owner}, which makes this object"),
        }
    }

    /// What it will do to a change that is made all the same.
    pub(crate) fn threat(&self) -> &'static str {
        match self {
            Self::ArgoCd(_) => {
                "with self-heal it changes this back within seconds, otherwise with the next sync"
            }
            Self::FluxKustomization(_) | Self::FluxRelease(_) => {
                "it changes this back at its next reconciliation, restarting the pods again"
            }
            Self::Helm(_) => "the next upgrade may bring this back",
            Self::Owner(_) => "its controller may change this back at any time",
        }
    }
}

impl fmt::Display for ManagedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ArgoCd(app) => write!(f, "Argo CD (application {app})"),
            Self::FluxKustomization(name) => write!(f, "Flux (kustomization {name})"),
            Self::FluxRelease(name) => write!(f, "Flux (release {name})"),
            Self::Helm(release) => write!(f, "Helm (release {release})"),
            Self::Owner(owner) => write!(f, "{owner}"),
        }
    }
}

/// Everything that manages `object`. Signs that anybody may set for other reasons, such as the label
/// `app.kubernetes.io/instance`, count only beside a better one.
pub(crate) fn managers(object: &Value) -> Vec<ManagedBy> {
    let mut found = Vec::new();
    let argo = annotation(object, "argocd.argoproj.io/tracking-id").and_then(|id| id.split(':').next());
    let argo = argo.or_else(|| label(object, "argocd.argoproj.io/instance"));
    let by_manager = || {
        let wrote = items(object, "/metadata/managedFields").iter();
        let mut wrote = wrote.map(|entry| text(entry, "/manager"));
        wrote
            .any(|manager| matches!(manager, "argocd-controller" | "argocd-application-controller"))
            .then(|| label(object, "app.kubernetes.io/instance").unwrap_or_default())
    };
    if let Some(app) = argo.or_else(by_manager) {
        found.push(ManagedBy::ArgoCd(named(app)));
    }
    let suspended = annotation(object, "kustomize.toolkit.fluxcd.io/reconcile") == Some("disabled");
    if let Some(name) = label(object, "kustomize.toolkit.fluxcd.io/name").filter(|_| !suspended) {
        found.push(ManagedBy::FluxKustomization(named(name)));
    }
    let release = annotation(object, "meta.helm.sh/release-name");
    if let Some(name) = label(object, "helm.toolkit.fluxcd.io/name") {
        found.push(ManagedBy::FluxRelease(named(name)));
    } else if release.is_some() || label(object, "app.kubernetes.io/managed-by") == Some("Helm") {
        let name = release.or_else(|| label(object, "app.kubernetes.io/instance"));
        found.push(ManagedBy::Helm(named(name.unwrap_or_default())));
    }
    if let Some(owner) = controller(object) {
        let kind = text(owner, "/kind").to_ascii_lowercase();
        found.push(ManagedBy::Owner(format!("{}/{}", named(&kind), named(text(owner, "/name")))));
    }
    found
}

/// Managers other than those of [`managers`] that own the pod template of `object` by server-side apply, such as a CI
/// pipeline. Their next apply restores their fields.
pub(crate) fn appliers(object: &Value) -> Vec<String> {
    const KNOWN: [&str; 4] = ["argocd", "kustomize-controller", "helm", "incident-response"];
    let entries = items(object, "/metadata/managedFields").iter();
    let applies = entries.filter(|entry| {
        text(entry, "/operation") == "Apply" && entry.pointer("/fieldsV1/f:spec/f:template").is_some()
    });
    let mut found: Vec<String> = applies
        .map(|entry| text(entry, "/manager"))
        .filter(|manager| !KNOWN.iter().any(|known| manager.starts_with(known)))
        .map(|manager| incident_core::model::inert::clip(&incident_core::model::inert::line(manager), 64))
        .collect();
    found.dedup();
    found
}

/// A name as it may be shown.
fn named(text: &str) -> String {
    if is_name(text) { text.to_owned() } else { "of unknown name".to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn who_applies_the_template_on_the_servers_side_is_named() {
        let entry = |manager: &str, operation: &str, fields: Value| json!({"manager": manager, "operation": operation, "fieldsV1": {"f:spec": fields}});
        let template = || json!({"f:template": {"f:spec": {}}});
        let object = json!({"metadata": {"managedFields": [
            entry("deploy-pipeline", "Apply", template()),
            entry("kubectl-edit", "Update", template()),
            entry("scaler", "Apply", json!({"f:replicas": {}})),
            entry("incident-response", "Apply", template()),
        ]}});
        assert_eq!(appliers(&object), ["deploy-pipeline"]);
    }

    #[test]
    fn who_manages_an_object_is_seen_from_its_metadata() {
        let metadata = |metadata: Value| json!({"metadata": metadata});
        for (object, keys, remedy) in [
            (metadata(json!({})), vec![], ""),
            (metadata(json!({"labels": {"app.kubernetes.io/instance": "shop"}})), vec![], ""),
            (
                metadata(
                    json!({"annotations": {"argocd.argoproj.io/tracking-id": "shop:apps/Deployment:a/b"}}),
                ),
                vec!["argocd"],
                "sync of shop",
            ),
            (
                metadata(json!({"labels": {"app.kubernetes.io/instance": "shop"},
                    "managedFields": [{"manager": "argocd-controller"}]})),
                vec!["argocd"],
                "sync of shop",
            ),
            (
                metadata(json!({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"}})),
                vec!["flux"],
                "suspend kustomization apps",
            ),
            (
                metadata(json!({"labels": {"kustomize.toolkit.fluxcd.io/name": "apps"},
                    "annotations": {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}})),
                vec![],
                "",
            ),
            (
                metadata(
                    json!({"labels": {"helm.toolkit.fluxcd.io/name": "web", "app.kubernetes.io/managed-by": "Helm"}}),
                ),
                vec!["flux"],
                "suspend helmrelease web",
            ),
            (
                metadata(json!({"annotations": {"meta.helm.sh/release-name": "web"}})),
                vec!["helm"],
                "helm rollback web",
            ),
            (
                metadata(json!({"ownerReferences": [
                    {"kind": "Other", "name": "x"}, {"kind": "Rollout", "name": "web", "controller": true}]})),
                vec!["owner"],
                "change rollout/web",
            ),
            (
                metadata(json!({"annotations": {"meta.helm.sh/release-name": "`rm -rf`"}})),
                vec!["helm"],
                "of unknown name",
            ),
        ] {
            let found = managers(&object);
            assert_eq!(found.iter().map(ManagedBy::key).collect::<Vec<_>>(), keys, "{object}");
            let remedies: Vec<_> = found.iter().map(ManagedBy::remedy).collect();
            assert!(remedies.join(" ").contains(remedy), "{remedies:?}");
        }
    }
}
