//! One HTTP/1.1 exchange over one fresh connection, fenced: what sends, and what fetches.
//!
//! No retry, no redirect, no pool and no proxy, so that no layer can repeat a call.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_LENGTH, HOST, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Request};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;
use url::{Host, Url};

use crate::answer::{Answer, Broken, Class};
use crate::fence::{Fence, FencedStream};

/// Looking a name up, and connecting to one address, each take at most this long.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// An answer to a send is a few hundred bytes; more than this is not from the network.
const ANSWER_CAP: usize = 1024 * 1024;

/// What goes out.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Payload,
}

/// A body whose length is known before its first byte.
pub(crate) struct Payload {
    pub(crate) length: u64,
    pub(crate) body: UnsyncBoxBody<Bytes, io::Error>,
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        let length = bytes.len() as u64;
        Self { length, body: Full::new(bytes).map_err(|never| match never {}).boxed_unsync() }
    }
}

/// The head of an answer, and the connection that its body still comes from.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Incoming,
    _connection: AbortOnDropHandle<()>,
}

/// Makes fresh connections.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    tls: Arc<ClientConfig>,
}

impl Wire {
    pub(crate) const fn new(tls: Arc<ClientConfig>) -> Self {
        Self { tls }
    }

    /// Sends once and reads the whole answer. No byte of the request leaves at or after `deadline`,
    /// and the call ends there.
    ///
    /// # Errors
    /// [`Broken`], whose `left` is `false` only when it is certain that nothing left.
    pub(crate) async fn send(&self, outgoing: Outgoing, deadline: Instant) -> Result<Answer, Broken> {
        let host = host_name(&outgoing.url)?;
        let addresses = timeout_at(deadline, resolve(&outgoing.url))
            .await
            .unwrap_or(Err(Class::TimedOut))
            .map_err(|class| Broken::before(&host, class))?;
        let reply = self.exchange(outgoing, &addresses, &Fence::until(deadline)).await?;
        let (status, headers) = (reply.status, reply.headers);
        let body = Limited::new(reply.body, ANSWER_CAP).collect();
        match timeout_at(deadline, body).await {
            Ok(Ok(body)) => Ok(Answer { status, headers, body: body.to_bytes() }),
            Ok(Err(_)) => Err(Broken::after(&host, Class::Interrupted)),
            Err(_) => Err(Broken::after(&host, Class::TimedOut)),
        }
    }

    /// Sends once, to the first of exactly these addresses that answers, and reads the answer's head.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(crate) async fn exchange(
        &self,
        outgoing: Outgoing,
        addresses: &[SocketAddr],
        fence: &Arc<Fence>,
    ) -> Result<Reply, Broken> {
        let host = host_name(&outgoing.url)?;
        let exchange = self.connect_and_write(outgoing, addresses, fence);
        let class = match timeout_at(fence.deadline(), exchange).await {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(class)) => class,
            Err(_) => Class::TimedOut,
        };
        // Closing first is what makes "nothing left" a promise: see `Fence::close`.
        Err(Broken { host, class, left: fence.close() })
    }

    async fn connect_and_write(
        &self,
        outgoing: Outgoing,
        addresses: &[SocketAddr],
        fence: &Arc<Fence>,
    ) -> Result<Reply, Class> {
        let stream = connect(addresses).await?;
        let stream = FencedStream::new(stream, Arc::clone(fence));
        if outgoing.url.scheme() == "http" {
            return write(stream, outgoing, fence).await;
        }
        let name = outgoing.url.host_str().ok_or(Class::BadAddress)?.trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(name).map_err(|_| Class::BadAddress)?;
        let handshake = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream);
        let stream = timeout(CONNECT_TIMEOUT, handshake).await.map_err(|_| Class::Tls)?;
        write(stream.map_err(|_| Class::Tls)?, outgoing, fence).await
    }
}

/// Every address of a URL's host.
pub(crate) async fn resolve(url: &Url) -> Result<Vec<SocketAddr>, Class> {
    let port = url.port_or_known_default().ok_or(Class::BadAddress)?;
    match url.host().ok_or(Class::BadAddress)? {
        Host::Ipv4(address) => Ok(vec![(address, port).into()]),
        Host::Ipv6(address) => Ok(vec![(address, port).into()]),
        Host::Domain(name) => match timeout(CONNECT_TIMEOUT, lookup_host((name, port))).await {
            Ok(Ok(addresses)) => Ok(addresses.collect()),
            Ok(Err(_)) | Err(_) => Err(Class::Resolve),
        },
    }
}

async fn connect(addresses: &[SocketAddr]) -> Result<TcpStream, Class> {
    for address in addresses {
        if let Ok(Ok(stream)) = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            // Only costs latency when refused.
            let _ = stream.set_nodelay(true);
            return Ok(stream);
        }
    }
    Err(Class::Connect)
}

async fn write<S>(stream: S, outgoing: Outgoing, fence: &Fence) -> Result<Reply, Class>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let request = request(outgoing)?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|_| Class::Interrupted)?;
    fence.arm();
    let connection = AbortOnDropHandle::new(tokio::spawn(async move {
        // Its end reaches the caller as the end of the answer.
        let _ = connection.await;
    }));
    let response = sender.send_request(request).await.map_err(|_| Class::Interrupted)?;
    let (head, body) = response.into_parts();
    Ok(Reply { status: head.status.as_u16(), headers: head.headers, body, _connection: connection })
}

fn request(outgoing: Outgoing) -> Result<Request<UnsyncBoxBody<Bytes, io::Error>>, Class> {
    let url = &outgoing.url;
    let host = url.host_str().ok_or(Class::BadAddress)?;
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let mut request = Request::new(outgoing.body.body);
    *request.method_mut() = outgoing.method;
    *request.uri_mut() = target.parse().map_err(|_| Class::BadAddress)?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_str(&host).map_err(|_| Class::BadAddress)?);
    if outgoing.body.length > 0 || matches!(*request.method(), Method::POST | Method::PUT) {
        request.headers_mut().insert(CONTENT_LENGTH, outgoing.body.length.into());
    }
    request.headers_mut().extend(outgoing.headers);
    Ok(request)
}

fn host_name(url: &Url) -> Result<String, Broken> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Broken::before("an address", Class::BadAddress));
    }
    url.host_str().map(str::to_owned).ok_or_else(|| Broken::before("an address", Class::BadAddress))
}

#[cfg(test)]
mod tests;
