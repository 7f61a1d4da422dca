//! Where the object store is, from inside and from outside.

use std::fmt;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{BehaviorVersion, Region, RequestChecksumCalculation, ResponseChecksumValidation};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// How a process reaches its bucket. `Debug` shows no secret.
#[derive(Clone)]
pub struct BlobConfig {
    /// As this process reaches it.
    pub endpoint: Url,
    /// As browsers and phones reach it (`S3_PUBLIC_ENDPOINT`); `None`: the same.
    pub public_endpoint: Option<Url>,
    /// As networks reach it (`MEDIA_PUBLIC_URL`); `None`: as browsers do.
    pub media_endpoint: Option<Url>,
    pub region: String,
    pub bucket: String,
    pub access_key_id: String,
    pub secret_access_key: SecretString,
}

impl fmt::Debug for BlobConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobConfig")
            .field("endpoint", &self.endpoint.as_str())
            .field("public_endpoint", &self.public_endpoint.as_ref().map(Url::as_str))
            .field("media_endpoint", &self.media_endpoint.as_ref().map(Url::as_str))
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}

impl BlobConfig {
    /// A client that speaks to, or signs for, `endpoint`. Buckets are in the path: hosts like
    /// `bucket.localhost` resolve nowhere.
    pub(super) fn client(&self, endpoint: &Url) -> Client {
        let keys = Credentials::new(
            &self.access_key_id,
            self.secret_access_key.expose_secret(),
            None,
            None,
            "settings",
        );
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(Duration::from_secs(30))
            .operation_attempt_timeout(Duration::from_secs(120))
            .operation_timeout(Duration::from_secs(300));
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .endpoint_url(endpoint.as_str().trim_end_matches('/'))
            .force_path_style(true)
            .credentials_provider(keys)
            .timeout_config(timeouts.build())
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            // Only where the protocol asks for them: other servers refuse or ignore the newer ones.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .http_client(http);
        Client::from_conf(config.build())
    }
}
