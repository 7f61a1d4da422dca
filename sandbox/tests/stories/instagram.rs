//! Instagram: from consent to a published post, and everything that is refused on the way.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{World, answer, until};

const BACK: &str = "https://app.example/callback";
const GRAPH: &str = "/graph.instagram.com/v26.0";

/// A connected account: a long token and the professional id.
pub struct Connected {
    pub token: String,
    pub id: String,
}

pub async fn code(world: &World, handle: &str) -> String {
    let scope = "instagram_business_basic,instagram_business_content_publish";
    let query = [
        ("client_id", "reelmill-sandbox"),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", scope),
        ("state", "s1"),
        ("login", handle),
        ("consent", "yes"),
    ];
    let back = world.consent("/www.instagram.com/oauth/authorize", &query).await;
    assert_eq!(back[1], ("state".into(), "s1".into()));
    back[0].1.clone()
}

async fn exchange(world: &World, code: &str, redirect_uri: &str) -> (u16, Value) {
    let form = [
        ("client_id", "reelmill-sandbox"),
        ("client_secret", "reelmill-sandbox-secret"),
        ("grant_type", "authorization_code"),
        ("redirect_uri", redirect_uri),
        ("code", code),
    ];
    answer(world.post("/api.instagram.com/oauth/access_token").form(&form)).await
}

async fn lengthen(world: &World, short: &str) -> (u16, Value) {
    let query = [
        ("grant_type", "ig_exchange_token"),
        ("client_secret", "reelmill-sandbox-secret"),
        ("access_token", short),
    ];
    answer(world.get("/graph.instagram.com/access_token").query(&query)).await
}

pub async fn connect(world: &World, handle: &str) -> Connected {
    let code = code(world, handle).await;
    let (_, short) = exchange(world, &code, BACK).await;
    let (_, long) = lengthen(world, short["data"][0]["access_token"].as_str().unwrap()).await;
    let token = long["access_token"].as_str().unwrap().to_owned();
    let me = world.get("/graph.instagram.com/me");
    let (_, me) = answer(me.query(&[("fields", "user_id,username"), ("access_token", &token)])).await;
    assert_eq!(me["username"], handle);
    Connected { token, id: me["user_id"].as_str().unwrap().to_owned() }
}

impl Connected {
    pub async fn create(&self, world: &World, params: &[(&str, &str)]) -> (u16, Value) {
        let call = world.post(&format!("{GRAPH}/{}/media", self.id)).bearer_auth(&self.token);
        answer(call.form(params)).await
    }

    pub async fn status(&self, world: &World, container: &str) -> Value {
        let call = world.get(&format!("{GRAPH}/{container}")).bearer_auth(&self.token);
        answer(call.query(&[("fields", "status_code,status")])).await.1
    }

    pub async fn finished(&self, world: &World, container: &Value) -> Value {
        let container = container["id"].as_str().unwrap();
        until("container leaves IN_PROGRESS", || async {
            Some(self.status(world, container).await).filter(|status| status["status_code"] != "IN_PROGRESS")
        })
        .await
    }

    pub async fn publish(&self, world: &World, container: &Value) -> (u16, Value) {
        let call = world.post(&format!("{GRAPH}/{}/media_publish", self.id)).bearer_auth(&self.token);
        answer(call.form(&[("creation_id", container["id"].as_str().unwrap())])).await
    }

    pub async fn list(&self, world: &World, query: &[(&str, &str)]) -> Value {
        let call = world.get(&format!("{GRAPH}/{}/media", self.id)).bearer_auth(&self.token);
        let (status, page) = answer(call.query(query)).await;
        assert_eq!(status, 200, "{page}");
        page
    }

    /// A photo's container, ready at once.
    pub async fn photo(&self, world: &World, caption: &str) -> Value {
        let url = world.offered(&world.photo());
        let (status, container) = self.create(world, &[("image_url", &url), ("caption", caption)]).await;
        assert_eq!(status, 200, "{container}");
        container
    }
}

fn code_of(answer: &(u16, Value)) -> (u16, i64, i64) {
    let error = &answer.1["error"];
    let number = |name: &str| error[name].as_i64().unwrap_or(0);
    (answer.0, number("code"), number("error_subcode"))
}

