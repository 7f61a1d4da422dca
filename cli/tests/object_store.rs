//! The storage conformance suite: what Reelmill asks of an S3 server, asked of the one in this process through
//! the AWS SDK. With `TEST_S3_ENDPOINT` and its keys it asks another server the same, such as MinIO.
#![expect(clippy::unwrap_used, reason = "a test may stop at a surprise")]

use std::time::Duration;

use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
    error::ProvideErrorMetadata as _,
    presigning::PresigningConfig,
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier},
};
use cli::local::{S3Server, s3::Settings};
use secrecy::ExposeSecret as _;

const BUCKET: &str = "reelmill-conformance";
const ORIGIN: &str = "http://127.0.0.1:4000";
const MIB: usize = 1024 * 1024;

/// A server to ask, and a client that knows its keys.
struct Target {
    client: Client,
    endpoint: String,
    /// Keeps our own server and its folder alive; `None` when another one is asked.
    _own: Option<(S3Server, tempfile::TempDir)>,
}

impl Target {
    async fn new() -> Self {
        if let Ok(endpoint) = std::env::var("TEST_S3_ENDPOINT") {
            let key = std::env::var("TEST_S3_ACCESS_KEY_ID").unwrap();
            let client = client(&endpoint, &key, &std::env::var("TEST_S3_SECRET_ACCESS_KEY").unwrap());
            let _ = client.create_bucket().bucket(BUCKET).send().await;
            return Self { client, endpoint, _own: None };
        }
        let folder = tempfile::tempdir().unwrap();
        let server = start(folder.path()).await;
        let keys = server.credentials();
        let client = client(&server.url(), &keys.access_key_id, keys.secret_access_key.expose_secret());
        Self { client, endpoint: server.url(), _own: Some((server, folder)) }
    }

    async fn begin(&self, key: &str) -> String {
        let upload = self.client.create_multipart_upload().bucket(BUCKET).key(key).content_type("video/mp4");
        upload.send().await.unwrap().upload_id.unwrap()
    }

    async fn part(&self, key: &str, upload: &str, number: i32, bytes: Vec<u8>) -> String {
        let part = self.client.upload_part().bucket(BUCKET).key(key).upload_id(upload).part_number(number);
        part.body(ByteStream::from(bytes)).send().await.unwrap().e_tag.unwrap()
    }

    async fn complete(&self, key: &str, upload: &str, parts: &[(i32, String)]) -> Result<String, String> {
        let parts = parts.iter().map(|(n, tag)| CompletedPart::builder().part_number(*n).e_tag(tag).build());
        let list = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
        let request = self.client.complete_multipart_upload().bucket(BUCKET).key(key).upload_id(upload);
        match request.multipart_upload(list).send().await {
            Ok(answer) => Ok(answer.e_tag.unwrap()),
            Err(error) => Err(error.into_service_error().code().unwrap_or("none").to_owned()),
        }
    }

    async fn get(&self, key: &str) -> Vec<u8> {
        let object = self.client.get_object().bucket(BUCKET).key(key).send().await.unwrap();
        object.body.collect().await.unwrap().to_vec()
    }

    async fn put(&self, key: &str, bytes: &[u8]) {
        let put = self.client.put_object().bucket(BUCKET).key(key).content_type("image/jpeg");
        put.body(ByteStream::from(bytes.to_vec())).send().await.unwrap();
    }
}

async fn start(folder: &std::path::Path) -> S3Server {
    let settings = Settings { bucket: BUCKET.to_owned(), origins: vec![ORIGIN.parse().unwrap()], port: None };
    S3Server::start(&folder.join("s3"), settings).await.unwrap()
}

fn client(endpoint: &str, key: &str, secret: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .credentials_provider(Credentials::new(key, secret, None, None, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    Client::from_conf(config.build())
}

fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

fn hour() -> PresigningConfig {
    PresigningConfig::expires_in(Duration::from_secs(3600)).unwrap()
}

/// Bytes that differ from part to part, so that a wrong order would show.
fn bytes(seed: u8, length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at % 251).unwrap() ^ seed).collect()
}

