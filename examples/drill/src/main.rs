//! A drill: a small real service that breaks, and people who put it right.
//!
//! `drill shop` runs the service alone, in a process of its own, so that it goes on while the engine is killed.

mod args;
mod shop;

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::ExitCode;

use tokio::net::TcpListener;

use args::Args;

#[tokio::main]
async fn main() -> ExitCode {
    match Args::parse(std::env::args().skip(1)) {
        Ok(args) => match run(args).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error.to_string()),
        },
        Err(problem) => fail(&format!("{problem}\n\n{}", args::USAGE)),
    }
}

async fn run(args: Args) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    say(&format!("http://{address}"));
    match args {
        Args::Shop(args) => {
            if let Some(file) = &args.port_file {
                write_whole(file, &format!("{}\n", address.port()))?;
            }
            shop::run(listener, args.options, std::future::pending()).await
        }
        Args::Drill => shop::run(listener, shop::Options::default(), async {}).await,
    }
}

/// Writes `text` so that whoever waits for the file never reads a part of it.
fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let part = file.with_extension("part");
    std::fs::write(&part, text)?;
    std::fs::rename(part, file)
}

#[allow(clippy::print_stdout, reason = "this is a program, and that is its output")]
fn say(line: &str) {
    println!("{line}");
}

#[allow(clippy::print_stderr, reason = "this is a program, and that is its output")]
fn fail(problem: &str) -> ExitCode {
    eprintln!("drill: {problem}");
    ExitCode::FAILURE
}
