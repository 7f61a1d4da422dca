//! Opaque secrets of sessions, API keys and invitations: 256 random bits, stored hashed only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::RngCore as _;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// What a secret opens; its prefix tells people and secret scanners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    Session,
    ApiKey,
    Invitation,
    OauthState,
}

impl TokenKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Session => "rms_",
            Self::ApiKey => "rmk_",
            Self::Invitation => "rmi_",
            Self::OauthState => "rmo_",
        }
    }

    /// What `text` claims to be; `None` for anything that this server never hands out.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        [Self::Session, Self::ApiKey, Self::Invitation, Self::OauthState]
            .into_iter()
            .find(|kind| text.len() == kind.prefix().len() + 43 && text.starts_with(kind.prefix()))
    }
}

/// A fresh secret. It is shown once; [`hash`] of it is what is stored.
#[must_use]
pub fn fresh(kind: TokenKind) -> SecretString {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    format!("{}{}", kind.prefix(), URL_SAFE_NO_PAD.encode(bytes)).into()
}

/// SHA-256 of a secret. Enough for 256 random bits: there is nothing to guess.
#[must_use]
pub fn hash(token: &SecretString) -> Vec<u8> {
    Sha256::digest(token.expose_secret()).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_what_it_opens() {
        let token = fresh(TokenKind::ApiKey);
        assert_eq!(TokenKind::of(token.expose_secret()), Some(TokenKind::ApiKey));
        assert_eq!(TokenKind::of("rmk_short"), None);
        assert_eq!(TokenKind::of(""), None);
        assert_ne!(hash(&fresh(TokenKind::Session)), hash(&fresh(TokenKind::Session)));
    }
}
