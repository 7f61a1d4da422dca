//! Requests that no client of ours sends: each is refused by name, and the server goes on.

use serde_json::json;
use tests::{World, WorldOptions, files};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_beyond_the_limits_are_refused_by_name() {
    let world = World::with(WorldOptions { workers: 0, ..WorldOptions::default() }).await;
    let agency = world.agency("Northwind").await;
    let brand = agency.brand("Limits").await;
    let api = &agency.owner;
    let page = "query ($b: ID!, $n: Int, $after: String) { brand(id: $b) { assets(first: $n, after: $after) { totalCount } } }";
    for (variables, code) in [
        (json!({ "b": brand.id, "n": 100_000 }), "BAD_REQUEST"),
        (json!({ "b": brand.id, "n": 0 }), "BAD_REQUEST"),
        (json!({ "b": brand.id }), "BAD_REQUEST"),
        (json!({ "b": brand.id, "n": 1, "after": "not a cursor" }), "BAD_REQUEST"),
        (json!({ "b": agency.id, "n": 1 }), "BAD_ID"),
        (json!({ "b": "brand_zzzz", "n": 1 }), "BAD_ID"),
    ] {
        api.attempt(page, variables).await.refused(code);
    }
    let unknown = "brand_00000000000000000000000000000000";
    let unknown = api.attempt("query ($b: ID!) { node(id: $b) { id } }", json!({ "b": unknown })).await;
    assert!(unknown.codes().is_empty() || unknown.codes() == ["BAD_ID"], "{unknown:?}");

    let aliases: String = (0..5_000).map(|n| format!("a{n}: viewer {{ __typename }} ")).collect();
    api.attempt(&format!("{{ {aliases} }}"), json!({})).await.refused("BAD_REQUEST");
    let deep =
        format!("{{ viewer {}{} }}", "{ brands(first: 1) { nodes { organization ".repeat(20), "}".repeat(60));
    assert!(!api.attempt(&deep, json!({})).await.codes().is_empty());
    let long = format!("{{ viewer {{ __typename }} }} #{}", "x".repeat(10 << 20));
    let body = json!({ "query": long });
    let answer = tests::networks::http().post(api.url.clone()).json(&body).bearer_auth(api.token().unwrap());
    if let Ok(answer) = answer.send().await {
        assert!(answer.status().is_client_error(), "{}", answer.status());
    }
    let batch = tests::networks::http().post(api.url.clone()).json(&json!([{ "query": "{ __typename }" }]));
    assert!(batch.send().await.unwrap().status().is_client_error(), "no batches");
    let viewer = world.stranger().query("{ viewer { user { id } } }", json!({})).await;
    assert!(viewer["viewer"].is_null(), "nobody is signed in");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_monstrous_caption_is_refused_and_a_strange_one_is_kept() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Words").await;
    let telegram = brand.connect("TELEGRAM", "words").await;
    let asset = brand.ready(&files::photo(31), "").await;
    let monstrous = "\u{202e}abc\u{7}\u{200f}שלום ".repeat(4_000);
    let mut input = brand.job_input(&[&asset], &[&telegram]);
    input["posts"][0]["caption"] = json!(monstrous);
    let answer = brand.api.try_mutate("createPublishJob", input.clone(), "job { id }").await;
    assert_eq!(answer.refusals.len(), 1, "{answer:?}");
    assert_eq!(answer.refusals[0].path.last().map(String::as_str), Some("caption"));

    // Longer than Telegram's caption: the rest follows as a reply, and nothing of it is lost.
    let words: Vec<String> = (0..400).map(|n| format!("word{n}")).collect();
    input["posts"][0]["caption"] = json!(format!("{} שלום", words.join(" ")));
    input["captions"] = json!("ORIGINAL");
    let job = brand.create_job(input).await;
    brand.published(&job).await;
    let ledger = world.networks.ledger().await;
    assert_eq!(ledger.len(), 2, "a photo and a reply: {ledger:?}");
    assert_eq!(ledger[1]["replyTo"], ledger[0]["remoteId"]);
    let sent =
        format!("{} {}", ledger[0]["caption"].as_str().unwrap(), ledger[1]["caption"].as_str().unwrap());
    for word in words {
        assert!(sent.contains(&word), "{word} is lost");
    }
    world.finish().await;
}
