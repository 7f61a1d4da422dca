//! What networks take, and what an asset would become for each of them, before anything is made.

use domain::id::Noun;
use domain::profile::profiles;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{World, id, statements};

const FORMATS: &str = "query($p: Platform) { formatProfiles(platform: $p) {
    name platform placement also kind role tier postable purpose note source asOf confidence
    video { containers codecs pixelFormats hdr h264LevelMax constantFrameRate bitRateMax bytesMax indexFirst editList
        closedGop gopMsMax frameRate { min max } durationMs { min max }
        size { width { min max } longSide { min max } shortSide { min max } ratio { min { width height } max { width height } } }
        audio { codecs profiles sampleRate { min max } channels { min max } bitRateMax required } }
    image { formats bytesMax size { width { min max } height { min max } sideSumMax pixelsMax } }
    carousel { items { min max } mixed equalSize oneShape { min { width height } max { width height } } }
    prefers { longSide shortSide cropUpToPercent enlargeUpToPercent ratio { min { width height } } }
    text { unit captionMax replyMax titleMax titleUnit hashtagsMax mentionsMax altMax refusedCharacters source asOf confidence } } }";

const FITS: &str = "query($asset: ID!, $p: [Platform!]) { node(id: $asset) { ... on MediaAsset { fits(platforms: $p) {
    asset { id } profile { name } operation framing width height reasons summary problem { code message remedy } } } } }";

async fn formats(world: &World, platform: &str) -> Vec<Value> {
    let answer = world.ask(FORMATS, json!({ "p": platform })).await;
    answer["formatProfiles"].as_array().unwrap().clone()
}

fn named<'a>(rows: &'a [Value], name: &str) -> &'a Value {
    rows.iter().find(|row| row["name"] == name).unwrap_or_else(|| panic!("{name} in {rows:?}"))
}

async fn fits(world: &World, asset: Uuid, platforms: Value) -> Vec<Value> {
    let asset = id(Noun::MediaAsset, asset);
    let answer = world.ask(FITS, json!({ "asset": asset, "p": platforms })).await;
    answer["node"]["fits"].as_array().unwrap().clone()
}

fn of<'a>(fits: &'a [Value], name: &str) -> Vec<&'a Value> {
    fits.iter().filter(|fit| fit["profile"]["name"] == name).collect()
}

#[tokio::test]
async fn every_network_tells_what_it_takes_and_where_that_was_read() {
    let world = World::new().await;
    let all = world.ask(FORMATS, json!({})).await;
    assert_eq!(all["formatProfiles"].as_array().unwrap().len(), profiles().len());
    for row in all["formatProfiles"].as_array().unwrap() {
        let limits = [&row["video"], &row["image"], &row["carousel"]];
        assert_eq!(limits.iter().filter(|limits| !limits.is_null()).count(), 1, "{row}");
        assert!(row["source"].as_str().is_some_and(|page| page.starts_with("https://")), "{row}");
        assert!(row["text"]["source"].as_str().is_some_and(|page| page.starts_with("https://")), "{row}");
        let connected = ["INSTAGRAM", "TIKTOK", "TELEGRAM"].contains(&row["platform"].as_str().unwrap());
        assert!(connected || row["postable"] == false, "{row}");
    }
    let x = formats(&world, "X").await;
    assert!(x.iter().all(|row| row["platform"] == "X"));
    let video = named(&x, "x.video");
    assert_eq!((&video["tier"], &video["role"]), (&json!(null), &json!("POST")));
    assert_eq!(video["video"]["size"]["longSide"], json!({ "min": 32, "max": 1280 }));
    assert_eq!(video["video"]["size"]["ratio"]["max"], json!({ "width": 3, "height": 1 }));
    assert_eq!(video["video"]["bytesMax"], 512_000_000);
    assert_eq!(video["text"]["unit"], "WEIGHTED");
    assert_eq!(video["text"]["captionMax"], 280);
    let premium = named(&x, "x.video_premium");
    assert_eq!((&premium["tier"], &premium["text"]["captionMax"]), (&json!("PREMIUM"), &json!(25_000)));
    let youtube = formats(&world, "YOUTUBE").await;
    assert_eq!(named(&youtube, "youtube.thumbnail")["role"], "COVER");
    let text = &named(&youtube, "youtube.short")["text"];
    assert_eq!(
        [&text["unit"], &text["titleUnit"], &text["refusedCharacters"]],
        ["UTF8_BYTES", "CHARS", "<>"]
    );
    let pinterest = formats(&world, "PINTEREST").await;
    assert_eq!(named(&pinterest, "pinterest.carousel")["carousel"]["equalSize"], true);
    assert_eq!(named(&pinterest, "pinterest.video")["asOf"], "2021-01-01");
}

