//! A server with a database of its own, asked without a network in between.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use backplane::blobs::BlobConfig;
use backplane::broker::BrokerConfig;
use backplane::migrate::{Role as Login, migrate};
use backplane::store::StoreConfig;
use connectors::ConnectorsConfig;
use control_plane::admin::{self, NewPerson};
use control_plane::auth::Role;
use control_plane::config::{ApiConfig, ControlPlaneConfig};
use control_plane::system::System;
use domain::id::{GlobalId, Noun};
use secrecy::SecretString;
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use uuid::Uuid;

const DEFAULT_URL: &str = "postgres://postgres@127.0.0.1:5499/postgres";
pub const PASSWORD: &str = "correct horse battery";
pub const DASHBOARD: &str = "http://dashboard.example";

/// An answer over HTTP.
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

pub struct Server {
    pub router: Router,
    pub organization: Uuid,
    system: Arc<System>,
    admin: PgConnectOptions,
    name: String,
    stop: CancellationToken,
}

/// A global id.
pub fn id(noun: Noun, uuid: Uuid) -> String {
    GlobalId::new(noun, uuid).to_string()
}

impl Server {
    /// With an organisation, and its owner ada@example.com.
    pub async fn new() -> Self {
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let cluster = std::env::var("TEST_DATABASE_URL").unwrap_or_else(|_| DEFAULT_URL.to_owned());
        let name = format!("reelmill_test_{}", Uuid::now_v7().simple());
        let mut connection = cluster.parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
        connection.execute(format!("create database {name}").as_str()).await.unwrap();
        connection.close().await.unwrap();
        let mut url = url::Url::parse(&cluster).unwrap();
        url.set_path(&name);
        migrate(&SecretString::from(url.to_string()), &[]).await.unwrap();
        let admin: PgConnectOptions = url.as_str().parse().unwrap();
        let stop = CancellationToken::new();
        let system = System::start(config(&admin), &stop).unwrap();
        let organization = admin::create_organization(&system.store, "Agency").await.unwrap();
        let router = control_plane::router(Arc::clone(&system));
        let server = Self { router, organization, system, admin, name, stop };
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

    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
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

    /// Runs SQL as the owner, past all policies.
    pub async fn sql(&self, statements: &str) {
        let mut connection: PgConnection = self.admin.connect().await.unwrap();
        connection.execute(statements).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Ends what the test started and removes its database.
    pub async fn end(self) {
        self.stop.cancel();
        self.system.store.close().await;
        let admin = self.admin.clone().database("postgres");
        let mut connection = admin.connect().await.unwrap();
        let drop = format!("drop database {} with (force)", self.name);
        connection.execute(drop.as_str()).await.unwrap();
    }
}

fn config(admin: &PgConnectOptions) -> ControlPlaneConfig {
    let url = |text: &str| text.parse().unwrap();
    ControlPlaneConfig {
        api: ApiConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            public_url: url("http://api.example"),
            dashboard_url: url(DASHBOARD),
            dashboard_origins: vec![DASHBOARD.to_owned()],
            redirect_urls: vec![],
            local: false,
            passwords_at_once: 2,
        },
        store: StoreConfig {
            // The tests' own login takes the role on at once: what it may do is the role's.
            options: admin.clone().options([("role", Login::Api.name())]),
            connections_max: 8,
            acquire_timeout: Duration::from_secs(20),
            statement_timeout: Duration::from_secs(20),
        },
        // Nobody listens there: an announcement that cannot be made is only late.
        broker: BrokerConfig::parse(&SecretString::from("amqp://guest:guest@127.0.0.1:9/%2f"), "test.")
            .unwrap(),
        blobs: BlobConfig {
            endpoint: url("http://127.0.0.1:9"),
            public_endpoint: None,
            media_endpoint: None,
            region: "us-east-1".to_owned(),
            bucket: "test".to_owned(),
            access_key_id: "key".to_owned(),
            secret_access_key: SecretString::from("secret"),
        },
        connectors: ConnectorsConfig::production(),
        master_keys: SecretString::from(format!("test:{}", "5a".repeat(32))),
    }
}
