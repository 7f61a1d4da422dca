//! Every mutation of the API in one table: who may, and an input that names one of a brand's things wherever an id
//! goes. The stories about tenants and roles go through it, and fail for a mutation that is missing.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{estate::Estate, schema::Schema, world::REDIRECT_URL};

/// The roles that may call a mutation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// Assets, captions, jobs.
    Edit,
    /// Approving and sending back.
    Review,
    /// Settings, accounts, people, keys.
    Administer,
}

impl May {
    /// Every role below OWNER that may not.
    #[must_use]
    pub const fn refused(self) -> &'static [&'static str] {
        match self {
            Self::Edit => &["APPROVER", "VIEWER"],
            Self::Review => &["EDITOR", "VIEWER"],
            Self::Administer => &["EDITOR", "APPROVER", "VIEWER"],
        }
    }

    /// The least role that may.
    #[must_use]
    pub const fn least(self) -> &'static str {
        match self {
            Self::Edit => "EDITOR",
            Self::Review => "APPROVER",
            Self::Administer => "ADMIN",
        }
    }
}

/// Those that name nothing of anybody: they are about who asks. `finishConnect` is bound to the session that
/// started to connect, by a secret.
pub const OF_NOBODY: [&str; 4] = ["acceptInvite", "finishConnect", "signIn", "signOut"];

/// One mutation.
pub struct Mutation {
    pub name: &'static str,
    pub may: May,
    /// With `$account` for the id of an account, and so on.
    template: Value,
}

