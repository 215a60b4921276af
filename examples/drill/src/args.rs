//! What the command line asks for.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::shop::Options;

pub(crate) const USAGE: &str = "\
usage: drill [OPTIONS]       play an incident on a small real service, from alert to post-mortem
  --pace normal|fast   take half a minute, or the time it needs (normal)
  --dir FOLDER         where the database and all else goes (a new drill-run)
  --resume             go on with the drill that was interrupted there, or last
  --interactive        ask before each step that people take
  --config FILE        use these settings: your own runbook, and the adapters and routes under [drill]

       drill shop [OPTIONS]  run the shop alone until its lifetime is over
  --port NUMBER        listen there (0: any that is free)
  --port-file FILE     write the port there once the shop listens
  --lifetime TIME      stop after so long, whatever happens (15m)
  --window TIME        how far back the health check looks (60s)
  --slow TIME          how long a broken checkout takes (300ms)
  --rate NUMBER        checkouts a second that customers make (0)";

/// What to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Args {
    Help,
    Drill(DrillArgs),
    Shop(ShopArgs),
}

/// How to drill.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DrillArgs {
    pub(crate) pace: Pace,
    /// The folder to use; none takes a new one, or with `resume` the newest.
    pub(crate) dir: Option<PathBuf>,
    pub(crate) resume: bool,
    pub(crate) interactive: bool,
    pub(crate) config: Option<PathBuf>,
}

impl Default for DrillArgs {
    fn default() -> Self {
        Self { pace: Pace::Normal, dir: None, resume: false, interactive: false, config: None }
    }
}

/// How fast to drill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    Normal,
    Fast,
}

/// How to run the shop alone.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ShopArgs {
    pub(crate) port: u16,
    pub(crate) port_file: Option<PathBuf>,
    pub(crate) options: Options,
}

impl Args {
    /// # Errors
    /// What is wrong, in words.
    pub(crate) fn parse(args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut args = args.peekable();
        if args.next_if(|first| first == "shop").is_some() {
            return shop(args).map(Self::Shop);
        }
        let mut drill = DrillArgs::default();
        while let Some(name) = args.next() {
            match &*name {
                "--help" | "-h" => return Ok(Self::Help),
                "--resume" => drill.resume = true,
                "--interactive" => drill.interactive = true,
                "--pace" => drill.pace = pace(&value(&name, &mut args)?)?,
                "--dir" => drill.dir = Some(PathBuf::from(value(&name, &mut args)?)),
                "--config" => drill.config = Some(PathBuf::from(value(&name, &mut args)?)),
                _ => return Err(format!("unknown option {name:?}")),
            }
        }
        Ok(Self::Drill(drill))
    }
}

fn shop(mut args: impl Iterator<Item = String>) -> Result<ShopArgs, String> {
    let mut shop = ShopArgs::default();
    while let Some(name) = args.next() {
        let value = value(&name, &mut args)?;
        match &*name {
            "--port" => shop.port = number(&name, &value)?,
            "--port-file" => shop.port_file = Some(PathBuf::from(value)),
            "--lifetime" => shop.options.lifetime = time(&name, &value)?,
            "--window" => shop.options.window = time(&name, &value)?,
            "--slow" => shop.options.slow = time(&name, &value)?,
            "--rate" => shop.options.rate = number(&name, &value)?,
            _ => return Err(format!("unknown option {name:?}")),
        }
    }
    Ok(shop)
}

fn value(name: &str, args: &mut impl Iterator<Item = String>) -> Result<String, String> {
    args.next().ok_or_else(|| format!("{name} needs a value"))
}

fn pace(value: &str) -> Result<Pace, String> {
    match value {
        "normal" => Ok(Pace::Normal),
        "fast" => Ok(Pace::Fast),
        _ => Err("--pace: expected normal or fast".to_owned()),
    }
}

fn time(name: &str, value: &str) -> Result<Duration, String> {
    humantime::parse_duration(value).map_err(|_| format!("{name}: expected a time such as 500ms or 2m"))
}

fn number<T: FromStr>(name: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("{name}: expected a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_read_or_refused_in_words() {
        let parse = |line: &str| Args::parse(line.split_whitespace().map(str::to_owned));
        let options = Options { window: Duration::from_millis(500), rate: 40, ..Options::default() };
        let shop = ShopArgs { port: 0, port_file: Some(PathBuf::from("p")), options };
        assert_eq!(parse("shop --port-file p --window 500ms --rate 40"), Ok(Args::Shop(shop)));
        assert_eq!(parse(""), Ok(Args::Drill(DrillArgs::default())));
        let fast = DrillArgs {
            pace: Pace::Fast,
            resume: true,
            dir: Some(PathBuf::from("d")),
            ..DrillArgs::default()
        };
        assert_eq!(parse("--pace fast --resume --dir d"), Ok(Args::Drill(fast)));
        for (line, problem) in [
            ("stop", "unknown option \"stop\""),
            ("--pace slow", "--pace: expected normal or fast"),
            ("--dir", "--dir needs a value"),
            ("shop --rate", "--rate needs a value"),
            ("shop --rate many", "--rate: expected a number"),
            ("shop --window soon", "--window: expected a time such as 500ms or 2m"),
            ("shop --colour red", "unknown option \"--colour\""),
        ] {
            assert_eq!(parse(line), Err(problem.to_owned()));
        }
    }
}
