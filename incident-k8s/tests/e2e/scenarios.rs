//! What is played, whichever place it is.

use std::future::Future;
use std::pin::Pin;

use incident_core::log::mitigation::Stage;
use incident_core::model::mitigation::{
    Custom, Mitigation, RestartInstance, RollBack, RollingRestart, RouteTraffic, Scale, SetResources,
    SwitchFeature,
};
use serde_json::{Value, json};

use crate::crew::Crew;
use crate::place::Place;

/// Names of images that no registry has; the tests' server takes those that end in `:bad` for broken.
const GOOD: &str = "images.invalid/web:1";
const BAD: &str = "images.invalid/web:bad";
/// An image that a cluster with a kubelet can run.
const RUNS: &str = "registry.k8s.io/pause:3.10";
const WEB: &str = "deployment/web";

type Playing<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

fn roll_back(to: Option<&str>) -> Mitigation {
    Mitigation::RollBack(RollBack { workload: WEB.to_owned(), to_revision: to.map(str::to_owned) })
}

fn image(container: &Value) -> &str {
    container["image"].as_str().unwrap_or_default()
}

pub(crate) fn rollback(place: &Place) -> Playing<'_> {
    Box::pin(async move {
        place.deploy("web", GOOD).await;
        place.set_image("web", BAD).await;
        let crew = Crew::at(place).await;
        let done = crew.carry_out(roll_back(None)).await;
        assert_eq!(image(&place.container("web").await), GOOD);
        // What is there already isn't rolled back to.
        let told = Crew::at(place).await.unplanned(roll_back(Some("3"))).await;
        assert!(told.contains("it is at revision 3 already"), "{told}");
        crew.settled(place, done).await;
        crew.take_back(done).await;
        assert_eq!(image(&place.container("web").await), BAD);
    })
}

pub(crate) fn edits(place: &Place) -> Playing<'_> {
    Box::pin(async move {
        let resources = SetResources {
            workload: WEB.to_owned(),
            container: "web".to_owned(),
            requests: [("memory".to_owned(), "32Mi".to_owned())].into(),
            limits: [("memory".to_owned(), "64Mi".to_owned())].into(),
        };
        let env = Custom {
            name: "set-env".to_owned(),
            target: WEB.to_owned(),
            parameters: [("container", "web"), ("env.FEATURE_X", "never")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
        };
        place.deploy("web", GOOD).await;
        for mitigation in [
            Mitigation::SetResources(resources),
            Mitigation::Custom(env),
            Mitigation::SwitchFeature(SwitchFeature { feature: "x".to_owned(), on: false }),
        ] {
            let before = place.container("web").await;
            let crew = Crew::at(place).await;
            let done = crew.carry_out(mitigation).await;
            assert_ne!(place.container("web").await, before);
            crew.settled(place, done).await;
            crew.take_back(done).await;
            assert_eq!(place.container("web").await, before);
        }
        let restart = Mitigation::RollingRestart(RollingRestart { workload: WEB.to_owned() });
        Crew::at(place).await.carry_out(restart).await;
        let live = place.get("deployments/web").await;
        let restarted =
            live.pointer("/spec/template/metadata/annotations/kubectl.kubernetes.io~1restartedAt");
        assert!(restarted.is_some(), "{live}");
    })
}

pub(crate) fn scale(place: &Place) -> Playing<'_> {
    Box::pin(async move {
        place.deploy("web", GOOD).await;
        let crew = Crew::at(place).await;
        let done = crew.carry_out(Mitigation::Scale(Scale { workload: WEB.to_owned(), replicas: 4 })).await;
        let replicas = || async { place.get("deployments/web").await["spec"]["replicas"].clone() };
        assert_eq!(replicas().await, json!(4));
        crew.settled(place, done).await;
        crew.take_back(done).await;
        assert_eq!(replicas().await, json!(2));
    })
}

pub(crate) fn evict(place: &Place) -> Playing<'_> {
    Box::pin(async move {
        place.deploy("web", GOOD).await;
        let pods = || async { place.get("pods?labelSelector=app%3Dweb").await["items"].clone() };
        place
            .until("its pods are made", || async { pods().await.as_array().is_some_and(|it| it.len() == 2) })
            .await;
        let pod = pods().await[0]["metadata"].clone();
        let instance = pod["name"].as_str().unwrap().to_owned();
        let crew = Crew::at(place).await;
        crew.carry_out(Mitigation::RestartInstance(RestartInstance { instance })).await;
        place
            .until("it is gone and made anew", || async {
                let now = pods().await;
                let now = now.as_array().unwrap();
                now.len() == 2 && now.iter().all(|it| it["metadata"]["uid"] != pod["uid"])
            })
            .await;
    })
}

pub(crate) fn apply(place: &Place) -> Playing<'_> {
    Box::pin(async move {
        let crew = Crew::at(place).await;
        let route = RouteTraffic { service: "web".to_owned(), to: "maintenance".to_owned() };
        let done = crew.carry_out(Mitigation::RouteTraffic(route)).await;
        assert_eq!(place.get("configmaps/page").await["data"], json!({"on": "yes"}));
        crew.held(done).await;
        crew.take_back(done).await;
        assert_eq!(place.get("configmaps/page").await["reason"], "NotFound");
    })
}

