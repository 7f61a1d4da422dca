//! Envelope encryption of tokens: a data key for each brand, wrapped by a master key.
//!
//! XChaCha20-Poly1305 with random 24-byte nonces. What is sealed names its place (table, column,
//! brand, account, platform) as associated data, so a row that is copied elsewhere does not open.
//! Bytes are `1 | nonce (24) | ciphertext | tag (16)`.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use rand::TryRngCore;
use rand::rngs::OsRng;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// What went wrong. Says nothing of any secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    #[error("no master key is set: give at least one as `id:64 hex digits`")]
    NoMasterKey,
    #[error("master key {position} is not `id:64 hex digits` (32 bytes)")]
    BadMasterKey { position: usize },
    #[error("master key `{id}` is given twice")]
    DoubledMasterKey { id: String },
    #[error("the data key is wrapped by master key `{id}`, which this process was not given")]
    UnknownMasterKey { id: String },
    #[error("a sealed value does not open here: it was altered, or belongs to another place or key")]
    DoesNotOpen,
    #[error("the system gave no random bytes")]
    NoRandomness,
}

/// The master keys of an installation: the first one wraps, all of them unwrap.
pub struct Vault {
    masters: Vec<(String, Zeroizing<[u8; KEY_BYTES]>)>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<&str> = self.masters.iter().map(|(id, _)| id.as_str()).collect();
        f.debug_struct("Vault").field("master_key_ids", &ids).finish()
    }
}

/// A brand's data key as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    pub master_key_id: String,
    pub bytes: Vec<u8>,
}

impl Vault {
    /// Reads master keys, one a line: `id:64 hex digits`. Empty lines are skipped.
    ///
    /// # Errors
    /// When there is none, or one is malformed, too short, too long, or doubled.
    pub fn parse(keys: &SecretString) -> Result<Self, VaultError> {
        let mut masters: Vec<(String, Zeroizing<[u8; KEY_BYTES]>)> = Vec::new();
        let lines = keys.expose_secret().lines().map(str::trim).filter(|line| !line.is_empty());
        for (index, line) in lines.enumerate() {
            let bad = VaultError::BadMasterKey { position: index + 1 };
            let (id, digits) = line.split_once(':').ok_or(bad.clone())?;
            let mut key = Zeroizing::new([0; KEY_BYTES]);
            hex::decode_to_slice(digits, key.as_mut_slice()).map_err(|_| bad.clone())?;
            if id.is_empty() || key.iter().all(|byte| *byte == 0) {
                return Err(bad);
            }
            if masters.iter().any(|(known, _)| known == id) {
                return Err(VaultError::DoubledMasterKey { id: id.to_owned() });
            }
            masters.push((id.to_owned(), key));
        }
        if masters.is_empty() { Err(VaultError::NoMasterKey) } else { Ok(Self { masters }) }
    }

    /// Makes a master key in the form that [`Self::parse`] reads.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate_master_key(id: &str) -> Result<SecretString, VaultError> {
        let key = random::<KEY_BYTES>()?;
        let digits = Zeroizing::new(hex::encode(key.as_slice()));
        Ok(SecretString::from(format!("{id}:{}", digits.as_str())))
    }

    /// Makes a data key for `brand`, wrapped by the first master key.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new_wrapped_key(&self, brand: Uuid) -> Result<WrappedKey, VaultError> {
        let key = random::<KEY_BYTES>()?;
        // The constructor refuses an empty list.
        let (id, master) = self.masters.first().ok_or(VaultError::NoMasterKey)?;
        Ok(WrappedKey {
            master_key_id: id.clone(),
            bytes: encrypt(master, &wrap_place(brand), key.as_slice())?,
        })
    }

    /// Opens the data key of `brand`.
    ///
    /// # Errors
    /// When its master key is unknown, or it was wrapped for another brand.
    pub fn unwrap(&self, brand: Uuid, wrapped: &WrappedKey) -> Result<DataKey, VaultError> {
        let (_, master) = self
            .masters
            .iter()
            .find(|(id, _)| *id == wrapped.master_key_id)
            .ok_or_else(|| VaultError::UnknownMasterKey { id: wrapped.master_key_id.clone() })?;
        let opened = decrypt(master, &wrap_place(brand), &wrapped.bytes)?;
        let key: [u8; KEY_BYTES] = opened.as_slice().try_into().map_err(|_| VaultError::DoesNotOpen)?;
        Ok(DataKey { key: Zeroizing::new(key) })
    }
}

