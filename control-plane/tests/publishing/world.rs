//! A database of its own for each test, with a brand, its accounts and its probed photos.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::{Request, Variables};
use backplane::store::access::GrantRow;
use backplane::store::accounts::{NewAccount, upsert_account};
use control_plane::auth::{Actor, Asker};
use control_plane::graphql::schema::{Schema, build};
use control_plane::graphql::scope::{Cx, Envelope};
use domain::id::Noun;
use domain::platform::Platform;
use domain::profile::Overrides;
use serde_json::{Value, json};
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use uuid::Uuid;

use crate::support::Running;
pub use crate::support::id;

pub struct World {
    pub brand: Uuid,
    schema: Schema,
    running: Running,
}

impl Deref for World {
    type Target = Running;
    fn deref(&self) -> &Running {
        &self.running
    }
}

impl World {
    pub async fn new() -> Self {
        // Another test of this process may have been first. A subscriber that takes everything keeps
        // sqlx's events alive for the tests that count them.
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry());
        let world = Self { brand: Uuid::now_v7(), schema: build(), running: Running::start().await };
        world.add_brand(world.brand).await;
        world
    }

    pub async fn add_brand(&self, brand: Uuid) {
        self.database
            .sql(&format!(
                "insert into organizations (id, name) values ('{brand}', 'Agency');
             insert into brands (id, organization_id, name, timezone)
             values ('{brand}', '{brand}', 'Brand', 'Europe/Berlin')"
            ))
            .await;
    }

    pub async fn account(&self, platform: &str) -> Uuid {
        let account = Uuid::now_v7();
        let brand = self.brand;
        self.database
            .sql(&format!(
                "insert into social_accounts (id, brand_id, platform, external_id, handle, state)
             values ('{account}', '{brand}', '{platform}', '{account}', '@brand', 'CONNECTED')"
            ))
            .await;
        account
    }

    /// Connects the TikTok account again, which is allowed this now.
    pub async fn connect_again(&self, account: Uuid, overrides: Overrides) {
        let (external_id, specs) = (account.to_string(), json!([]));
        let again = NewAccount {
            id: Uuid::now_v7(),
            platform: Platform::Tiktok,
            external_id: &external_id,
            handle: "@brand",
            avatar_url: None,
            setting_specs: &specs,
            overrides,
            token_expires_at: None,
            refreshable: false,
        };
        let mut tx = self.system.store.begin(&backplane::store::Scope::brand(self.brand)).await.unwrap();
        assert_eq!(upsert_account(&mut tx, self.brand, &again).await.unwrap(), account);
        tx.commit().await.unwrap();
    }

    /// Probed photos of 1080 × 1350, each of its own content.
    pub async fn photos(&self, count: usize) -> Vec<Uuid> {
        let brand = self.brand;
        let ids: Vec<Uuid> = (0..count).map(|_| Uuid::now_v7()).collect();
        let info = photo();
        let rows: Vec<String> = ids
            .iter()
            .map(|id| {
                format!(
                    "('{id}', '{brand}', 'UPLOAD', 'IMAGE', 'READY', 'See you there', 'photos/{id}', 'image/jpeg', 400000,
                      sha256(uuid_send('{id}')), '{info}', now())"
                )
            })
            .collect();
        self.database.sql(&format!(
            "insert into media_assets (id, brand_id, source, kind, state, caption, object_key, content_type, bytes,
                                       content_hash, info, listed_at) values {}",
            rows.join(",")
        ))
        .await;
        ids
    }

    /// A probed video that every network takes, of this length.
    pub async fn video(&self, duration_ms: u64) -> Uuid {
        let (brand, video, info) = (self.brand, Uuid::now_v7(), video(duration_ms));
        self.database.sql(&format!(
            "insert into media_assets (id, brand_id, source, kind, state, caption, object_key, content_type, bytes,
                                       content_hash, info, listed_at)
             values ('{video}', '{brand}', 'UPLOAD', 'VIDEO', 'READY', 'Watch this', 'videos/{video}', 'video/mp4', 9000000,
                     sha256(uuid_send('{video}')), '{info}', now())"
        ))
        .await;
        video
    }

    /// Asks as somebody with this role in the brand.
    pub async fn ask_as(&self, role: &str, query: &str, variables: Value) -> Value {
        let grant = GrantRow {
            organization_id: self.brand,
            role: role.to_owned(),
            all_brands: true,
            brand_id: Some(self.brand),
        };
        let actor = Actor::ApiKey { key: Uuid::from_u128(7) };
        let asker = Asker::new(actor, "Ada".to_owned(), vec![grant]);
        let cx = Cx::new(Arc::clone(&self.system), Some(asker), Envelope::default());
        let request = Request::new(query).variables(Variables::from_json(variables)).data(cx);
        let response = self.schema.execute(request).await;
        assert!(response.errors.is_empty(), "{:?}", response.errors);
        response.data.into_json().unwrap()
    }

    pub async fn ask(&self, query: &str, variables: Value) -> Value {
        self.ask_as("ADMIN", query, variables).await
    }

    /// Creates a job with the given fields beside brand, posts and destinations.
    pub async fn create(&self, assets: &[Uuid], accounts: &[Uuid], more: Value) -> Value {
        let mut input = json!({
            "brandId": id(Noun::Brand, self.brand),
            "posts": assets.iter().map(|asset| json!({ "assetId": id(Noun::MediaAsset, *asset) })).collect::<Vec<_>>(),
            "destinations": accounts.iter()
                .map(|account| json!({ "accountId": id(Noun::SocialAccount, *account) })).collect::<Vec<_>>(),
        });
        for (field, value) in more.as_object().unwrap() {
            input[field] = value.clone();
        }
        let query = "mutation($in: CreatePublishJobInput!) { createPublishJob(input: $in) {
            job { id state counts { state count } } skippedCount skipped { reason earlier { id } }
            userErrors { code message path } } }";
        self.ask(query, json!({ "in": input })).await["createPublishJob"].clone()
    }

    /// The targets of a job as they are now.
    pub async fn targets(&self, job: &Value) -> Vec<Value> {
        let query = "query($job: ID!) { node(id: $job) { ... on PublishJob { targets(first: 100) { nodes {
            id state revision attempts scheduledAt problem { code message remedy } caption { text author }
            fits { operation framing width height reasons } } } } } }";
        let answer = self.ask(query, json!({ "job": job })).await;
        answer["node"]["targets"]["nodes"].as_array().unwrap().clone()
    }

    /// Puts every file of the brand in place, as workers would, and lets its targets go on.
    pub async fn make_files(&self) {
        self.database.sql("update transcoded_media set state = 'DONE', object_key = 'made/' || id, content_type = 'image/jpeg'")
            .await;
        let scope = backplane::store::Scope::brand(self.brand);
        let mut tx = self.system.store.begin(&scope).await.unwrap();
        let mut superuser = self.database.connect().await;
        let assets = sqlx::query_scalar("select id from media_assets").fetch_all(&mut superuser);
        let assets: Vec<Uuid> = assets.await.unwrap();
        backplane::store::targets::advance_targets(&mut tx, self.brand, &assets).await.unwrap();
        tx.commit().await.unwrap();
    }
}

