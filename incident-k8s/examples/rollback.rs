//! Rolls a workload back on your cluster: plan, show, approve, execute, verify – and the way back. Without `--execute` it
//! ends after showing the plan, and changes nothing.
//!
//! `cargo run -p incident-k8s --example rollback -- --context staging --namespace shop deployment/checkout`

use std::error::Error;
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::time::Duration;

use incident_core::config::Ports;
use incident_core::log::mitigation::MitigationState;
use incident_core::model::effect::Work;
use incident_core::model::id::Seq;
use incident_core::model::mitigation::{Mitigation, RollBack};
use incident_core::model::plan::Plan;
use incident_core::model::role::{Identity, Person, PersonId};
use incident_core::model::time::Time;
use incident_core::runbook::Runbook;
use incident_core::runtime::IncidentHandle;
use incident_core::store::MemoryStore;
use incident_core::views::timeline::timeline;
use incident_core::{Actor, Declare, Engine, Severity};
use incident_k8s::{K8sBackend, K8sConfig};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const USAGE: &str = "rollback --context CONTEXT --namespace NAMESPACE [--to REVISION] [--execute] KIND/NAME";

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::read(std::env::args().skip(1))?;
    let mut config = K8sConfig::new(&args.context, &args.namespace);
    config.context = Some(args.context.clone());
    let ports = K8sBackend::connect(config, Path::new(".")).await?.into_ports();
    play(ports, &args, &mut io::stdin().lock(), &mut io::stdout()).await
}

/// What is asked for on the command line.
#[derive(Debug, Default)]
pub(crate) struct Args {
    pub(crate) context: String,
    pub(crate) namespace: String,
    pub(crate) to: Option<String>,
    pub(crate) execute: bool,
    pub(crate) workload: String,
}

impl Args {
    pub(crate) fn read(words: impl Iterator<Item = String>) -> Result<Self> {
        let mut args = Self::default();
        let mut words = words;
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(USAGE);
            match word.as_str() {
                "--context" => args.context = value()?,
                "--namespace" => args.namespace = value()?,
                "--to" => args.to = Some(value()?),
                "--execute" => args.execute = true,
                "--dry-run" => args.execute = false,
                _ if word.starts_with('-') || !args.workload.is_empty() => return Err(USAGE.into()),
                _ => args.workload = word,
            }
        }
        let complete = ![&args.context, &args.namespace, &args.workload].iter().any(|it| it.is_empty());
        if complete { Ok(args) } else { Err(USAGE.into()) }
    }
}

/// Plays it on whatever `ports` reach; `input` has what the person types.
pub(crate) async fn play(
    ports: Ports,
    args: &Args,
    input: &mut impl BufRead,
    out: &mut impl Write,
) -> Result<()> {
    // The runbook knows one person. A program proposes, so that the person who approves is another one.
    let mut runbook = Runbook::default();
    let identities = vec![Identity::new("terminal", "you")];
    let you = Person { name: "You".to_owned(), identities, roles: Vec::new() };
    runbook.persons.insert(PersonId::new("you"), you);
    let engine = Engine::builder(MemoryStore::new())
        .runbook(runbook)
        .ports("cluster", ports)
        .pages_nobody()
        .build()?;

    let declare = Declare::new(&format!("Roll {} back", args.workload)).severity(Severity::Sev3);
    let incident = engine.declare(Actor::human("terminal", "you"), declare).await?;
    let rollback = RollBack { workload: args.workload.clone(), to_revision: args.to.clone() };
    let program = incident.clone().as_actor(Actor::Automation("rollback".to_owned()));
    let because = "the example was started";
    let proposal = program.propose("cluster", Mitigation::RollBack(rollback), because).await?.seq;

    let planned = tick(&engine, &incident, proposal, |it| it.plan.is_some()).await?;
    let Some(planned) = planned.plan else { return Err("there is no plan".into()) };
    show(out, &planned.plan)?;
    if !args.execute {
        writeln!(out, "\nNothing was changed. With --execute you are asked, and then it is done.")?;
        return Ok(());
    }
    let digest = planned.digest.short();
    writeln!(out, "\nType {digest} to approve exactly this plan:")?;
    let mut typed = String::new();
    input.read_line(&mut typed)?;
    if typed.trim() != digest {
        writeln!(out, "Nothing was changed.")?;
        return Ok(());
    }
    incident.approve(proposal, planned.digest).await?;
    incident.execute(proposal, planned.digest).await?;
    let done = tick(&engine, &incident, proposal, |it| it.ended_at.is_some()).await?;
    writeln!(out, "\nIt {}.", done.stage)?;

    let undo = program.undo(proposal, "to see the way back").await?.seq;
    let back = tick(&engine, &incident, undo, |it| it.plan.is_some()).await?;
    if let Some(back) = back.plan {
        writeln!(out, "\nThe way back, should you want it:")?;
        show(out, &back.plan)?;
    }
    Ok(())
}

/// Lets the engine work until it is so, or until the adapter said no.
async fn tick(
    engine: &Engine,
    incident: &IncidentHandle,
    proposal: Seq,
    so: impl Fn(&MitigationState) -> bool,
) -> Result<MitigationState> {
    loop {
        engine.tick(Time::MAX_UTC).await?;
        let state = incident.state().await?;
        let it = state.mitigations.get(&proposal).ok_or("it isn't there")?;
        if so(it) {
            return Ok(it.clone());
        }
        let waits = state.effects.values().any(|effect| {
            matches!(effect.work, Work::Plan(it) | Work::Execute(it) | Work::Verify(it) if it == proposal)
        });
        if !waits {
            let told = timeline(&state, &incident.records().await?).into_iter();
            let since: Vec<_> = told.filter(|line| line.seq > proposal).map(|line| line.what).collect();
            return Err(since.join("\n").into());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn show(out: &mut impl Write, plan: &Plan) -> io::Result<()> {
    writeln!(out, "{} – {}", plan.target, plan.mitigation)?;
    for change in &plan.changes {
        writeln!(out, "  {}: {} → {}", change.what, change.from, change.to)?;
    }
    let radius = &plan.blast_radius;
    if let (Some(pods), Some(healthy)) = (radius.instances, radius.healthy_percent) {
        writeln!(out, "  hits {pods} pods and leaves {healthy} % of the healthy ones")?;
    }
    for warning in &plan.warnings {
        writeln!(out, "  ! {warning}")?;
    }
    for (name, value) in &plan.pins {
        writeln!(out, "  pinned {name}: {value}")?;
    }
    writeln!(out, "  needs: {}", plan.permissions.join(", "))
}