fn wrap_place(brand: Uuid) -> Vec<u8> {
    Place { table: "brand_keys", column: "wrapped", brand, account: Uuid::nil(), platform: "" }.bytes()
}

/// Where a sealed value lives. It opens nowhere else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    pub table: &'a str,
    pub column: &'a str,
    pub brand: Uuid,
    pub account: Uuid,
    pub platform: &'a str,
}

impl Place<'_> {
    fn bytes(&self) -> Vec<u8> {
        // Ids have one length and names hold no zero byte, so two places never read alike.
        let mut bytes = Vec::with_capacity(96);
        for name in [self.table, self.column, self.platform] {
            bytes.extend_from_slice(name.as_bytes());
            bytes.push(0);
        }
        bytes.extend_from_slice(self.brand.as_bytes());
        bytes.extend_from_slice(self.account.as_bytes());
        bytes
    }
}

/// A brand's data key, in the clear for as long as it is held. Wiped when dropped.
pub struct DataKey {
    key: Zeroizing<[u8; KEY_BYTES]>,
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey")
    }
}

/// A sealed value, safe to store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// As read from the database.
    #[must_use]
    pub const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// To be stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl DataKey {
    /// Seals `secret` for `place`.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn seal(&self, place: &Place<'_>, secret: &SecretString) -> Result<Sealed, VaultError> {
        encrypt(&self.key, &place.bytes(), secret.expose_secret().as_bytes()).map(Sealed)
    }

    /// Opens what was sealed for `place`.
    ///
    /// # Errors
    /// When it was altered, or sealed for another place or by another key.
    pub fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<SecretString, VaultError> {
        let opened = decrypt(&self.key, &place.bytes(), &sealed.0)?;
        let text = std::str::from_utf8(&opened).map_err(|_| VaultError::DoesNotOpen)?;
        Ok(SecretString::from(text))
    }
}

fn encrypt(key: &[u8; KEY_BYTES], place: &[u8], plain: &[u8]) -> Result<Vec<u8>, VaultError> {
    let nonce = random::<NONCE_BYTES>()?;
    let cipher = XChaCha20Poly1305::new(Key::from_slice(key));
    let sealed = cipher
        .encrypt(XNonce::from_slice(nonce.as_slice()), Payload { msg: plain, aad: place })
        .map_err(|_| VaultError::DoesNotOpen)?;
    let mut bytes = Vec::with_capacity(1 + NONCE_BYTES + sealed.len());
    bytes.push(VERSION);
    bytes.extend_from_slice(nonce.as_slice());
    bytes.extend_from_slice(&sealed);
    Ok(bytes)
}

