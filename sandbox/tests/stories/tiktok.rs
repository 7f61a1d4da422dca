//! TikTok: chunked uploads, status, rotation, limits.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{World, answer, until};

const BACK: &str = "https://app.example/callback";
const API: &str = "/open.tiktokapis.com/v2";

pub struct Connected {
    pub access: String,
    pub refresh: String,
    pub id: String,
}

pub async fn connect(world: &World, handle: &str) -> Connected {
    let query = [
        ("client_key", "reelmill-sandbox"),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", "user.info.basic,video.publish,video.list"),
        ("state", "s1"),
        ("login", handle),
        ("consent", "yes"),
    ];
    let back = world.consent("/www.tiktok.com/v2/auth/authorize/", &query).await;
    let names: Vec<_> = back.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["code", "scopes", "state"]);
    let grant = [("grant_type", "authorization_code"), ("redirect_uri", BACK), ("code", &back[0].1)];
    let (status, tokens) = token(world, &grant).await;
    assert_eq!(status, 200, "{tokens}");
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    Connected { access: text("access_token"), refresh: text("refresh_token"), id: text("open_id") }
}

async fn token(world: &World, grant: &[(&str, &str)]) -> (u16, Value) {
    let app = [("client_key", "reelmill-sandbox"), ("client_secret", "reelmill-sandbox-secret")];
    let form: Vec<_> = app.iter().chain(grant).collect();
    answer(world.post(&format!("{API}/oauth/token/")).form(&form)).await
}

impl Connected {
    pub async fn call(&self, world: &World, path: &str, body: Value) -> (u16, Value) {
        answer(world.post(&format!("{API}{path}")).bearer_auth(&self.access).json(&body)).await
    }

    pub async fn init(&self, world: &World, size: u64, chunk: u64, chunks: u64) -> (u16, Value) {
        let body = json!({
            "post_info": {"title": "Look #here", "privacy_level": "PUBLIC_TO_EVERYONE"},
            "source_info": {"source": "FILE_UPLOAD", "video_size": size, "chunk_size": chunk,
                "total_chunk_count": chunks},
        });
        self.call(world, "/post/publish/video/init/", body).await
    }

    /// Uploads a file as one chunk and returns the publish id.
    pub async fn upload(&self, world: &World, file: &Path) -> String {
        let bytes = std::fs::read(file).unwrap();
        let size = bytes.len() as u64;
        let (status, begun) = self.init(world, size, size, 1).await;
        assert_eq!(status, 200, "{begun}");
        let url = begun["data"]["upload_url"].as_str().unwrap();
        let (status, _) = put(world, url, &bytes, 0, size).await;
        assert_eq!(status, 201);
        begun["data"]["publish_id"].as_str().unwrap().to_owned()
    }

    pub async fn status(&self, world: &World, publish_id: &str) -> Value {
        self.call(world, "/post/publish/status/fetch/", json!({"publish_id": publish_id})).await.1
    }

    pub async fn settled(&self, world: &World, publish_id: &str) -> Value {
        world.control("/sandbox/limits", json!({"platform": "tiktok", "lifted": true})).await;
        until("share is settled", || async {
            let status = self.status(world, publish_id).await;
            Some(status["data"].clone()).filter(|data| data["status"] != "PROCESSING_UPLOAD")
        })
        .await
    }
}

/// One chunk; the answer's status and Content-Range.
pub async fn put(world: &World, url: &str, chunk: &[u8], first: u64, total: u64) -> (u16, String) {
    let last = first + chunk.len() as u64 - 1;
    let request = world.client.put(url).header("content-type", "video/mp4");
    let request =
        request.header("content-range", format!("bytes {first}-{last}/{total}")).body(chunk.to_vec());
    let response = request.send().await.unwrap();
    let range = response.headers().get("content-range").map_or("", |value| value.to_str().unwrap());
    (response.status().as_u16(), range.to_owned())
}

