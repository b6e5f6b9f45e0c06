//! Entries as a store keeps them: compressed with zstd, in a quarter of the bytes.

use std::borrow::Cow;

use zstd_safe::{CCtx, DCtx, compress_bound, get_frame_content_size};

/// What every entry has in common with this one, names of headers above all, is not stored again. It belongs to
/// [`PACKED`] for good: entries that were written with another text cannot be read with this one.
const TYPICAL: &[u8] = include_bytes!("typical.json");
/// The first byte of a packed entry. The others are JSON, and begin with a brace.
const PACKED: u8 = 2;
/// Entries are packed once and kept for days. Higher levels take a tenth less at most, for many times the work.
const LEVEL: i32 = 3;
/// Longer entries stay as they are; what claims to be longer is no entry of ours.
const LONGEST: usize = 64 << 20;

/// `None` if it is better kept as it is.
pub(super) fn pack(entry: &[u8]) -> Option<Vec<u8>> {
    if entry.len() > LONGEST {
        return None;
    }
    let mut packed = vec![PACKED; 1 + compress_bound(entry.len())];
    let frame = packed.get_mut(1..)?;
    let length = CCtx::try_create()?.compress_using_dict(frame, entry, TYPICAL, LEVEL).ok()?;
    packed.truncate(1 + length);
    Some(packed)
}

/// What was packed, and anything else as it is; `None` for what pretends to be packed.
pub(super) fn unpack(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    let Some((&PACKED, frame)) = bytes.split_first() else { return Some(Cow::Borrowed(bytes)) };
    let length = usize::try_from(get_frame_content_size(frame).ok().flatten()?).ok()?;
    if length > LONGEST {
        return None;
    }
    let mut entry = vec![0; length];
    let written = DCtx::try_create()?.decompress_using_dict(entry.as_mut_slice(), frame, TYPICAL).ok()?;
    (written == length).then_some(Cow::Owned(entry))
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn what_was_packed_comes_back_and_other_bytes_stay_as_they_are() {
        for entry in [&b""[..], b"{}", TYPICAL, &[7; 100_000]] {
            let packed = pack(entry).unwrap();
            assert_eq!(unpack(&packed).unwrap(), entry);
            assert!(unpack(&packed[..packed.len() - 1]).is_none(), "one that was cut off");
        }
        assert_eq!(unpack(b"{}").unwrap(), &b"{}"[..]);
    }

    #[test]
    fn a_length_that_nobody_can_mean_takes_no_memory() {
        // A frame of one segment that says it has 2^62 bytes.
        let mut liar = vec![PACKED, 0x28, 0xb5, 0x2f, 0xfd, 0xe0];
        liar.extend((1_u64 << 62).to_le_bytes());
        assert!(unpack(&liar).is_none());
    }

    /// Stores have entries that were packed with it.
    #[test]
    fn the_typical_entry_stays_as_it_is() {
        let digest = Sha256::digest(TYPICAL);
        assert_eq!(digest[..4], [0xc3, 0x35, 0xab, 0x32]);
    }
}
