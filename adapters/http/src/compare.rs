//! Comparing what a JSON document says with what it should say.

use std::cmp::Ordering;

use incident_core::config::ConfigError;
use incident_core::model::inert;
use serde_json::Value;

use crate::config::{Comparison, Op};
use crate::request;

/// Bytes of a value that a detail shows.
const MOST_SHOWN: usize = 60;

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
    if orders && number(&comparison.value).is_none_or(f64::is_nan) {
        return Err(ConfigError::new(&format!("{field}.value"), "expected a number to compare with"));
    }
    Ok(())
}

pub(crate) fn judge(comparison: &Comparison, document: &Value) -> Verdict {
    let Comparison { pointer, op, value: wanted } = comparison;
    let Some(seen) = document.pointer(pointer) else {
        return Verdict::CannotTell(format!("the answer has nothing at {pointer}"));
    };
    let holds = match (op, number(seen), number(wanted)) {
        // Not a number is what a query answers that divided nothing by nothing: neither well nor ill.
        (_, Some(seen), Some(_)) if seen.is_nan() => {
            return Verdict::CannotTell(format!("{pointer} is not a number (NaN)"));
        }
        (Op::Eq, ..) => same(seen, wanted),
        (Op::Ne, ..) => !same(seen, wanted),
        (_, Some(seen), Some(wanted)) => match seen.partial_cmp(&wanted) {
            Some(Ordering::Less) => matches!(op, Op::Lt | Op::Le),
            Some(Ordering::Equal) => matches!(op, Op::Le | Op::Ge),
            Some(Ordering::Greater) => matches!(op, Op::Gt | Op::Ge),
            None => false,
        },
        _ => return Verdict::CannotTell(format!("the value at {pointer} isn't a number")),
    };
    if holds {
        return Verdict::Holds;
    }
    let wanted = inert::clip(&inert::line(&wanted.to_string()), MOST_SHOWN);
    Verdict::Broken(match shown(seen) {
        Some(seen) => format!("{pointer} is {seen}, wanted {op} {wanted}"),
        None => format!("{pointer} isn't as wanted, {op} {wanted}"),
    })
}

/// Why nothing in the document can be relied on, if it is a query's answer that says so itself.
///
/// Prometheus and what speaks its API answer 200 with an error, or with whatever part of the data they reached.
pub(crate) fn unreliable(document: &Value) -> Option<&'static str> {
    let is_query = document["data"].get("resultType").is_some();
    let warned = document["warnings"].as_array().is_some_and(|warnings| !warnings.is_empty());
    if document["status"] == "error" && document.get("errorType").is_some() {
        Some("the query failed")
    } else if is_query && (warned || document["isPartial"] == true) {
        Some("the query's answer is partial")
    } else {
        None
    }
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

/// Whether two values are [`equal`], with a number in a string taken as one where the other is a number.
fn same(one: &Value, other: &Value) -> bool {
    let has_number = one.is_number() || other.is_number();
    equal(one, other) || (has_number && number(one).is_some_and(|one| number(other) == Some(one)))
}

