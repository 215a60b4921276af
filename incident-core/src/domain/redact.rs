//! placeholder
/// placeholder
pub struct Redacted {
    /// bytes
    pub bytes: Vec<u8>,
    /// count
    pub count: u32,
}
/// placeholder
#[must_use]
pub fn redact(bytes: &[u8]) -> Redacted {
    Redacted { bytes: bytes.to_vec(), count: 0 }
}
