//! What a mitigation or probe acts on, with its full name.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::request::Resource;

/// Kinds that a target can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Deployment,
    StatefulSet,
    DaemonSet,
    Pod,
    Service,
}

impl Kind {
    fn of(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "deployment" | "deployments" | "deploy" => Self::Deployment,
            "statefulset" | "statefulsets" | "sts" => Self::StatefulSet,
            "daemonset" | "daemonsets" | "ds" => Self::DaemonSet,
            "pod" | "pods" | "po" => Self::Pod,
            "service" | "services" | "svc" => Self::Service,
            _ => return None,
        })
    }

    pub(crate) fn resource(self) -> Resource {
        match self {
            Self::Deployment => Resource::DEPLOYMENTS,
            Self::StatefulSet => Resource::STATEFUL_SETS,
            Self::DaemonSet => Resource::DAEMON_SETS,
            Self::Pod => Resource::PODS,
            Self::Service => Resource::SERVICES,
        }
    }

    /// As `kind` in manifests and references.
    pub(crate) fn camel(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Pod => "Pod",
            Self::Service => "Service",
        }
    }

    pub(crate) fn is_workload(self) -> bool {
        matches!(self, Self::Deployment | Self::StatefulSet | Self::DaemonSet)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Deployment => "deployment",
            Self::StatefulSet => "statefulset",
            Self::DaemonSet => "daemonset",
            Self::Pod => "pod",
            Self::Service => "service",
        })
    }
}

/// Where this adapter may act: one cluster, some namespaces.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    pub(crate) cluster: String,
    /// The first is the one that a target without a namespace means.
    pub(crate) namespaces: Vec<String>,
}

impl Scope {
    pub(crate) fn namespace(&self) -> &str {
        self.namespaces.first().map_or("default", String::as_str)
    }
}

/// One object, by namespace, kind and name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    pub(crate) namespace: String,
    pub(crate) kind: Kind,
    pub(crate) name: String,
}

impl Target {
    /// Reads `deployment/checkout`, `shop/deployment/checkout` or `prod/shop/deployment/checkout`; a bare name means a
    /// `default` kind.
    ///
    /// # Errors
    /// What is wrong with it, and what was expected.
    pub(crate) fn parse(text: &str, default: Option<Kind>, scope: &Scope) -> Result<Self, String> {
        let parts: Vec<&str> = text.split('/').collect();
        let (cluster, namespace, kind, name) = match parts[..] {
            [name] => (None, None, None, name),
            [kind, name] => (None, None, Some(kind), name),
            [namespace, kind, name] => (None, Some(namespace), Some(kind), name),
            [cluster, namespace, kind, name] => (Some(cluster), Some(namespace), Some(kind), name),
            _ => return Err("expected kind/name, such as deployment/checkout".to_owned()),
        };
        if cluster.is_some_and(|cluster| cluster != scope.cluster) {
            return Err(format!("it is in another cluster; this adapter acts on {} alone", scope.cluster));
        }
        let namespace = namespace.unwrap_or_else(|| scope.namespace());
        if !scope.namespaces.iter().any(|known| known == namespace) {
            let known = scope.namespaces.join(", ");
            return Err(format!("its namespace isn't among those of this adapter: {known}"));
        }
        let kind = match kind {
            Some(kind) => Kind::of(kind)
                .ok_or("its kind isn't known; expected deployment, statefulset, daemonset, pod or service")?,
            None => default.ok_or("expected kind/name, such as deployment/checkout")?,
        };
        if !is_name(name) {
            return Err("its name isn't one that Kubernetes allows".to_owned());
        }
        Ok(Self { namespace: namespace.to_owned(), kind, name: name.to_owned() })
    }

    /// With its namespace, such as `shop/deployment/checkout`.
    pub(crate) fn placed(&self) -> String {
        format!("{}/{self}", self.namespace)
    }

    /// The full identity, such as `prod/shop/deployment/checkout`.
    pub(crate) fn identity(&self, cluster: &str) -> String {
        format!("{cluster}/{}/{self}", self.namespace)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// Whether `name` can be an object's name; anything else could mean another path.
pub(crate) fn is_name(name: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    let inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    bytes.len() <= 253 && edge(bytes.first()) && edge(bytes.last()) && bytes.iter().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope { cluster: "prod".to_owned(), namespaces: vec!["shop".to_owned(), "pay".to_owned()] }
    }

    #[test]
    fn a_target_always_ends_up_with_its_full_name() {
        for (text, expect) in [
            ("deployment/checkout", "prod/shop/deployment/checkout"),
            ("Deploy/checkout", "prod/shop/deployment/checkout"),
            ("pay/sts/ledger", "prod/pay/statefulset/ledger"),
            ("prod/pay/daemonset/agent", "prod/pay/daemonset/agent"),
            ("my-pod-7d9f", "prod/shop/pod/my-pod-7d9f"),
        ] {
            let target = Target::parse(text, Some(Kind::Pod), &scope()).unwrap();
            assert_eq!(target.identity("prod"), expect, "{text}");
        }
    }

    #[test]
    fn a_target_elsewhere_or_malformed_is_refused() {
        for (text, why) in [
            ("test/shop/deployment/checkout", "another cluster"),
            ("kube-system/deployment/coredns", "namespace"),
            ("secret/db", "kind"),
            ("deployment/../secrets", "namespace"),
            ("deployment/a?dryRun=All", "name"),
            ("deployment/", "name"),
            ("checkout", "kind/name"),
            ("a/b/c/d/e", "kind/name"),
        ] {
            let error = Target::parse(text, None, &scope()).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
