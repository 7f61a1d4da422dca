//! One object of every noun: what one brand has, all of it bearing one word, so that it is known wherever it turns up.

use std::collections::BTreeMap;

use domain::id::GlobalId;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    agency::Agency,
    brand::{Brand, WORK_LIMIT},
    files,
    wait::eventually,
};

/// The ids of a brand's things, by what a [`crate::mutations`] calls them.
pub struct Estate {
    pub word: String,
    ids: BTreeMap<&'static str, String>,
}

impl Estate {
    /// Makes one of everything for a brand: ingested, uploaded, published and drafted.
    ///
    /// # Panics
    /// When something is refused.
    pub async fn of(agency: &Agency<'_>, brand: &Brand<'_>, word: &str) -> Self {
        let mut ids = BTreeMap::from([("brand", brand.id.clone()), ("organization", agency.id.clone())]);
        let instagram = brand.connect("INSTAGRAM", word).await;
        let telegram = brand.connect("TELEGRAM", word).await;
        let photo = files::photo(40);
        let at = "2026-10-01T10:00:00Z";
        brand.world.networks.post_by_hand(&instagram.external_id, "photo", word, at, &[&photo]).await;
        let ingested = brand.ingest(&instagram).await;
        let asset = brand.ready(&files::photo(41), word).await;
        let broken =
            brand.upload(&files::written(&format!("{word}.jpg"), b"not a picture at all"), word).await;
        assert_eq!(brand.probed(&broken).await["state"], "REJECTED", "it waits for a person");
        let upload = brand.begin_upload(&files::photo(42), word).await;
        let published = brand.publish(&[&asset], &[&telegram]).await;
        brand.published(&published).await;
        let mut draft = brand.job_input(&[ingested[0]["id"].as_str().unwrap()], &[&telegram]);
        draft["draft"] = json!(true);
        let job = brand.create_job(draft).await;
        let target = brand.until(&job, &["DRAFT"], WORK_LIMIT).await[0]["id"].as_str().unwrap().to_owned();
        let caption = eventually("a caption is written", WORK_LIMIT, async || {
            brand.target(&target).await["caption"]["id"].as_str().map(str::to_owned)
        });
        ids.extend([
            ("caption", caption.await),
            ("instagram", instagram.id),
            ("account", telegram.id),
            ("asset", asset),
            ("broken", broken),
            ("upload", upload.id),
            ("uploading", upload.asset_id),
            ("published", published.id),
            ("job", job.id),
            ("target", target),
        ]);
        ids.extend(people(agency, word).await);
        ids.extend(records(brand, &ids).await);
        Self { word: word.to_owned(), ids }
    }

    /// The id of one thing.
    ///
    /// # Panics
    /// When there is none of this name.
    #[must_use]
    pub fn id(&self, name: &str) -> &str {
        self.ids.get(name).unwrap_or_else(|| panic!("an estate has no {name}"))
    }

    /// All of them.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.ids.values().map(String::as_str)
    }

    /// Fails when a reply holds an id or a text of this estate, in whatever case.
    ///
    /// # Panics
    /// When it does.
    pub fn assert_not_in(&self, reply: &str, question: &str) {
        let reply = reply.to_lowercase();
        for mark in self.ids().chain([self.word.as_str()]) {
            assert!(!reply.contains(&mark.to_lowercase()), "{question} tells of {mark}: {reply}");
        }
    }
}

/// An invited member, a key, and the owner.
async fn people(agency: &Agency<'_>, word: &str) -> [(&'static str, String); 3] {
    let email = format!("{word}@invited.example");
    let input = json!({ "organizationId": agency.id, "email": email, "role": "VIEWER" });
    let invited = agency.owner.mutate("inviteMember", input, "membership { id }").await;
    let input = json!({ "organizationId": agency.id, "name": word, "role": "VIEWER" });
    let key = agency.owner.mutate("createApiKey", input, "apiKey { id }").await;
    let viewer = agency.owner.query("{ viewer { user { id } } }", json!({})).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    [
        ("membership", text(&invited["membership"]["id"])),
        ("key", text(&key["apiKey"]["id"])),
        ("user", text(&viewer["viewer"]["user"]["id"])),
    ]
}

/// What was written down meanwhile: a line of the log, and a made file.
async fn records(brand: &Brand<'_>, ids: &BTreeMap<&'static str, String>) -> [(&'static str, String); 2] {
    let log = brand.node(&brand.id, "Brand", "auditLog(first: 1) { nodes { id } }").await;
    let made = brand.node(&ids["asset"], "MediaAsset", "transcodes { id }").await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    [("line", text(&log["auditLog"]["nodes"][0]["id"])), ("media", text(&made["transcodes"][0]["id"]))]
}

/// An id of the same noun that nobody has.
///
/// # Panics
/// When `id` is none.
#[must_use]
pub fn nobodys(id: &str) -> String {
    GlobalId::new(GlobalId::parse(id).unwrap().noun, Uuid::now_v7()).to_string()
}