fn decrypt(key: &[u8; KEY_BYTES], place: &[u8], bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let Some((&VERSION, rest)) = bytes.split_first() else { return Err(VaultError::DoesNotOpen) };
    let Some((nonce, sealed)) = rest.split_at_checked(NONCE_BYTES) else {
        return Err(VaultError::DoesNotOpen);
    };
    XChaCha20Poly1305::new(Key::from_slice(key))
        .decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad: place })
        .map(Zeroizing::new)
        .map_err(|_| VaultError::DoesNotOpen)
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, VaultError> {
    let mut bytes = Zeroizing::new([0; N]);
    OsRng.try_fill_bytes(bytes.as_mut_slice()).map_err(|_| VaultError::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn vault(ids: &[&str]) -> Vault {
        let keys: Vec<String> =
            ids.iter().map(|id| Vault::generate_master_key(id).unwrap().expose_secret().to_owned()).collect();
        Vault::parse(&SecretString::from(keys.join("\n"))).unwrap()
    }

    fn here() -> Place<'static> {
        Place {
            table: "account_secrets",
            column: "access",
            brand: Uuid::from_u128(1),
            account: Uuid::from_u128(2),
            platform: "telegram",
        }
    }

    #[test]
    fn a_token_opens_at_its_place_and_nowhere_else() {
        let vault = vault(&["a"]);
        let key = vault.unwrap(Uuid::from_u128(1), &vault.new_wrapped_key(Uuid::from_u128(1)).unwrap());
        // Each wrapping is of a fresh key; one is enough here.
        let key = key.unwrap();
        let sealed = key.seal(&here(), &SecretString::from("token")).unwrap();
        assert_eq!(key.open(&here(), &sealed).unwrap().expose_secret(), "token");
        assert!(!sealed.as_bytes().windows(5).any(|window| window == b"token"));
        let elsewhere = [
            Place { table: "oauth_states", ..here() },
            Place { column: "refresh", ..here() },
            Place { brand: Uuid::from_u128(9), ..here() },
            Place { account: Uuid::from_u128(9), ..here() },
            Place { platform: "tiktok", ..here() },
        ];
        for place in elsewhere {
            assert_eq!(key.open(&place, &sealed).err(), Some(VaultError::DoesNotOpen), "{place:?}");
        }
        for cut in [0, 1, 10, 30] {
            let short = Sealed::from_bytes(sealed.as_bytes()[..cut].to_vec());
            assert_eq!(key.open(&here(), &short).err(), Some(VaultError::DoesNotOpen));
        }
    }

    #[test]
    fn a_data_key_opens_for_its_brand_under_its_master_key_even_after_rotation() {
        let old = vault(&["a"]);
        let brand = Uuid::from_u128(1);
        let wrapped = old.new_wrapped_key(brand).unwrap();
        assert!(old.unwrap(brand, &wrapped).is_ok());
        assert_eq!(old.unwrap(Uuid::from_u128(2), &wrapped).err(), Some(VaultError::DoesNotOpen));
        let (id, master) = &old.masters[0];
        let fresh = Vault::generate_master_key("b").unwrap();
        let both = format!("{}\n{id}:{}", fresh.expose_secret(), hex::encode(master.as_slice()));
        let both = Vault::parse(&SecretString::from(both)).unwrap();
        assert!(both.unwrap(brand, &wrapped).is_ok());
        assert_eq!(both.new_wrapped_key(brand).unwrap().master_key_id, "b");
        let unknown = Vault::parse(&fresh).unwrap().unwrap(brand, &wrapped).err();
        assert_eq!(unknown, Some(VaultError::UnknownMasterKey { id: "a".into() }));
    }

    #[test]
    fn missing_short_and_doubled_master_keys_are_refused() {
        let key = "11".repeat(32);
        let parse = |text: &str| Vault::parse(&SecretString::from(text)).err();
        assert_eq!(parse(" \n"), Some(VaultError::NoMasterKey));
        assert_eq!(parse("a:1111"), Some(VaultError::BadMasterKey { position: 1 }));
        assert_eq!(parse(&key), Some(VaultError::BadMasterKey { position: 1 }));
        assert_eq!(parse(&format!("a:{}", "00".repeat(32))), Some(VaultError::BadMasterKey { position: 1 }));
        assert_eq!(
            parse(&format!("a:{key}\na:{key}")),
            Some(VaultError::DoubledMasterKey { id: "a".into() })
        );
    }

    #[test]
    fn debug_shows_no_key() {
        let key = "1122334455667788".repeat(4);
        let vault = Vault::parse(&SecretString::from(format!("a:{key}"))).unwrap();
        assert_eq!(format!("{vault:?}"), r#"Vault { master_key_ids: ["a"] }"#);
    }
}
