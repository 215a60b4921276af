//! Lengths of time in JSON: whole seconds.

use std::time::Duration;

use serde::{Serialize, Serializer};

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
pub(super) fn length<S: Serializer>(length: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(length.as_secs())
}

pub(super) fn maybe<S: Serializer>(length: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    length.map(|length| length.as_secs()).serialize(serializer)
}
