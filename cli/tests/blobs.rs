//! What Reelmill does with object storage, through its own client, against the S3 server that comes
//! with it. With `TEST_S3_ENDPOINT` and its keys it asks another server the same.
#![expect(clippy::unwrap_used, reason = "a test may stop at a surprise")]

use std::time::Duration;

use backplane::blobs::{Audience, BlobConfig, BlobErrorKind, Blobs};
use cli::local::{S3Server, s3::Settings};
use secrecy::SecretString;
use url::Url;

const BUCKET: &str = "reelmill-blobs";
const ORIGIN: &str = "http://127.0.0.1:4000";
const HOUR: Duration = Duration::from_secs(3600);
const PART: usize = 5 << 20;

struct Target {
    blobs: Blobs,
    folder: tempfile::TempDir,
    _server: Option<S3Server>,
}

async fn target() -> Target {
    let folder = tempfile::tempdir().unwrap();
    let (endpoint, access_key_id, secret_access_key, server) = match std::env::var("TEST_S3_ENDPOINT") {
        Ok(endpoint) => {
            let key = std::env::var("TEST_S3_ACCESS_KEY_ID").unwrap();
            let secret = std::env::var("TEST_S3_SECRET_ACCESS_KEY").unwrap();
            (endpoint, key, SecretString::from(secret), None)
        }
        Err(_) => {
            let settings =
                Settings { bucket: BUCKET.to_owned(), origins: vec![ORIGIN.parse().unwrap()], port: None };
            let server = S3Server::start(&folder.path().join("s3"), settings).await.unwrap();
            let keys = server.credentials();
            (server.url(), keys.access_key_id.clone(), keys.secret_access_key.clone(), Some(server))
        }
    };
    let endpoint: Url = endpoint.parse().unwrap();
    // Localhost and 127.0.0.1 are one server here, and two hosts to a signature.
    let mut media = endpoint.clone();
    media.set_host(Some("localhost")).unwrap();
    let config = BlobConfig {
        endpoint,
        public_endpoint: None,
        media_endpoint: Some(media),
        region: "us-east-1".to_owned(),
        bucket: BUCKET.to_owned(),
        access_key_id,
        secret_access_key,
    };
    let blobs = Blobs::new(&config);
    blobs.ensure_bucket(&[ORIGIN.to_owned()]).await.unwrap();
    blobs.ensure_bucket(&[ORIGIN.to_owned()]).await.unwrap();
    blobs.check().await.unwrap();
    Target { blobs, folder, _server: server }
}

fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

#[tokio::test]
async fn a_phone_uploads_in_parts_and_completes_as_often_as_it_likes() {
    let Target { blobs, .. } = &target().await;
    let (key, http) = ("uploads/a.mp4", http());
    let upload = blobs.begin_upload(key, "video/mp4").await.unwrap();
    for (number, part) in [(2, bytes(100)), (1, bytes(PART))] {
        let address = blobs.part_address(key, &upload, number, HOUR).await.unwrap();
        let answer = http.put(address).body(part).send().await.unwrap();
        assert!(answer.status().is_success());
        assert!(answer.headers().contains_key("etag"));
    }
    let parts = blobs.uploaded_parts(key, &upload).await.unwrap();
    assert_eq!(
        parts.iter().map(|part| (part.number, part.bytes)).collect::<Vec<_>>(),
        [(1, PART as u64), (2, 100)]
    );
    for _ in 0..3 {
        assert_eq!(blobs.complete_upload(key, &upload, &parts).await.unwrap(), PART as u64 + 100);
    }
    let facts = blobs.head(key).await.unwrap();
    assert_eq!((facts.bytes, facts.content_type.as_deref()), (PART as u64 + 100, Some("video/mp4")));
    assert!(blobs.uploaded_parts(key, &upload).await.unwrap_err().is_not_found());

    let other = blobs.begin_upload("uploads/b.mp4", "video/mp4").await.unwrap();
    blobs.abort_upload("uploads/b.mp4", &other).await.unwrap();
    blobs.abort_upload("uploads/b.mp4", &other).await.unwrap();
    assert!(blobs.complete_upload("uploads/b.mp4", &other, &[]).await.is_err());
}

#[tokio::test]
async fn files_go_up_and_come_down_whole_and_never_beyond_a_limit() {
    let Target { blobs, folder, .. } = &target().await;
    // One in a single request, one in three parts.
    for (name, length) in [("small", 1000), ("large", (32 << 20) + 7)] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes(length)).unwrap();
        let key = format!("media/{name}");
        assert_eq!(blobs.upload(&path, &key, "image/jpeg").await.unwrap(), length as u64);
        let back = folder.path().join(format!("{name}.back"));
        assert_eq!(blobs.download(&key, &back, 1 << 30).await.unwrap(), length as u64);
        assert!(std::fs::read(&back).unwrap() == bytes(length), "the same bytes");
        let refused = blobs.download(&key, &folder.path().join("x"), length as u64 - 1).await.unwrap_err();
        assert_eq!(refused.kind, BlobErrorKind::Refused);
        let twice = blobs.download(&key, &back, 1 << 30).await.unwrap_err();
        assert_eq!(twice.kind, BlobErrorKind::Local, "no file is written over");
    }
    let gone = blobs.download("media/none", &folder.path().join("y"), 10).await.unwrap_err();
    assert!(gone.is_not_found());
    assert!(!gone.to_string().contains("http"), "an error names no address");
}

#[tokio::test]
async fn a_network_fetches_without_a_redirect_and_gets_the_right_type() {
    let Target { blobs, folder, .. } = &target().await;
    let path = folder.path().join("file");
    std::fs::write(&path, b"jpeg").unwrap();
    blobs.upload(&path, "media/photo", "application/octet-stream").await.unwrap();
    for audience in [Audience::Client, Audience::Network, Audience::Internal] {
        let address = blobs.read_address(audience, "media/photo", "image/jpeg", HOUR).await.unwrap();
        let host = if audience == Audience::Network { "localhost" } else { "127.0.0.1" };
        assert_eq!(address.host_str(), Some(host), "each is signed for its own host");
        let answer = http().get(address.clone()).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{audience:?}");
        assert_eq!(answer.headers()["content-type"], "image/jpeg");
        assert_eq!(answer.bytes().await.unwrap().as_ref(), b"jpeg");
        let mut forged = address;
        forged.set_path("/reelmill-blobs/media/other");
        assert_eq!(http().get(forged).send().await.unwrap().status(), 403);
    }
}

#[tokio::test]
async fn objects_are_listed_in_pages_and_removed_together() {
    let Target { blobs, folder, .. } = &target().await;
    let path = folder.path().join("file");
    std::fs::write(&path, b"x").unwrap();
    for name in ["a", "b", "c"] {
        blobs.upload(&path, &format!("old/{name}"), "image/jpeg").await.unwrap();
    }
    let page = blobs.list("old/", Some("old/a")).await.unwrap();
    assert_eq!(page.objects.iter().map(|object| object.key.as_str()).collect::<Vec<_>>(), ["old/b", "old/c"]);
    assert_eq!(page.next, None);
    assert!((chrono::Utc::now() - page.objects[0].modified).num_minutes().abs() < 5);
    let keys = ["old/a", "old/b", "old/c", "old/never"].map(str::to_owned);
    blobs.delete(&keys).await.unwrap();
    assert!(blobs.list("old/", None).await.unwrap().objects.is_empty());
}
