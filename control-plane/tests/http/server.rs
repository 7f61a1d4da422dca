//! A server with a database of its own, asked without a network in between.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use control_plane::admin::{self, NewPerson};
use control_plane::auth::Role;
use domain::id::Noun;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::support::Running;
pub use crate::support::{DASHBOARD, id};

pub const PASSWORD: &str = "correct horse battery";

/// An answer over HTTP.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

pub struct Server {
    pub router: Router,
    pub organization: Uuid,
    running: Running,
}

impl Deref for Server {
    type Target = Running;
    fn deref(&self) -> &Running {
        &self.running
    }
}

impl Server {
    /// With an organisation, and its owner ada@example.com.
    pub async fn new() -> Self {
        let running = Running::start().await;
        let organization = admin::create_organization(&running.system.store, "Agency").await.unwrap();
        let router = control_plane::router(Arc::clone(&running.system));
        let server = Self { router, organization, running };
        server.person("ada@example.com", Role::Owner).await;
        server
    }

    /// Somebody who sees every brand of the organisation.
    pub async fn person(&self, email: &str, role: Role) -> Uuid {
        let person = NewPerson {
            organization: self.organization,
            email: email.to_owned(),
            name: "Ada".to_owned(),
            password: SecretString::from(PASSWORD),
            role,
        };
        admin::create_user(&self.system.store, person).await.unwrap()
    }

    /// Listens on a port of its own, for as long as the test runs.
    pub async fn listen(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (router, stop) = (self.router.clone(), self.stop.clone());
        tokio::spawn(async move {
            axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await
        });
        address
    }

    pub async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Reply { status: head.status, headers: head.headers, body }
    }

    /// Posts a document with a token, or as nobody.
    pub async fn post(&self, token: Option<&str>, query: &str, variables: Value) -> Reply {
        let mut request = Request::post("/graphql").header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = json!({ "query": query, "variables": variables }).to_string();
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// The data of an answer without errors.
    pub async fn ask(&self, token: &str, query: &str, variables: Value) -> Value {
        let reply = self.post(Some(token), query, variables).await;
        assert!(reply.body.get("errors").is_none(), "{}", reply.body);
        reply.body["data"].clone()
    }

    /// Signs in and answers with the token.
    pub async fn sign_in(&self, email: &str) -> String {
        let query = "mutation($in: SignInInput!) { signIn(input: $in) { token userErrors { message } } }";
        let reply = self.post(None, query, json!({ "in": { "email": email, "password": PASSWORD } })).await;
        reply.body["data"]["signIn"]["token"].as_str().unwrap_or_else(|| panic!("{}", reply.body)).to_owned()
    }

    /// Makes a brand and answers with its id.
    pub async fn brand(&self, token: &str, name: &str) -> String {
        let query = "mutation($in: CreateBrandInput!) { createBrand(input: $in) { brand { id } userErrors { code message } } }";
        let organization = id(Noun::Organization, self.organization);
        let input = json!({ "organizationId": organization, "name": name, "timezone": "Europe/Kyiv" });
        let data = self.ask(token, query, json!({ "in": input })).await;
        data["createBrand"]["brand"]["id"].as_str().unwrap_or_else(|| panic!("{data}")).to_owned()
    }
}