/// The number that `value` is or, as Prometheus writes them, has in a string: `"0.12"`, `"1e-07"`, `"+Inf"`, `"NaN"`.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// What may be shown of a value: numbers and truth values can't carry anybody's text.
fn shown(value: &Value) -> Option<String> {
    let text = match value {
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) if number(value).is_some() => text.trim().to_owned(),
        _ => return None,
    };
    Some(inert::clip(&text, MOST_SHOWN))
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
            ("/status", Op::Lt, json!(1), "?the value at /status isn't a number"),
            ("/none", Op::Lt, json!(1), "?the value at /none isn't a number"),
            ("/list/0/a", Op::Eq, json!(true), "holds"),
            ("/list/1/a", Op::Eq, json!(true), "?the answer has nothing at /list/1/a"),
        ] {
            assert_eq!(said(&Comparison::new(pointer, op, value), &document), expect);
        }
    }

    fn said(comparison: &Comparison, document: &Value) -> String {
        match judge(comparison, document) {
            Verdict::Holds => "holds".to_owned(),
            Verdict::Broken(how) => how,
            Verdict::CannotTell(why) => format!("?{why}"),
        }
    }

    /// A query's answer has its numbers in strings, and some of them aren't finite.
    #[test]
    fn a_number_in_a_string_is_a_number() {
        let nan = "?/v is not a number (NaN)";
        let no_number = "?the value at /v isn't a number";
        for (seen, op, wanted, expect) in [
            (json!("0.0004"), Op::Le, json!(0.001), "holds"),
            (json!("0.12"), Op::Le, json!(0.001), "/v is 0.12, wanted ≤ 0.001"),
            (json!("1e-07"), Op::Lt, json!(0.001), "holds"),
            (json!(" 7 "), Op::Ge, json!(7), "holds"),
            (json!("-0"), Op::Ge, json!(0), "holds"),
            (json!("-0.0"), Op::Lt, json!(0), "/v is -0.0, wanted < 0"),
            (json!("0"), Op::Eq, json!(0), "holds"),
            (json!("0.0"), Op::Eq, json!(0), "holds"),
            (json!(0), Op::Eq, json!("0.0"), "holds"),
            (json!("3"), Op::Ne, json!(3.0), "/v is 3, wanted ≠ 3.0"),
            (json!("+Inf"), Op::Lt, json!(200), "/v is +Inf, wanted < 200"),
            (json!("+Inf"), Op::Gt, json!(200), "holds"),
            (json!("-Inf"), Op::Gt, json!(200), "/v is -Inf, wanted > 200"),
            (json!("Inf"), Op::Ge, json!("+Inf"), "holds"),
            (json!("12"), Op::Lt, json!("+Inf"), "holds"),
            (json!("NaN"), Op::Lt, json!(1), nan),
            (json!("NaN"), Op::Gt, json!(1), nan),
            (json!("nan"), Op::Eq, json!(1), nan),
            (json!("NaN"), Op::Ne, json!(1), nan),
            (json!(""), Op::Lt, json!(1), no_number),
            (json!(" "), Op::Le, json!(0), no_number),
            (json!("0,12"), Op::Lt, json!(1), no_number),
            (json!("12ms"), Op::Lt, json!(100), no_number),
            (json!("0x10"), Op::Lt, json!(100), no_number),
            (json!([0.1]), Op::Lt, json!(1), no_number),
            (json!({}), Op::Lt, json!(1), no_number),
            (json!(true), Op::Lt, json!(1), no_number),
            // What was asked as text is compared as text.
            (json!("1.0"), Op::Eq, json!("1"), "/v is 1.0, wanted = \"1\""),
            (json!("NaN"), Op::Eq, json!("ok"), "/v is NaN, wanted = \"ok\""),
        ] {
            let document = json!({ "v": seen });
            let comparison = Comparison::new("/v", op, wanted);
            assert_eq!(said(&comparison, &document), expect, "{comparison:?} of {document}");
        }
    }

    #[test]
    fn only_a_number_orders() {
        for (value, good) in [
            (json!(1), true),
            (json!("0.5"), true),
            (json!("+Inf"), true),
            (json!("NaN"), false),
            (json!("fast"), false),
            (json!(null), false),
            (json!(true), false),
        ] {
            let checked = check("require.0", &Comparison::new("/v", Op::Lt, value.clone()));
            assert_eq!(checked.is_ok(), good, "{value}");
        }
    }

    #[test]
    fn a_querys_answer_says_itself_when_it_is_no_proof() {
        let vector = |more: Value| {
            let mut answer = json!({ "status": "success", "data": { "resultType": "vector", "result": [] } });
            answer.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            answer
        };
        for (document, expect) in [
            (vector(json!({})), None),
            (vector(json!({ "warnings": [] })), None),
            (vector(json!({ "warnings": null })), None),
            (vector(json!({ "infos": ["the metric may not be a counter"] })), None),
            (
                vector(json!({ "warnings": ["store-2 can't be reached"] })),
                Some("the query's answer is partial"),
            ),
            (vector(json!({ "isPartial": true })), Some("the query's answer is partial")),
            (vector(json!({ "isPartial": false })), None),
            (
                json!({ "status": "error", "errorType": "timeout", "error": "too slow" }),
                Some("the query failed"),
            ),
            // A service's own words of the same names are no query's.
            (json!({ "status": "error", "rate": 1 }), None),
            (json!({ "status": "ok", "warnings": ["low disk"] }), None),
            (json!([1]), None),
            (json!("text"), None),
        ] {
            assert_eq!(unreliable(&document), expect, "{document}");
        }
    }
}
