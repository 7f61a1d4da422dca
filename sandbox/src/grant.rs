//! Authorization codes and tokens of the networks with OAuth. Only fingerprints are stored.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use domain::platform::Platform;
use rand::RngCore;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::journal::StorageError;
use crate::table::Table;

/// What a person consented to; good once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Code {
    pub platform: Platform,
    pub account: String,
    pub redirect_uri: String,
    pub scopes: Vec<String>,
    pub expires_at: DateTime<Utc>,
    pub used: bool,
}

/// Which of a network's tokens one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// Instagram, one hour.
    Short,
    /// Instagram, sixty days.
    Long,
    /// TikTok.
    Access,
    /// TikTok; each use ends it.
    Refresh,
}

/// What a token allows.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Token {
    pub platform: Platform,
    pub kind: TokenKind,
    pub account: String,
    pub scopes: Vec<String>,
    pub issued_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub revoked: bool,
    /// Shared by the tokens that descend from one consent.
    pub family: String,
}

impl Token {
    pub fn allows(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }
}

/// What became of a token that somebody showed.
pub enum Shown {
    Valid(Token),
    Expired(Token),
    Revoked,
    Unknown,
}

/// All codes and tokens.
pub struct Grants {
    codes: Table<Code>,
    tokens: Table<Token>,
}

impl Grants {
    /// Loads what is still good, or ended so lately that somebody may show it and be told so.
    pub fn open(dir: &Path, now: DateTime<Utc>) -> Result<Self, StorageError> {
        let since = now - TimeDelta::days(7);
        Ok(Self {
            codes: Table::open_keeping(dir, "codes", |code: &Code| code.expires_at > since)?,
            tokens: Table::open_keeping(dir, "tokens", |token: &Token| token.expires_at > since)?,
        })
    }

    /// Stores a consent and returns the code for it.
    pub fn new_code(&mut self, code: Code) -> Result<String, StorageError> {
        // TikTok's codes carry `*` and `!`: a client that does not decode the address fails here, too.
        let text = match code.platform {
            Platform::Tiktok => format!("{}*0!4321.s1", random_text()),
            _ => format!("AQ{}", random_text()),
        };
        self.codes.put(&fingerprint(&text), code)?;
        Ok(text)
    }

    /// Uses up a code; `None` when it is unknown, used, expired, or for another network or address.
    pub fn redeem(
        &mut self,
        platform: Platform,
        text: &str,
        redirect_uri: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Code>, StorageError> {
        let key = fingerprint(text);
        let Some(code) = self.codes.get(&key).cloned() else { return Ok(None) };
        let good = code.platform == platform && !code.used && code.expires_at > now;
        if !good || code.redirect_uri != redirect_uri {
            return Ok(None);
        }
        self.codes.change(&key, |code| code.used = true)?;
        Ok(Some(code))
    }

    /// Stores a token and returns its text, which is kept nowhere.
    pub fn issue(&mut self, token: Token) -> Result<String, StorageError> {
        let prefix = match token.kind {
            TokenKind::Short | TokenKind::Long => "IGAA",
            TokenKind::Access => "act.",
            TokenKind::Refresh => "rft.",
        };
        let text = format!("{prefix}{}{}", random_text(), random_text());
        self.tokens.put(&fingerprint(&text), token)?;
        Ok(text)
    }

    pub fn look(&self, platform: Platform, text: &str, now: DateTime<Utc>) -> Shown {
        match self.tokens.get(&fingerprint(text)) {
            Some(token) if token.platform != platform => Shown::Unknown,
            Some(token) if token.revoked => Shown::Revoked,
            Some(token) if token.expires_at <= now => Shown::Expired(token.clone()),
            Some(token) => Shown::Valid(token.clone()),
            None => Shown::Unknown,
        }
    }

    /// Ends all tokens for which `which` holds.
    pub fn revoke(&mut self, which: impl Fn(&Token) -> bool) -> Result<(), StorageError> {
        self.tokens.change_where(|token| !token.revoked && which(token), |token| token.revoked = true)
    }

    /// Ends one token.
    pub fn revoke_text(&mut self, text: &str) -> Result<(), StorageError> {
        self.tokens.change(&fingerprint(text), |token| token.revoked = true)
    }
}

/// 32 random bytes as text that is safe in an address.
pub fn random_text() -> String {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The name under which a secret is stored and compared.
pub fn fingerprint(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}
