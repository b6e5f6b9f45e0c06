//! API keys: how they are written, and when one is good.
//!
//! A key is `sk_<id>_<secret><checksum>`, in letters and digits only. The id finds its entry, the secret has 256 random
//! bits and is stored as its SHA-256, which is enough for what nobody can guess. The checksum tells a mistyped key, and
//! a leaked one from other text, without a look-up.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crc::{CRC_32_ISO_HDLC, Crc};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::secret::Secret;
use super::tenant::Tenant;

const PREFIX: &str = "sk_";
/// Digits of base 62 for 64 bits, twice 128 bits, and 32 bits.
const ID_LEN: usize = 11;
const HALF_LEN: usize = 22;
const SECRET_LEN: usize = 2 * HALF_LEN;
const CHECKSUM_LEN: usize = 6;
const CHECKSUM: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Requests an hour of a key for which nobody said how many.
pub const DEFAULT_RATE_LIMIT: u32 = 1000;
/// Most requests an hour that a key may have: more is no limit, and a token bucket still counts it exactly.
pub const MAX_RATE_LIMIT: u32 = 100_000_000;

/// What a key is called. No secret: it may be shown and logged.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(Arc<str>);

impl KeyId {
    /// Reads an id; `None` if no key can have it.
    pub fn parse(text: &str) -> Option<Self> {
        is_base62(text, ID_LEN).then(|| Self(text.into()))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How its key begins, by which people recognise it.
    pub fn prefix(&self) -> String {
        format!("{PREFIX}{}", self.0)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A whole key. Its debug form hides the secret.
#[derive(Debug, Clone)]
pub struct ApiKey {
    id: KeyId,
    text: Secret,
}

impl ApiKey {
    /// Random bytes that a new key needs.
    pub const RANDOM_BYTES: usize = 40;

    /// A new key, made of bytes that nobody can guess.
    pub fn new(random: [u8; Self::RANDOM_BYTES]) -> Self {
        let number = |bytes: &[u8]| bytes.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        let id = base62(number(&random[..8]), ID_LEN);
        let secret = [base62(number(&random[8..24]), HALF_LEN), base62(number(&random[24..]), HALF_LEN)].concat();
        let text = format!("{PREFIX}{id}_{secret}");
        let checksum = checksum(&text);
        Self { id: KeyId(id.into()), text: Secret::new(text + &checksum) }
    }

    /// Reads a key as a client sends it; `None` if no key is written like this.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, rest) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let id = KeyId::parse(id)?;
        if !is_base62(rest, SECRET_LEN + CHECKSUM_LEN) {
            return None;
        }
        let (signed, sum) = text.split_at(text.len() - CHECKSUM_LEN);
        (checksum(signed) == sum).then(|| Self { id, text: Secret::new(text) })
    }

    /// What it is called.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The whole key, to be shown once.
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// What is stored of its secret.
    pub fn hash(&self) -> KeyHash {
        let text = self.text.expose();
        let secret_ends = text.len() - CHECKSUM_LEN;
        KeyHash(Sha256::digest(&text[secret_ends - SECRET_LEN..secret_ends]).into())
    }
}

/// The SHA-256 of a key's secret.
#[derive(Clone, Copy)]
pub struct KeyHash(pub [u8; 32]);

impl KeyHash {
    /// Whether both are the same, in a time that does not depend on where they differ.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

/// What is known of a key. Times are since the Unix epoch.
#[derive(Debug, Clone)]
pub struct KeyEntry {
    /// What it is called.
    pub id: KeyId,
    /// Whose requests are made with it.
    pub tenant: Tenant,
    /// What its owner calls it.
    pub name: String,
    /// Requests that may be made with it in an hour.
    pub rate_limit: u32,
    /// When it was made.
    pub created_at: Duration,
    /// When it was last changed.
    pub updated_at: Duration,
    /// When it ends by itself.
    pub expires_at: Option<Duration>,
    /// When it was revoked.
    pub revoked_at: Option<Duration>,
    /// Of its secret.
    pub hash: KeyHash,
}

/// Why a key is not accepted. For the audit log: who presented it is told the same in all cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is no key of this id.
    Unknown,
    /// There is one, with another secret.
    WrongSecret,
    /// Its owner revoked it.
    Revoked,
    /// Its time is over.
    Expired,
}

impl Refusal {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::WrongSecret => "wrong_secret",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}

/// Whether a key that was presented is good now, given the entry of its id. An unknown id takes the same time: a hash
/// and a comparison.
///
/// # Errors
/// [`Refusal`].
pub fn verify(presented: &ApiKey, entry: Option<&KeyEntry>, now: Duration) -> Result<(), Refusal> {
    let nobodys = KeyHash([0; 32]);
    let is_right = presented.hash().matches(entry.map_or(&nobodys, |entry| &entry.hash));
    match entry {
        None => Err(Refusal::Unknown),
        Some(_) if !is_right => Err(Refusal::WrongSecret),
        Some(KeyEntry { revoked_at: Some(_), .. }) => Err(Refusal::Revoked),
        Some(KeyEntry { expires_at: Some(end), .. }) if *end <= now => Err(Refusal::Expired),
        Some(_) => Ok(()),
    }
}

fn checksum(text: &str) -> String {
    base62(u128::from(CHECKSUM.checksum(text.as_bytes())), CHECKSUM_LEN)
}

/// A number in so many digits.
fn base62(mut number: u128, digits: usize) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = vec![b'0'; digits];
    for digit in text.iter_mut().rev() {
        *digit = DIGITS[usize::try_from(number % 62).unwrap_or_default()];
        number /= 62;
    }
    text.into_iter().map(char::from).collect()
}

fn is_base62(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: &ApiKey) -> KeyEntry {
        KeyEntry {
            id: key.id().clone(),
            tenant: Tenant::default(),
            name: "mine".to_owned(),
            rate_limit: DEFAULT_RATE_LIMIT,
            created_at: Duration::ZERO,
            updated_at: Duration::ZERO,
            expires_at: None,
            revoked_at: None,
            hash: key.hash(),
        }
    }

