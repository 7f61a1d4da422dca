//! Addresses that somebody without our keys may use for a while.

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use url::Url;

use super::{BlobError, BlobErrorKind, Blobs};

/// Who will use an address: it is signed for the host that they reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Browsers, phones and scripts.
    Client,
    /// A network that fetches media.
    Network,
    /// Our own processes.
    Internal,
}

/// The longest that S3 signs for.
const SIGNED_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Blobs {
    /// Where a client puts part `number` (from 1) of an upload, good for `lifetime` (7 days at most).
    ///
    /// # Errors
    /// When the configured address cannot be signed for.
    pub async fn part_address(
        &self,
        key: &str,
        upload: &str,
        number: i32,
        lifetime: Duration,
    ) -> Result<Url, BlobError> {
        let part =
            self.public.upload_part().bucket(&self.bucket).key(key).upload_id(upload).part_number(number);
        let signed = part.presigned(expiring(lifetime)?).await.map_err(|_| unsigned())?;
        signed.uri().parse().map_err(|_| unsigned())
    }

    /// Where `audience` reads an object, good for `lifetime` (7 days at most), answered without a
    /// redirect and with `content_type`.
    ///
    /// # Errors
    /// When the configured address cannot be signed for.
    pub async fn read_address(
        &self,
        audience: Audience,
        key: &str,
        content_type: &str,
        lifetime: Duration,
    ) -> Result<Url, BlobError> {
        let client = match audience {
            Audience::Client => &self.public,
            Audience::Network => &self.media,
            Audience::Internal => &self.internal,
        };
        let object = client.get_object().bucket(&self.bucket).key(key).response_content_type(content_type);
        let signed = object.presigned(expiring(lifetime)?).await.map_err(|_| unsigned())?;
        signed.uri().parse().map_err(|_| unsigned())
    }
}

fn expiring(lifetime: Duration) -> Result<PresigningConfig, BlobError> {
    PresigningConfig::expires_in(lifetime.min(SIGNED_MAX)).map_err(|_| unsigned())
}

fn unsigned() -> BlobError {
    BlobError::new(BlobErrorKind::Refused, "sign an address", "bad address")
}
