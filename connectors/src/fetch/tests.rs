//! The guard, tried against a real server that plays the stranger.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::net::Ipv4Addr;

use axum::Router;
use axum::body::Body;
use axum::response::Redirect;
use axum::routing::get;
use futures_util::stream;
use tokio::net::TcpListener;

use super::{Arc, Bytes, Duration, FetchError, FetchFailure, FetchLimits, Fetched, Fetcher, Url, Wire};

const LIMITS: FetchLimits = FetchLimits { max_bytes: 1000, max_time: Duration::from_secs(5) };

/// A server on this machine: an address that a stranger's URL must not reach.
async fn stranger() -> Url {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let base: Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let endless = || async {
        // Without a length: only counting stops it.
        Body::from_stream(stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[7; 300]))))
    };
    let slow = || async {
        tokio::time::sleep(Duration::from_secs(60)).await;
    };
    let app = Router::new()
        .route("/file", get(|| async { "0123456789" }))
        .route("/large", get(|| async { vec![7_u8; 1001] }))
        .route("/endless", get(endless))
        .route("/slow", get(slow))
        .route("/hop", get(|| async { Redirect::temporary("/file") }))
        .route("/loop", get(|| async { Redirect::temporary("/loop") }))
        .route("/inside", get(|| async { Redirect::temporary("http://127.0.0.1:1/admin") }))
        .route("/metadata", get(|| async { Redirect::temporary("https://169.254.169.254/latest") }));
    tokio::spawn(async move { axum::serve(listener, app).await });
    base
}

fn fetcher(private_origins: &[Url]) -> Fetcher {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Fetcher::new(Wire::new(Arc::new(tls)), private_origins)
}

async fn fetch(fetcher: &Fetcher, url: &Url, limits: FetchLimits) -> Result<(Fetched, Vec<u8>), FetchError> {
    let mut bytes = Vec::new();
    fetcher.download(url, &mut bytes, limits).await.map(|fetched| (fetched, bytes))
}

#[tokio::test]
async fn a_configured_origin_is_fetched_whole_and_within_its_caps() {
    let base = stranger().await;
    let fetcher = fetcher(std::slice::from_ref(&base));
    for path in ["file", "hop"] {
        let (fetched, bytes) = fetch(&fetcher, &base.join(path).unwrap(), LIMITS).await.unwrap();
        assert_eq!((fetched.bytes, &bytes[..]), (10, &b"0123456789"[..]), "{path}");
        assert_eq!(fetched.content_type.as_deref(), Some("text/plain; charset=utf-8"), "{path}");
    }
    let refused = [
        ("large", FetchFailure::TooLarge(1000)),
        ("endless", FetchFailure::TooLarge(1000)),
        ("loop", FetchFailure::Forbidden),
        ("inside", FetchFailure::Forbidden),
        ("metadata", FetchFailure::Forbidden),
        ("absent", FetchFailure::Gone(404)),
    ];
    for (path, why) in refused {
        let error = fetch(&fetcher, &base.join(path).unwrap(), LIMITS).await.unwrap_err();
        assert_eq!(error.why, why, "{path}");
    }
    let hurry = FetchLimits { max_time: Duration::from_millis(200), ..LIMITS };
    let error = fetch(&fetcher, &base.join("slow").unwrap(), hurry).await.unwrap_err();
    assert!(matches!(error.why, FetchFailure::Transient(_)), "{error}");
}

#[tokio::test]
async fn a_stranger_cannot_point_the_fetcher_at_this_machine_or_off_https() {
    let base = stranger().await;
    let port = base.port().unwrap();
    let fetcher = fetcher(&[]);
    let addresses = [
        format!("http://127.0.0.1:{port}/file"),
        format!("https://127.0.0.1:{port}/file"),
        "https://127.0.0.1/file".into(),
        "https://localhost/file".into(),
        "https://2130706433/file".into(),
        "https://0x7f.1/file".into(),
        "https://[::1]/file".into(),
        "https://[::ffff:10.0.0.1]/file".into(),
        "https://169.254.169.254/latest/meta-data".into(),
        "https://user:password@1.1.1.1/".into(),
        "http://1.1.1.1/".into(),
        "https://1.1.1.1:8443/".into(),
        "file:///etc/passwd".into(),
        "ftp://1.1.1.1/file".into(),
    ];
    for address in addresses {
        let error = fetch(&fetcher, &address.parse().unwrap(), LIMITS).await.unwrap_err();
        assert_eq!(error.why, FetchFailure::Forbidden, "{address}");
    }
}