    /// Keys that users have are read for ever.
    #[test]
    fn the_format_stays_as_it_is() {
        let key = ApiKey::new(std::array::from_fn(|n| u8::try_from(n).unwrap()));
        assert_eq!(key.expose(), "sk_001IYT0XLWR_0FA4JN9M3Bn5NV2uNatwQx0jTHp5DAivRlf8MBJ1rHPD4YtSHt");
        assert_eq!(key.expose().len(), PREFIX.len() + ID_LEN + 1 + SECRET_LEN + CHECKSUM_LEN);
        assert_eq!(key.id().prefix(), "sk_001IYT0XLWR");
        let hash: String = key.hash().0[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, "19ef74ad");
    }

    #[test]
    fn a_key_is_read_as_it_was_written() {
        for byte in [0, 1, 0xff] {
            let key = ApiKey::new([byte; ApiKey::RANDOM_BYTES]);
            let read = ApiKey::parse(key.expose()).unwrap();
            assert_eq!((read.id(), read.expose()), (key.id(), key.expose()));
            assert!(read.hash().matches(&key.hash()));
        }
    }

    #[test]
    fn each_slip_of_a_finger_is_noticed_without_a_look_up() {
        let key = ApiKey::new([7; ApiKey::RANDOM_BYTES]).expose().to_owned();
        for at in 0..key.len() {
            let other = if &key[at..=at] == "x" { "y" } else { "x" };
            let slip = [&key[..at], other, &key[at + 1..]].concat();
            assert!(ApiKey::parse(&slip).is_none(), "{slip}");
        }
        let longer = format!("{key}0");
        for text in ["", "sk_", "sk__", "sk_a_b", &longer, &key[..key.len() - 1], &key.replace('_', "é")] {
            assert!(ApiKey::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_key_is_good_while_it_is_neither_revoked_nor_expired() {
        let key = ApiKey::new([7; ApiKey::RANDOM_BYTES]);
        let now = Duration::from_secs(10);
        let good = entry(&key);
        assert_eq!(verify(&key, Some(&good), now), Ok(()));
        assert_eq!(verify(&key, None, now), Err(Refusal::Unknown));
        let other = entry(&ApiKey::new([8; ApiKey::RANDOM_BYTES]));
        assert_eq!(verify(&key, Some(&other), now), Err(Refusal::WrongSecret));
        let revoked = KeyEntry { revoked_at: Some(now), ..good.clone() };
        assert_eq!(verify(&key, Some(&revoked), now), Err(Refusal::Revoked));
        let until = |end| KeyEntry { expires_at: Some(Duration::from_secs(end)), ..good.clone() };
        assert_eq!(verify(&key, Some(&until(11)), now), Ok(()));
        assert_eq!(verify(&key, Some(&until(10)), now), Err(Refusal::Expired));
    }

    #[test]
    fn no_debug_form_has_the_secret_or_its_hash() {
        let key = ApiKey::new([7; ApiKey::RANDOM_BYTES]);
        let shown = format!("{key:?} {:?}", entry(&key));
        let secret = key.expose().rsplit('_').next().unwrap();
        assert!(!shown.contains(secret) && !shown.contains("[14") && shown.contains(key.id().as_str()), "{shown}");
    }
}
