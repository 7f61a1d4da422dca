//! Reads to its end the body of a request that was answered early.
//!
//! A server that closes a connection with unread bytes resets it, and the client may lose the
//! answer: a 429 to an upload would look like a broken connection. Real networks linger, too.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::{Stream, StreamExt};
use tokio::runtime::Handle;
use tokio::time::timeout;

/// How long, and how much, an upload that nobody wants is listened to.
const LINGER: Duration = Duration::from_secs(10);
const LINGER_BYTES: usize = 128 * 1024 * 1024;

/// The middleware.
pub async fn unread_bodies(request: Request, next: Next) -> Response {
    let lingering = |body: Body| Body::from_stream(Lingering(Some(body.into_data_stream())));
    next.run(request.map(lingering)).await
}

/// A body that is read on when its reader loses interest; `None` at its end.
struct Lingering(Option<BodyDataStream>);

impl Stream for Lingering {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        let polled = body.poll_next_unpin(cx);
        if !matches!(polled, Poll::Pending | Poll::Ready(Some(Ok(_)))) {
            self.0 = None;
        }
        polled
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        // Without a runtime the server is gone, and with it the connection.
        let (Some(mut body), Ok(runtime)) = (self.0.take(), Handle::try_current()) else { return };
        runtime.spawn(timeout(LINGER, async move {
            let mut left = LINGER_BYTES;
            while let Some(Ok(piece)) = body.next().await {
                let Some(rest) = left.checked_sub(piece.len()) else { return };
                left = rest;
            }
        }));
    }
}
