//! Fetches the media that a network is told to pull: no redirect, bounded in time and bytes.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, redirect};
use url::Url;

const CONNECT: Duration = Duration::from_secs(5);
/// No bytes for this long, and the fetch has failed.
const SILENCE: Duration = Duration::from_secs(30);
const WHOLE: Duration = Duration::from_secs(600);

/// An answer whose body has not been read.
pub struct Fetched {
    /// Lower case, without parameters; empty when the server sent none.
    pub content_type: String,
    pub body: BoxStream<'static, Result<Bytes, reqwest::Error>>,
}

/// Why nothing could be fetched. Addresses carry signatures, so none is kept here.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("it is not an http or https address")]
    Address,
    #[error("the server did not answer")]
    Unreachable,
    #[error("the server answered {0}")]
    Status(u16),
}

/// A client that goes where it is told and nowhere else.
pub struct Fetcher(Client);

impl Fetcher {
    pub fn open() -> Result<Self, reqwest::Error> {
        // Another part of the process may have chosen the provider before; either serves.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .timeout(WHOLE)
            .user_agent("facebookexternalhit/1.1 (reelmill sandbox)")
            .build()?;
        Ok(Self(client))
    }

    /// Asks for `address` and returns once the headers are there.
    pub async fn get(&self, address: &str) -> Result<Fetched, FetchError> {
        let url = Url::parse(address).map_err(|_| FetchError::Address)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchError::Address);
        }
        let response = self.0.get(url).send().await.map_err(|_| FetchError::Unreachable)?;
        if response.status() != reqwest::StatusCode::OK {
            return Err(FetchError::Status(response.status().as_u16()));
        }
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content_type = content_type.and_then(|value| value.split(';').next()).unwrap_or("");
        Ok(Fetched {
            content_type: content_type.trim().to_ascii_lowercase(),
            body: response.bytes_stream().map_err(reqwest::Error::without_url).boxed(),
        })
    }
}
