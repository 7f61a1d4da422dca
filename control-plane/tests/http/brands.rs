//! Brands: made once for a key, changed in part, and listed by name.

use domain::id::Noun;
use serde_json::{Value, json};

use crate::server::Server;
use crate::support::id;

const CREATE: &str = "mutation($in: CreateBrandInput!) { createBrand(input: $in) {
    brand { id name viewerRole organization { name } } userErrors { code message path } } }";

#[tokio::test]
async fn the_same_key_makes_one_brand_even_at_once() {
    let server = Server::new().await;
    let token = server.sign_in("ada@example.com").await;
    let organization = id(Noun::Organization, server.organization);
    let input = json!({ "organizationId": organization, "name": "Lviv Coffee", "timezone": "Europe/Kyiv", "idempotencyKey": "k1" });
    let calls = (0..20).map(|_| server.ask(&token, CREATE, json!({ "in": input })));
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(answers[0]["createBrand"]["brand"]["viewerRole"], "OWNER");
    let mut other = input.clone();
    other["name"] = json!("Another");
    let refused = server.ask(&token, CREATE, json!({ "in": other })).await;
    assert_eq!(refused["createBrand"]["userErrors"][0]["code"], "IDEMPOTENCY_MISMATCH");
    let count = server.ask(&token, "{ viewer { brands(first: 1) { totalCount } } }", Value::Null).await;
    assert_eq!(count["viewer"]["brands"]["totalCount"], 1);
}

#[tokio::test]
async fn what_is_left_out_stays_and_null_clears() {
    let server = Server::new().await;
    let token = server.sign_in("ada@example.com").await;
    let brand = server.brand(&token, "One").await;
    let update = "mutation($in: UpdateBrandInput!) { updateBrand(input: $in) { brand {
        name timezone paused maxLatenessMinutes voice { systemPrompt defaultHashtags language } } userErrors { code path } } }";
    let set = json!({ "brandId": brand, "maxLatenessMinutes": 30,
        "voice": { "systemPrompt": "Warm.", "defaultHashtags": ["#coffee", "lviv"], "language": "uk" } });
    server.ask(&token, update, json!({ "in": set })).await;
    let clear = json!({ "brandId": brand, "paused": true, "maxLatenessMinutes": null, "voice": { "language": null } });
    let changed = server.ask(&token, update, json!({ "in": clear })).await["updateBrand"]["brand"].clone();
    assert_eq!(
        changed,
        json!({ "name": "One", "timezone": "Europe/Kyiv", "paused": true, "maxLatenessMinutes": 360,
            "voice": { "systemPrompt": "Warm.", "defaultHashtags": ["coffee", "lviv"], "language": null } })
    );
    for (field, value) in
        [("timezone", json!("Mars/Base")), ("name", json!("")), ("maxLatenessMinutes", json!(0))]
    {
        let refused = server.ask(&token, update, json!({ "in": { "brandId": brand, field: value } })).await;
        assert_eq!(
            refused["updateBrand"]["userErrors"],
            json!([{ "code": "INVALID", "path": ["input", field] }])
        );
    }
}

#[tokio::test]
async fn brands_page_by_name_in_both_directions() {
    let server = Server::new().await;
    let token = server.sign_in("ada@example.com").await;
    for name in ["C", "A", "B"] {
        server.brand(&token, name).await;
    }
    let query = "query($f: Int, $l: Int, $a: String, $b: String) { viewer { brands(first: $f, last: $l, after: $a, before: $b) {
        totalCount pageInfo { hasNextPage hasPreviousPage endCursor startCursor } nodes { name } } } }";
    let page =
        async |variables: Value| server.ask(&token, query, variables).await["viewer"]["brands"].clone();
    let first = page(json!({ "f": 2 })).await;
    assert_eq!(first["nodes"], json!([{ "name": "A" }, { "name": "B" }]));
    assert_eq!((&first["totalCount"], &first["pageInfo"]["hasNextPage"]), (&json!(3), &json!(true)));
    let rest = page(json!({ "f": 2, "a": first["pageInfo"]["endCursor"] })).await;
    assert_eq!(rest["nodes"], json!([{ "name": "C" }]));
    let back = page(json!({ "l": 1, "b": rest["pageInfo"]["startCursor"] })).await;
    assert_eq!(
        (&back["nodes"][0]["name"], &back["pageInfo"]["hasPreviousPage"]),
        (&json!("B"), &json!(true))
    );
    for wrong in [json!({}), json!({ "f": 100_000 }), json!({ "f": 1, "a": "nonsense" })] {
        let reply = server.post(Some(&token), query, wrong).await;
        assert_eq!(reply.body["errors"][0]["extensions"]["code"], "BAD_REQUEST", "{}", reply.body);
    }
}