#[tokio::test]
async fn a_video_in_chunks_becomes_one_public_post() {
    let world = World::new().await;
    let account = connect(&world, "mona").await;
    let (_, creator) = account.call(&world, "/post/publish/creator_info/query/", json!({})).await;
    assert_eq!(creator["data"]["creator_username"], "mona");
    // Padded with a box that players skip, to be large enough for two chunks.
    let mut bytes = std::fs::read(world.reel()).unwrap();
    let padding = 12_000_000_u32;
    bytes.extend(padding.to_be_bytes());
    bytes.extend(b"free");
    bytes.resize(bytes.len() + padding as usize - 8, 0);
    let (total, chunk) = (bytes.len() as u64, 6_000_000);
    let (status, begun) = account.init(&world, total, chunk, 2).await;
    assert_eq!(status, 200, "{begun}");
    let url = begun["data"]["upload_url"].as_str().unwrap();
    let publish_id = begun["data"]["publish_id"].as_str().unwrap();
    let (one, two) = bytes.split_at(chunk as usize);

    assert_eq!(put(&world, url, two, chunk, total).await, (416, format!("bytes */{total}")));
    assert_eq!(put(&world, url, &one[..100], 0, total).await.0, 400);
    assert_eq!(put(&world, url, one, 0, total).await, (206, format!("bytes 0-5999999/{total}")));
    assert_eq!(put(&world, url, one, 0, total).await, (416, format!("bytes 0-5999999/{total}")));
    assert_eq!(account.status(&world, publish_id).await["data"]["uploaded_bytes"], 6_000_000);
    assert!(world.ledger().await.is_empty());
    assert_eq!(put(&world, url, two, chunk, total).await.0, 201);
    assert_eq!(put(&world, &format!("{url}x"), two, chunk, total).await.0, 403);

    assert_eq!(account.settled(&world, publish_id).await["status"], "PUBLISH_COMPLETE");
    let id = until("the public id is known", || async {
        let status = account.status(&world, publish_id).await;
        status["data"]["publicaly_available_post_id"][0].as_u64()
    })
    .await;
    let ledger = world.ledger().await;
    assert_eq!(ledger.len(), 1);
    assert_eq!((&ledger[0]["remoteId"], &ledger[0]["account"]), (&json!(id.to_string()), &json!(account.id)));
    assert_eq!(
        (&ledger[0]["caption"], &ledger[0]["media"][0]["bytes"]),
        (&json!("Look #here"), &json!(total))
    );
    let (_, list) = account.call(&world, "/video/list/?fields=id,title", json!({"max_count": 20})).await;
    assert_eq!(list["data"]["videos"], json!([{"id": id.to_string(), "title": "Look #here"}]));
}

#[tokio::test]
async fn chunk_rules_are_those_of_the_guide() {
    let world = World::new().await;
    let account = connect(&world, "mona").await;
    world.control("/sandbox/limits", json!({"platform": "tiktok", "lifted": true})).await;
    let cases = [
        (50_000_123, 10_000_000, 5, 200),
        (50_000_123, 10_000_000, 6, 400),
        (3_000_000, 3_000_000, 1, 200),
        (3_000_000, 1_000_000, 3, 400),
        (70_000_000, 70_000_000, 1, 400),
        (20_000_000, 4_000_000, 5, 400),
        (0, 0, 0, 400),
    ];
    for (size, chunk, chunks, expected) in cases {
        let (status, begun) = account.init(&world, size, chunk, chunks).await;
        assert_eq!(status, expected, "{size} in {chunks} chunks of {chunk}: {begun}");
    }
}

#[tokio::test]
async fn a_video_that_tiktok_does_not_take_fails_with_its_reason() {
    let world = World::new().await;
    let account = connect(&world, "mona").await;
    let base = "-f lavfi -i testsrc2=s=540x960:r=30:d=2 -c:v libx264 -preset ultrafast -pix_fmt yuv420p";
    let small = base.replace("540x960", "320x480");
    let cases = [
        ("slow.mp4", format!("{base} -r 10"), "frame_rate_check_failed"),
        ("small.mp4", small, "picture_size_check_failed"),
        (
            "photo.mp4",
            "-f lavfi -i testsrc2=s=540x960 -frames:v 1 -f mjpeg".to_owned(),
            "file_format_check_failed",
        ),
    ];
    for (name, arguments, reason) in cases {
        let publish_id = account.upload(&world, &world.made(name, &arguments)).await;
        let settled = account.settled(&world, &publish_id).await;
        assert_eq!(
            (&settled["status"], &settled["fail_reason"]),
            (&json!("FAILED"), &json!(reason)),
            "{name}"
        );
    }
    let (status, _) = account.init(&world, 1000, 1000, 1).await;
    assert_eq!(status, 200, "what failed is not pending");
    assert!(world.ledger().await.is_empty());
}

