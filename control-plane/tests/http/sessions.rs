//! Signing in and out, by token and by cookie.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::server::{PASSWORD, Server};

const SIGN_IN: &str = "mutation($in: SignInInput!) { signIn(input: $in) {
    viewer { user { email } brands(first: 1) { totalCount } } token expiresAt userErrors { code path } } }";

#[tokio::test]
async fn a_token_opens_until_it_is_signed_out() {
    let server = Server::new().await;
    assert_eq!(
        server.post(None, "{ viewer { __typename } }", Value::Null).await.body["data"]["viewer"],
        Value::Null
    );
    let reply = server
        .post(None, SIGN_IN, json!({ "in": { "email": " ADA@example.com", "password": PASSWORD } }))
        .await;
    let signed_in = &reply.body["data"]["signIn"];
    assert_eq!(signed_in["viewer"]["user"]["email"], "ada@example.com", "{}", reply.body);
    assert!(signed_in["expiresAt"].is_string() && reply.headers.get("set-cookie").is_none());
    let token = signed_in["token"].as_str().unwrap();
    let data = server.ask(token, "{ viewer { user { email } } }", Value::Null).await;
    assert_eq!(data["viewer"]["user"]["email"], "ada@example.com");
    server.ask(token, "mutation { signOut(input: {}) { userErrors { code } } }", Value::Null).await;
    let reply = server.post(Some(token), "{ viewer { __typename } }", Value::Null).await;
    assert_eq!(reply.body["data"]["viewer"], Value::Null);
    let reply = server
        .post(Some(token), "{ node(id: \"brand_00000000000000000000000000000000\") { id } }", Value::Null)
        .await;
    assert_eq!(reply.body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{}", reply.body);
}

#[tokio::test]
async fn a_cookie_is_for_browsers_only_and_everywhere_ends_all() {
    let server = Server::new().await;
    let input = json!({ "in": { "email": "ada@example.com", "password": PASSWORD, "session": "COOKIE" } });
    let reply = server.post(None, SIGN_IN, input).await;
    assert_eq!(reply.body["data"]["signIn"]["token"], Value::Null);
    let cookie = reply.headers["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let pair = cookie.split(';').next().unwrap().to_owned();
    let ask = |pair: String| {
        Request::post("/graphql")
            .header("content-type", "application/json")
            .header("sec-fetch-site", "same-origin")
            .header("cookie", pair)
            .body(Body::from(r#"{"query":"{ viewer { user { name } } }"}"#))
            .unwrap()
    };
    assert_eq!(server.send(ask(pair.clone())).await.body["data"]["viewer"]["user"]["name"], "Ada");
    let token = server.sign_in("ada@example.com").await;
    server
        .ask(&token, "mutation { signOut(input: { everywhere: true }) { userErrors { code } } }", Value::Null)
        .await;
    assert_eq!(server.send(ask(pair)).await.body["data"]["viewer"], Value::Null);
}

#[tokio::test]
async fn a_wrong_address_and_a_wrong_password_are_the_same_and_soon_wait() {
    let server = Server::new().await;
    let mut answers = Vec::new();
    for email in ["ada@example.com", "nobody@example.com"] {
        let reply =
            server.post(None, SIGN_IN, json!({ "in": { "email": email, "password": "wrong horse" } })).await;
        answers.push(reply.body["data"]["signIn"]["userErrors"].clone());
    }
    assert_eq!(answers[0][0]["code"], "INVALID");
    assert_eq!(answers[0], answers[1]);
    let mut refused = None;
    for _ in 0..20 {
        let reply = server
            .post(None, SIGN_IN, json!({ "in": { "email": "x@example.com", "password": "wrong horse" } }))
            .await;
        refused = reply.body.get("errors").cloned();
        if refused.is_some() {
            break;
        }
    }
    let extensions = &refused.unwrap()[0]["extensions"];
    assert_eq!(extensions["code"], "RATE_LIMITED");
    assert!(extensions["retryAfterMs"].as_u64().unwrap() > 0);
}
