//! Kubernetes objects as plain JSON, so that fields which no type here knows survive.

use incident_core::model::id::Digest;
use incident_core::model::time::Time;
use serde_json::Value;

/// The text at `pointer`, or nothing.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The whole number at `pointer`, or 0: the API leaves zeroes out.
pub(crate) fn number(object: &Value, pointer: &str) -> i64 {
    object.pointer(pointer).and_then(whole).unwrap_or(0)
}

/// A whole number, within bounds that no count leaves and in which adding and multiplying by a hundred are safe.
pub(crate) fn whole(value: &Value) -> Option<i64> {
    const MOST: i64 = 1 << 40;
    value.as_i64().map(|number| number.clamp(-MOST, MOST))
}

/// The elements at `pointer`; none if there is no list.
pub(crate) fn items<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The fields at `pointer` in the order of their names; none if there is no map.
pub(crate) fn fields<'a>(object: &'a Value, pointer: &str) -> Vec<(&'a str, &'a Value)> {
    let map = object.pointer(pointer).and_then(Value::as_object);
    let mut fields: Vec<_> = map.into_iter().flatten().map(|(name, value)| (name.as_str(), value)).collect();
    fields.sort_by_key(|(name, _)| *name);
    fields
}

pub(crate) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

pub(crate) fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}

pub(crate) fn resource_version(object: &Value) -> &str {
    text(object, "/metadata/resourceVersion")
}

pub(crate) fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/annotations")?.get(key)?.as_str()
}

pub(crate) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.pointer("/metadata/labels")?.get(key)?.as_str()
}

/// The time at `pointer`, if there is one.
pub(crate) fn time(object: &Value, pointer: &str) -> Option<Time> {
    object.pointer(pointer)?.as_str()?.parse().ok()
}

/// Whether the controller of `object` is the one with this uid.
pub(crate) fn is_controlled_by(object: &Value, uid: &str) -> bool {
    controller(object).is_some_and(|owner| text(owner, "/uid") == uid)
}

/// The owner that controls `object`.
pub(crate) fn controller(object: &Value) -> Option<&Value> {
    let owners = items(object, "/metadata/ownerReferences");
    owners.iter().find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))
}

/// The condition of type `kind`.
pub(crate) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    items(object, "/status/conditions").iter().find(|it| text(it, "/type") == kind)
}

/// A digest that depends on the content alone, not on the order of fields.
pub(crate) fn digest(value: &Value) -> Digest {
    let mut canonical = String::new();
    write_canonical(value, &mut canonical);
    Digest::sha256(canonical.as_bytes())
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut fields: Vec<_> = map.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            out.push('{');
            for (name, value) in fields {
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write_canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(list) => {
            out.push('[');
            for value in list {
                write_canonical(value, out);
                out.push(',');
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

/// Sets the field that `path` leads to. What isn't an object on the way becomes one; a number leads into a list.
pub(crate) fn set(object: &mut Value, path: &[&str], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        *object = value;
        return;
    };
    if let Value::Array(list) = object {
        let place = first.parse().ok().and_then(|place: usize| list.get_mut(place));
        return place.map_or((), |inner| set(inner, rest, value));
    }
    if !object.is_object() {
        *object = Value::Object(serde_json::Map::new());
    }
    if let Value::Object(fields) = object {
        set(fields.entry(*first).or_insert(Value::Null), rest, value);
    }
}

/// `text` as one step of a JSON pointer.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('~', "~0").replace('/', "~1")
}

/// The label selector of a workload or budget, as the API takes it in a query. An empty one selects nothing here.
pub(crate) fn selector(object: &Value, pointer: &str) -> Option<String> {
    let labels = fields(object, &format!("{pointer}/matchLabels"));
    let mut terms: Vec<String> =
        labels.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?))).collect();
    for term in items(object, &format!("{pointer}/matchExpressions")) {
        let key = text(term, "/key");
        let values: Vec<_> = items(term, "/values").iter().filter_map(Value::as_str).collect();
        let values = values.join(",");
        terms.push(match text(term, "/operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            _ => return None,
        });
    }
    (!terms.is_empty()).then(|| terms.join(","))
}

/// Whether the label selector at `pointer` of `object` selects `labelled`.
pub(crate) fn selects(object: &Value, pointer: &str, labelled: &Value) -> bool {
    let has = |key: &str| label(labelled, key);
    let labels = fields(object, &format!("{pointer}/matchLabels"));
    let terms = items(object, &format!("{pointer}/matchExpressions"));
    let all = labels.iter().all(|(key, value)| has(key) == value.as_str());
    let each = terms.iter().all(|term| {
        let value = has(text(term, "/key"));
        let listed = || items(term, "/values").iter().filter_map(Value::as_str).any(|it| Some(it) == value);
        match text(term, "/operator") {
            "In" => listed(),
            "NotIn" => !listed(),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    });
    all && each && object.pointer(pointer).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_digest_depends_on_content_and_not_on_order() {
        let one: Value = serde_json::from_str(r#"{"a":1,"b":[1,{"c":null}]}"#).unwrap();
        let same: Value = serde_json::from_str(r#"{"b":[1,{"c":null}],"a":1}"#).unwrap();
        assert_eq!(digest(&one), digest(&same));
        for other in [json!({"a":1,"b":[{"c":null},1]}), json!({"a":1}), json!({"a":"1","b":[1,{"c":null}]})]
        {
            assert_ne!(digest(&one), digest(&other));
        }
    }

    #[test]
    fn a_field_is_set_whatever_is_in_its_way() {
        for (before, after) in [
            (json!({}), json!({"a": {"b": 1}})),
            (json!({"a": {"b": 0, "c": 2}}), json!({"a": {"b": 1, "c": 2}})),
            (json!({"a": "text"}), json!({"a": {"b": 1}})),
            (json!({"a": [7]}), json!({"a": [7]})),
            (json!(null), json!({"a": {"b": 1}})),
        ] {
            let mut value = before;
            set(&mut value, &["a", "b"], json!(1));
            assert_eq!(value, after);
        }
        let mut list = json!({"a": [{}, {}]});
        set(&mut list, &["a", "1", "b"], json!(1));
        assert_eq!(list, json!({"a": [{}, {"b": 1}]}));
    }

    #[test]
    fn selectors_are_written_as_the_api_takes_them() {
        let object = json!({"spec": {"selector": {
            "matchLabels": {"app": "web"},
            "matchExpressions": [
                {"key": "tier", "operator": "In", "values": ["a", "b"]},
                {"key": "old", "operator": "DoesNotExist"},
            ],
        }}});
        assert_eq!(selector(&object, "/spec/selector").unwrap(), "app=web,tier in (a,b),!old");
        assert_eq!(selector(&json!({"spec": {"selector": {}}}), "/spec/selector"), None);
        let labelled = |labels| json!({"metadata": {"labels": labels}});
        assert!(selects(&object, "/spec/selector", &labelled(json!({"app": "web", "tier": "b"}))));
        assert!(!selects(&object, "/spec/selector", &labelled(json!({"app": "web"}))));
        assert!(!selects(&object, "/spec/other", &labelled(json!({"app": "web", "tier": "b"}))));
    }
}
