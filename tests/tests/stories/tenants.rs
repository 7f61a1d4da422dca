//! Two agencies, and two brands of one: nobody reads or moves what is not theirs, whatever ids they know.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::{Agency, Api, Brand, World, brand::WORK_LIMIT, files};

/// One object of each noun of a brand.
struct Things {
    brand: String,
    organization: String,
    account: String,
    asset: String,
    uploading: String,
    upload: String,
    job: String,
    target: Value,
    caption: String,
    membership: String,
    key: String,
}

impl Things {
    async fn of(agency: &Agency<'_>, brand: &Brand<'_>, handle: &str) -> Self {
        let account = brand.connect("TELEGRAM", handle).await;
        let asset = brand.ready(&files::photo(40), "Theirs").await;
        let upload = brand.begin_upload(&files::photo(41), "Theirs").await;
        let mut input = brand.job_input(&[&asset], &[&account]);
        input["draft"] = json!(true);
        let job = brand.create_job(input).await;
        let mut targets = brand.until(&job, &["DRAFT"], WORK_LIMIT).await;
        let captioned = tests::eventually("a caption is written", WORK_LIMIT, async || {
            let target = brand.target(targets[0]["id"].as_str().unwrap()).await;
            target["caption"]["id"].as_str().map(str::to_owned)
        });
        let caption = captioned.await;
        let input =
            json!({ "organizationId": agency.id, "email": format!("{handle}@x.example"), "role": "VIEWER" });
        let invited = agency.owner.mutate("inviteMember", input, "membership { id }").await;
        let input = json!({ "organizationId": agency.id, "name": handle, "role": "VIEWER" });
        let key = agency.owner.mutate("createApiKey", input, "apiKey { id }").await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            brand: brand.id.clone(),
            organization: agency.id.clone(),
            account: account.id,
            asset,
            uploading: upload.asset_id,
            upload: upload.id,
            job: job.id,
            target: targets.remove(0),
            caption,
            membership: text(&invited["membership"]["id"]),
            key: text(&key["apiKey"]["id"]),
        }
    }

    fn ids(&self) -> Vec<&str> {
        let target = self.target["id"].as_str().unwrap();
        vec![
            &self.brand,
            &self.organization,
            &self.account,
            &self.asset,
            &self.upload,
            &self.job,
            target,
            &self.caption,
            &self.membership,
            &self.key,
        ]
    }

    /// Every mutation that names an object, with all of them from `self`, and with the brand from `brand`.
    fn mutations(&self, brand: &str) -> BTreeMap<&'static str, Value> {
        let target = &self.target["id"];
        let revision = &self.target["revision"];
        let job = json!({
            "brandId": brand, "posts": [{ "assetId": self.asset }], "destinations": [{ "accountId": self.account }],
        });
        BTreeMap::from([
            ("disconnectAccount", json!({ "accountId": self.account })),
            ("updateAccount", json!({ "accountId": self.account, "paused": true })),
            ("ingestNow", json!({ "accountId": self.account })),
            ("completeUploads", json!({ "uploads": [{ "uploadId": self.upload }] })),
            ("createCarousel", json!({ "brandId": brand, "assetIds": [self.asset, self.uploading] })),
            ("deleteAssets", json!({ "assetIds": [self.asset] })),
            ("createPublishJob", job),
            ("submitPublishJob", json!({ "jobId": self.job })),
            ("cancelPublishJob", json!({ "jobId": self.job })),
            (
                "updatePublishTargets",
                json!({ "changes": [{ "targetId": target, "caption": { "text": "x" } }] }),
            ),
            ("adaptCaptions", json!({ "targetIds": [target] })),
            (
                "reviewPublishTargets",
                json!({ "targets": [{ "targetId": target, "revision": revision }], "decision": "APPROVE" }),
            ),
            ("cancelPublishTargets", json!({ "targetIds": [target] })),
            ("retryPublishTargets", json!({ "targetIds": [target] })),
            (
                "resolvePublishTargets",
                json!({ "answers": [{ "targetId": target, "attempts": 0, "resolution": "GIVE_UP" }] }),
            ),
        ])
    }

    /// Those that name nothing but a brand, an organisation, or something of it.
    fn mutations_of_tenant(&self) -> BTreeMap<&'static str, Value> {
        let file = json!({ "filename": "a.jpg", "contentType": "image/jpeg", "bytes": 1000 });
        let bot =
            json!({ "telegram": { "botToken": "1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "chat": "@x" } });
        let redirect = tests::world::REDIRECT_URL;
        BTreeMap::from([
            ("updateBrand", json!({ "brandId": self.brand, "name": "Mine" })),
            (
                "createBrand",
                json!({ "organizationId": self.organization, "name": "Mine", "timezone": "UTC" }),
            ),
            ("createUploads", json!({ "brandId": self.brand, "files": [file] })),
            ("connectWithCredentials", json!({ "brandId": self.brand, "credentials": bot })),
            ("startConnect", json!({ "brandId": self.brand, "platform": "TIKTOK", "redirectUrl": redirect })),
            (
                "inviteMember",
                json!({ "organizationId": self.organization, "email": "m@x.example", "role": "OWNER" }),
            ),
            ("removeMember", json!({ "membershipId": self.membership })),
            ("createApiKey", json!({ "organizationId": self.organization, "name": "k", "role": "VIEWER" })),
            ("revokeApiKey", json!({ "apiKeyId": self.key })),
        ])
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_agency_sees_and_moves_nothing() {
    let world = World::start().await;
    let theirs = world.agency("Theirs").await;
    let their_brand = theirs.brand("Their brand").await;
    let things = Things::of(&theirs, &their_brand, "theirs").await;
    let ours = world.agency("Ours").await;
    let our_brand = ours.brand("Our brand").await;

    // Read by id, one by one and all at once, each type by its own field.
    for id in things.ids() {
        let known =
            theirs.owner.query("query ($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
        assert_eq!(known["node"]["id"], id, "it is there for those it belongs to");
        let answer = ours.owner.query("query ($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
        assert!(answer["node"].is_null(), "{id} is seen by another agency");
    }
    let all = json!({ "ids": things.ids() });
    let answer = ours.owner.query("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", all).await;
    assert!(answer["nodes"].as_array().unwrap().iter().all(Value::is_null), "{answer}");
    let answer =
        ours.owner.query("query ($id: ID!) { brand(id: $id) { id } }", json!({ "id": things.brand })).await;
    assert!(answer["brand"].is_null());
    let viewer = "{ viewer { brands(first: 100) { nodes { id } } attention(first: 100) { totalCount } organizations { id } } }";
    let seen = ours.owner.query(viewer, json!({})).await;
    assert!(
        !seen.to_string().contains(&things.brand) && !seen.to_string().contains(&things.organization),
        "{seen}"
    );

    let before = snapshot(&world).await;
    let mut mutations = things.mutations(&things.brand);
    mutations.extend(things.mutations_of_tenant());
    assert_not_found(&ours.owner, &mutations).await;
    // With a brand of ours and their objects.
    assert_not_found(&ours.owner, &things.mutations(&our_brand.id)).await;
    // And by nobody at all.
    for (name, input) in &mutations {
        let answer = world.stranger().try_mutate(name, input.clone(), "").await;
        assert!(matches!(answer.codes()[..], ["UNAUTHENTICATED" | "NOT_FOUND"]), "{name}: {answer:?}");
    }
    assert_eq!(snapshot(&world).await, before, "a refused mutation changed something");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_brands_of_one_agency_do_not_mix() {
    let world = World::start().await;
    let agency = world.agency("Northwind").await;
    let (first, second) = (agency.brand("First").await, agency.brand("Second").await);
    let account = second.connect("TELEGRAM", "second_brand").await;
    let asset = first.ready(&files::photo(42), "First's").await;
    let other_asset = second.ready(&files::photo(43), "Second's").await;
    let before = snapshot(&world).await;
    for (brand, posted) in [(&first, &asset), (&second, &asset), (&first, &other_asset)] {
        let input = brand.job_input(&[posted], &[&account]);
        let answer = brand.api.try_mutate("createPublishJob", input, "job { id }").await;
        let codes = answer.codes();
        assert!(!codes.is_empty() && codes.iter().all(|code| *code == "NOT_FOUND"), "{answer:?}");
        let input = json!({ "brandId": brand.id, "assetIds": [asset, other_asset] });
        let answer = brand.api.try_mutate("createCarousel", input, "asset { id }").await;
        assert!(answer.codes().contains(&"NOT_FOUND"), "{answer:?}");
    }
    let input = json!({
        "brandId": first.id, "platform": "TELEGRAM", "accountId": account.id, "redirectUrl": tests::world::REDIRECT_URL,
    });
    let answer = first.api.try_mutate("startConnect", input, "authorizeUrl").await;
    assert!(!answer.codes().is_empty(), "{answer:?}");
    assert_eq!(snapshot(&world).await, before);
    // Somebody of one brand alone does not see the other.
    let editor = agency.member("emil@northwind.example", "EDITOR", Some(&[&first.id])).await;
    assert!(second.seen_by(&editor).node(&second.id, "Brand", "id").await.is_null());
    assert!(second.seen_by(&editor).node(&account.id, "SocialAccount", "id").await.is_null());
    world.finish().await;
}

async fn assert_not_found(api: &Api, mutations: &BTreeMap<&'static str, Value>) {
    for (name, input) in mutations {
        let answer = api.try_mutate(name, input.clone(), "").await;
        let codes = answer.codes();
        assert!(!codes.is_empty() && codes.iter().all(|code| *code == "NOT_FOUND"), "{name}: {answer:?}");
    }
}

/// How many rows there are of what people make, and when they last changed.
async fn snapshot(world: &World) -> Vec<i64> {
    let mut counts = Vec::new();
    for table in [
        "brands",
        "memberships",
        "api_keys",
        "social_accounts",
        "media_assets",
        "publish_jobs",
        "publish_targets",
    ] {
        counts.push(world.database.count(&format!("select count(*) from {table}")).await);
    }
    let changed = "select coalesce(sum(revision), 0)::bigint from publish_targets where state = 'DRAFT'";
    counts.push(world.database.count(changed).await);
    counts
}
