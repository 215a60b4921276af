//! The published schemas, `docs/*.schema.json`, are those of the code, and a document is what its schema says.

#![cfg(feature = "schema")]
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs;
use std::path::PathBuf;

use incident_core::config::Settings;
use incident_core::postmortem::PostMortem;
use serde_json::Value;

/// Each schema's name and what the code says it is.
fn schemas() -> [(&'static str, Value); 2] {
    [("settings", Settings::json_schema()), ("post-mortem", PostMortem::json_schema())]
}

fn repository(path: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", path].iter().collect()
}

fn published(name: &str) -> PathBuf {
    repository(&format!("docs/{name}.schema.json"))
}

#[test]
fn the_published_schemas_are_current() {
    let hint = "run `cargo test -p incident-core --test schemas -- --ignored`";
    for (name, schema) in schemas() {
        let published = fs::read_to_string(published(name)).unwrap_or_default().replace("\r\n", "\n");
        assert!(published == format!("{schema:#}\n"), "docs/{name}.schema.json is out of date: {hint}");
    }
}

#[test]
#[ignore = "writes the schemas"]
fn write() {
    for (name, schema) in schemas() {
        fs::write(published(name), format!("{schema:#}\n")).unwrap();
    }
}

#[test]
fn a_document_is_what_its_schema_says() {
    let schema = PostMortem::json_schema();
    let golden = repository("incident-core/tests/documents");
    let mut documents = 0;
    for entry in fs::read_dir(golden).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "json") {
            let document: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let wrong = fits(&schema, &schema, &document, "");
            assert_eq!(wrong, Ok(()), "{}", path.display());
            documents += 1;
        }
    }
    assert_eq!(documents, 3);
}

#[test]
fn what_is_not_a_document_does_not_fit() {
    let schema = PostMortem::json_schema();
    assert!(fits(&schema, &schema, &serde_json::json!({}), "").is_err(), "a field is missing");
    let severity = &schema["properties"]["severity"];
    assert!(fits(&schema, severity, &"sev9".into(), "").is_err(), "there is no such severity");
    assert!(fits(&schema, &schema["properties"]["sections"], &"x".into(), "").is_err(), "it is no list");
}

/// Whether `value` fits `schema`, as far as schemas of ours go; the first place that doesn't.
fn fits(root: &Value, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{at}: {what}"));
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).ok_or("a reference leads nowhere")?;
        fits(root, target, value, at)?;
    }
    if let Some(types) = schema.get("type") {
        let is = |kind: &Value| match kind.as_str() {
            Some("null") => value.is_null(),
            Some("boolean") => value.is_boolean(),
            Some("integer") => value.is_u64() || value.is_i64(),
            Some("number") => value.is_number(),
            Some("string") => value.is_string(),
            Some("array") => value.is_array(),
            _ => value.is_object(),
        };
        let any = types.as_array().map_or_else(|| is(types), |types| types.iter().any(is));
        if !any {
            return wrong(&format!("expected {types}"));
        }
    }
    if schema.get("const").is_some_and(|only| only != value)
        || schema["enum"].as_array().is_some_and(|several| !several.contains(value))
    {
        return wrong("it is none of the values");
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[choice].as_array()
            && !choices.iter().any(|choice| fits(root, choice, value, at).is_ok())
        {
            return wrong("it is none of the choices");
        }
    }
    if let (Some(object), Some(properties)) = (value.as_object(), schema["properties"].as_object()) {
        for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !object.contains_key(required) {
                return wrong(&format!("{required} is missing"));
            }
        }
        for (name, value) in object {
            let Some(schema) = properties.get(name) else { return wrong(&format!("{name} isn't described")) };
            fits(root, schema, value, &format!("{at}/{name}"))?;
        }
    }
    if let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) {
        for (index, item) in items.iter().enumerate() {
            fits(root, schema, item, &format!("{at}/{index}"))?;
        }
    }
    Ok(())
}
