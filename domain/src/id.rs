//! Global ids of the public API: a type prefix and a UUID, e.g. `brand_0192f3…` (32 hex digits).

use std::fmt;

use uuid::Uuid;

/// What an id names. The prefix is part of the public API and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Noun {
    Organization,
    User,
    Membership,
    ApiKey,
    Brand,
    SocialAccount,
    MediaAsset,
    Upload,
    TranscodedMedia,
    AdaptedCaption,
    PublishJob,
    PublishTarget,
    AuditEntry,
}

impl Noun {
    /// Every noun that has global ids.
    pub const ALL: [Self; 13] = [
        Self::Organization,
        Self::User,
        Self::Membership,
        Self::ApiKey,
        Self::Brand,
        Self::SocialAccount,
        Self::MediaAsset,
        Self::Upload,
        Self::TranscodedMedia,
        Self::AdaptedCaption,
        Self::PublishJob,
        Self::PublishTarget,
        Self::AuditEntry,
    ];

    /// What stands before the underscore.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Organization => "org",
            Self::User => "user",
            Self::Membership => "member",
            Self::ApiKey => "key",
            Self::Brand => "brand",
            Self::SocialAccount => "account",
            Self::MediaAsset => "asset",
            Self::Upload => "upload",
            Self::TranscodedMedia => "media",
            Self::AdaptedCaption => "caption",
            Self::PublishJob => "job",
            Self::PublishTarget => "target",
            Self::AuditEntry => "audit",
        }
    }
}

/// A typed global id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GlobalId {
    pub noun: Noun,
    pub uuid: Uuid,
}

/// The text is no id of this API, or one of another noun than asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a valid {expected} id")]
pub struct BadId {
    expected: &'static str,
}

impl GlobalId {
    /// Names the object `uuid` of kind `noun`.
    #[must_use]
    pub const fn new(noun: Noun, uuid: Uuid) -> Self {
        Self { noun, uuid }
    }

    /// Reads an id of any noun. Accepts exactly what [`fmt::Display`] writes.
    ///
    /// # Errors
    /// [`BadId`] for any other text.
    pub fn parse(text: &str) -> Result<Self, BadId> {
        let bad = BadId { expected: "object" };
        let (prefix, digits) = text.split_once('_').ok_or(bad.clone())?;
        let noun = Noun::ALL.into_iter().find(|noun| noun.prefix() == prefix).ok_or(bad.clone())?;
        let canonical = digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !canonical {
            return Err(bad);
        }
        let uuid = Uuid::try_parse(digits).map_err(|_| bad)?;
        Ok(Self { noun, uuid })
    }

    /// Reads an id of one noun.
    ///
    /// # Errors
    /// [`BadId`] for any other text, an id of another noun among them.
    pub fn parse_as(noun: Noun, text: &str) -> Result<Uuid, BadId> {
        match Self::parse(text) {
            Ok(id) if id.noun == noun => Ok(id.uuid),
            _ => Err(BadId { expected: noun.prefix() }),
        }
    }
}

impl fmt::Display for GlobalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.noun.prefix(), self.uuid.simple())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_written_and_as_nothing_else() {
        let uuid = Uuid::from_u128(0x0192_f3aa_0000_7000_8000_0000_0000_0001);
        let text = GlobalId::new(Noun::Brand, uuid).to_string();
        assert_eq!(text, "brand_0192f3aa000070008000000000000001");
        assert_eq!(GlobalId::parse_as(Noun::Brand, &text), Ok(uuid));
        for other in [
            "",
            "brand_",
            "brand",
            "asset_0192f3aa000070008000000000000001",
            "brand_0192f3aa-0000-7000-8000-000000000001",
            "brand_0192F3AA000070008000000000000001",
            "brand_0192f3aa00007000800000000000000g",
            "brand_0192f3aa0000700080000000000000011",
        ] {
            assert!(GlobalId::parse_as(Noun::Brand, other).is_err(), "{other}");
        }
    }
}
