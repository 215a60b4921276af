//! What the command line asks for.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::shop::Options;

pub(crate) const USAGE: &str = "\
usage: drill                 start the shop, print its address, stop
       drill shop [OPTIONS]  run the shop until its lifetime is over
  --port-file FILE   write the port there once the shop listens
  --lifetime TIME    stop after so long, whatever happens (15m)
  --window TIME      how far back the health check looks (60s)
  --slow TIME        how long a broken checkout takes (300ms)
  --rate NUMBER      checkouts a second that customers make (0)";

/// What to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Args {
    Drill,
    Shop(ShopArgs),
}

/// How to run the shop alone.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ShopArgs {
    pub(crate) port_file: Option<PathBuf>,
    pub(crate) options: Options,
}

impl Args {
    /// # Errors
    /// What is wrong, in words.
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        match args.next().as_deref() {
            None => return Ok(Self::Drill),
            Some("shop") => {}
            Some(other) => return Err(format!("unknown command {other:?}")),
        }
        let mut shop = ShopArgs::default();
        while let Some(name) = args.next() {
            let value = args.next().ok_or_else(|| format!("{name} needs a value"))?;
            match &*name {
                "--port-file" => shop.port_file = Some(PathBuf::from(value)),
                "--lifetime" => shop.options.lifetime = time(&name, &value)?,
                "--window" => shop.options.window = time(&name, &value)?,
                "--slow" => shop.options.slow = time(&name, &value)?,
                "--rate" => shop.options.rate = number(&name, &value)?,
                _ => return Err(format!("unknown option {name:?}")),
            }
        }
        Ok(Self::Shop(shop))
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
        let shop = ShopArgs { port_file: Some(PathBuf::from("p")), options };
        assert_eq!(parse("shop --port-file p --window 500ms --rate 40"), Ok(Args::Shop(shop)));
        assert_eq!(parse(""), Ok(Args::Drill));
        for (line, problem) in [
            ("stop", "unknown command \"stop\""),
            ("shop --rate", "--rate needs a value"),
            ("shop --rate many", "--rate: expected a number"),
            ("shop --window soon", "--window: expected a time such as 500ms or 2m"),
            ("shop --colour red", "unknown option \"--colour\""),
        ] {
            assert_eq!(parse(line), Err(problem.to_owned()));
        }
    }
}
