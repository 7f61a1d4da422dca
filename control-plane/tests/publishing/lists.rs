//! Lists: pages in order, a constant number of statements, and never a whole table.

use domain::id::Noun;
use serde_json::{Value, json};

use crate::world::{World, id, statements};

const PAGE: &str = "query($job: ID!, $n: Int!) { node(id: $job) { ... on PublishJob {
    targets(first: $n) { totalCount nodes { id state revision scheduledAt problem { code } review { decision }
        asset { id kind items { id } } account { id platform handle } job { id } profile { name }
        fits { operation framing width height reasons asset { id } }
        caption { id text length maxLength author } media { id state progress } } } } } }";

#[tokio::test]
async fn a_page_of_a_hundred_targets_takes_no_more_statements_than_one_of_two() {
    let world = World::new().await;
    let account = world.account("telegram").await;
    let photos = world.photos(100).await;
    let made = world.create(&photos, &[account], json!({ "captions": "ORIGINAL" })).await;
    let ask = |n: i32| world.ask(PAGE, json!({ "job": made["job"]["id"], "n": n }));
    ask(2).await;
    let (_, of_two) = statements(ask(2)).await;
    let (page, of_hundred) = statements(ask(100)).await;
    // On a busy machine a batch may be cut in two; a statement for each row would be a hundred more.
    assert!(of_hundred <= of_two + 10, "{of_two} and {of_hundred}");
    let nodes = page["node"]["targets"]["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 100);
    assert!(
        nodes
            .iter()
            .all(|node| node["fits"][0]["operation"].is_string() && node["media"][0]["id"].is_string())
    );
}

#[tokio::test]
async fn pages_follow_each_other_in_both_directions() {
    let world = World::new().await;
    let account = world.account("telegram").await;
    let photos = world.photos(7).await;
    let every = json!({ "every": { "startAt": "2040-01-01T09:00:00Z", "minutes": 60 } });
    world.create(&photos[..5], &[account], json!({ "schedule": every })).await;
    world.create(&photos[5..], &[account], json!({})).await;
    let query = "query($b: ID!, $first: Int, $after: String, $last: Int, $before: String, $f: TargetFilter) {
        brand(id: $b) { publishTargets(first: $first, after: $after, last: $last, before: $before, filter: $f) {
            totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { id scheduledAt } } } }";
    let ask = async |mut variables: Value| {
        variables["b"] = json!(id(Noun::Brand, world.brand));
        world.ask(query, variables).await["brand"]["publishTargets"].clone()
    };
    let ids = |page: &Value| -> Vec<String> {
        page["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
    };
    let all = ask(json!({ "first": 100 })).await;
    assert_eq!(all["totalCount"], 7);
    assert_eq!(all["nodes"][0]["scheduledAt"], "2040-01-01T09:00:00+00:00");
    assert!(all["nodes"][6]["scheduledAt"].is_null(), "those without a time come last");
    let first = ask(json!({ "first": 4 })).await;
    let rest = ask(json!({ "first": 4, "after": first["pageInfo"]["endCursor"] })).await;
    assert_eq!([ids(&first), ids(&rest)].concat(), ids(&all));
    assert_eq!(rest["pageInfo"]["hasNextPage"], false);
    let last = ask(json!({ "last": 3, "before": rest["pageInfo"]["startCursor"] })).await;
    assert_eq!(ids(&last), ids(&all)[1..4]);
    let during = json!({ "from": "2040-01-01T10:00:00Z", "before": "2040-01-01T12:00:00Z" });
    assert_eq!(ask(json!({ "first": 9, "f": { "during": during } })).await["totalCount"], 2);
}

#[tokio::test]
async fn what_waits_for_a_person_is_listed_once_newest_first() {
    let world = World::new().await;
    let account = world.account("telegram").await;
    let photos = world.photos(3).await;
    world.create(&photos, &[account], json!({ "captions": "ORIGINAL" })).await;
    world
        .database
        .sql(
            "update publish_targets set problem_code = 'p', problem_message = 'm', state = 'FAILED',
                    problem_remedy = (array['reconnect', 'retry', 'wait'])[position + 1],
                    problem_since = now() - position * interval '1 hour';
             update social_accounts set problem_code = 'account.reconnect', problem_message = 'm', state = 'NEEDS_RECONNECT',
                    problem_remedy = 'reconnect', problem_since = now() - interval '1 minute'",
        )
        .await;
    let query = "query($r: [Remedy!]) { viewer { attention(first: 10, remedies: $r) {
        totalCount nodes { problem { remedy } brand { id } } } } }";
    let page = world.ask(query, json!({})).await["viewer"]["attention"].clone();
    assert_eq!(page["totalCount"], 2);
    assert_eq!(page["nodes"][0]["problem"]["remedy"], "RECONNECT");
    assert_eq!(page["nodes"][1]["problem"]["remedy"], "RETRY");
    let waiting = world.ask(query, json!({ "r": ["WAIT"] })).await;
    assert_eq!(waiting["viewer"]["attention"]["totalCount"], 1);
}
