//! JSON merge patches: the difference between two objects, and whether an object matches one. No I/O.

use serde_json::{Map, Value};

use crate::request::MARKER;

/// `object` without server-managed metadata, status and our marker: what is left is what people change.
pub(crate) fn settled(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for counted in
            ["managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"]
        {
            metadata.remove(counted);
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(MARKER);
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
    }
    object
}

/// The merge patch that turns `from` into `to`, if they differ. A missing field is null at its topmost missing level;
/// null further down would leave empty objects behind.
pub(crate) fn difference(from: &Value, to: &Value) -> Option<Value> {
    let (Value::Object(before), Value::Object(after)) = (from, to) else {
        return (from != to).then(|| to.clone());
    };
    let mut patch = Map::new();
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    for (name, value) in after {
        let changed = match before.get(name) {
            Some(old) => difference(old, value),
            None => Some(value.clone()),
        };
        if let Some(changed) = changed {
            patch.insert(name.clone(), changed);
        }
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

/// Every place that `one` or `other` names.
pub(crate) fn union(one: &Value, other: &Value) -> Value {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let mut all = one.clone();
            for (name, value) in other {
                let both = all.get(name).map_or_else(|| value.clone(), |mine| union(mine, value));
                all.insert(name.clone(), both);
            }
            Value::Object(all)
        }
        (Value::Null, other) => other.clone(),
        (one, _) => one.clone(),
    }
}

/// The fields of `object` that `shape` has, with null where it has none.
pub(crate) fn part(object: &Value, shape: &Value) -> Value {
    match (object, shape) {
        (Value::Object(_), Value::Object(fields)) => {
            let inner = |name: &str| object.get(name).unwrap_or(&Value::Null);
            Value::Object(fields.iter().map(|(name, it)| (name.clone(), part(inner(name), it))).collect())
        }
        _ => object.clone(),
    }
}

/// Whether `object` has all that `wanted` says; the server may have filled in more inside lists.
pub(crate) fn holds(object: &Value, wanted: &Value) -> bool {
    match (object, wanted) {
        (_, Value::Null) => object.is_null(),
        (Value::Object(_), Value::Object(fields)) => {
            fields.iter().all(|(name, it)| holds(object.get(name).unwrap_or(&Value::Null), it))
        }
        (Value::Array(have), Value::Array(want)) => {
            have.len() == want.len() && have.iter().zip(want).all(|(have, want)| holds(have, want))
        }
        (Value::Null, Value::Object(fields)) => fields.values().all(|it| holds(&Value::Null, it)),
        _ => object == wanted,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_absent_is_absent_again_at_its_topmost_place() {
        for (before, after, back) in [
            (
                json!({"spec": {}}),
                json!({"spec": {"defaultBackend": {"service": {"name": "a", "port": {"number": 80}}}}}),
                json!({"spec": {"defaultBackend": null}}),
            ),
            (json!({"a": {"b": 1}}), json!({"a": {"b": 1, "c": {"d": 2}}}), json!({"a": {"c": null}})),
            (json!({"a": [1, 2]}), json!({"a": [3]}), json!({"a": [1, 2]})),
            (json!({"a": 1}), json!({}), json!({"a": 1})),
        ] {
            assert_eq!(difference(&after, &before), Some(back));
        }
        assert_eq!(difference(&json!({"a": 1}), &json!({"a": 1})), None);
    }

    /// Objects as an API server stores them: it keeps no null.
    fn stored() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(json!(1)), Just(json!("x")), Just(json!([1, 2])), Just(json!({}))];
        let object = leaf.prop_recursive(4, 24, 4, |inner| {
            prop::collection::btree_map("[a-d]", inner, 0..4).prop_map(|map| json!(map))
        });
        prop::collection::btree_map("[a-d]", object, 0..4).prop_map(|map| json!(map))
    }

    proptest! {
        #[test]
        fn a_difference_leads_there_and_its_reverse_back(from in stored(), to in stored()) {
            let mut there = from.clone();
            if let Some(patch) = difference(&from, &to) {
                json_patch::merge(&mut there, &patch);
                prop_assert!(holds(&to, &patch));
            }
            prop_assert_eq!(&there, &to);
            if let Some(back) = difference(&to, &from) {
                json_patch::merge(&mut there, &back);
                prop_assert!(holds(&from, &back));
            }
            prop_assert_eq!(there, from);
        }
    }
}