#[tokio::test]
async fn an_upload_that_lost_a_part_is_resumed_by_listing_and_completed_twice() {
    let target = Target::new().await;
    let upload = target.begin("resumed.mp4").await;
    target.part("resumed.mp4", &upload, 1, bytes(1, 5 * MIB)).await;
    target.part("resumed.mp4", &upload, 3, bytes(3, 1000)).await;

    let list = target.client.list_parts().bucket(BUCKET).key("resumed.mp4").upload_id(&upload);
    let listed = list.send().await.unwrap();
    let mut parts: Vec<(i32, String)> = listed
        .parts()
        .iter()
        .map(|part| (part.part_number().unwrap(), part.e_tag().unwrap().to_owned()))
        .collect();
    assert_eq!(parts.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(listed.parts()[0].size(), Some(5 * MIB as i64));

    let missing = [parts[0].clone(), (2, parts[0].1.clone()), parts[1].clone()];
    assert_eq!(target.complete("resumed.mp4", &upload, &missing).await, Err("InvalidPart".to_owned()));
    // Sent twice with other bytes: the later one counts.
    target.part("resumed.mp4", &upload, 2, bytes(9, 5 * MIB)).await;
    parts.insert(1, (2, target.part("resumed.mp4", &upload, 2, bytes(2, 5 * MIB)).await));

    let first = target.complete("resumed.mp4", &upload, &parts).await.unwrap();
    assert!(first.ends_with("-3\""), "{first}");
    assert_eq!(target.complete("resumed.mp4", &upload, &parts).await.as_ref(), Ok(&first));
    let whole = [bytes(1, 5 * MIB), bytes(2, 5 * MIB), bytes(3, 1000)].concat();
    assert!(target.get("resumed.mp4").await == whole);
    let head = target.client.head_object().bucket(BUCKET).key("resumed.mp4").send().await.unwrap();
    assert_eq!((head.content_length(), head.content_type()), (Some(10_486_760), Some("video/mp4")));
    assert_eq!(head.e_tag(), Some(first.as_str()));
}

#[tokio::test]
async fn twenty_completions_at_once_agree() {
    let target = Target::new().await;
    let upload = target.begin("raced.mp4").await;
    let parts = [(1, target.part("raced.mp4", &upload, 1, bytes(1, 100)).await)];
    let all =
        futures_util::future::join_all((0..20).map(|_| target.complete("raced.mp4", &upload, &parts))).await;
    assert!(all.iter().all(|one| one.is_ok() && one == &all[0]), "{all:?}");
    assert_eq!(target.get("raced.mp4").await, bytes(1, 100));
}

#[tokio::test]
async fn a_refused_completion_loses_nothing() {
    let target = Target::new().await;
    let upload = target.begin("small.mp4").await;
    let first = target.part("small.mp4", &upload, 1, bytes(1, 100)).await;
    let second = target.part("small.mp4", &upload, 2, bytes(2, 100)).await;
    let parts = [(1, first.clone()), (2, second.clone())];
    assert_eq!(target.complete("small.mp4", &upload, &parts).await, Err("EntityTooSmall".to_owned()));
    let turned = [(2, second.clone()), (1, first)];
    assert_eq!(target.complete("small.mp4", &upload, &turned).await, Err("InvalidPartOrder".to_owned()));
    assert!(target.complete("small.mp4", &upload, &[(2, second)]).await.is_ok());
    assert_eq!(target.get("small.mp4").await, bytes(2, 100));
}

#[tokio::test]
async fn an_aborted_upload_is_gone() {
    let target = Target::new().await;
    let upload = target.begin("aborted.mp4").await;
    let parts = [(1, target.part("aborted.mp4", &upload, 1, bytes(1, 100)).await)];
    let abort = target.client.abort_multipart_upload().bucket(BUCKET).key("aborted.mp4").upload_id(&upload);
    abort.send().await.unwrap();
    assert_eq!(target.complete("aborted.mp4", &upload, &parts).await, Err("NoSuchUpload".to_owned()));
    assert!(target.client.head_object().bucket(BUCKET).key("aborted.mp4").send().await.is_err());
}

#[tokio::test]
async fn a_browser_uploads_and_a_network_fetches_by_presigned_address() {
    let target = Target::new().await;
    let http = http();
    let upload = target.begin("phone.mp4").await;
    let part = target.client.upload_part().bucket(BUCKET).key("phone.mp4").upload_id(&upload).part_number(1);
    let address = part.presigned(hour()).await.unwrap().uri().to_owned();

    let preflight = http.request(reqwest::Method::OPTIONS, &address).header("origin", ORIGIN);
    let preflight = preflight
        .header("access-control-request-method", "PUT")
        .header("access-control-request-headers", "content-type");
    let answer = preflight.send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.status());
    assert_eq!(answer.headers()["access-control-allow-origin"], ORIGIN);
    let stranger =
        http.request(reqwest::Method::OPTIONS, &address).header("origin", "https://stranger.example");
    let answer = stranger.header("access-control-request-method", "PUT").send().await.unwrap();
    assert!(!answer.headers().contains_key("access-control-allow-origin"));

    let sent = http.put(&address).header("origin", ORIGIN).body(bytes(7, 1000)).send().await.unwrap();
    assert_eq!(sent.status(), 200);
    assert!(
        sent.headers()["access-control-expose-headers"].to_str().unwrap().to_lowercase().contains("etag")
    );
    let tag = sent.headers()["etag"].to_str().unwrap().to_owned();
    target.complete("phone.mp4", &upload, &[(1, tag)]).await.unwrap();

    let get = target.client.get_object().bucket(BUCKET).key("phone.mp4");
    let address = get.presigned(hour()).await.unwrap().uri().to_owned();
    let fetched = http.get(&address).send().await.unwrap();
    assert_eq!(
        (fetched.status().as_u16(), &fetched.headers()["content-type"]),
        (200, &"video/mp4".parse().unwrap())
    );
    assert_eq!(fetched.headers()["content-length"], "1000");
    assert_eq!(fetched.bytes().await.unwrap(), bytes(7, 1000));
    let part = http.get(&address).header("range", "bytes=10-19").send().await.unwrap();
    assert_eq!(
        (part.status().as_u16(), &part.headers()["content-range"]),
        (206, &"bytes 10-19/1000".parse().unwrap())
    );
    assert_eq!(part.bytes().await.unwrap(), bytes(7, 1000)[10..20]);
    let beyond = http.get(&address).header("range", "bytes=1000-").send().await.unwrap();
    assert_eq!(beyond.status(), 416);
}

