//! A drill: a small real service that breaks, and people who put it right, from alert to post-mortem.
//!
//! The shop runs in a process of its own, so that it goes on while this one is killed: try `kill -9`, then `--resume`.

mod args;
mod crew;
mod drill;
mod evidence;
mod plan;
mod screen;
mod shop;
mod shopkeeper;
mod writing;

use std::error::Error;
use std::net::Ipv4Addr;
use std::process::ExitCode;

use tokio::net::TcpListener;

use args::{Args, ShopArgs};

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Args::parse(std::env::args().skip(1)) {
        Ok(Args::Help) => {
            screen::say(args::USAGE);
            Ok(())
        }
        Ok(Args::Shop(args)) => shop(args).await,
        Ok(Args::Drill(args)) => drill::run(args).await,
        Err(problem) => Err(format!("{problem}\n\n{}", args::USAGE).into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => screen::fail(error.as_ref()),
    }
}

async fn shop(args: ShopArgs) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).await?;
    let address = listener.local_addr()?;
    screen::say(&format!("http://{address}"));
    let Some(file) = args.port_file else {
        return Ok(shop::run(listener, args.options, std::future::pending()).await?);
    };
    shopkeeper::write_whole(&file, &format!("{}\n", address.port()))?;
    Ok(shop::run(listener, args.options, shopkeeper::gone(file)).await?)
}
