//! Every mitigation through a real engine, with people who approve: on the API server of the tests, and on any cluster that
//! the current context of `KUBECONFIG` names.
//!
//! ```text
//! KUBECONFIG=… cargo test -p incident-k8s --test e2e -- --ignored
//! ```
//!
//! On a cluster a namespace of its own is made and deleted again, also after a failure. Its images don't exist, so nothing
//! ever runs: what needs pods that get ready is in the tests whose names say `with_a_kubelet`.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "e2e/crew.rs"]
mod crew;
#[path = "e2e/place.rs"]
mod place;
#[path = "e2e/scenarios.rs"]
mod scenarios;
mod support;

use place::Place;

/// Each scenario on the tests' server, and on a cluster.
macro_rules! scenarios {
    ($($fake:ident, $cluster:ident: $scenario:ident;)*) => {$(
        #[tokio::test]
        async fn $fake() {
            Place::fake().await.run(scenarios::$scenario).await;
        }

        #[tokio::test]
        #[ignore = "needs a cluster: KUBECONFIG=… cargo test -p incident-k8s --test e2e -- --ignored"]
        async fn $cluster() {
            Place::cluster().await.run(scenarios::$scenario).await;
        }
    )*};
}

scenarios! {
    a_bad_image_is_rolled_back_and_brought_back, on_a_cluster_a_bad_image_is_rolled_back_and_brought_back: rollback;
    each_edit_is_made_and_taken_back, on_a_cluster_each_edit_is_made_and_taken_back: edits;
    a_workload_is_scaled_and_scaled_back, on_a_cluster_a_workload_is_scaled_and_scaled_back: scale;
    a_pod_is_evicted, on_a_cluster_a_pod_is_evicted: evict;
    a_manifest_is_applied_and_taken_back, on_a_cluster_a_manifest_is_applied_and_taken_back: apply;
    a_manifest_is_applied_again_after_it_was_taken_back, on_a_cluster_a_manifest_is_applied_again_after_it_was_taken_back: apply_again;
    a_change_cause_goes_back, on_a_cluster_a_change_cause_goes_back: change_cause;
    what_cannot_be_is_no_plan, on_a_cluster_what_cannot_be_is_no_plan: refusals;
    a_change_between_plan_and_execution_stops_it, on_a_cluster_a_change_between_plan_and_execution_stops_it: conflict;
    a_crash_before_the_record_has_one_effect, on_a_cluster_a_crash_before_the_record_has_one_effect: crash;
    what_runs_is_verified_and_gets_traffic, on_a_cluster_with_a_kubelet_what_runs_is_verified_and_gets_traffic: running;
}