#[tokio::test]
async fn what_is_not_signed_by_our_key_is_refused() {
    let target = Target::new().await;
    target.put("secret.jpg", b"bytes").await;
    let http = http();
    let plain = format!("{}/{BUCKET}/secret.jpg", target.endpoint);
    assert_eq!(http.get(&plain).send().await.unwrap().status(), 403);
    let get = target.client.get_object().bucket(BUCKET).key("secret.jpg");
    let address = get.presigned(hour()).await.unwrap().uri().to_owned();
    let other_key = address.replace("secret.jpg", "secret2.jpg");
    assert_eq!(http.get(&other_key).send().await.unwrap().status(), 403);
    assert_eq!(http.put(&address).body("x").send().await.unwrap().status(), 403);
    let wrong = client(&target.endpoint, "reelmill-local", "wrong");
    assert!(wrong.get_object().bucket(BUCKET).key("secret.jpg").send().await.is_err());
    let short = PresigningConfig::expires_in(Duration::from_secs(1)).unwrap();
    let expiring =
        target.client.get_object().bucket(BUCKET).key("secret.jpg").presigned(short).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(http.get(expiring.uri()).send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn damaged_bytes_are_refused_and_nothing_is_stored() {
    let target = Target::new().await;
    let put =
        target.client.put_object().bucket(BUCKET).key("damaged.jpg").content_md5("1B2M2Y8AsgTpgAmY7PhCfg==");
    let error = put.body(ByteStream::from_static(b"not empty")).send().await.unwrap_err();
    assert_eq!(error.into_service_error().code(), Some("BadDigest"));
    let put = target.client.put_object().bucket(BUCKET).key("damaged.jpg").checksum_crc32("AAAAAA==");
    assert!(put.body(ByteStream::from_static(b"not empty")).send().await.is_err());
    assert!(target.client.head_object().bucket(BUCKET).key("damaged.jpg").send().await.is_err());
}

#[tokio::test]
async fn a_key_is_written_once_when_asked_so() {
    let target = Target::new().await;
    // Another server may remember it of a run before.
    target.client.delete_object().bucket(BUCKET).key("once.jpg").send().await.unwrap();
    let put = |body: &'static [u8]| {
        let put = target.client.put_object().bucket(BUCKET).key("once.jpg").if_none_match("*");
        put.body(ByteStream::from_static(body)).send()
    };
    put(b"first").await.unwrap();
    assert_eq!(put(b"second").await.unwrap_err().into_service_error().code(), Some("PreconditionFailed"));
    assert_eq!(target.get("once.jpg").await, b"first");
}

#[tokio::test]
async fn keys_are_listed_in_order_a_page_at_a_time_and_deleted() {
    let target = Target::new().await;
    for key in ["list/b/2.jpg", "list/a.jpg", "list/b/1.jpg", "list/ü.jpg", "list/b.jpg", "other.jpg"] {
        target.put(key, b"x").await;
    }
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let page = target.client.list_objects_v2().bucket(BUCKET).prefix("list/").max_keys(2);
        let page = page.set_continuation_token(token).send().await.unwrap();
        assert!(page.contents().len() <= 2);
        found.extend(page.contents().iter().map(|object| object.key().unwrap().to_owned()));
        token = page.next_continuation_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(found, ["list/a.jpg", "list/b.jpg", "list/b/1.jpg", "list/b/2.jpg", "list/ü.jpg"]);
    let grouped = target.client.list_objects_v2().bucket(BUCKET).prefix("list/").delimiter("/");
    let grouped = grouped.send().await.unwrap();
    assert_eq!(grouped.common_prefixes()[0].prefix(), Some("list/b/"));
    assert_eq!(grouped.contents().len(), 3);

    let objects = found.iter().map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let delete = Delete::builder().set_objects(Some(objects.collect())).build().unwrap();
    target.client.delete_objects().bucket(BUCKET).delete(delete).send().await.unwrap();
    let rest = target.client.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    assert!(!rest.contents().iter().any(|object| object.key().unwrap().starts_with("list/")));
}

#[tokio::test]
async fn a_crash_leaves_objects_whole_and_no_stray_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path()).await;
    let keys = server.credentials().clone();
    let client = client(&server.url(), &keys.access_key_id, keys.secret_access_key.expose_secret());
    let target = Target { client, endpoint: server.url(), _own: None };
    target.put("kept.jpg", b"kept").await;
    let upload = target.begin("begun.mp4").await;
    let parts = [(1, target.part("begun.mp4", &upload, 1, bytes(1, 100)).await)];
    let blobs = folder.path().join("s3/blobs");
    std::fs::write(blobs.join("stray"), b"a body that was never named").unwrap();
    server.stop().await;

    let again = start(folder.path()).await;
    assert_eq!(again.url(), target.endpoint, "its address survives");
    assert_eq!(std::fs::read_dir(&blobs).unwrap().count(), 2, "the object and the part, not the stray");
    assert_eq!(target.get("kept.jpg").await, b"kept");
    target.complete("begun.mp4", &upload, &parts).await.unwrap();
    target.client.delete_object().bucket(BUCKET).key("begun.mp4").send().await.unwrap();
    target.put("kept.jpg", b"replaced").await;
    assert_eq!(std::fs::read_dir(&blobs).unwrap().count(), 1, "what was deleted or replaced is gone");
}

#[tokio::test]
async fn a_large_body_passes_through_without_being_held_in_memory() {
    let target = Target::new().await;
    let length = 512 * MIB;
    let before = resident_bytes();
    let put = target.client.put_object().bucket(BUCKET).key("large.mp4");
    let address = put.presigned(hour()).await.unwrap().uri().to_owned();
    let chunk = bytes::Bytes::from(vec![7_u8; MIB]);
    let chunks = futures_util::stream::iter((0..512).map(move |_| Ok::<_, std::io::Error>(chunk.clone())));
    let sent = http().put(&address).header("content-length", length).body(reqwest::Body::wrap_stream(chunks));
    assert_eq!(sent.send().await.unwrap().status(), 200);
    let mut object = target.client.get_object().bucket(BUCKET).key("large.mp4").send().await.unwrap();
    let mut received = 0;
    while let Some(piece) = object.body.try_next().await.unwrap() {
        received += piece.len();
    }
    assert_eq!(received, length);
    let grown = resident_bytes().saturating_sub(before);
    assert!(grown < 128 * MIB, "{} MiB more are resident", grown / MIB);
    target.client.delete_object().bucket(BUCKET).key("large.mp4").send().await.unwrap();
}

/// The most memory that this process has ever held, in bytes.
fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}
