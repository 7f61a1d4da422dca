//! Two agencies, and two brands of one: nobody reads or moves what is not theirs, whatever ids they know. The schema
//! itself says where an id can be given, so that a field or a mutation that is added later is tried as well.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tests::{
    Answer, Api, Estate, Schema, World,
    estate::nobodys,
    mutations::{self, Mutation},
    schema::IdPlace,
    socket::Subscription,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_agency_sees_and_moves_nothing() {
    let world = World::start().await;
    let theirs = world.agency("Zephyrine").await;
    let their_brand = theirs.brand("Zephyrine").await;
    let ours = world.agency("Ours").await;
    let our_brand = ours.brand("Ours").await;
    let their_things = Estate::of(&theirs, &their_brand, "zephyrine").await;
    let our_things = Estate::of(&ours, &our_brand, "ours").await;
    let schema = Schema::of(&ours.owner).await;
    mutations::assert_complete(&schema);
    world.rest().await;
    let before = world.rows().await;

    let roots = by_type(&ours.owner, &our_things).await;
    let nouns: BTreeSet<&String> = roots.keys().collect();
    assert_eq!(nouns, schema.nodes().iter().collect(), "an estate has one of every noun");
    let (subscriptions, queries): (Vec<_>, Vec<_>) =
        schema.id_places().into_iter().partition(|place| place.owner == "Subscription");
    for place in &queries {
        let asking = Asking { api: &ours.owner, schema: &schema, place, root: roots.get(&place.owner) };
        asking.tells_nothing_of(&their_things).await;
        assert!(asking.tells_something_of(&our_things).await, "{place:?} is not tried at all");
    }
    for row in mutations::table() {
        for input in [vec![row.input(&their_things)], row.mixed(&our_things, &their_things)].concat() {
            assert_not_found(&ours.owner, &row, &input, &their_things).await;
        }
        let answer = world.stranger().try_mutate(row.name, row.input(&their_things), "").await;
        assert!(matches!(answer.codes()[..], ["UNAUTHENTICATED" | "NOT_FOUND"]), "{}: {answer:?}", row.name);
    }
    world.assert_unchanged(&before).await;

    let mut watches = Vec::new();
    for place in &subscriptions {
        watches.push(
            Watch::open(&schema, place, (&ours.owner, &our_things), (&theirs.owner, &their_things)).await,
        );
    }
    change_all(&theirs.owner, &their_things).await;
    for watch in &mut watches {
        watch.theirs.next().await;
    }
    change_all(&ours.owner, &our_things).await;
    for watch in &mut watches {
        watch.hears_ours_alone(&their_things).await;
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_brands_of_one_agency_do_not_mix() {
    let world = World::start().await;
    let agency = world.agency("Northwind").await;
    let (first, second) = (agency.brand("First").await, agency.brand("Second").await);
    let first_things = Estate::of(&agency, &first, "first").await;
    let second_things = Estate::of(&agency, &second, "second").await;
    let editor = agency.member("emil@northwind.example", "EDITOR", Some(&[&first.id])).await;
    world.rest().await;
    let before = world.rows().await;

    let mut mixtures = 0;
    for row in mutations::table() {
        for input in row.mixed(&first_things, &second_things) {
            let answer = agency.owner.try_mutate(row.name, input.clone(), "").await;
            assert!(is_not_found(&answer), "{} {input}: {answer:?}", row.name);
            mixtures += 1;
        }
        // Somebody of one brand alone.
        let answer = editor.try_mutate(row.name, row.input(&second_things), "").await;
        let refused = answer.codes().iter().all(|code| ["NOT_FOUND", "FORBIDDEN"].contains(code));
        assert!(refused && !answer.refusals.is_empty(), "{}: {answer:?}", row.name);
    }
    assert!(mixtures > 10, "there are mixtures of two brands");
    let shared: BTreeSet<&str> = first_things.ids().collect();
    for id in second_things.ids().filter(|id| !shared.contains(id)) {
        assert!(node(&editor, id).await.is_null(), "{id} is seen from the other brand");
    }
    world.assert_unchanged(&before).await;
    world.finish().await;
}

async fn node(api: &Api, id: &str) -> Value {
    let query = "query ($id: ID!) { node(id: $id) { __typename id } }";
    api.query(query, json!({ "id": id })).await["node"].take()
}

/// A thing of each type, as its owner sees it.
async fn by_type(api: &Api, things: &Estate) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for id in things.ids() {
        let node = node(api, id).await;
        assert_eq!(node["id"], id, "it is there for those it belongs to");
        found.insert(node["__typename"].as_str().unwrap().to_owned(), id.to_owned());
    }
    found
}

/// A question about one place in the schema where an id can be given.
struct Asking<'a> {
    api: &'a Api,
    schema: &'a Schema,
    place: &'a IdPlace,
    /// Of the asker's own things, the one whose field it is.
    root: Option<&'a String>,
}