#[tokio::test]
async fn a_video_says_what_it_would_become_for_each_network_and_why_not() {
    let world = World::new().await;
    let video = world.video(100_000).await;
    let all = fits(&world, video, json!(null)).await;
    let told: Vec<&Value> = all.iter().map(|fit| &fit["profile"]["name"]).collect();
    let wanted = profiles().iter().filter(|row| row.kind() == domain::platform::MediaKind::Video);
    let wanted: Vec<&str> =
        wanted.map(|row| row.name.as_str()).filter(|name| !name.contains("carousel")).collect();
    let wanted: Vec<&str> = wanted.into_iter().filter(|name| *name != "telegram.album_video").collect();
    assert_eq!(told, wanted, "each profile of a whole video once");
    assert!(all.iter().all(|fit| fit["asset"]["id"] == json!(id(Noun::MediaAsset, video))));

    let some = fits(&world, video, json!(["TELEGRAM", "FACEBOOK"])).await;
    let [telegram] = of(&some, "telegram.video")[..] else { panic!("{some:?}") };
    assert_eq!([&telegram["operation"], &telegram["summary"]], ["PASSTHROUGH", "Sent as it is."]);
    assert_eq!(telegram["problem"], json!(null));
    let [reel] = of(&some, "facebook.reel")[..] else { panic!("{some:?}") };
    let message =
        "It is 100 s long and Facebook takes at most 90 s here. Choose a shorter video, or let it be cut.";
    assert_eq!(
        reel["problem"],
        json!({ "code": "media.too_long", "message": message, "remedy": "CHANGE_MEDIA" })
    );
    assert_eq!((&reel["operation"], &reel["summary"]), (&json!(null), &json!(message)));
    assert!(some.iter().all(|fit| !fit["profile"]["name"].as_str().unwrap().starts_with("x.")));
    assert!(fits(&world, video, json!([])).await.is_empty());

    world.database.sql("update media_assets set state = 'PROBING', info = null").await;
    assert!(fits(&world, video, json!(null)).await.is_empty(), "not looked into yet");
}

/// A carousel of these photos.
async fn carousel(world: &World, items: &[Uuid]) -> Uuid {
    let (carousel, brand) = (Uuid::now_v7(), world.brand);
    world
        .database
        .sql(&format!(
            "insert into media_assets (id, brand_id, source, kind, state, listed_at)
             values ('{carousel}', '{brand}', 'UPLOAD', 'CAROUSEL', 'READY', now())"
        ))
        .await;
    for (position, item) in items.iter().enumerate() {
        world
            .database
            .sql(&format!(
                "insert into carousel_items (brand_id, carousel_id, position, item_id)
                 values ('{brand}', '{carousel}', {position}, '{item}')"
            ))
            .await;
    }
    carousel
}

#[tokio::test]
async fn a_carousel_says_it_of_each_item_and_why_it_cannot_be_as_a_whole() {
    let world = World::new().await;
    let photos = world.photos(11).await;
    let pair = carousel(&world, &photos[..2]).await;
    let of_pair = fits(&world, pair, json!(["LINKEDIN", "INSTAGRAM", "YOUTUBE"])).await;
    let items = of(&of_pair, "instagram.carousel_image");
    let ids: Vec<&Value> = items.iter().map(|fit| &fit["asset"]["id"]).collect();
    assert_eq!(ids, [&json!(id(Noun::MediaAsset, photos[0])), &json!(id(Noun::MediaAsset, photos[1]))]);
    assert!(items.iter().all(|fit| fit["summary"] == "Sent as it is."), "{items:?}");
    assert_eq!(of(&of_pair, "linkedin.multi_image_item").len(), 2);
    assert_eq!(of_pair.len(), 4, "YouTube takes no carousels");

    let many = carousel(&world, &photos).await;
    let of_many = fits(&world, many, json!(["INSTAGRAM", "LINKEDIN"])).await;
    let refused = of(&of_many, "instagram.carousel_image");
    assert_eq!(refused.len(), 11);
    assert!(refused.iter().all(|fit| fit["problem"]["code"] == "media.item_count"), "{refused:?}");
    assert!(of(&of_many, "linkedin.multi_image_item").iter().all(|fit| fit["operation"] == "PASSTHROUGH"));
}

#[tokio::test]
async fn the_fits_of_a_page_take_as_many_statements_as_those_of_one_asset() {
    let world = World::new().await;
    let photos = world.photos(20).await;
    for pair in photos.chunks(2) {
        carousel(&world, pair).await;
    }
    let query = "query($b: ID!, $n: Int!) { brand(id: $b) { assets(first: $n) { nodes {
        kind fits { operation summary asset { id } } } } } }";
    let ask = |n: i32| world.ask(query, json!({ "b": id(Noun::Brand, world.brand), "n": n }));
    ask(1).await;
    let (_, of_one) = statements(ask(1)).await;
    let (page, of_all) = statements(ask(30)).await;
    assert_eq!(of_one, of_all);
    let nodes = page["brand"]["assets"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 30);
    assert!(nodes.iter().all(|node| !node["fits"].as_array().unwrap().is_empty()), "{nodes:?}");
}

#[tokio::test]
async fn a_network_without_a_connector_gets_no_target() {
    let world = World::new().await;
    let (photo, video) = (world.photos(1).await[0], world.video(20_000).await);
    // No way of connecting makes such an account: this one is written past them.
    let page = world.account("facebook").await;
    let tiktok = world.account("tiktok").await;
    let instagram = world.account("instagram").await;
    let facebook = world.create(&[photo], &[page], json!({})).await;
    assert_eq!(
        facebook["userErrors"][0]["message"],
        "Reelmill cannot post to Facebook yet. Choose another account. (@brand)"
    );
    // What a connector does not post yet is no post either, though the network takes it.
    let photo_there = world.create(&[photo], &[tiktok], json!({})).await;
    assert_eq!(photo_there["userErrors"][0]["code"], "UNSUPPORTED_MEDIA", "{photo_there}");
    let story = json!({ "destinations": [{ "accountId": id(Noun::SocialAccount, instagram), "placement": "STORY" }] });
    let story = world.create(&[video], &[], story).await;
    assert_eq!(story["userErrors"][0]["code"], "UNSUPPORTED_MEDIA", "{story}");
    assert_eq!(world.database.count("select count(*) from publish_targets").await, 0);
}