pub(crate) fn conflict(place: &Place) -> Playing<'_> {
    Box::pin(async move {
        place.deploy("web", GOOD).await;
        place.set_image("web", BAD).await;
        let crew = Crew::at(place).await;
        let proposal = crew.propose(roll_back(None)).await;
        crew.until(proposal, |it| it.plan.is_some()).await;
        place.set_image("web", "images.invalid/web:hotfix").await;
        crew.approve(proposal).await;
        assert_eq!(crew.end(proposal).await, Stage::Failed);
        assert_eq!(image(&place.container("web").await), "images.invalid/web:hotfix");
        let told = crew.told().await.join("\n");
        assert!(told.contains("its pod template was changed"), "{told}");
    })
}

pub(crate) fn crash(place: &Place) -> Playing<'_> {
    Box::pin(async move {
        place.deploy("web", GOOD).await;
        place.set_image("web", BAD).await;
        let generation =
            || async { place.get("deployments/web").await["metadata"]["generation"].as_i64().unwrap() };
        let before = generation().await;
        let crew = Crew::dying_once(place).await;
        crew.carry_out(roll_back(None)).await;
        assert_eq!(image(&place.container("web").await), GOOD);
        assert_eq!(generation().await, before + 1, "it was done once");
    })
}

pub(crate) fn running(place: &Place) -> Playing<'_> {
    Box::pin(async move {
        let (good, bad) = if place.is_fake() { (GOOD, BAD) } else { (RUNS, BAD) };
        place.deploy("web", good).await;
        place.deploy("blue", good).await;
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}});
        place.create("services", service).await;
        place
            .until("its pods are ready", || async {
                place.get("deployments/blue").await["status"]["readyReplicas"] == json!(2)
            })
            .await;
        place.set_image("web", bad).await;
        let crew = Crew::at(place).await;
        let done = crew.carry_out(roll_back(None)).await;
        crew.held(done).await;
        let route = RouteTraffic { service: "web".to_owned(), to: "blue".to_owned() };
        let done = crew.carry_out(Mitigation::RouteTraffic(route)).await;
        crew.held(done).await;
        crew.take_back(done).await;
        assert_eq!(place.get("services/web").await["spec"]["selector"], json!({"app": "web"}));
        let pods = place.get("pods?labelSelector=app%3Dblue").await;
        let instance = pods["items"][0]["metadata"]["name"].as_str().unwrap().to_owned();
        let done = crew.carry_out(Mitigation::RestartInstance(RestartInstance { instance })).await;
        crew.held(done).await;
    })
}

/// A place that is shown, left, and shown again; and an object that was there before it.
pub(crate) fn apply_again(place: &Place) -> Playing<'_> {
    Box::pin(async move {
        let page = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "page"}, "data": {"off": "no"}});
        place.create("configmaps", page).await;
        let crew = Crew::at(place).await;
        for _ in 0..2 {
            let route = RouteTraffic { service: "web".to_owned(), to: "maintenance".to_owned() };
            let done = crew.carry_out(Mitigation::RouteTraffic(route)).await;
            assert_eq!(place.get("configmaps/page").await["data"], json!({"off": "no", "on": "yes"}));
            crew.held(done).await;
            crew.take_back(done).await;
            assert_eq!(place.get("configmaps/page").await["data"], json!({"off": "no"}));
        }
    })
}

/// The cause of a change goes back with it.
pub(crate) fn change_cause(place: &Place) -> Playing<'_> {
    Box::pin(async move {
        const CAUSE: &str = "kubernetes.io/change-cause";
        place.deploy("web", GOOD).await;
        place.merge("deployments/web", json!({"metadata": {"annotations": {CAUSE: "first release"}}})).await;
        place
            .until("the revision has its cause", || async {
                let kept = place.get("replicasets").await;
                kept["items"][0]["metadata"]["annotations"][CAUSE] == "first release"
            })
            .await;
        let bad = json!({
            "metadata": {"annotations": {CAUSE: "the bad one"}},
            "spec": {"template": {"spec": {"containers": [{"name": "web", "image": BAD}]}}},
        });
        place.merge("deployments/web", bad).await;
        let crew = Crew::at(place).await;
        crew.carry_out(roll_back(None)).await;
        let live = place.get("deployments/web").await;
        assert_eq!(live["metadata"]["annotations"][CAUSE], "first release");
    })
}

/// What would be no plan on a real server is none here.
pub(crate) fn refusals(place: &Place) -> Playing<'_> {
    Box::pin(async move {
        place.deploy("web", GOOD).await;
        let resources = |quantity: &str| {
            Mitigation::SetResources(SetResources {
                workload: WEB.to_owned(),
                container: "web".to_owned(),
                requests: [("memory".to_owned(), quantity.to_owned())].into(),
                limits: [].into(),
            })
        };
        let told = Crew::at(place).await.unplanned(resources("2GB")).await;
        assert!(told.contains("isn't a quantity"), "{told}");
        let nowhere = RouteTraffic { service: "web".to_owned(), to: "nowhere".to_owned() };
        let told = Crew::at(place).await.unplanned(Mitigation::RouteTraffic(nowhere)).await;
        assert!(told.contains("no such place"), "{told}");
    })
}
