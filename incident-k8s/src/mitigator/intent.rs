//! From what a responder wants to what is done to which object.

use std::collections::BTreeMap;

use incident_core::model::mitigation::{Custom, Mitigation, RestartInstance, RollBack};
use incident_core::model::mitigation::{RollingRestart, RouteTraffic, Scale, SetResources, SwitchFeature};
use incident_core::port::AdapterError;
use serde_json::Value;

use crate::catalogue::{Catalogue, plural};
use crate::object::set;
use crate::step::{Removal, refuse};
use crate::target::{Kind, Scope, Target};
use crate::template::Edit;

/// The parameter of a custom mitigation that names what it overrides.
const OVERRIDE: &str = "override";

/// A mitigation, understood.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) mitigation: Mitigation,
    pub(super) target: Target,
    pub(super) wanted: Wanted,
    /// Who else manages the target, and is overridden all the same.
    pub(super) overrides: Vec<String>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Wanted {
    RollBack { to: Option<String> },
    Edit { edit: Edit },
    Scale { replicas: u32 },
    Remove { removal: Removal },
    Select { labels: BTreeMap<String, String> },
    Apply { manifest: Value, plural: String },
}

impl Asked {
    /// What `mitigation` means here. A custom one is the mitigation of the same name with `override` as a parameter, so
    /// that whom it overrides is part of what is proposed, approved and recorded.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`](incident_core::port::ErrorKind::Refused), saying what there is instead.
    pub(super) fn of(
        mitigation: &Mitigation,
        catalogue: &Catalogue,
        scope: &Scope,
    ) -> Result<Self, AdapterError> {
        let (understood, overrides) = match mitigation {
            Mitigation::Custom(custom) => {
                let overrides = custom.parameters.get(OVERRIDE).map(String::as_str).unwrap_or_default();
                let names = overrides.split(',').map(str::trim).filter(|name| !name.is_empty());
                (of_custom(custom)?, names.map(str::to_owned).collect())
            }
            other => (of_kind(other)?, Vec::new()),
        };
        let (target, wanted) = understood.resolve(catalogue, scope)?;
        Ok(Self { mitigation: mitigation.clone(), target, wanted, overrides })
    }
}

/// A mitigation whose names aren't looked up yet.
enum Understood {
    Kind(Mitigation),
    Environment { workload: String, container: String, variables: BTreeMap<String, String> },
    DeletePod(String),
}

fn of_kind(mitigation: &Mitigation) -> Result<Understood, AdapterError> {
    match mitigation {
        Mitigation::EndQueries(_) | Mitigation::AddIndex(_) | Mitigation::ClearCache(_) => {
            Err(refuse("Kubernetes doesn't do this; propose it for the database's or cache's own system"))
        }
        known => Ok(Understood::Kind(known.clone())),
    }
}

impl Understood {
    fn resolve(self, catalogue: &Catalogue, scope: &Scope) -> Result<(Target, Wanted), AdapterError> {
        let parse = |text: &str, default| Target::parse(text, default, scope).map_err(refuse);
        let workload = |text: &str| {
            let target = parse(text, None)?;
            let wrong = || refuse("its target isn't a deployment, statefulset or daemonset");
            if target.kind.is_workload() { Ok(target) } else { Err(wrong()) }
        };
        let pod = |text: &str| {
            let target = parse(text, Some(Kind::Pod))?;
            if target.kind == Kind::Pod { Ok(target) } else { Err(refuse("its target isn't a pod")) }
        };
        let edit = |target, edit| Ok((target, Wanted::Edit { edit }));
        match self {
            Self::Kind(Mitigation::RollBack(RollBack { workload: text, to_revision })) => {
                Ok((workload(&text)?, Wanted::RollBack { to: to_revision }))
            }
            Self::Kind(Mitigation::Scale(Scale { workload: text, replicas })) => {
                Ok((workload(&text)?, Wanted::Scale { replicas }))
            }
            Self::Kind(Mitigation::SetResources(SetResources {
                workload: text,
                container,
                requests,
                limits,
            })) => {
                if requests.is_empty() && limits.is_empty() {
                    return Err(refuse("it names neither a request nor a limit"));
                }
                for (kind, all) in [("request", &requests), ("limit", &limits)] {
                    if let Some((resource, _)) = all.iter().find(|(_, quantity)| !is_quantity(quantity)) {
                        let resource = incident_core::model::inert::clip(
                            &incident_core::model::inert::line(resource),
                            64,
                        );
                        return Err(refuse(format!(
                            "the {kind} of {resource} isn't a quantity that Kubernetes reads; expected one such as 500m, \
                             1.5 or 128Mi"
                        )));
                    }
                }
                edit(workload(&text)?, Edit::Resources { container, requests, limits })
            }
            // The time is fixed when the plan is made, so that carrying it out twice restarts once.
            Self::Kind(Mitigation::RollingRestart(RollingRestart { workload: text })) => {
                edit(workload(&text)?, Edit::Restart { at: String::new() })
            }
            Self::Kind(Mitigation::RestartInstance(RestartInstance { instance })) => {
                Ok((pod(&instance)?, Wanted::Remove { removal: Removal::Evict }))
            }
            Self::DeletePod(instance) => Ok((pod(&instance)?, Wanted::Remove { removal: Removal::Delete })),
            Self::Environment { workload: text, container, variables } => {
                if variables.is_empty() {
                    return Err(refuse("it names no variable; expected parameters such as env.FEATURE"));
                }
                edit(workload(&text)?, Edit::Environment { container, variables })
            }
            Self::Kind(Mitigation::SwitchFeature(SwitchFeature { feature, on })) => {
                let found = catalogue.feature(&feature, on);
                let (target, switch) = found.ok_or_else(|| {
                    refuse(format!("no such feature is declared here; there are: {}", catalogue.features()))
                })?;
                edit(target, switch)
            }
            Self::Kind(Mitigation::RouteTraffic(RouteTraffic { service, to })) => {
                route(catalogue, scope, &service, &to)
            }
            Self::Kind(_) => Err(refuse("this adapter doesn't do such a mitigation")),
        }
    }
}

