//! Roles keep people, and keys, to their part: below the role that a mutation needs it is refused, and writes nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tests::{Agency, Api, Estate, Schema, World, mutations};

/// What only an admin sees, and what has it.
const FOR_ADMINS: [(&str, &str, &str); 4] = [
    ("brand", "Brand", "auditLog(first: 1) { totalCount }"),
    ("organization", "Organization", "auditLog(first: 1) { totalCount }"),
    ("organization", "Organization", "members(first: 1) { totalCount }"),
    ("organization", "Organization", "apiKeys { id }"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn below_its_role_every_mutation_is_refused() {
    let world = World::start().await;
    let agency = world.agency("Northwind").await;
    let brand = agency.brand("Roles").await;
    let things = Estate::of(&agency, &brand, "roles").await;
    mutations::assert_complete(&Schema::of(&agency.owner).await);
    let mut askers = BTreeMap::new();
    for role in ["ADMIN", "EDITOR", "APPROVER", "VIEWER"] {
        let member = agency.member(&format!("{}@northwind.example", role.to_lowercase()), role, None).await;
        askers.insert(role, [member, key(&agency, role).await]);
    }
    for api in askers.values().flatten() {
        let seen = brand.seen_by(api).target(things.id("target")).await;
        assert_eq!(seen["id"], things.id("target"), "everybody of the brand reads");
    }
    world.rest().await;
    let before = world.rows().await;

    for row in mutations::table() {
        for api in row.may.refused().iter().flat_map(|role| &askers[role]) {
            let answer = api.try_mutate(row.name, row.input(&things), "").await;
            // Who does not administer keys does not see them either.
            let code = if row.name == "revokeApiKey" { "NOT_FOUND" } else { "FORBIDDEN" };
            assert_eq!(answer.codes(), [code], "{}: {answer:?}", row.name);
        }
    }
    for role in ["EDITOR", "APPROVER", "VIEWER"] {
        for (owner, kind, field) in FOR_ADMINS {
            let seen = brand.seen_by(&askers[role][0]).node(things.id(owner), kind, field).await;
            assert!(seen.as_object().unwrap().values().all(Value::is_null), "{role} sees {seen}");
        }
    }
    world.assert_unchanged(&before).await;

    for row in mutations::table() {
        let answer = askers[row.may.least()][0].try_mutate(row.name, row.input(&things), "").await;
        let refused = answer.codes().iter().any(|code| ["FORBIDDEN", "NOT_FOUND"].contains(code));
        assert!(!refused, "{} may {}: {answer:?}", row.may.least(), row.name);
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_an_admin_began_is_not_finished_by_a_viewer() {
    let world = World::start().await;
    let agency = world.agency("Northwind").await;
    let brand = agency.brand("Demoted").await;
    world.networks.account("INSTAGRAM", "demoted").await;
    let email = "adam@northwind.example";
    let admin = agency.member(email, "ADMIN", None).await;
    let input = json!({
        "brandId": brand.id, "platform": "INSTAGRAM", "redirectUrl": tests::world::REDIRECT_URL,
    });
    let started = admin.mutate("startConnect", input, "authorizeUrl").await;
    let back = world.networks.consent(started["authorizeUrl"].as_str().unwrap(), "demoted").await;
    let demote = json!({ "organizationId": agency.id, "email": email, "role": "VIEWER" });
    agency.owner.mutate("inviteMember", demote, "membership { role }").await;
    let finish = json!({ "callbackUrl": back });
    admin.try_mutate("finishConnect", finish.clone(), "accounts { id }").await.refused("FORBIDDEN");
    agency.owner.try_mutate("finishConnect", finish, "accounts { id }").await.refused("CONFLICT");
    assert_eq!(world.database.count("select count(*) from social_accounts").await, 0);
    world.finish().await;
}

/// A script with a role.
async fn key(agency: &Agency<'_>, role: &str) -> Api {
    let input = json!({ "organizationId": agency.id, "name": role, "role": role });
    let made = agency.owner.mutate("createApiKey", input, "secret").await;
    agency.owner.with_token(made["secret"].as_str().unwrap())
}
