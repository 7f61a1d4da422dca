//! The client for calls that may be repeated: the only file that knows reqwest.
//!
//! A reqwest error's text contains the URL, and with it Telegram's token: here it becomes a class.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use reqwest::header::RANGE;
use reqwest::{Client, RequestBuilder, Response, redirect};
use rustls::ClientConfig;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::answer::{Answer, Broken, Class};

/// A whole call, answer included.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Without a byte for this long a download is given up.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// A page of 50 Instagram posts with children is about 150 kB.
const ANSWER_CAP: usize = 4 * 1024 * 1024;
/// The slowest download that is waited for, bytes/s.
const SLOWEST: u64 = 256 * 1024;

/// Reads, and writes that only prepare.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: Client,
}

impl Http {
    pub(crate) fn new(tls: &Arc<ClientConfig>) -> Self {
        let client = Client::builder()
            .tls_backend_preconfigured(ClientConfig::clone(tls))
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(IDLE_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            .pool_idle_timeout(Duration::from_secs(30))
            .build()
            .expect("the TLS settings are rustls' own, and no other setting can be refused");
        Self { client }
    }

    pub(crate) async fn get(&self, url: Url) -> Result<Answer, Broken> {
        let host = host(&url);
        answer(host, self.client.get(url)).await
    }

    pub(crate) async fn post_form(&self, url: Url, form: &[(&str, &str)]) -> Result<Answer, Broken> {
        let host = host(&url);
        answer(host, self.client.post(url).form(form)).await
    }

    pub(crate) async fn post_json(
        &self,
        url: Url,
        bearer: &SecretString,
        json: &serde_json::Value,
    ) -> Result<Answer, Broken> {
        let host = host(&url);
        answer(host, self.client.post(url).bearer_auth(bearer.expose_secret()).json(json)).await
    }

    /// Opens `range` of one of our own stored files; fails unless exactly that range comes.
    pub(crate) async fn open(
        &self,
        url: Url,
        range: Range<u64>,
    ) -> Result<impl Stream<Item = Result<Bytes, Broken>> + Send + use<>, Broken> {
        let host = host(&url);
        let length = range.end - range.start;
        let request = self
            .client
            .get(url)
            .timeout(CALL_TIMEOUT + Duration::from_secs(length / SLOWEST))
            .header(RANGE, format!("bytes={}-{}", range.start, range.end.saturating_sub(1)));
        let response = request.send().await.map_err(|error| broken(&host, &error))?;
        let whole = range.start == 0 && response.status().as_u16() == 200;
        if !(whole || response.status().as_u16() == 206) || response.content_length() != Some(length) {
            return Err(Broken::before(&host, Class::Media));
        }
        Ok(response.bytes_stream().map(move |piece| piece.map_err(|error| broken(&host, &error))))
    }
}

async fn answer(host: String, request: RequestBuilder) -> Result<Answer, Broken> {
    let response = request.send().await.map_err(|error| broken(&host, &error))?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = body(&host, response).await?;
    Ok(Answer { status, headers, body })
}

async fn body(host: &str, response: Response) -> Result<Bytes, Broken> {
    let mut body = BytesMut::new();
    let mut stream = response.bytes_stream();
    while let Some(piece) = stream.next().await {
        let piece = piece.map_err(|error| broken(host, &error))?;
        if body.len() + piece.len() > ANSWER_CAP {
            return Err(Broken::after(host, Class::TooLarge));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or("an address").to_owned()
}

fn broken(host: &str, error: &reqwest::Error) -> Broken {
    let class = if error.is_timeout() {
        Class::TimedOut
    } else if error.is_connect() {
        Class::Connect
    } else if error.is_builder() {
        Class::BadAddress
    } else {
        Class::Interrupted
    };
    Broken::after(host, class)
}
