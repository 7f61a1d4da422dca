//! What an operator does before anybody can sign in, and what they are told when it cannot be.

use serde_json::json;
use tests::{
    World, WorldOptions,
    process::{refused, run},
};

const PASSWORD: &str = "correct horse battery staple";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_makes_an_organisation_a_user_who_signs_in_and_a_key_that_works() {
    let world = World::with(WorldOptions { workers: 0, ..WorldOptions::default() }).await;
    let operator = world.operator();
    let organization = run(&["admin", "create-organization", "--name", "Northwind"], &operator).await;
    let mut with_password = operator.clone();
    with_password.push(("REELMILL_PASSWORD", PASSWORD.to_owned()));
    let user = [
        "admin",
        "create-user",
        "--organization",
        &organization,
        "--email",
        "Olga@Example.com",
        "--name",
        "Olga",
    ];
    run(&user, &with_password).await;
    let owner = world.stranger().sign_in("olga@example.com", PASSWORD).await;
    let viewer = "{ viewer { user { name email } organizations { id name } } }";
    let viewer = owner.query(viewer, json!({})).await["viewer"].take();
    assert_eq!(viewer["user"]["email"], "olga@example.com");
    assert_eq!(viewer["organizations"][0]["id"], json!(organization), "{viewer}");

    let key =
        ["admin", "create-api-key", "--organization", &organization, "--name", "nightly", "--role", "admin"];
    let secret = run(&key, &operator).await;
    let script = world.stranger().with_token(&secret);
    let input =
        json!({ "organizationId": organization, "name": "Made by a script", "timezone": "Europe/Lisbon" });
    let made = script.mutate("createBrand", input, "brand { name }").await;
    assert_eq!(made["brand"]["name"], "Made by a script");

    // The same again, and what cannot be: each says what to do.
    let nowhere = [("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none".to_owned())];
    let stranger = ["admin", "create-user", "--organization", "brand_1", "--email", "x", "--name", "X"];
    for (arguments, environment, says) in [
        (&user[..], &with_password[..], "invite them"),
        (&key[..], &operator[..], "choose another name"),
        (&stranger[..], &[][..], "--organization: this is not a valid org id"),
        (&stranger[..], &[][..], "REELMILL_PASSWORD: is not set"),
        (&stranger[..], &[][..], "DATABASE_URL: is not set"),
        (&key[..], &nowhere[..], "is it running, and is its address right?"),
    ] {
        let said = refused(arguments, environment).await;
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
    world.finish().await;
}
