//! Looking for a byte of some kind, many bytes at once.

/// Bytes that are looked at together. Without a branch for each of them the compiler uses vector instructions.
const BLOCK: usize = 32;

/// The first byte for which `is_wanted` holds.
#[inline]
pub(super) fn first(bytes: &[u8], is_wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let is_other = |block: &&[u8]| !block.iter().fold(false, |wanted, byte| wanted | is_wanted(*byte));
    let skipped = bytes.chunks_exact(BLOCK).take_while(is_other).count() * BLOCK;
    let found = bytes.get(skipped..)?.iter().position(|byte| is_wanted(*byte))?;
    Some(skipped + found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_is_found_wherever_it_is() {
        for length in [0, 1, 31, 32, 33, 64, 100] {
            let mut bytes = vec![b'a'; length];
            assert_eq!(first(&bytes, |byte| byte == b'b'), None);
            for at in (0..length).rev() {
                bytes[at] = b'b';
                assert_eq!(first(&bytes, |byte| byte == b'b'), Some(at));
            }
        }
    }
}