/// The rest, in an order in which those who may can call one after the other.
#[must_use]
pub fn table() -> Vec<Mutation> {
    let file = json!({ "filename": "a.jpg", "contentType": "image/jpeg", "bytes": 1000 });
    let bot = json!({ "telegram": { "botToken": "1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "chat": "@x" } });
    let row = |name, may, template| Mutation { name, may, template };
    vec![
        row(
            "updateBrand",
            May::Administer,
            json!({ "brandId": "$brand", "name": "Mine", "watermark": { "assetId": "$asset" } }),
        ),
        row(
            "createBrand",
            May::Administer,
            json!({ "organizationId": "$organization", "name": "Mine", "timezone": "UTC" }),
        ),
        row("createUploads", May::Edit, json!({ "brandId": "$brand", "files": [file] })),
        row("completeUploads", May::Edit, json!({ "uploads": [{ "uploadId": "$upload" }] })),
        row(
            "createCarousel",
            May::Edit,
            json!({ "brandId": "$brand", "assetIds": ["$asset", "$uploading"] }),
        ),
        row(
            "createPublishJob",
            May::Edit,
            json!({
                "brandId": "$brand", "posts": [{ "assetId": "$asset" }], "destinations": [{ "accountId": "$account" }],
            }),
        ),
        row(
            "updatePublishTargets",
            May::Edit,
            json!({ "changes": [{ "targetId": "$target", "caption": { "text": "x" } }] }),
        ),
        row("adaptCaptions", May::Edit, json!({ "targetIds": ["$target"] })),
        row("submitPublishJob", May::Edit, json!({ "jobId": "$job" })),
        row(
            "reviewPublishTargets",
            May::Review,
            json!({ "targets": [{ "targetId": "$target", "revision": 1 }], "decision": "APPROVE" }),
        ),
        row("retryPublishTargets", May::Edit, json!({ "targetIds": ["$target"] })),
        row(
            "resolvePublishTargets",
            May::Edit,
            json!({ "answers": [{ "targetId": "$target", "attempts": 0, "resolution": "GIVE_UP" }] }),
        ),
        row("cancelPublishTargets", May::Edit, json!({ "targetIds": ["$target"] })),
        row("cancelPublishJob", May::Edit, json!({ "jobId": "$job" })),
        row("deleteAssets", May::Edit, json!({ "assetIds": ["$asset"] })),
        row("ingestNow", May::Edit, json!({ "accountId": "$instagram" })),
        row(
            "startConnect",
            May::Administer,
            json!({
                "brandId": "$brand", "platform": "INSTAGRAM", "accountId": "$instagram", "redirectUrl": REDIRECT_URL,
            }),
        ),
        row("connectWithCredentials", May::Administer, json!({ "brandId": "$brand", "credentials": bot })),
        row("updateAccount", May::Administer, json!({ "accountId": "$account", "paused": true })),
        row("disconnectAccount", May::Administer, json!({ "accountId": "$account" })),
        row(
            "inviteMember",
            May::Administer,
            json!({
                "organizationId": "$organization", "email": "m@x.example", "role": "VIEWER", "brandIds": ["$brand"],
            }),
        ),
        row("removeMember", May::Administer, json!({ "membershipId": "$membership" })),
        row(
            "createApiKey",
            May::Administer,
            json!({ "organizationId": "$organization", "name": "Mine", "role": "VIEWER", "brandIds": ["$brand"] }),
        ),
        row("revokeApiKey", May::Administer, json!({ "apiKeyId": "$key" })),
    ]
}

/// Fails when the table lacks a mutation of the schema, or an id that its input could name.
///
/// # Panics
/// When it does.
pub fn assert_complete(schema: &Schema) {
    let table = table();
    let listed: BTreeSet<String> =
        table.iter().map(|row| row.name).chain(OF_NOBODY).map(str::to_owned).collect();
    let schemas = schema.mutations();
    let differing: Vec<_> = listed.symmetric_difference(&schemas).collect();
    assert!(differing.is_empty(), "these are in the schema or in the table, and not in both: {differing:?}");
    for name in OF_NOBODY {
        assert!(schema.input_ids(name).is_empty(), "{name} names something: give it a row in the table");
    }
    for row in &table {
        let named: BTreeSet<String> = row.places().into_iter().map(|place| place.path).collect();
        assert_eq!(named, schema.input_ids(row.name), "the input of {} names other ids", row.name);
    }
}

/// Where an input names a thing.
struct Place {
    /// As JSON points to it, e.g. `/posts/0/assetId`.
    pointer: String,
    /// As the schema has it, e.g. `posts.assetId`.
    path: String,
    thing: String,
}

impl Mutation {
    /// Its input about the things of one brand.
    #[must_use]
    pub fn input(&self, estate: &Estate) -> Value {
        self.filled(|_| estate)
    }

    /// Every input that mixes the things of two brands, at least one of each.
    #[must_use]
    pub fn mixed(&self, one: &Estate, other: &Estate) -> Vec<Value> {
        let places = self.places().len();
        let all = (1_u32 << places) - 1;
        let mixed =
            (1..all).map(|chosen| self.filled(|place| if chosen & (1 << place) == 0 { one } else { other }));
        // Two brands may share a thing, such as their organisation: then it is no mixture.
        mixed.filter(|input| *input != self.input(one) && *input != self.input(other)).collect()
    }

    fn filled<'e>(&self, whose: impl Fn(usize) -> &'e Estate) -> Value {
        let mut input = self.template.clone();
        for (index, place) in self.places().iter().enumerate() {
            if let Some(slot) = input.pointer_mut(&place.pointer) {
                *slot = json!(whose(index).id(&place.thing));
            }
        }
        input
    }

    fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        find(&self.template, "", &[], &mut places);
        places
    }
}

fn find(value: &Value, pointer: &str, path: &[&str], places: &mut Vec<Place>) {
    match value {
        Value::String(text) => places.extend(text.strip_prefix('$').map(|thing| Place {
            pointer: pointer.to_owned(),
            path: path.join("."),
            thing: thing.to_owned(),
        })),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                find(item, &format!("{pointer}/{index}"), path, places);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                find(field, &format!("{pointer}/{name}"), &[path, &[name.as_str()]].concat(), places);
            }
        }
        _ => {}
    }
}