#[tokio::test]
async fn a_reel_is_published_once_and_listed() {
    let world = World::new().await;
    let account = connect(&world, "nadia").await;
    let url = world.offered(&world.reel());
    let params = [("media_type", "REELS"), ("video_url", &url), ("caption", "First light")];
    let (status, container) = account.create(&world, &params).await;
    assert_eq!(status, 200, "{container}");

    assert_eq!(code_of(&account.publish(&world, &container).await), (400, 9007, 2_207_027));
    assert_eq!(account.finished(&world, &container).await["status_code"], "FINISHED");
    let (status, media) = account.publish(&world, &container).await;
    assert_eq!(status, 200, "{media}");
    assert_eq!(code_of(&account.publish(&world, &container).await), (400, 24, 2_207_008));
    assert_eq!(account.finished(&world, &container).await["status_code"], "PUBLISHED");

    let ledger = world.ledger().await;
    assert_eq!(ledger.len(), 1);
    let post = &ledger[0];
    assert_eq!((&post["seq"], &post["platform"]), (&json!(1), &json!("instagram")));
    assert_eq!((&post["account"], &post["remoteId"]), (&json!(account.id), &media["id"]));
    assert_eq!(
        (&post["caption"], &post["media"][0]["contentType"]),
        (&json!("First light"), &json!("video/mp4"))
    );
    let bytes = world.client.get(post["media"][0]["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(bytes.bytes().await.unwrap(), std::fs::read(world.reel()).unwrap());

    let page = account
        .list(&world, &[("fields", "caption,media_type,media_product_type,timestamp,media_url")])
        .await;
    let entry = &page["data"][0];
    assert_eq!(entry["id"], media["id"]);
    assert_eq!((&entry["media_type"], &entry["media_product_type"]), (&json!("VIDEO"), &json!("REELS")));
    assert!(entry.get("permalink").is_none(), "only what was asked for");
    assert!(entry["timestamp"].as_str().unwrap().ends_with("+0000"));
}

#[tokio::test]
async fn a_carousel_keeps_the_order_of_its_items() {
    let world = World::new().await;
    let account = connect(&world, "nadia").await;
    let photo = world.offered(&world.photo());
    let (_, first) = account.create(&world, &[("image_url", &photo), ("is_carousel_item", "true")]).await;
    let reel = world.offered(&world.reel());
    let params = [("media_type", "VIDEO"), ("video_url", &reel), ("is_carousel_item", "true")];
    let (_, second) = account.create(&world, &params).await;
    account.finished(&world, &second).await;

    let one = first["id"].as_str().unwrap().to_owned();
    let alone = account.create(&world, &[("media_type", "CAROUSEL"), ("children", &one)]).await;
    assert_eq!(code_of(&alone), (400, 100, 2_207_028));
    assert_eq!(code_of(&account.publish(&world, &first).await), (400, 100, 0));

    let children = format!("{one},{}", second["id"].as_str().unwrap());
    let params = [("media_type", "CAROUSEL"), ("children", &children), ("caption", "Both")];
    let (_, parent) = account.create(&world, &params).await;
    account.finished(&world, &parent).await;
    let (status, media) = account.publish(&world, &parent).await;
    assert_eq!(status, 200, "{media}");
    let fields = "media_type,children{media_type,media_url}";
    let page = account.list(&world, &[("fields", fields)]).await;
    let children = page["data"][0]["children"]["data"].as_array().unwrap().clone();
    let types: Vec<_> = children.iter().map(|child| child["media_type"].clone()).collect();
    assert_eq!(types, ["IMAGE", "VIDEO"]);
    assert_eq!(world.ledger().await[0]["media"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn media_that_instagram_does_not_take_is_refused_with_its_codes() {
    let world = World::new().await;
    let account = connect(&world, "nadia").await;
    let png = world.made("photo.png", "-f lavfi -i testsrc2=s=1080x1080 -frames:v 1");
    let wide = world.made("wide.jpg", "-f lavfi -i testsrc2=s=1200x400 -frames:v 1");
    std::fs::write(world.files.join("page.html"), "<p>hello</p>").unwrap();
    let photo = world.offered(&world.photo());
    let cases = [
        (world.offered(&png), (400, 36001, 2_207_005)),
        (world.offered(&wide), (400, 36003, 2_207_009)),
        (format!("{}/page.html", world.file_server), (400, 9004, 2_207_052)),
        (format!("{}/moved/photo.jpg", world.file_server), (400, 9004, 2_207_052)),
        (format!("{}/absent.jpg", world.file_server), (400, 9004, 2_207_052)),
    ];
    for (url, expected) in cases {
        assert_eq!(code_of(&account.create(&world, &[("image_url", &url)]).await), expected, "{url}");
    }
    let long = "x".repeat(2201);
    let refused = account.create(&world, &[("image_url", &photo), ("caption", &long)]).await;
    assert_eq!(code_of(&refused), (400, 36004, 2_207_010));
    let refused = account.create(&world, &[("media_type", "VIDEO"), ("video_url", &photo)]).await;
    assert_eq!(code_of(&refused), (400, 100, 2_207_023));

    let base = "-f lavfi -i testsrc2=s=540x960:r=30:d=4 -c:v libx264 -preset ultrafast -pix_fmt yuv420p";
    let videos = [
        ("short.mp4", format!("{} -t 1 -bf 0 -movflags +faststart -use_editlist 0", base)),
        ("late_moov.mp4", format!("{base} -bf 0 -use_editlist 0")),
        ("edit_list.mp4", format!("{base} -bf 2 -movflags +faststart -use_editlist 1")),
        ("slow.mp4", format!("{base} -r 10 -bf 0 -movflags +faststart -use_editlist 0")),
    ];
    for (name, arguments) in videos {
        let url = world.offered(&world.made(name, &arguments));
        let (status, container) =
            account.create(&world, &[("media_type", "REELS"), ("video_url", &url)]).await;
        assert_eq!(status, 200, "{container}");
        let status = account.finished(&world, &container).await;
        let text = "Error: Media upload has failed with error code 2207026";
        assert_eq!((&status["status_code"], &status["status"]), (&json!("ERROR"), &json!(text)), "{name}");
    }
    assert!(world.ledger().await.is_empty());
}

#[tokio::test]
async fn tokens_are_strict_about_codes_ages_and_ends() {
    let world = World::new().await;
    let code = code(&world, "nadia").await;
    assert_eq!(exchange(&world, &code, "https://app.example/other").await.0, 400);
    let (status, short) = exchange(&world, &code, BACK).await;
    assert_eq!(status, 200, "{short}");
    let (status, again) = exchange(&world, &code, BACK).await;
    assert_eq!(
        (status, &again["error_message"]),
        (400, &json!("Matching code was not found or was already used"))
    );

    let short = short["data"][0]["access_token"].as_str().unwrap();
    let (_, long) = lengthen(&world, short).await;
    let token = long["access_token"].as_str().unwrap().to_owned();
    let refresh = |token: String| {
        let query = [("grant_type", "ig_refresh_token".to_owned()), ("access_token", token)];
        answer(world.get("/graph.instagram.com/refresh_access_token").query(&query))
    };
    assert_eq!(refresh(token.clone()).await.0, 400, "younger than 24 hours");
    world.advance(Duration::from_secs(25 * 3600)).await;
    assert_eq!(lengthen(&world, short).await.0, 401, "a short token ends after an hour");
    let (status, renewed) = refresh(token.clone()).await;
    assert_eq!(status, 200, "{renewed}");
    for _ in 0..2 {
        world.advance(Duration::from_secs(30 * 86_400)).await;
    }
    let dead = answer(world.get("/graph.instagram.com/me").query(&[("access_token", &token)])).await;
    assert_eq!(code_of(&dead), (401, 190, 463));
}

#[tokio::test]
async fn the_older_shape_of_the_exchange_is_one_switch_away() {
    let world = World::new().await;
    world.control("/sandbox/settings", json!({"instagramTokenShape": "flat"})).await;
    let code = code(&world, "nadia").await;
    let (_, short) = exchange(&world, &code, BACK).await;
    assert!(short["access_token"].is_string() && short["user_id"].is_u64());
}

#[tokio::test]
async fn a_person_may_say_no() {
    let world = World::new().await;
    let query = [
        ("client_id", "reelmill-sandbox"),
        ("redirect_uri", BACK),
        ("response_type", "code"),
        ("scope", "instagram_business_basic"),
        ("consent", "no"),
    ];
    let back = world.consent("/www.instagram.com/oauth/authorize", &query).await;
    assert_eq!(back[0], ("error".into(), "access_denied".into()));
    assert_eq!(back[1], ("error_reason".into(), "user_denied".into()));
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_double() {
    let world = World::new().await;
    let account = connect(&world, "nadia").await;
    let mut made = Vec::new();
    for day in 1..=5 {
        let form = reqwest::multipart::Form::new()
            .text("kind", "photo")
            .text("caption", format!("Day {day}"))
            .text("timestamp", format!("2026-11-0{day}T10:00:00Z"))
            .part(
                "file",
                reqwest::multipart::Part::bytes(std::fs::read(world.photo()).unwrap()).file_name("p.jpg"),
            );
        let path = format!("/sandbox/accounts/{}/media", account.id);
        let (status, post) = answer(world.post(&path).multipart(form)).await;
        assert_eq!(status, 200, "{post}");
        made.push(post["remoteId"].clone());
    }
    made.reverse();
    let mut seen = Vec::new();
    let mut page = account.list(&world, &[("limit", "2")]).await;
    loop {
        seen.extend(page["data"].as_array().unwrap().iter().map(|post| post["id"].clone()));
        let Some(next) = page["paging"]["next"].as_str() else { break };
        page = answer(world.client.get(next)).await.1;
    }
    assert_eq!(seen, made);
    let since = account.list(&world, &[("since", "1793700001")]).await;
    assert_eq!(since["data"].as_array().unwrap().len(), 2, "{since}");
    assert!(world.ledger().await.is_empty(), "what a person posts by hand is in no ledger");
}

#[tokio::test]
async fn media_addresses_are_signed_and_end() {
    let world = World::new().await;
    let account = connect(&world, "nadia").await;
    let container = account.photo(&world, "").await;
    account.publish(&world, &container).await;
    let page = account.list(&world, &[("fields", "media_url")]).await;
    let url = page["data"][0]["media_url"].as_str().unwrap();
    let get = async |url: String| world.client.get(url).send().await.unwrap();
    let file = get(url.to_owned()).await;
    assert_eq!(
        (file.status().as_u16(), &file.headers()["content-type"]),
        (200, &"image/jpeg".parse().unwrap())
    );
    assert_eq!(get(url.replace("oe=", "oe=7")).await.status(), 403);
    world.advance(Duration::from_secs(3700)).await;
    assert_eq!(get(url.to_owned()).await.status(), 403);
}

#[tokio::test]
async fn the_daily_quota_holds_until_lifted() {
    let world = World::new().await;
    let account = connect(&world, "nadia").await;
    for index in 0..50 {
        let container = account.photo(&world, &format!("{index}")).await;
        assert_eq!(account.publish(&world, &container).await.0, 200);
    }
    let container = account.photo(&world, "one too many").await;
    assert_eq!(code_of(&account.publish(&world, &container).await), (400, 9, 2_207_042));
    let path = format!("{GRAPH}/{}/content_publishing_limit", account.id);
    let call = world.get(&path).bearer_auth(&account.token).query(&[("fields", "config,quota_usage")]);
    let (_, limit) = answer(call).await;
    assert_eq!(
        limit["data"][0],
        json!({"quota_usage": 50, "config": {"quota_total": 50, "quota_duration": 86400}})
    );
    world.control("/sandbox/limits", json!({"platform": "instagram", "lifted": true})).await;
    assert_eq!(account.publish(&world, &container).await.0, 200);
}

#[tokio::test]
async fn a_container_ends_after_a_day_and_belongs_to_its_account() {
    let world = World::new().await;
    let (nadia, omar) = (connect(&world, "nadia").await, connect(&world, "omar").await);
    let container = nadia.photo(&world, "").await;
    assert_eq!(code_of(&omar.publish(&world, &container).await), (400, 24, 2_207_006));
    let id = container["id"].as_str().unwrap();
    assert_eq!(omar.status(&world, id).await["error"]["error_subcode"], 33);
    world.advance(Duration::from_secs(24 * 3600)).await;
    assert_eq!(nadia.status(&world, id).await["status_code"], "EXPIRED");
    assert_eq!(code_of(&nadia.publish(&world, &container).await), (400, 24, 2_207_008));
}

#[tokio::test]
async fn a_network_that_publishes_twice_can_be_played() {
    let world = World::new().await;
    let account = connect(&world, "nadia").await;
    world.control("/sandbox/settings", json!({"instagramRepublish": true})).await;
    let container = account.photo(&world, "").await;
    let (first, second) =
        (account.publish(&world, &container).await, account.publish(&world, &container).await);
    assert_eq!((first.0, second.0), (200, 200));
    assert_ne!(first.1["id"], second.1["id"]);
    assert_eq!(world.ledger().await.len(), 2);
}
