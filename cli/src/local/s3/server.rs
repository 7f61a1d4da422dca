//! Listening: signatures checked by `s3s`, CORS for the dashboard's origins, everything else refused.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header::HeaderName},
    response::{IntoResponse as _, Response},
};
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};
use tokio_util::sync::CancellationToken;
use tower_http::cors::{AllowOrigin, Any, CorsLayer};

use super::{api::Api, store::Store};
use crate::local::{kept_port, secret_file};

/// How long open transfers get to finish when the server stops.
const STOP_LIMIT: Duration = Duration::from_secs(5);
/// How long a browser may remember the answer to its preflight.
const PREFLIGHT_AGE: Duration = Duration::from_secs(3600);

/// What the server serves and to whom.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The bucket that exists from the start.
    pub bucket: String,
    /// Web origins whose pages may upload, such as `http://127.0.0.1:4000`.
    pub origins: Vec<HeaderValue>,
    /// The TCP port on 127.0.0.1; when `None`, the one of the last start or a free one.
    pub port: Option<u16>,
}

/// The one key pair of this server.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: SecretString,
}

/// A running server. Dropping it stops it at once.
#[derive(Debug)]
pub struct S3Server {
    address: SocketAddr,
    credentials: Credentials,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl S3Server {
    /// Serves the objects under `dir`, making folder and key pair on the first call.
    ///
    /// # Errors
    /// The folder is not writable or damaged, or the port is taken.
    pub async fn start(dir: &Path, settings: Settings) -> anyhow::Result<Self> {
        secret_file::create_folder(dir, 0o700)?;
        let secret_access_key = secret_file::read_or_create(&dir.join("secret-access-key"))?;
        let credentials = Credentials { access_key_id: "reelmill-local".to_owned(), secret_access_key };
        let root = dir.to_owned();
        let bucket = settings.bucket.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let store = Store::open(&root)?;
            store.create_bucket(&bucket).map(|()| store)
        });
        let store = opened.await.context("open the object store")?.context("open the object store")?;

        let port = match settings.port {
            Some(port) => port,
            None => kept_port(&dir.join("port"), None)?,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .with_context(|| format!("listen on 127.0.0.1:{port} for S3"))?;
        let address = listener.local_addr().context("read the S3 server's address")?;

        let stop = CancellationToken::new();
        let router = router(store, &credentials, settings.origins);
        let serving = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
        let task = tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the local S3 server ended");
            }
        });
        Ok(Self { address, credentials, stop, task })
    }

    /// The endpoint, without a bucket.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The key pair that signs requests.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Takes no more requests, and gives those under way five seconds.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if timeout(STOP_LIMIT, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn router(store: Store, credentials: &Credentials, origins: Vec<HeaderValue>) -> Router {
    let mut builder = S3ServiceBuilder::new(Api::new(Arc::new(store)));
    builder.set_auth(SimpleAuth::from_single(
        credentials.access_key_id.clone(),
        credentials.secret_access_key.expose_secret(),
    ));
    // A browser needs the ETag of each part to complete its upload.
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::HEAD, Method::PUT, Method::POST, Method::DELETE])
        .allow_headers(Any)
        .expose_headers([HeaderName::from_static("etag"), HeaderName::from_static("content-range")])
        .max_age(PREFLIGHT_AGE);
    Router::new().fallback(serve).with_state(builder.build()).layer(cors)
}

async fn serve(State(service): State<S3Service>, request: Request) -> Response {
    match service.call(request.map(s3s::Body::http_body_unsync)).await {
        Ok(response) => response.map(Body::new),
        Err(error) => {
            tracing::error!(error = ?error, "the local S3 server could not answer");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
