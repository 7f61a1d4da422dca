//! Where objects are stored.

use backplane::blobs::BlobConfig;
use clap::Args;
use secrecy::SecretString;

use super::Problems;

/// Object storage: any server that speaks S3.
#[derive(Debug, Args)]
#[command(next_help_heading = "Object storage (S3)")]
pub struct StorageArguments {
    /// Where this process reaches the server, without a bucket.
    #[arg(long, env = "S3_ENDPOINT")]
    s3_endpoint: Option<String>,
    /// Where phones and browsers reach it; uploads are signed for this address [default: the endpoint].
    #[arg(long, env = "S3_PUBLIC_ENDPOINT")]
    s3_public_endpoint: Option<String>,
    /// Where networks fetch media from [default: the public endpoint].
    #[arg(long, env = "MEDIA_PUBLIC_URL")]
    media_public_url: Option<String>,
    /// The region that requests are signed for.
    #[arg(long, env = "S3_REGION", default_value = "us-east-1")]
    s3_region: String,
    /// The bucket; it is made when it is not there.
    #[arg(long, env = "S3_BUCKET", default_value = "reelmill")]
    s3_bucket: String,
    /// The id of the key that requests are signed with.
    #[arg(long, env = "S3_ACCESS_KEY_ID")]
    s3_access_key_id: Option<String>,
    /// Its secret.
    #[arg(long, env = "S3_SECRET_ACCESS_KEY", hide_env_values = true)]
    s3_secret_access_key: Option<SecretString>,
}

impl StorageArguments {
    /// The section's settings, or a note of every problem.
    pub fn read(&self, problems: &mut Problems) -> Option<BlobConfig> {
        let endpoint = problems.need("S3_ENDPOINT", self.s3_endpoint.as_deref());
        let endpoint = endpoint.and_then(|value| problems.address("S3_ENDPOINT", value));
        let mut optional =
            |name: &str, value: Option<&str>| value.and_then(|value| problems.address(name, value));
        let public_endpoint = optional("S3_PUBLIC_ENDPOINT", self.s3_public_endpoint.as_deref());
        let media_endpoint = optional("MEDIA_PUBLIC_URL", self.media_public_url.as_deref());
        let access_key_id = problems.need("S3_ACCESS_KEY_ID", self.s3_access_key_id.clone());
        let secret_access_key = problems.need("S3_SECRET_ACCESS_KEY", self.s3_secret_access_key.clone());
        Some(BlobConfig {
            endpoint: endpoint?,
            public_endpoint,
            media_endpoint,
            region: self.s3_region.clone(),
            bucket: self.s3_bucket.clone(),
            access_key_id: access_key_id?,
            secret_access_key: secret_access_key?,
        })
    }
}