#[tokio::test]
async fn a_refresh_token_is_good_once() {
    let world = World::new().await;
    let account = connect(&world, "mona").await;
    world.advance(Duration::from_secs(2 * 3600)).await;
    let (status, refused) = account.call(&world, "/post/publish/creator_info/query/", json!({})).await;
    assert_eq!((status, &refused["error"]["code"]), (401, &json!("access_token_invalid")));
    let grant = [("grant_type", "refresh_token"), ("refresh_token", account.refresh.as_str())];
    let (status, renewed) = token(&world, &grant).await;
    assert_eq!(status, 200, "{renewed}");
    let (status, again) = token(&world, &grant).await;
    assert_eq!((status, &again["error"]), (400, &json!("invalid_grant")));

    let access = renewed["access_token"].as_str().unwrap();
    let form =
        [("client_key", "reelmill-sandbox"), ("client_secret", "reelmill-sandbox-secret"), ("token", access)];
    assert_eq!(answer(world.post(&format!("{API}/oauth/revoke/")).form(&form)).await.0, 200);
    let refresh = renewed["refresh_token"].as_str().unwrap();
    let (status, _) = token(&world, &[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await;
    assert_eq!(status, 400, "revoking one ends the other");
}

#[tokio::test]
async fn limits_hold_and_strangers_are_refused() {
    let world = World::new().await;
    let (mona, omar) = (connect(&world, "mona").await, connect(&world, "omar").await);
    let mut begun = Vec::new();
    for _ in 0..5 {
        begun.push(mona.init(&world, 1000, 1000, 1).await.1);
    }
    let (status, refused) = mona.init(&world, 1000, 1000, 1).await;
    assert_eq!((status, &refused["error"]["code"]), (403, &json!("spam_risk_too_many_pending_share")));
    let (status, refused) = mona.init(&world, 1000, 1000, 1).await;
    assert_eq!((status, &refused["error"]["code"]), (429, &json!("rate_limit_exceeded")));

    let publish_id = begun[0]["data"]["publish_id"].as_str().unwrap();
    let theirs = omar.status(&world, publish_id).await;
    assert_eq!(theirs["error"]["code"], "token_not_authorized_for_specified_publish_id");
    assert_eq!(omar.status(&world, "v_pub_file~v2-1.1").await["error"]["code"], "invalid_publish_id");
    world.advance(Duration::from_secs(3600)).await;
    let url = begun[0]["data"]["upload_url"].as_str().unwrap();
    assert_eq!(put(&world, url, &[0; 1000], 0, 1000).await.0, 403, "an upload address ends after an hour");
}

#[tokio::test]
async fn a_privacy_level_must_be_offered_and_addresses_verified() {
    let world = World::new().await;
    let account = connect(&world, "mona").await;
    let source = json!({"source": "FILE_UPLOAD", "video_size": 9, "chunk_size": 9, "total_chunk_count": 1});
    let pull = json!({"source": "PULL_FROM_URL", "video_url": "https://a.example/v.mp4"});
    let cases = [
        (json!({"title": "x"}), &source, "invalid_params"),
        (json!({"privacy_level": "FOLLOWER_OF_CREATOR"}), &source, "privacy_level_option_mismatch"),
        (json!({"privacy_level": "SELF_ONLY"}), &pull, "url_ownership_unverified"),
        (json!({"privacy_level": "SELF_ONLY", "title": "😀".repeat(1101)}), &source, "invalid_params"),
    ];
    for (post, source, code) in cases {
        let body = json!({"post_info": post, "source_info": source});
        let (_, refused) = account.call(&world, "/post/publish/video/init/", body).await;
        assert_eq!(refused["error"]["code"], code);
    }
}