fn photo() -> Value {
    json!({
        "kind": "image", "container": "jpeg", "bytes": 400_000, "width": 1080, "height": 1350, "duration_ms": null,
        "video": null, "audio": null, "edit_list": false, "edit_list_trims": false, "moov_first": false,
        "fragmented": false, "other_streams": 0, "has_metadata": false,
        "image": { "orientation": 1, "has_alpha": false, "animated": false, "srgb": true, "color_model": "rgb",
                   "bits_per_channel": 8, "trailing_data": false },
    })
}

fn video(duration_ms: u64) -> Value {
    let mut info = photo();
    info["kind"] = json!("video");
    info["container"] = json!("mp4");
    info["bytes"] = json!(9_000_000);
    info["duration_ms"] = json!(duration_ms);
    info["moov_first"] = json!(true);
    info["image"] = json!(null);
    info["video"] = json!({
        "codec": "h264", "profile": "High", "level": 40, "pixel_format": "yuv420p", "coded_width": 1080,
        "coded_height": 1350, "sar": [1, 1], "rotation": 0, "mirrored": false, "interlaced": false,
        "frame_rate": 30.0, "constant_frame_rate": true, "frames": duration_ms * 3 / 100, "bit_rate": 600_000,
        "gop_ms_max": 2000, "closed_gop": true, "color_range": "tv", "color_transfer": "bt709",
        "color_primaries": "bt709", "color_space": "bt709", "codec_tag": "avc1",
    });
    info
}

/// Counts the SQL statements of this thread while `work` runs.
pub async fn statements<T>(work: impl Future<Output = T>) -> (T, usize) {
    let count = Arc::new(AtomicUsize::new(0));
    let layer = Counting(Arc::clone(&count));
    let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let result = work.await;
    drop(guard);
    let count = count.load(Ordering::Relaxed);
    assert!(count > 0, "statements are counted by the events that sqlx writes");
    (result, count)
}

struct Counting(Arc<AtomicUsize>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Counting {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::query" {
            let mut summary = Summary::default();
            event.record(&mut summary);
            // The pool checks a connection that it hands out again, and not one that it has just made.
            let is_check = summary.0.contains("current_setting('transaction_read_only')");
            self.0.fetch_add(usize::from(!is_check), Ordering::Relaxed);
        }
    }
}

/// The beginning of a statement, as sqlx tells it.
#[derive(Default)]
struct Summary(String);

impl tracing::field::Visit for Summary {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        if field.name() == "summary" {
            self.0 = format!("{value:?}");
        }
    }
}
