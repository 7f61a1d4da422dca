//! Subscriptions: what changes is told even without a broker, and a stream ends with its session.

use std::time::Duration;

use domain::id::{GlobalId, Noun};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::server::Server;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn open(server: &Server, token: &str) -> Socket {
    let address = server.listen().await;
    let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let (mut socket, _) = connect_async(request).await.unwrap();
    let init =
        json!({ "type": "connection_init", "payload": { "Authorization": format!("Bearer {token}") } });
    socket.send(Message::text(init.to_string())).await.unwrap();
    socket
}

/// The next message, or how the socket was closed.
async fn next(socket: &mut Socket) -> Value {
    loop {
        let message = timeout(Duration::from_secs(15), socket.next()).await.expect("hears something in 15 s");
        match message.unwrap().unwrap() {
            Message::Text(text) => return serde_json::from_str(&text).unwrap(),
            Message::Close(frame) => return json!({ "closed": frame.map(|frame| u16::from(frame.code)) }),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_change_is_told_and_the_stream_ends_with_the_session() {
    let server = Server::new().await;
    let token = server.sign_in("ada@example.com").await;
    let brand = server.brand(&token, "One").await;
    let mut socket = open(&server, &token).await;
    assert_eq!(next(&mut socket).await["type"], "connection_ack");
    let query = "subscription { assetChanged { id state filename } }";
    let subscribe = json!({ "id": "1", "type": "subscribe", "payload": { "query": query } });
    socket.send(Message::text(subscribe.to_string())).await.unwrap();
    let brand_id = GlobalId::parse_as(Noun::Brand, &brand).unwrap();
    server
        .database
        .sql(&format!(
            "insert into media_assets (id, brand_id, source, kind, state, filename, listed_at)
             values (gen_random_uuid(), '{brand_id}', 'UPLOAD', 'VIDEO', 'PROBING', 'clip.mp4', now())"
        ))
        .await;
    let told = next(&mut socket).await;
    assert_eq!(told["payload"]["data"]["assetChanged"]["filename"], "clip.mp4", "{told}");
    server.ask(&token, "mutation { signOut(input: {}) { userErrors { code } } }", Value::Null).await;
    let mut last = next(&mut socket).await;
    while last["type"] == "complete" || last["type"] == "next" {
        last = next(&mut socket).await;
    }
    assert_eq!(last, json!({ "closed": 4403 }));
}

#[tokio::test]
async fn nobody_subscribes_without_signing_in() {
    let server = Server::new().await;
    let mut socket = open(&server, "rms_nobody").await;
    assert_eq!(next(&mut socket).await, json!({ "closed": 4403 }));
}
