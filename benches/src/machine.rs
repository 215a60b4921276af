//! What the machine says of a process and of itself.

use std::fs;
use std::time::Duration;

/// The CPU that a process has used, this one if none is named, with all its threads.
#[must_use]
pub fn cpu(process: Option<u32>) -> Duration {
    /// Linux counts in hundredths of a second, whatever the kernel's own clock.
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string(place(process, "stat")).unwrap_or_default();
    // The name stands in brackets and may have spaces; user and system time are the 12th and 13th behind it.
    let rest = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks: u32 = rest.split(' ').skip(11).take(2).filter_map(|it| it.parse::<u32>().ok()).sum();
    TICK * ticks
}

/// The most memory that a process has held at once, in bytes.
#[must_use]
pub fn peak(process: Option<u32>) -> u64 {
    status(process, "VmHWM:")
}

/// The memory that a process holds, in bytes.
#[must_use]
pub fn resident(process: Option<u32>) -> u64 {
    status(process, "VmRSS:")
}

/// The machine in a line.
#[must_use]
pub fn described() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown CPU", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    format!("{model}, {cores} cores, Linux {}, load {load} at the beginning", kernel.trim())
}

fn status(process: Option<u32>, field: &str) -> u64 {
    let status = fs::read_to_string(place(process, "status")).unwrap_or_default();
    let kib = status.lines().find_map(|line| line.strip_prefix(field)?.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() * 1024
}

fn place(process: Option<u32>, file: &str) -> String {
    process.map_or_else(|| format!("/proc/self/{file}"), |id| format!("/proc/{id}/{file}"))
}
