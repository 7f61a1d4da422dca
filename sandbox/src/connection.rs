//! Accepts connections, and can cut one without an answer, which axum alone cannot.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Layer;

/// Connections served at once; more wait in the listener's backlog.
const CONNECTIONS: usize = 1024;
/// How long a client may take to send its request line and headers.
const HEADERS: Duration = Duration::from_secs(30);

/// Longest time for one call: more than the longest fault waits and than a large upload takes.
const CALL: Duration = Duration::from_secs(900);

/// Put into a response instead of an answer: the connection ends here.
#[derive(Clone, Copy)]
pub struct CutConnection;

/// What a cut needs to know of the connection that carries the request.
#[derive(Clone)]
struct Connection(CancellationToken);

/// Serves `router` until `stop`, then lets every connection finish its running request.
pub async fn serve(listener: TcpListener, router: Router, stop: CancellationToken, tasks: TaskTracker) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = async {
                let slot = Arc::clone(&slots).acquire_owned().await;
                (slot, listener.accept().await)
            } => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            (Ok(slot), Ok((stream, _))) => {
                let serving = serve_one(stream, router.clone(), stop.clone());
                tasks.spawn(async move {
                    serving.await;
                    drop(slot);
                });
            }
            (_, Err(error)) => {
                tracing::warn!(%error, "the sandbox could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            (Err(_), _) => return,
        }
    }
}

async fn serve_one(stream: TcpStream, router: Router, stop: CancellationToken) {
    let cut = CancellationToken::new();
    let service = Extension(Connection(cut.clone())).layer(router);
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
    let serving = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
    let mut serving = std::pin::pin!(serving);
    tokio::select! {
        // Dropping the connection closes its socket, whatever the client still waits for.
        () = cut.cancelled() => return,
        _ = serving.as_mut() => return,
        () = stop.cancelled() => {}
    }
    serving.as_mut().graceful_shutdown();
    tokio::select! {
        () = cut.cancelled() => {}
        _ = serving => {}
    }
}

/// Turns a [`CutConnection`] into the end of the connection, and ends calls that take too long; the
/// outermost layer.
pub async fn cut_when_asked(request: Request, next: Next) -> Response {
    let connection = request.extensions().get::<Connection>().cloned();
    let answered = tokio::time::timeout(CALL, next.run(request)).await;
    let response = answered.unwrap_or_else(|_| StatusCode::GATEWAY_TIMEOUT.into_response());
    if response.extensions().get::<CutConnection>().is_some()
        && let Some(Connection(cut)) = connection
    {
        cut.cancel();
        std::future::pending::<()>().await;
    }
    response
}