/// Whether `text` is a quantity: a number, and perhaps a suffix or an exponent.
fn is_quantity(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = unsigned.find(|it: char| !(it.is_ascii_digit() || it == '.')).unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(end);
    let is_number = number.bytes().any(|it| it.is_ascii_digit()) && number.matches('.').count() <= 1;
    let exponent = |it: &str| {
        let digits = it.strip_prefix(['+', '-']).unwrap_or(it);
        !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit())
    };
    const SUFFIXES: [&str; 16] =
        ["", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    is_number && (SUFFIXES.contains(&suffix) || suffix.strip_prefix(['e', 'E']).is_some_and(exponent))
}

fn route(
    catalogue: &Catalogue,
    scope: &Scope,
    service: &str,
    place: &str,
) -> Result<(Target, Wanted), AdapterError> {
    let mut target = Target::parse(service, Some(Kind::Service), scope).map_err(refuse)?;
    let declared = catalogue.route(service, place).or_else(|| catalogue.route(&target.name, place));
    let route =
        declared.ok_or_else(|| refuse("no such place is declared for this service; add it to `routes`"))?;
    let Some(manifest) = &route.manifest else {
        return Ok((target, Wanted::Select { labels: route.selector.clone() }));
    };
    let mut manifest = manifest.clone();
    if let Some(namespace) = manifest.pointer("/metadata/namespace").and_then(Value::as_str) {
        if !scope.namespaces.iter().any(|known| known == namespace) {
            return Err(refuse("the manifest's namespace isn't among those of this adapter"));
        }
        target.namespace = namespace.to_owned();
    }
    set(&mut manifest, &["metadata", "namespace"], Value::from(target.namespace.as_str()));
    let plural = plural(route, &manifest);
    Ok((target, Wanted::Apply { manifest, plural }))
}

/// A custom mitigation is one of the kinds by another name, or one that the vocabulary has no kind for.
fn of_custom(custom: &Custom) -> Result<Understood, AdapterError> {
    let Custom { name, target, parameters } = custom;
    let known: &[&str] = match name.as_str() {
        "roll-back" => &["to_revision"],
        "scale" => &["replicas"],
        "set-resources" => &["container", "requests.", "limits."],
        "rolling-restart" | "delete-pod" => &[],
        "switch-feature" => &["on"],
        "route-traffic" => &["to"],
        "set-env" => &["container", "env."],
        _ => {
            return Err(refuse(
                "this isn't declared; there are roll-back, scale, set-resources, set-env, rolling-restart, delete-pod, \
                 switch-feature and route-traffic",
            ));
        }
    };
    let is_known = |given: &str| {
        let fits = |it: &str| if it.ends_with('.') { given.starts_with(it) } else { given == it };
        given == OVERRIDE || known.iter().any(|it| fits(it))
    };
    if parameters.keys().any(|given| !is_known(given)) {
        return Err(refuse(format!("a parameter isn't known; expected {}, {OVERRIDE}", known.join(", "))));
    }
    let needed = |parameter: &str| {
        parameters
            .get(parameter)
            .cloned()
            .ok_or_else(|| refuse(format!("the parameter {parameter} is missing")))
    };
    let beginning = |prefix: &str| {
        let of = parameters.iter().filter_map(|(key, value)| Some((key.strip_prefix(prefix)?, value)));
        of.map(|(key, value)| (key.to_owned(), value.clone())).collect::<BTreeMap<_, _>>()
    };
    let target = target.clone();
    Ok(match name.as_str() {
        "roll-back" => Understood::Kind(Mitigation::RollBack(RollBack {
            workload: target,
            to_revision: parameters.get("to_revision").cloned(),
        })),
        "scale" => {
            let replicas = needed("replicas")?.parse();
            let replicas = replicas.map_err(|_| refuse("the parameter replicas isn't a number"))?;
            Understood::Kind(Mitigation::Scale(Scale { workload: target, replicas }))
        }
        "set-resources" => Understood::Kind(Mitigation::SetResources(SetResources {
            workload: target,
            container: needed("container")?,
            requests: beginning("requests."),
            limits: beginning("limits."),
        })),
        "rolling-restart" => {
            Understood::Kind(Mitigation::RollingRestart(RollingRestart { workload: target }))
        }
        "switch-feature" => {
            let on = needed("on")?.parse();
            let on = on.map_err(|_| refuse("the parameter on is neither true nor false"))?;
            Understood::Kind(Mitigation::SwitchFeature(SwitchFeature { feature: target, on }))
        }
        "route-traffic" => {
            Understood::Kind(Mitigation::RouteTraffic(RouteTraffic { service: target, to: needed("to")? }))
        }
        "set-env" => {
            let variables = beginning("env.");
            Understood::Environment { workload: target, container: needed("container")?, variables }
        }
        _ => Understood::DeletePod(target),
    })
}
