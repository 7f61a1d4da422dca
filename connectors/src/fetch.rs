//! The guarded fetcher: downloads from addresses that strangers chose.
//!
//! A name is resolved once, every address it has is checked, and the connection goes to one of
//! exactly those. Redirects pass the same gate. Only https on port 443, except for origins that
//! the configuration names (the sandbox, a private object store).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::Method;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};
use url::{Origin, Url};

use crate::address::is_public;
use crate::answer::{Broken, Class};
use crate::fence::Fence;
use crate::wire::{Outgoing, Payload, Reply, Wire, resolve};

/// How often a fetch is sent elsewhere before it is given up.
const MAX_REDIRECTS: usize = 3;

/// Caps of one download.
#[derive(Clone, Copy, Debug)]
pub struct FetchLimits {
    pub max_bytes: u64,
    /// For the whole download, redirects included.
    pub max_time: Duration,
}

/// What came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    pub bytes: u64,
    /// As the server says it; to be believed only after probing.
    pub content_type: Option<String>,
}

/// Why nothing usable came. Names the host, and nothing else of the address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{host}: {why}")]
pub struct FetchError {
    pub host: String,
    pub why: FetchFailure,
}

/// What to do next: ask the network for a fresh address (`Gone`), try later (`Transient`), or stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchFailure {
    #[error("this address may not be fetched")]
    Forbidden,
    #[error("the address is no longer good (HTTP {0})")]
    Gone(u16),
    #[error("the file is larger than {0} bytes")]
    TooLarge(u64),
    #[error("failed for now: {0}")]
    Transient(String),
    #[error("the downloaded bytes could not be stored")]
    Store,
}

/// Downloads by URL. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Fetcher {
    wire: Wire,
    private_origins: Arc<[Origin]>,
}

impl Fetcher {
    /// `private_origins`: where the address check and the https rule do not apply.
    pub(crate) fn new(wire: Wire, private_origins: &[Url]) -> Self {
        Self { wire, private_origins: private_origins.iter().map(Url::origin).collect() }
    }

    /// Downloads `url` into `into`, which is flushed but neither synced nor removed on failure.
    ///
    /// # Errors
    /// [`FetchError`]; nothing is retried.
    pub async fn download<W>(
        &self,
        url: &Url,
        into: &mut W,
        limits: FetchLimits,
    ) -> Result<Fetched, FetchError>
    where
        W: AsyncWrite + Unpin + Send,
    {
        let deadline = Instant::now() + limits.max_time;
        let fence = Fence::until(deadline);
        let mut url = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let reply = self.get(&url, &fence).await?;
            let fail = |why| FetchError { host: host(&url), why };
            match reply.status {
                200 => {
                    let late = || fail(FetchFailure::Transient(Class::TimedOut.to_string()));
                    let copy = copy(reply, into, limits.max_bytes);
                    return timeout_at(deadline, copy).await.map_err(|_| late())?.map_err(fail);
                }
                301 | 302 | 303 | 307 | 308 => {
                    url = redirected(&url, &reply).ok_or_else(|| fail(FetchFailure::Forbidden))?;
                }
                408 | 425 | 429 | 500.. => {
                    return Err(fail(FetchFailure::Transient(format!("HTTP {}", reply.status))));
                }
                status => return Err(fail(FetchFailure::Gone(status))),
            }
        }
        Err(FetchError { host: host(&url), why: FetchFailure::Forbidden })
    }

    async fn get(&self, url: &Url, fence: &Arc<Fence>) -> Result<Reply, FetchError> {
        let addresses = self.allowed_addresses(url, fence.deadline()).await;
        let addresses = addresses.map_err(|why| FetchError { host: host(url), why })?;
        let body = Payload::from(Bytes::new());
        let outgoing = Outgoing { method: Method::GET, url: url.clone(), headers: Vec::new(), body };
        self.wire.exchange(outgoing, &addresses, fence).await.map_err(|Broken { host, class, .. }| {
            let why = match class {
                Class::BadAddress => FetchFailure::Forbidden,
                other => FetchFailure::Transient(other.to_string()),
            };
            FetchError { host, why }
        })
    }

    /// Resolves once; a single special address among them forbids the whole name.
    async fn allowed_addresses(&self, url: &Url, deadline: Instant) -> Result<Vec<SocketAddr>, FetchFailure> {
        let private = self.private_origins.contains(&url.origin());
        let plain = url.scheme() == "https" && url.port_or_known_default() == Some(443);
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || !(private || plain) {
            return Err(FetchFailure::Forbidden);
        }
        let addresses = timeout_at(deadline, resolve(url)).await.unwrap_or(Err(Class::TimedOut));
        let addresses = addresses.map_err(|class| FetchFailure::Transient(class.to_string()))?;
        if private || addresses.iter().all(|address| is_public(address.ip())) {
            Ok(addresses)
        } else {
            Err(FetchFailure::Forbidden)
        }
    }
}

async fn copy<W>(mut reply: Reply, into: &mut W, max_bytes: u64) -> Result<Fetched, FetchFailure>
where
    W: AsyncWrite + Unpin + Send,
{
    let text = |name| reply.headers.get(name)?.to_str().ok().map(str::to_owned);
    let declared: Option<u64> = text(CONTENT_LENGTH).and_then(|length| length.parse().ok());
    let content_type = text(CONTENT_TYPE);
    if declared.is_some_and(|length| length > max_bytes) {
        return Err(FetchFailure::TooLarge(max_bytes));
    }
    let mut bytes = 0;
    while let Some(frame) = reply.body.frame().await {
        let frame = frame.map_err(|_| FetchFailure::Transient(Class::Interrupted.to_string()))?;
        let Ok(piece) = frame.into_data() else { continue };
        bytes += piece.len() as u64;
        if bytes > max_bytes {
            return Err(FetchFailure::TooLarge(max_bytes));
        }
        into.write_all(&piece).await.map_err(|_| FetchFailure::Store)?;
    }
    into.flush().await.map_err(|_| FetchFailure::Store)?;
    Ok(Fetched { bytes, content_type })
}

fn redirected(from: &Url, reply: &Reply) -> Option<Url> {
    from.join(reply.headers.get(LOCATION)?.to_str().ok()?).ok()
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or("an address").to_owned()
}

#[cfg(test)]
mod tests;
