//! What is refused before anything runs, and how it is said.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};

use crate::server::{DASHBOARD, Server};

const GRAPHQL: &str = "application/graphql-response+json";

async fn raw(server: &Server, accept: &str, content: Option<&str>, body: String) -> (StatusCode, Value) {
    let mut request = Request::post("/graphql").header("accept", accept);
    if let Some(content) = content {
        request = request.header("content-type", content);
    }
    let reply = server.send(request.body(Body::from(body)).unwrap()).await;
    (reply.status, reply.body)
}

#[tokio::test]
async fn a_request_that_cannot_run_has_no_data_and_a_fitting_status() {
    let server = Server::new().await;
    let json_type = Some("application/json");
    for (accept, content, body, status) in [
        ("text/html", json_type, r#"{"query":"{__typename}"}"#, 406),
        (GRAPHQL, None, r#"{"query":"{__typename}"}"#, 415),
        (GRAPHQL, Some("text/plain"), r#"{"query":"{__typename}"}"#, 415),
        (GRAPHQL, json_type, "{", 400),
        (GRAPHQL, json_type, r#"[{"query":"{__typename}"}]"#, 400),
        (GRAPHQL, json_type, r#"{"query":"{"}"#, 400),
        (GRAPHQL, json_type, r#"{"query":"{nothing}"}"#, 400),
        (
            GRAPHQL,
            json_type,
            r#"{"query":"query A($id: ID!) { node(id: $id) { id } }","variables":{"id":null}}"#,
            400,
        ),
        ("application/json", json_type, r#"{"query":"{nothing}"}"#, 200),
        ("application/json", json_type, r#"{"query":"subscription { assetChanged { id } }"}"#, 200),
        ("application/json", json_type, "{}", 400),
    ] {
        let (found, answer) = raw(&server, accept, content, body.to_owned()).await;
        assert_eq!(found.as_u16(), status, "{accept} {body}: {answer}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_REQUEST", "{accept} {body}");
        assert!(answer.get("data").is_none(), "{accept} {body}");
    }
}

#[tokio::test]
async fn floods_are_refused_before_they_run() {
    let server = Server::new().await;
    let aliases: String = (0..5_000).map(|n| format!("a{n}: viewer {{ __typename }} ")).collect();
    let (status, answer) = raw(
        &server,
        GRAPHQL,
        Some("application/json"),
        json!({ "query": format!("{{ {aliases} }}") }).to_string(),
    )
    .await;
    // 5,000 aliases pass what somebody who is not signed in may send at all.
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{answer}");
    let token = server.sign_in("ada@example.com").await;
    let reply = server.post(Some(&token), &format!("{{ {aliases} }}"), Value::Null).await;
    assert!(reply.body["errors"][0]["message"].as_str().unwrap().contains("tokens"), "{}", reply.body);
    let reply = server.post(Some(&token), &"x".repeat(10 * 1024 * 1024), Value::Null).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    // What the contract gives is taken: 2 MiB of body, 30 aliases.
    let thirty: String = (0..30).map(|n| format!("a{n}: viewer {{ __typename }} ")).collect();
    let padded = json!({ "padding": "x".repeat(1024 * 1024) });
    let reply = server.post(Some(&token), &format!("{{ {thirty} }}"), padded).await;
    assert!(reply.body.get("errors").is_none(), "{}", reply.body);
}

#[tokio::test]
async fn a_mutation_by_get_and_another_sites_page_change_nothing() {
    let server = Server::new().await;
    let query = "mutation%20%7BsignOut(input%3A%7B%7D)%7BuserErrors%7Bcode%7D%7D%7D";
    let request = Request::get(format!("/graphql?query={query}")).body(Body::empty()).unwrap();
    let reply = server.send(request).await;
    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(reply.headers["allow"], "POST");
    for (origin, status) in [("https://evil.example", 403), (DASHBOARD, 200)] {
        let request = Request::post("/graphql")
            .header("origin", origin)
            .header("content-type", "application/json")
            .header("cookie", "reelmill=rms_x")
            .body(Body::from(r#"{"query":"{__typename}"}"#))
            .unwrap();
        let reply = server.send(request).await;
        assert_eq!(reply.status.as_u16(), status, "{origin}");
        assert_eq!(reply.headers.contains_key("access-control-allow-origin"), status == 200, "{origin}");
    }
    let preflight = Request::builder()
        .method(Method::OPTIONS)
        .uri("/graphql")
        .header("origin", DASHBOARD)
        .header("access-control-request-method", "POST")
        .body(Body::empty())
        .unwrap();
    assert_eq!(server.send(preflight).await.headers["access-control-allow-credentials"], "true");
}

#[tokio::test]
async fn nobody_reads_the_schema_without_signing_in() {
    let server = Server::new().await;
    let query = "{ __schema { queryType { name } } }";
    let reply = server.post(None, query, Value::Null).await;
    assert!(reply.body.get("errors").is_some() || reply.body["data"]["__schema"].is_null(), "{}", reply.body);
    let token = server.sign_in("ada@example.com").await;
    let data = server.ask(&token, query, Value::Null).await;
    assert_eq!(data["__schema"]["queryType"]["name"], "Query");
    let request = Request::get("/graphiql").body(Body::empty()).unwrap();
    assert_eq!(server.send(request).await.status, StatusCode::NOT_FOUND);
}
