//! Every operation that a dashboard and a phone send, as they send it, on a brand with something of everything.

use std::{collections::BTreeMap, fs};

use serde_json::{Value, json};
use tests::{
    Agency, Answer, Api, Brand, World, brand::WORK_LIMIT, files, socket::Subscription, world::REDIRECT_URL,
};

/// The documents, by their number.
fn documents() -> BTreeMap<String, String> {
    let files = fs::read_dir(files::shared("flows")).unwrap().map(|entry| entry.unwrap().path());
    let documents = files.map(|path| {
        let name = path.file_name().unwrap().to_string_lossy()[..2].to_owned();
        (name, fs::read_to_string(path).unwrap())
    });
    documents.collect()
}

/// Runs operations of the documents and remembers which.
struct Player<'a> {
    api: &'a Api,
    documents: BTreeMap<String, String>,
    played: Vec<String>,
}

impl Player<'_> {
    async fn play(&mut self, number: &str, operation: &str, variables: Value) -> Value {
        let answer = self.attempt(number, operation, variables).await;
        assert!(answer.refusals.is_empty(), "{number} {operation}: {:?}", answer.refusals);
        answer.data
    }

    async fn attempt(&mut self, number: &str, operation: &str, variables: Value) -> Answer {
        self.played.push(format!("{number} {operation}"));
        self.api.attempt_named(&self.documents[number], Some(operation), variables).await
    }

    async fn watch(&mut self, number: &str, operation: &str, variables: Value) -> Subscription {
        self.played.push(format!("{number} {operation}"));
        Subscription::open(self.api, &self.documents[number], operation, variables).await
    }

    /// Every operation of every document.
    fn all(&self) -> Vec<String> {
        let mut all = Vec::new();
        for (number, document) in &self.documents {
            for kind in ["query ", "mutation ", "subscription "] {
                for after in document.split(kind).skip(1) {
                    let name: String = after.chars().take_while(char::is_ascii_alphanumeric).collect();
                    if !name.is_empty() {
                        all.push(format!("{number} {name}"));
                    }
                }
            }
        }
        all.sort();
        all
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_of_the_clients_runs() {
    let world = World::start().await;
    let agency = world.agency("Northwind").await;
    let brand = agency.brand("Flows").await;
    let mut player = Player { api: &agency.owner, documents: documents(), played: Vec::new() };
    sign_in(&mut player, &agency).await;
    let accounts = accounts(&mut player, &brand).await;
    let asset = uploads(&mut player, &brand, &accounts).await;
    publishing(&mut player, &brand, &accounts, &asset).await;
    approval(&mut player, &agency).await;
    reading(&mut player, &agency, &brand, &asset).await;
    player.played.sort();
    player.played.dedup();
    assert_eq!(player.played, player.all(), "every operation was played");
    world.finish().await;
}

async fn sign_in(player: &mut Player<'_>, agency: &Agency<'_>) {
    let owner = player.api;
    let stranger = agency.world.stranger();
    let document = player.documents["01"].clone();
    let wrong = json!({ "in": { "email": agency.email, "password": "wrong wrong", "session": "COOKIE" } });
    stranger.attempt_named(&document, Some("SignIn"), wrong).await.refused("INVALID");
    player.played.push("01 SignIn".to_owned());
    let started = player.play("01", "Start", json!({})).await;
    assert_eq!(started["viewer"]["brands"]["nodes"][0]["viewerRole"], "OWNER");
    // Another session of the same person ends; this one goes on.
    let other = stranger.sign_in(&agency.email, "correct horse battery staple").await;
    other.attempt_named(&document, Some("Out"), json!({})).await.granted();
    player.played.push("01 Out".to_owned());
    assert!(other.query("{ viewer { user { id } } }", json!({})).await["viewer"].is_null());
    assert!(!owner.query("{ viewer { user { id } } }", json!({})).await["viewer"].is_null());
}

async fn accounts(player: &mut Player<'_>, brand: &Brand<'_>) -> Vec<String> {
    let networks = &brand.world.networks;
    let mut watched = player.watch("12", "Watch", json!({ "b": [brand.id] })).await;
    let input = json!({ "brandId": brand.id, "platform": "INSTAGRAM", "redirectUrl": REDIRECT_URL });
    let started = player.play("11", "Start", json!({ "in": input })).await;
    let back = networks.consent(started["startConnect"]["authorizeUrl"].as_str().unwrap(), "flows").await;
    let finished = player.play("11", "Finish", json!({ "in": { "callbackUrl": back } })).await;
    let instagram = finished["finishConnect"]["accounts"][0]["id"].as_str().unwrap().to_owned();
    let external = networks.account("TELEGRAM", "flows").await;
    let credentials = json!({ "telegram": { "botToken": external["botToken"], "chat": external["chat"] } });
    let input = json!({ "brandId": brand.id, "credentials": credentials });
    let bot = player.play("11", "Bot", json!({ "in": input })).await;
    let telegram = bot["connectWithCredentials"]["account"]["id"].as_str().unwrap().to_owned();
    assert!(!watched.next().await["socialAccountChanged"]["id"].is_null());
    player.play("12", "Ingest", json!({ "in": { "accountId": instagram } })).await;
    let health = player.play("12", "Health", json!({ "b": brand.id })).await;
    assert_eq!(health["brand"]["socialAccounts"]["nodes"].as_array().unwrap().len(), 2);
    vec![instagram, telegram]
}

async fn uploads(player: &mut Player<'_>, brand: &Brand<'_>, accounts: &[String]) -> String {
    let mut watched = player.watch("13", "Asset", json!({ "b": [brand.id] })).await;
    let file = files::conforming_clip();
    let bytes = fs::read(&file).unwrap();
    let described = json!({ "filename": "clip.mp4", "contentType": "video/mp4", "bytes": bytes.len(), "caption": "Flow" });
    let created =
        player.play("13", "Create", json!({ "in": { "brandId": brand.id, "files": [described] } })).await;
    let upload = created["createUploads"]["uploads"][0].clone();
    let found = player.play("13", "FindUnfinished", json!({ "b": brand.id })).await;
    assert_eq!(found["brand"]["assets"]["nodes"][0]["upload"]["id"], upload["id"]);
    let resumed = player.play("13", "Resume", json!({ "ids": [upload["id"]] })).await;
    let asset = upload["asset"]["id"].as_str().unwrap().to_owned();
    let input = json!({
        "brandId": brand.id, "posts": [{ "assetId": asset }], "destinations": [{ "accountId": accounts[1] }],
    });
    player.play("13", "PostWhileUploading", json!({ "in": input })).await;
    let url = resumed["nodes"][0]["missingParts"][0]["url"].as_str().unwrap();
    let put = tests::networks::http().put(url).body(bytes).send().await.unwrap();
    assert!(put.status().is_success());
    player.play("13", "Done", json!({ "in": { "uploads": [{ "uploadId": upload["id"] }] } })).await;
    assert!(!watched.next().await["assetChanged"]["id"].is_null());
    assert_eq!(brand.probed(&asset).await["state"], "READY");
    asset
}

async fn publishing(player: &mut Player<'_>, brand: &Brand<'_>, accounts: &[String], asset: &str) {
    let input = json!({
        "brandId": brand.id, "posts": [{ "assetId": asset }], "draft": true,
        "destinations": [{ "accountId": accounts[0] }],
    });
    let mut calendar = player.watch("08", "Calendar", json!({ "b": [brand.id] })).await;
    let made = player.play("03", "Repost", json!({ "in": input })).await;
    let job = json!({ "job": made["createPublishJob"]["job"]["id"] });
    let id = made["createPublishJob"]["job"]["id"].as_str().unwrap().to_owned();
    let mut writing = player.watch("04", "Writing", job.clone()).await;
    let mut jobs = player.watch("08", "Job", job.clone()).await;
    let mut targets = player.watch("08", "Targets", job.clone()).await;
    let drafts = brand.until(&tests::Job { id: id.clone() }, &["DRAFT"], WORK_LIMIT).await;
    let target = drafts[0]["id"].clone();
    tests::eventually("the draft has its caption", WORK_LIMIT, async || {
        let target = brand.target(target.as_str().unwrap()).await;
        (!target["caption"].is_null()).then_some(())
    })
    .await;
    let preview = player.play("04", "Preview", job.clone()).await;
    assert_eq!(preview["node"]["targets"]["totalCount"], 1);
    let framing = json!({ "changes": [{ "targetId": target, "framing": "PAD" }] });
    player.play("04", "Pad", json!({ "in": framing })).await;
    player.play("04", "Again", json!({ "in": { "targetIds": [target] } })).await;
    let edit = json!({ "changes": [{ "targetId": target, "caption": { "text": "By hand" } }] });
    let edited = player.play("05", "Edit", json!({ "in": edit })).await;
    assert_eq!(edited["updatePublishTargets"]["targets"][0]["caption"]["author"], "PERSON");
    let tomorrow = (chrono::Utc::now() + chrono::Duration::days(1)).to_rfc3339();
    let drag = json!({ "changes": [{ "targetId": target, "scheduledAt": tomorrow }] });
    player.play("07", "Drag", json!({ "in": drag })).await;
    for watched in [&mut writing, &mut targets, &mut calendar] {
        assert!(!watched.next().await["publishTargetChanged"]["id"].is_null());
    }
    player.play("04", "Confirm", job.clone()).await;
    assert!(!jobs.next().await["publishJobChanged"]["id"].is_null());
    let range = |day: i64| {
        let at = |day| (chrono::Utc::now() + chrono::Duration::days(day)).to_rfc3339();
        json!({ "from": at(day), "before": at(day + 7) })
    };
    let month = json!({ "b": brand.id, "w1": range(-14), "w2": range(-7), "w3": range(0), "w4": range(7), "w5": range(14), "w6": range(21) });
    let month = player.play("07", "Month", month).await;
    assert_eq!(month["brand"]["w3"]["totalCount"], 1, "{month}");
    player.play("18", "Page", job.clone()).await;
    player.play("10", "Failed", job.clone()).await;
    player.attempt("10", "Retry", json!({ "in": { "targetIds": [target] } })).await.refused("CONFLICT");
    let answer = json!({ "answers": [{ "targetId": target, "attempts": 0, "resolution": "GIVE_UP" }] });
    player.attempt("09", "Resolve", json!({ "in": answer })).await.refused("CONFLICT");
    player.play("16", "Part", json!({ "in": { "targetIds": [target] } })).await;
    player.play("16", "Rest", job).await;
}

async fn approval(player: &mut Player<'_>, agency: &Agency<'_>) {
    let careful = agency.brand_with("Careful", json!({ "approvalRequired": true })).await;
    let account = careful.connect("TELEGRAM", "careful").await;
    let asset = careful.ready(&files::photo(70), "Look at this").await;
    let job = careful.publish(&[&asset], &[&account]).await;
    careful.until(&job, &["AWAITING_APPROVAL"], WORK_LIMIT).await;
    let input = json!({ "organizationId": agency.id, "email": "new@northwind.example", "role": "APPROVER" });
    let invited = player.play("06", "Invite", json!({ "in": input })).await;
    let token = tests::agency::invitation_token(invited["inviteMember"]["inviteUrl"].as_str().unwrap());
    let accept = json!({ "in": { "token": token, "name": "New", "password": "another long password" } });
    let document = player.documents["06"].clone();
    agency.world.stranger().attempt_named(&document, Some("Accept"), accept).await.granted();
    player.played.push("06 Accept".to_owned());
    let waiting = player.play("06", "Waiting", json!({ "b": careful.id })).await;
    let target = &waiting["brand"]["publishTargets"]["nodes"][0];
    let review = json!({
        "targets": [{ "targetId": target["id"], "revision": target["revision"] }], "decision": "APPROVE",
    });
    player.play("06", "Review", json!({ "in": review })).await;
    careful.published(&job).await;
}

async fn reading(player: &mut Player<'_>, agency: &Agency<'_>, brand: &Brand<'_>, asset: &str) {
    let inbox = player.play("02", "Inbox", json!({ "b": brand.id })).await;
    assert_eq!(inbox["brand"]["assets"]["totalCount"], 1);
    player.play("09", "Attention", json!({})).await;
    let input = json!({ "organizationId": agency.id, "name": "script", "role": "EDITOR" });
    let document = player.documents["14"].clone();
    // The secret is of this reply alone.
    let key = agency.owner.attempt_named(&document, Some("Key"), json!({ "in": input })).await.granted();
    player.played.push("14 Key".to_owned());
    let script = agency.owner.with_token(key["createApiKey"]["secret"].as_str().unwrap());
    let other = brand.ready(&files::photo(71), "Scripted").await;
    let account = brand.connect("TELEGRAM", "scripted").await;
    let job = json!({ "in": brand.job_input(&[&other], &[&account]) });
    let job = script.attempt_named(&document, Some("Job"), job).await.granted();
    let id = job["createPublishJob"]["job"]["id"].as_str().unwrap().to_owned();
    script.attempt_named(&document, Some("Poll"), json!({ "ids": [id] })).await.granted();
    player.played.extend(["14 Job".to_owned(), "14 Poll".to_owned()]);
    brand.published(&tests::Job { id }).await;
    let audit = player.play("15", "Audit", json!({ "b": brand.id })).await;
    assert!(!audit["brand"]["auditLog"]["nodes"].as_array().unwrap().is_empty());
    player.play("15", "Org", json!({ "o": agency.id })).await;
    let spare = brand.ready(&files::photo(72), "Spare").await;
    let deleted = player.play("17", "Delete", json!({ "in": { "assetIds": [spare] } })).await;
    assert_eq!(deleted["deleteAssets"]["assets"][0]["state"], "DELETED");
    assert_eq!(brand.asset(asset).await["state"], "READY");
}
