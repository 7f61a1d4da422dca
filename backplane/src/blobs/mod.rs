//! Object storage over the S3 protocol: uploads, originals, results and thumbnails.
//!
//! A key is written once, and a row names it only after its file is verified. What no row names is
//! removed after a day.

mod config;
mod error;
mod multipart;
mod objects;
mod presign;

pub use config::BlobConfig;
pub use error::{BlobError, BlobErrorKind};
pub use multipart::UploadedPart;
pub use objects::{ListedObject, ObjectFacts, ObjectPage};
pub use presign::Audience;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{CorsConfiguration, CorsRule};

use self::error::classify;

/// One bucket. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs {
    bucket: String,
    internal: Client,
    /// Signs what browsers and phones see.
    public: Client,
    /// Signs what networks fetch.
    media: Client,
}

impl Blobs {
    /// Prepares clients; nothing is sent yet.
    #[must_use]
    pub fn new(config: &BlobConfig) -> Self {
        let public = config.public_endpoint.as_ref().unwrap_or(&config.endpoint);
        let media = config.media_endpoint.as_ref().unwrap_or(public);
        Self {
            bucket: config.bucket.clone(),
            internal: config.client(&config.endpoint),
            public: config.client(public),
            media: config.client(media),
        }
    }

    /// Makes the bucket unless it exists, and lets pages of `origins` upload to it where the server
    /// manages such rules itself.
    ///
    /// # Errors
    /// When the server cannot be reached, or the bucket belongs to somebody else.
    pub async fn ensure_bucket(&self, origins: &[String]) -> Result<(), BlobError> {
        let made = self.internal.create_bucket().bucket(&self.bucket).send().await;
        match made.map_err(|error| classify("create bucket", &error)) {
            Err(error)
                if error.code() != "BucketAlreadyOwnedByYou" && error.code() != "BucketAlreadyExists" =>
            {
                return Err(error);
            }
            _ => {}
        }
        if origins.is_empty() {
            return Ok(());
        }
        let rule = CorsRule::builder()
            .set_allowed_origins(Some(origins.to_vec()))
            .set_allowed_methods(Some(["GET", "HEAD", "PUT"].map(str::to_owned).to_vec()))
            .allowed_headers("*")
            .expose_headers("ETag")
            .max_age_seconds(3600)
            .build();
        let Ok(rules) = rule.and_then(|rule| CorsConfiguration::builder().cors_rules(rule).build()) else {
            // Everything that these builders ask for is set right above.
            return Ok(());
        };
        let set = self.internal.put_bucket_cors().bucket(&self.bucket).cors_configuration(rules).send().await;
        match set.map_err(|error| classify("allow origins", &error)) {
            // MinIO and our own server answer every origin by their own settings.
            Err(error) if error.code() == "NotImplemented" || error.code() == "MethodNotAllowed" => Ok(()),
            other => other.map(drop),
        }
    }

    /// Whether the bucket can be reached; for readiness.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn check(&self) -> Result<(), BlobError> {
        let head = self.internal.head_bucket().bucket(&self.bucket).send().await;
        head.map(drop).map_err(|error| classify("head bucket", &error))
    }
}
