//! Label selectors as a query has them.

use serde_json::Value;

/// One requirement of a selector.
pub(crate) enum Term {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

/// The requirements of `text`.
///
/// # Errors
/// What the server says of one that it can't read.
pub(crate) fn parse(text: &str) -> Result<Vec<Term>, String> {
    let mut terms = Vec::new();
    let (mut depth, mut term) = (0, String::new());
    for character in text.chars() {
        depth += i32::from(character == '(') - i32::from(character == ')');
        if character == ',' && depth == 0 {
            terms.push(one(term.trim())?);
            term.clear();
        } else {
            term.push(character);
        }
    }
    if depth != 0 {
        return Err(format!("unable to parse requirement: found '{term}', expected: ',' or ')'"));
    }
    if !text.is_empty() {
        terms.push(one(term.trim())?);
    }
    Ok(terms)
}

fn one(term: &str) -> Result<Term, String> {
    let values = |list: &str| -> Vec<String> {
        list.trim_end_matches(')').split(',').map(|it| it.trim().to_owned()).collect()
    };
    let parsed = if let Some((key, list)) = term.split_once(" notin (") {
        Term::NotIn(key.trim().to_owned(), values(list))
    } else if let Some((key, list)) = term.split_once(" in (") {
        Term::In(key.trim().to_owned(), values(list))
    } else if let Some((key, value)) = term.split_once("!=") {
        Term::NotIn(key.trim().to_owned(), values(value))
    } else if let Some((key, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        Term::In(key.trim().to_owned(), values(value))
    } else if let Some(key) = term.strip_prefix('!') {
        Term::Absent(key.trim().to_owned())
    } else {
        Term::Exists(term.to_owned())
    };
    let (Term::In(key, _) | Term::NotIn(key, _) | Term::Exists(key) | Term::Absent(key)) = &parsed;
    let is_key = |it: char| it.is_ascii_alphanumeric() || "-_./".contains(it);
    if key.is_empty() || !key.chars().all(is_key) {
        return Err(format!(
            "unable to parse requirement: <nil>: Invalid value: \"{key}\": name part must be non-empty"
        ));
    }
    Ok(parsed)
}

/// Whether `object` meets every requirement.
pub(crate) fn selects(terms: &[Term], object: &Value) -> bool {
    let label = |key: &str| object["metadata"]["labels"][key].as_str();
    terms.iter().all(|term| match term {
        Term::In(key, values) => label(key).is_some_and(|is| values.iter().any(|it| it == is)),
        Term::NotIn(key, values) => label(key).is_none_or(|is| !values.iter().any(|it| it == is)),
        Term::Exists(key) => label(key).is_some(),
        Term::Absent(key) => label(key).is_none(),
    })
}
