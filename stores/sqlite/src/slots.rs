//! The texts of a record in one column, for rows of their own would cost as much again as the record.

use crate::error::Fault;

/// Each text after its length, four bytes with the greatest first; nothing if there are none.
pub(crate) fn pack(texts: &[Vec<u8>]) -> Result<Vec<u8>, Fault> {
    let mut packed = Vec::with_capacity(texts.iter().map(|text| 4 + text.len()).sum());
    for text in texts {
        let length = u32::try_from(text.len()).map_err(|_| too_big())?;
        packed.extend_from_slice(&length.to_be_bytes());
        packed.extend_from_slice(text);
    }
    Ok(packed)
}

/// The texts in a column.
pub(crate) fn unpack(mut packed: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
    let mut texts = Vec::new();
    while !packed.is_empty() {
        let (length, rest) = packed.split_first_chunk().ok_or(CUT_OFF)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| CUT_OFF)?;
        let (text, rest) = rest.split_at_checked(length).ok_or(CUT_OFF)?;
        texts.push(text.to_vec());
        packed = rest;
    }
    Ok(texts)
}

const CUT_OFF: Fault = Fault::Damaged("the texts of a record are cut off");

fn too_big() -> Fault {
    Fault::Sql(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_TOOBIG), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_they_were_packed() {
        for texts in
            [vec![], vec![vec![]], vec![b"one".to_vec()], vec![vec![], b"two".to_vec(), vec![0; 70_000]]]
        {
            assert_eq!(unpack(&pack(&texts).unwrap()).unwrap(), texts);
        }
    }

    #[test]
    fn what_is_cut_off_within_a_text_is_damage() {
        let packed = pack(&[b"one".to_vec(), b"two".to_vec()]).unwrap();
        let whole = [0, 7, packed.len()];
        for length in (0..packed.len()).filter(|length| !whole.contains(length)) {
            assert!(unpack(&packed[..length]).is_err(), "{length}");
        }
    }
}
