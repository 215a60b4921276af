//! The drill's runbook – the reader's or the default one, its times scaled down – and its adapters.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use incident_core::config::{Built, BuiltEvidence, Settings};
use incident_core::model::role::Identity;
use incident_core::model::role::{Person, PersonId};
use incident_core::model::severity::Within;
use incident_core::model::side::Side;
use incident_core::runbook::{CheckedBy, Runbook};
use incident_core::runtime::{Engine, EngineBuilder};
use incident_sqlite::SqliteStore;

use crate::args::{DrillArgs, Pace};
use crate::evidence::ShopEvidence;

/// Notices and tickets that need no account: files in the drill's folder.
const LOCAL: &str = r#"
drill.tracker = "tickets"

[drill.adapters.notices]
type = "console"
file = "notices.txt"
record = "notices.jsonl"

[drill.adapters.tickets]
type = "folder"
path = "tickets"

[[drill.routes]]
adapter = "notices"
audiences = ["responders", "team", "leadership", "executives", "staff", "customers", "public", "caretaker"]
"#;

/// The shop: its health, and the flag that its defect hides behind.
const SHOP: &str = r#"
[drill.adapters.shop]
type = "http"
base_url = "http://127.0.0.1:{port}"
connect_timeout = "500ms"
timeout = "2s"

[drill.adapters.shop.probes.health]
path = "/health"

[drill.adapters.shop.probes.error-rate]
path = "/health"
require = [{ pointer = "/error_rate", op = "le", value = 0.001 }]

[drill.adapters.shop.probes.latency-p95]
path = "/health"
require = [{ pointer = "/p95_ms", op = "lt", value = 200 }]

[drill.adapters.shop.mitigations.features.new-pricing]
read = { path = "/flags/new-pricing", value = "/value", version = "/version", receipt = "/effect", etag = true }
on = { method = "PUT", path = "/flags/new-pricing", body = { value = true } }
off = { method = "PUT", path = "/flags/new-pricing", body = { value = false } }
verify = { again = "100ms", within = "10s" }
"#;

/// The engine of the drill, and the probe that its monitor uses.
pub(crate) async fn engine(
    args: &DrillArgs,
    dir: &Path,
    port: u16,
) -> Result<(Engine, std::sync::Arc<dyn incident_core::port::Probe>), Box<dyn Error>> {
    incident_http::register();
    let mut built = settings(args, dir).await?;
    built.runbook = Some(scaled(built.runbook.unwrap_or_default(), args.pace));
    let shop = Settings::from_toml(&SHOP.replace("{port}", &port.to_string()))?.build(dir).await?;
    let shop = shop.side(Side::Drill).ports.get("shop").cloned().ok_or("the shop's adapter isn't there")?;
    let health = shop.probes.get("health").cloned().ok_or("the shop's health probe isn't there")?;
    let store = SqliteStore::open(dir.join("incidents.db"))?;
    let lease = if args.pace == Pace::Fast { Duration::from_millis(900) } else { Duration::from_secs(6) };
    built.evidence.get_or_insert_with(|| BuiltEvidence::Folder(dir.join("evidence")));
    let builder: EngineBuilder = Engine::builder(store).lease(lease).configured(built);
    let engine =
        builder.drill_ports("shop", shop.with_collector(ShopEvidence { port })).pages_nobody().build()?;
    Ok((engine, health))
}

async fn settings(args: &DrillArgs, dir: &Path) -> Result<Built, Box<dyn Error>> {
    let Some(file) = &args.config else { return Ok(Settings::from_toml(LOCAL)?.build(dir).await?) };
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let settings = Settings::from_toml(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    if settings.drill.routes.is_empty() {
        return Err(format!("{}: [drill] has no routes; a drill reaches only those", file.display()).into());
    }
    let base = file.parent().unwrap_or(Path::new("."));
    Ok(settings.build(base).await?)
}

/// The runbook with its hours as seconds, and with two persons if it names none.
fn scaled(mut runbook: Runbook, pace: Pace) -> Runbook {
    let (unit, hold, probe) = match pace {
        Pace::Normal => (Duration::from_secs(1), Duration::from_secs(6), Duration::from_secs(1)),
        Pace::Fast => (Duration::from_millis(100), Duration::from_millis(600), Duration::from_millis(80)),
    };
    for policy in runbook.severities.values_mut() {
        policy.respond_within = Within::Elapsed(unit * 10);
        policy.update_every = policy.update_every.map(|_| unit * 15);
    }
    runbook.reminders.before_update = unit * 4;
    runbook.escalation.every = unit * 5;
    runbook.recovery.hold = hold;
    runbook.recovery.probe_every = probe;
    runbook.recovery.watch = unit * 4;
    runbook.signals.flap_window = unit * 20;
    runbook.safety.cooldown = unit * 5;
    for (id, name) in [("alice", "Alice Keller"), ("bob", "Bob Meier")] {
        if runbook.persons.len() < 2 {
            let identities = vec![Identity::new("drill", id)];
            let person = Person { name: name.to_owned(), identities, roles: Vec::new() };
            runbook.persons.entry(PersonId::new(id)).or_insert(person);
        }
    }
    // Nothing here runs in pods.
    runbook.recovery.checks.retain(|name, check| name != "pods-ready" || check.by != CheckedBy::Probe);
    runbook
}
