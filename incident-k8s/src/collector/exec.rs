//! Declared commands, run in a pod: exactly the arguments that the configuration has, with no shell, input or terminal.

use std::time::Duration;

use incident_core::port::Capture;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, AttachParams};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

use super::{Collection, Noted, document};
use crate::config::ExecConfig;
use crate::target::Target;

/// The most that is kept of what a command says, and how long it may take.
const MOST: u64 = 64 * 1024;
const LONGEST: Duration = Duration::from_secs(5);

impl Collection<'_> {
    pub(super) async fn exec(&self, noted: &[Noted]) -> Vec<Capture> {
        let mut captures = Vec::new();
        for config in &self.config.exec {
            let named = format!("exec/{}", config.name);
            match self.run(config, noted).await {
                Ok(capture) => captures.push(capture),
                Err(why) => self.gap(&named, &why),
            }
        }
        captures
    }

    async fn run(&self, config: &ExecConfig, noted: &[Noted]) -> Result<Capture, String> {
        let target = Target::parse(&config.workload, None, self.cluster.scope())?;
        let of = noted
            .iter()
            .find(|it| it.target == target)
            .ok_or("its workload isn't among evidence.workloads")?;
        let pod = of.ready_pod.as_deref().ok_or("none of its pods is ready")?;
        let client = self.cluster.client(self.budget.left()).await;
        let client = client.map_err(|_| "no credentials could be had")?;
        let pods: Api<Pod> = Api::namespaced(client, &target.namespace);
        let attach =
            AttachParams::default().container(&config.container).stdin(false).stdout(true).stderr(true);
        let within = self.budget.left().min(LONGEST);
        let work = async {
            let running = pods.exec(pod, &config.command, &attach).await;
            let mut running =
                running.map_err(|_| "it couldn't be run there; look at the role and the container")?;
            let (out, err, status) = (running.stdout(), running.stderr(), running.take_status());
            let (out, err) = tokio::join!(read(out), read(err));
            let status = match status {
                Some(status) => status.await,
                None => None,
            };
            running.abort();
            let ended = status.as_ref().and_then(|it| it.status.clone());
            let causes = status.and_then(|it| it.details).and_then(|it| it.causes).unwrap_or_default();
            let code = causes.into_iter().find(|it| it.reason.as_deref() == Some("ExitCode"));
            let capture = document(
                &format!("exec/{}", config.name),
                json!({
                    "pod": pod, "container": config.container, "command": config.command,
                    "status": ended, "exit_code": code.and_then(|it| it.message), "stdout": out.0, "stderr": err.0,
                }),
            );
            Ok::<_, String>(if out.1 || err.1 { capture.truncated() } else { capture })
        };
        timeout(within, work).await.unwrap_or_else(|_| Err("it took too long".to_owned()))
    }
}

/// What comes, up to the bound, and whether there was more.
async fn read(from: Option<impl AsyncRead + Unpin>) -> (String, bool) {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        // A stream that breaks leaves what came before it.
        let _ = from.take(MOST + 1).read_to_end(&mut bytes).await;
    }
    let most = usize::try_from(MOST).unwrap_or(usize::MAX);
    let truncated = bytes.len() > most;
    bytes.truncate(most);
    (String::from_utf8_lossy(&bytes).into_owned(), truncated)
}
