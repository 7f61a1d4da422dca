//! Members and keys: nobody gives more than they have.

use control_plane::auth::Role;
use domain::id::Noun;
use serde_json::{Value, json};

use crate::server::{Server, id};

const INVITE: &str = "mutation($in: InviteMemberInput!) { inviteMember(input: $in) {
    membership { id email role user { id } brands { id } } inviteUrl userErrors { code path } } }";
const ACCEPT: &str = "mutation($in: AcceptInviteInput!) { acceptInvite(input: $in) {
    viewer { user { name } brands(first: 10) { nodes { id viewerRole } } } token userErrors { code path } } }";
const REMOVE: &str = "mutation($id: ID!) { removeMember(input: { membershipId: $id }) { removedMembershipId userErrors { code } } }";
const KEY: &str = "mutation($in: CreateApiKeyInput!) { createApiKey(input: $in) {
    apiKey { id role brands { id } } secret userErrors { code path } } }";

async fn invite(server: &Server, token: &str, email: &str, role: &str, brands: Option<Vec<&str>>) -> Value {
    let organization = id(Noun::Organization, server.organization);
    let input = json!({ "organizationId": organization, "email": email, "role": role, "brandIds": brands });
    server.ask(token, INVITE, json!({ "in": input })).await["inviteMember"].clone()
}

fn secret(invited: &Value) -> String {
    invited["inviteUrl"].as_str().unwrap().split("token=").nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn an_invitation_is_good_once_and_shows_its_brands_only() {
    let server = Server::new().await;
    let owner = server.sign_in("ada@example.com").await;
    let (one, _other) = (server.brand(&owner, "One").await, server.brand(&owner, "Two").await);
    let first = invite(&server, &owner, "bo@example.com", "VIEWER", None).await;
    let again = invite(&server, &owner, "Bo@example.com", "EDITOR", Some(vec![&one])).await;
    assert_eq!(first["membership"]["id"], again["membership"]["id"]);
    let accept = async |token: String| {
        let input = json!({ "token": token, "name": "Bo", "password": "another good one" });
        server.post(None, ACCEPT, json!({ "in": input })).await.body["data"]["acceptInvite"].clone()
    };
    assert_eq!(accept(secret(&first)).await["userErrors"][0]["code"], "INVALID");
    let accepted = accept(secret(&again)).await;
    assert_eq!(
        accepted["viewer"]["brands"]["nodes"],
        json!([{ "id": one, "viewerRole": "EDITOR" }]),
        "{accepted}"
    );
    assert_eq!(accept(secret(&again)).await["userErrors"][0]["code"], "INVALID");
    let bo = accepted["token"].as_str().unwrap();
    let query = "{ viewer { organizations { name members(first: 9) { totalCount } apiKeys { id } auditLog(first: 9) { nodes { id } } } } }";
    let seen = server.ask(bo, query, Value::Null).await["viewer"]["organizations"][0].clone();
    assert_eq!(seen, json!({ "name": "Agency", "members": null, "apiKeys": null, "auditLog": null }));
    let members = "{ viewer { organizations { members(first: 9) { totalCount nodes { email role user { name } brands { name } } } } } }";
    let seen =
        server.ask(&owner, members, Value::Null).await["viewer"]["organizations"][0]["members"].clone();
    assert_eq!(seen["totalCount"], 2);
    assert_eq!(seen["nodes"][1]["brands"][0]["name"], "One", "{seen}");
}

#[tokio::test]
async fn the_last_owner_stays_and_an_admin_makes_no_owner() {
    let server = Server::new().await;
    let owner = server.sign_in("ada@example.com").await;
    server.person("cy@example.com", Role::Admin).await;
    let admin = server.sign_in("cy@example.com").await;
    assert_eq!(
        invite(&server, &admin, "d@example.com", "OWNER", None).await["userErrors"][0]["code"],
        "FORBIDDEN"
    );
    let demoted = invite(&server, &owner, "ada@example.com", "VIEWER", None).await;
    assert_eq!(demoted["userErrors"][0]["code"], "CONFLICT", "{demoted}");
    let members = "{ viewer { organizations { members(first: 9) { nodes { id email } } } } }";
    let seen =
        server.ask(&owner, members, Value::Null).await["viewer"]["organizations"][0]["members"].clone();
    let (ada, cy) = (seen["nodes"][0]["id"].clone(), seen["nodes"][1]["id"].clone());
    let code = |data: Value| data["removeMember"]["userErrors"][0]["code"].clone();
    assert_eq!(code(server.ask(&admin, REMOVE, json!({ "id": ada })).await), "FORBIDDEN");
    assert_eq!(code(server.ask(&owner, REMOVE, json!({ "id": ada })).await), "CONFLICT");
    assert_eq!(
        server.ask(&owner, REMOVE, json!({ "id": cy })).await["removeMember"]["removedMembershipId"],
        cy
    );
    let reply = server.post(Some(&admin), "{ viewer { organizations { id } } }", Value::Null).await;
    assert_eq!(reply.body["data"]["viewer"]["organizations"], json!([]));
}

#[tokio::test]
async fn a_key_does_what_its_role_may_until_it_is_revoked() {
    let server = Server::new().await;
    let owner = server.sign_in("ada@example.com").await;
    let brand = server.brand(&owner, "One").await;
    let organization = id(Noun::Organization, server.organization);
    let input =
        json!({ "organizationId": organization, "name": "ci", "role": "VIEWER", "brandIds": [brand] });
    let made = server.ask(&owner, KEY, json!({ "in": input })).await["createApiKey"].clone();
    let again = server.ask(&owner, KEY, json!({ "in": input })).await["createApiKey"].clone();
    assert_eq!(again["userErrors"][0]["code"], "CONFLICT");
    let key = made["secret"].as_str().unwrap();
    let seen =
        server.ask(key, "{ viewer { user { id } brands(first: 2) { nodes { id } } } }", Value::Null).await;
    assert_eq!(seen["viewer"], json!({ "user": null, "brands": { "nodes": [{ "id": brand }] } }));
    let update = "mutation($b: ID!) { updateBrand(input: { brandId: $b, paused: true }) { brand { id } userErrors { code } } }";
    let refused = server.ask(key, update, json!({ "b": brand })).await;
    assert_eq!(refused["updateBrand"]["userErrors"][0]["code"], "FORBIDDEN");
    let revoke =
        "mutation($k: ID!) { revokeApiKey(input: { apiKeyId: $k }) { revokedApiKeyId userErrors { code } } }";
    server.ask(&owner, revoke, json!({ "k": made["apiKey"]["id"] })).await;
    assert_eq!(
        server.post(Some(key), "{ viewer { __typename } }", Value::Null).await.body["data"]["viewer"],
        Value::Null
    );
    let log = "query($b: ID!) { node(id: $b) { ... on Organization { auditLog(first: 9) { totalCount nodes { action actorName subject { __typename } changes { field after } } } } } }";
    let log = server.ask(&owner, log, json!({ "b": organization })).await["node"]["auditLog"].clone();
    assert_eq!(log["nodes"][0]["action"], "api_key.revoked", "{log}");
    assert_eq!(log["nodes"][1]["subject"]["__typename"], "ApiKey");
    assert!(!log.to_string().contains(key));
}
