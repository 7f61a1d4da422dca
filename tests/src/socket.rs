//! A subscription over graphql-transport-ws.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use crate::api::Api;

/// How long an answer or an event may take.
const LIMIT: Duration = Duration::from_secs(60);

/// One socket with a subscription on it, or several.
pub struct Subscription {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    count: usize,
}

impl Subscription {
    /// Signs in on a new socket and subscribes.
    ///
    /// # Panics
    /// When the server refuses.
    pub async fn open(api: &Api, document: &str, operation: &str, variables: Value) -> Self {
        let mut url = api.url.clone();
        url.set_scheme("ws").unwrap();
        let mut request = url.as_str().into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
        let (socket, _) = timeout(LIMIT, connect_async(request)).await.unwrap().unwrap();
        let mut this = Self { socket, count: 0 };
        let token = api.token().unwrap_or_default();
        this.say(
            json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {token}") } }),
        )
        .await;
        assert_eq!(this.hear().await["type"], "connection_ack");
        this.also(document, operation, variables).await;
        this
    }

    /// Subscribes to something else as well.
    pub async fn also(&mut self, document: &str, operation: &str, variables: Value) {
        self.count += 1;
        let payload = json!({ "query": document, "operationName": operation, "variables": variables });
        self.say(json!({ "type": "subscribe", "id": self.count.to_string(), "payload": payload })).await;
    }

    /// The next event's data.
    ///
    /// # Panics
    /// When none comes within a minute, or an error comes instead.
    pub async fn next(&mut self) -> Value {
        self.next_of_any().await.1
    }

    /// The next event's data, and which subscription it is of: "1" is the first.
    ///
    /// # Panics
    /// When none comes within a minute, or an error comes instead.
    pub async fn next_of_any(&mut self) -> (String, Value) {
        loop {
            let mut message = self.hear().await;
            match message["type"].as_str() {
                Some("next") => {
                    assert!(message["payload"]["errors"].is_null(), "{message}");
                    let of = message["id"].as_str().unwrap().to_owned();
                    return (of, message["payload"]["data"].take());
                }
                Some("ping") => self.say(json!({ "type": "pong" })).await,
                _ => panic!("not an event: {message}"),
            }
        }
    }

    async fn say(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn hear(&mut self) -> Value {
        loop {
            match timeout(LIMIT, self.socket.next()).await.unwrap().unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("the server closed the socket: {other:?}"),
            }
        }
    }
}
