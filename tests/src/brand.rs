//! A brand in the hands of somebody who may act for it: accounts, assets, jobs, and waiting for their ends.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use crate::{
    api::Api,
    wait::eventually,
    world::{REDIRECT_URL, World},
};

/// How long probing, encoding and publishing a few seconds of media may take on a busy machine.
pub const WORK_LIMIT: Duration = Duration::from_secs(180);

/// What a story reads of a target.
const TARGET: &str = "id revision state attempts externalId externalUrl scheduledAt publishedAt problem { code message remedy retryAt } \
    review { decision } account { id platform externalId } asset { id } caption { id text length maxLength author } \
    profile { name } fits { operation framing width height reasons } media { operation state info { width height } }";

/// One brand.
#[derive(Clone)]
pub struct Brand<'w> {
    pub world: &'w World,
    pub id: String,
    /// Who acts.
    pub api: Api,
}

/// A connected account.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: String,
    pub external_id: String,
    pub platform: String,
    pub handle: String,
}

/// A publish job.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: String,
}

impl Brand<'_> {
    /// The same brand, acted for by somebody else.
    #[must_use]
    pub fn seen_by(&self, api: &Api) -> Self {
        Self { api: api.clone(), ..self.clone() }
    }

    /// Connects an account as a person would, and makes the choices that its network demands.
    ///
    /// # Panics
    /// When a step is refused.
    pub async fn connect(&self, platform: &str, handle: &str) -> Account {
        let external = self.world.networks.account(platform, handle).await;
        let id = match platform {
            "TELEGRAM" => self.connect_bot(&external).await,
            _ => self.connect_by_consent(platform, handle, None).await,
        };
        self.choose_settings(&id).await;
        Account {
            id,
            external_id: external["externalId"].as_str().unwrap().to_owned(),
            platform: platform.to_owned(),
            handle: handle.to_owned(),
        }
    }

    /// One account on each network, the same handle everywhere.
    pub async fn connect_all(&self, handle: &str) -> [Account; 3] {
        [
            self.connect("INSTAGRAM", handle).await,
            self.connect("TELEGRAM", handle).await,
            self.connect("TIKTOK", handle).await,
        ]
    }

    /// Connects by credentials, for the first time or again.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn connect_bot(&self, external: &Value) -> String {
        let credentials =
            json!({ "telegram": { "botToken": external["botToken"], "chat": external["chat"] } });
        let input = json!({ "brandId": self.id, "credentials": credentials });
        let payload = self.api.mutate("connectWithCredentials", input, "account { id }").await;
        payload["account"]["id"].as_str().unwrap().to_owned()
    }

    /// Goes through OAuth; `account_id` connects that account again.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn connect_by_consent(&self, platform: &str, handle: &str, account_id: Option<&str>) -> String {
        let input = json!({
            "brandId": self.id, "platform": platform, "redirectUrl": REDIRECT_URL, "accountId": account_id,
        });
        let started = self.api.mutate("startConnect", input, "authorizeUrl").await;
        let back = self.world.networks.consent(started["authorizeUrl"].as_str().unwrap(), handle).await;
        let finished =
            self.api.mutate("finishConnect", json!({ "callbackUrl": back }), "accounts { id }").await;
        finished["accounts"][0]["id"].as_str().unwrap().to_owned()
    }

    async fn choose_settings(&self, account_id: &str) {
        let query = "query ($id: ID!) { node(id: $id) { ... on SocialAccount { settings { key required value choices } } } }";
        let data = self.api.query(query, json!({ "id": account_id })).await;
        let open = data["node"]["settings"].as_array().into_iter().flatten();
        let open = open.filter(|setting| setting["required"] == true && setting["value"].is_null());
        let chosen: Vec<Value> =
            open.map(|setting| json!({ "key": setting["key"], "value": setting["choices"][0] })).collect();
        if !chosen.is_empty() {
            let input = json!({ "accountId": account_id, "settings": chosen });
            self.api.mutate("updateAccount", input, "account { id }").await;
        }
    }

    /// An account as it is now.
    pub async fn account(&self, id: &str) -> Value {
        let fields = "id state problem { code message remedy } paused checkedAt ingest { running found finishedAt nextAt problem { message } }";
        self.node(id, "SocialAccount", fields).await
    }

    /// An asset as it is now.
    pub async fn asset(&self, id: &str) -> Value {
        let fields = "id state kind caption externalId problem { code message remedy } thumbnailUrl originalUrl \
            info { container width height durationMs videoCodec hasAudio } transcodes { operation } items { id }";
        self.node(id, "MediaAsset", fields).await
    }

    /// Any object, by its type.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn node(&self, id: &str, kind: &str, fields: &str) -> Value {
        let query = format!("query ($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ {fields} }} }} }}");
        self.api.query(&query, json!({ "id": id })).await["node"].take()
    }

    /// Waits until an asset is probed, well or badly.
    pub async fn probed(&self, id: &str) -> Value {
        eventually("the asset is probed", WORK_LIMIT, async || {
            let asset = self.asset(id).await;
            ["READY", "REJECTED"].iter().any(|end| asset["state"] == *end).then_some(asset)
        })
        .await
    }

    /// Uploads a file and waits until it is READY.
    ///
    /// # Panics
    /// When it is rejected.
    pub async fn ready(&self, file: &std::path::Path, caption: &str) -> String {
        let id = self.upload(file, caption).await;
        let asset = self.probed(&id).await;
        assert_eq!(asset["state"], "READY", "{asset}");
        id
    }

    /// The input of a job that sends every asset to every account.
    #[must_use]
    pub fn job_input(&self, assets: &[&str], accounts: &[&Account]) -> Value {
        let posts: Vec<Value> = assets.iter().map(|id| json!({ "assetId": id })).collect();
        let destinations: Vec<Value> =
            accounts.iter().map(|account| json!({ "accountId": account.id })).collect();
        json!({ "brandId": self.id, "posts": posts, "destinations": destinations })
    }

    /// Sends every asset to every account, now.
    pub async fn publish(&self, assets: &[&str], accounts: &[&Account]) -> Job {
        self.create_job(self.job_input(assets, accounts)).await
    }

    /// Makes a job.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn create_job(&self, input: Value) -> Job {
        let payload = self.api.mutate("createPublishJob", input, "job { id }").await;
        Job { id: payload["job"]["id"].as_str().unwrap().to_owned() }
    }

    /// Every target of a job, in its order.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn targets(&self, job: &Job) -> Vec<Value> {
        let query = format!(
            "query ($id: ID!, $after: String) {{ node(id: $id) {{ ... on PublishJob {{ targets(first: 100, after: $after) {{ \
             pageInfo {{ hasNextPage endCursor }} nodes {{ {TARGET} }} }} }} }} }}"
        );
        let (mut targets, mut after) = (Vec::new(), Value::Null);
        loop {
            let mut data = self.api.query(&query, json!({ "id": job.id, "after": after })).await;
            let page = &mut data["node"]["targets"];
            targets.extend(page["nodes"].as_array().unwrap().iter().cloned());
            if page["pageInfo"]["hasNextPage"] != true {
                return targets;
            }
            after = page["pageInfo"]["endCursor"].take();
        }
    }

    /// One target.
    pub async fn target(&self, id: &str) -> Value {
        self.node(id, "PublishTarget", TARGET).await
    }

    /// Waits until every target of the job is in one of these states.
    pub async fn until(&self, job: &Job, states: &[&str], limit: Duration) -> Vec<Value> {
        let what = format!("every target becomes one of {states:?}");
        let seen = std::cell::RefCell::new(Vec::new());
        let waiting = eventually(&what, limit, async || {
            let targets = self.targets(job).await;
            let done = targets.iter().all(|target| states.iter().any(|state| target["state"] == *state));
            seen.replace(targets.clone());
            (done && !targets.is_empty()).then_some(targets)
        });
        match tokio::time::timeout(limit.saturating_sub(Duration::from_millis(500)), waiting).await {
            Ok(targets) => targets,
            Err(_) => panic!("waited {limit:?} in vain: {what}; they are {}", describe(&seen.borrow())),
        }
    }

    /// Waits until every target of the job is PUBLISHED.
    pub async fn published(&self, job: &Job) -> Vec<Value> {
        let ends = ["PUBLISHED", "FAILED", "NEEDS_ATTENTION", "CANCELLED"];
        let targets = self.until(job, &ends, WORK_LIMIT).await;
        assert!(targets.iter().all(|target| target["state"] == "PUBLISHED"), "{}", describe(&targets));
        targets
    }

    /// How many posts each account has at its network.
    pub async fn posts(&self, accounts: &[&Account]) -> BTreeMap<String, usize> {
        let mut posts = BTreeMap::new();
        for account in accounts {
            let count = self.world.networks.posts_of(&account.external_id).await.len();
            posts.insert(account.platform.clone(), count);
        }
        posts
    }

    /// Fails unless each account has exactly `count` posts.
    ///
    /// # Panics
    /// When one has more or fewer.
    pub async fn assert_posts(&self, accounts: &[&Account], count: usize) {
        for account in accounts {
            let posts = self.world.networks.posts_of(&account.external_id).await;
            assert_eq!(posts.len(), count, "posts on {}: {posts:?}", account.platform);
        }
    }

    /// Ingests an account's whole back catalogue, and returns the assets that came of it, all probed.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn ingest(&self, account: &Account) -> Vec<Value> {
        // The first one starts by itself when the account is connected.
        let idle = eventually("no ingest runs", WORK_LIMIT, async || {
            let ingest = self.account(&account.id).await["ingest"].take();
            (ingest["running"] == false && !ingest["finishedAt"].is_null()).then_some(ingest)
        });
        let before = idle.await["finishedAt"].take();
        let input = json!({ "accountId": account.id, "since": "2020-01-01T00:00:00Z" });
        self.api.mutate("ingestNow", input, "account { id }").await;
        eventually("the ingest ends", WORK_LIMIT, async || {
            let ingest = self.account(&account.id).await["ingest"].take();
            let ended = ingest["running"] == false
                && !ingest["finishedAt"].is_null()
                && ingest["finishedAt"] != before;
            ended.then_some(())
        })
        .await;
        eventually("the ingested files are probed", WORK_LIMIT, async || {
            let assets = self.assets(json!({ "accountId": account.id })).await;
            let done = assets.iter().all(|asset| asset["state"] == "READY" || asset["state"] == "REJECTED");
            done.then_some(assets)
        })
        .await
    }

    /// The assets that a filter lets through, newest first, at most 100.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn assets(&self, filter: Value) -> Vec<Value> {
        let query = "query ($b: ID!, $f: AssetFilter) { brand(id: $b) { assets(first: 100, filter: $f) { nodes { \
             id state kind caption externalId problem { code message } items { id } } } } }";
        let mut data = self.api.query(query, json!({ "b": self.id, "f": filter })).await;
        match data["brand"]["assets"]["nodes"].take() {
            Value::Array(nodes) => nodes,
            other => panic!("the brand's assets are not there: {other}"),
        }
    }
}

/// One line for each target.
#[must_use]
pub fn describe(targets: &[Value]) -> String {
    let lines = targets.iter().map(|target| {
        format!(
            "\n  {} {} attempts {} {}",
            target["account"]["platform"], target["state"], target["attempts"], target["problem"]
        )
    });
    lines.collect()
}

/// The ids of objects.
#[must_use]
pub fn ids(nodes: &[Value]) -> Vec<&str> {
    nodes.iter().filter_map(|node| node["id"].as_str()).collect()
}

/// The target for one network.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn on<'t>(targets: &'t [Value], platform: &str) -> &'t Value {
    targets.iter().find(|target| target["account"]["platform"] == platform).unwrap()
}