impl Asking<'_> {
    async fn about(&self, id: &str) -> Answer {
        let variables = json!({ "root": self.root, "given": self.schema.value(self.place, id) });
        self.api.attempt(&self.schema.document(self.place), variables).await
    }

    /// What is theirs is answered like what does not exist.
    async fn tells_nothing_of(&self, things: &Estate) {
        for id in things.ids() {
            let (seen, none) = (self.about(id).await, self.about(&nobodys(id)).await);
            let seen = format!("{seen:?}");
            assert_eq!(seen, format!("{none:?}"), "{:?} knows {id}", self.place);
            things.assert_not_in(&seen, &format!("{:?}", self.place));
        }
    }

    /// For the asker's own things the answer is another one: the place was really tried.
    async fn tells_something_of(&self, things: &Estate) -> bool {
        for id in things.ids() {
            let (seen, none) = (self.about(id).await, self.about(&nobodys(id)).await);
            if format!("{seen:?}") != format!("{none:?}") {
                return true;
            }
        }
        false
    }
}

async fn assert_not_found(api: &Api, row: &Mutation, input: &Value, theirs: &Estate) {
    let answer = api.try_mutate(row.name, input.clone(), "").await;
    assert!(is_not_found(&answer), "{} {input}: {answer:?}", row.name);
    theirs.assert_not_in(&format!("{answer:?}"), row.name);
}

fn is_not_found(answer: &Answer) -> bool {
    let codes = answer.codes();
    !codes.is_empty() && codes.iter().all(|code| *code == "NOT_FOUND")
}

/// One subscription, opened by us with their ids, and by them.
struct Watch {
    ours: Subscription,
    theirs: Subscription,
}

impl Watch {
    async fn open(schema: &Schema, place: &IdPlace, ours: (&Api, &Estate), theirs: (&Api, &Estate)) -> Self {
        let document = schema.document(place);
        let noun = place.argument.trim_end_matches('s').trim_end_matches("Id").to_owned();
        let of = |things: &Estate| json!({ "given": schema.value(place, things.id(&noun)) });
        let mut listening = Subscription::open(ours.0, &document, "Tried", of(theirs.1)).await;
        listening.also(&document, "Tried", of(ours.1)).await;
        let theirs = Subscription::open(theirs.0, &document, "Tried", of(theirs.1)).await;
        Self { ours: listening, theirs }
    }

    /// Until our own change comes, nothing does.
    async fn hears_ours_alone(&mut self, theirs: &Estate) {
        let (of, event) = self.ours.next_of_any().await;
        assert_eq!(of, "2", "with their ids nothing is heard: {event}");
        theirs.assert_not_in(&event.to_string(), "a subscription");
    }
}

/// Changes an account, a target and with it its job, and an asset.
async fn change_all(api: &Api, things: &Estate) {
    let pause = json!({ "accountId": things.id("instagram"), "paused": true });
    api.mutate("updateAccount", pause, "account { id }").await;
    let change = json!({ "targetId": things.id("target"), "caption": { "text": "Other words" } });
    api.mutate("updatePublishTargets", json!({ "changes": [change] }), "targets { id }").await;
    let delete = json!({ "assetIds": [things.id("broken")] });
    api.mutate("deleteAssets", delete, "assets { id }").await;
}
