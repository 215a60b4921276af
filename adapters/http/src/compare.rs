//! Comparing what a JSON document says with what it should say.

use std::cmp::Ordering;

use incident_core::config::ConfigError;
use incident_core::domain::inert;
use serde_json::Value;

use crate::config::{Comparison, Op};
use crate::request;

/// What one comparison came to.
#[derive(Debug, PartialEq)]
pub(crate) enum Verdict {
    Holds,
    /// It doesn't; with what was seen, in words.
    Broken(String),
    /// There is nothing to compare; why.
    CannotTell(String),
}

/// Refuses a comparison that can never hold.
pub(crate) fn check(field: &str, comparison: &Comparison) -> Result<(), ConfigError> {
    request::pointer(&format!("{field}.pointer"), &comparison.pointer)?;
    let orders = !matches!(comparison.op, Op::Eq | Op::Ne);
    if orders && !comparison.value.is_number() {
        return Err(ConfigError::new(&format!("{field}.value"), "expected a number to compare with"));
    }
    Ok(())
}

pub(crate) fn judge(comparison: &Comparison, document: &Value) -> Verdict {
    let Comparison { pointer, op, value: wanted } = comparison;
    let Some(seen) = document.pointer(pointer) else {
        return Verdict::CannotTell(format!("the answer has nothing at {pointer}"));
    };
    let holds = match op {
        Op::Eq => equal(seen, wanted),
        Op::Ne => !equal(seen, wanted),
        Op::Lt | Op::Le | Op::Gt | Op::Ge => {
            let (Some(seen), Some(wanted)) = (seen.as_f64(), wanted.as_f64()) else {
                return Verdict::CannotTell(format!("what the answer has at {pointer} is no number"));
            };
            match seen.total_cmp(&wanted) {
                Ordering::Less => matches!(op, Op::Lt | Op::Le),
                Ordering::Equal => matches!(op, Op::Le | Op::Ge),
                Ordering::Greater => matches!(op, Op::Gt | Op::Ge),
            }
        }
    };
    if holds {
        return Verdict::Holds;
    }
    let wanted = inert::clip(&inert::line(&wanted.to_string()), 60);
    Verdict::Broken(match seen {
        // Numbers and truth values can't carry anybody's text.
        Value::Number(_) | Value::Bool(_) => format!("{pointer} is {seen}, wanted {op} {wanted}"),
        _ => format!("{pointer} isn't as wanted, {op} {wanted}"),
    })
}

/// Whether two values are the same, with 1 and 1.0 taken as one number.
pub(crate) fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) if one.is_f64() != other.is_f64() => {
            one.as_f64() == other.as_f64()
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn comparisons_hold_break_or_cannot_tell() {
        let document =
            json!({ "rate": 0.02, "n": 1, "status": "ill @here", "none": null, "list": [{ "a": true }] });
        for (pointer, op, value, expect) in [
            ("/rate", Op::Le, json!(0.02), "holds"),
            ("/rate", Op::Lt, json!(0.02), "/rate is 0.02, wanted < 0.02"),
            ("/rate", Op::Gt, json!(0.001), "holds"),
            ("/rate", Op::Le, json!(0.001), "/rate is 0.02, wanted ≤ 0.001"),
            ("/n", Op::Eq, json!(1.0), "holds"),
            ("/n", Op::Ge, json!(2), "/n is 1, wanted ≥ 2"),
            ("/status", Op::Eq, json!("ok"), "/status isn't as wanted, = \"ok\""),
            ("/status", Op::Ne, json!("ok"), "holds"),
            ("/status", Op::Lt, json!(1), "?what the answer has at /status is no number"),
            ("/none", Op::Lt, json!(1), "?what the answer has at /none is no number"),
            ("/list/0/a", Op::Eq, json!(true), "holds"),
            ("/list/1/a", Op::Eq, json!(true), "?the answer has nothing at /list/1/a"),
        ] {
            let verdict = match judge(&Comparison::new(pointer, op, value), &document) {
                Verdict::Holds => "holds".to_owned(),
                Verdict::Broken(how) => how,
                Verdict::CannotTell(why) => format!("?{why}"),
            };
            assert_eq!(verdict, expect);
        }
    }
}
