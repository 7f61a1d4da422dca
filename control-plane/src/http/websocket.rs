//! Subscriptions: graphql-transport-ws.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::http::{WebSocket, WebSocketProtocols, WsMessage};
use async_graphql::{Data, Executor, Request as Operation, Response as Answered, ServerError};
use axum::extract::ws::{CloseFrame, Message, WebSocket as Socket, WebSocketUpgrade};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::header::{ORIGIN, UPGRADE};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use super::graphql::{self, accept};
use super::server::App;
use super::sign_in::{self, Credential, bearer};
use crate::graphql::failure::Failure;
use crate::graphql::scope::{AskerCell, Cx, Envelope};

/// Largest message of a client, bytes.
const MESSAGE_MAX: usize = 128 * 1024;
/// Most operations that run at once on one socket.
const OPERATIONS_MAX: usize = 50;
/// Most sockets of this process.
pub(super) const SOCKETS_MAX: usize = 5_000;
/// How often it is looked at whether the session still lives.
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// How long a client may take to say who it is.
const INIT_LIMIT: Duration = Duration::from_secs(10);
/// How long a client may say nothing, not even a pong.
const SILENCE_LIMIT: Duration = Duration::from_secs(60);

/// Serves a socket, or a query by GET.
pub async fn upgrade_or_query(State(app): State<App>, request: Request) -> Response {
    if request.method() != Method::GET || !request.headers().contains_key(UPGRADE) {
        return graphql::serve(State(app), request).await;
    }
    let (mut head, _) = request.into_parts();
    let origin = head.headers.get(ORIGIN).map(|value| value.to_str().unwrap_or("").to_owned());
    if origin.is_some_and(|origin| !app.system.config.trusts_origin(&origin)) {
        return (StatusCode::FORBIDDEN, "this page's origin is not one of the dashboard's\n").into_response();
    }
    let Ok(place) = Arc::clone(&app.sockets).try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many sockets are open: try again later\n")
            .into_response();
    };
    let cookie = sign_in::credential(&app.system.config, &head.headers);
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut head, &app).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    upgrade.max_message_size(MESSAGE_MAX).protocols(["graphql-transport-ws"]).on_upgrade(
        move |socket| async move {
            Connection::new(app, cookie).run(socket).await;
            drop(place);
        },
    )
}

/// One client's socket: who asks on it, and when that ends.
#[derive(Clone)]
struct Connection {
    app: App,
    asker: AskerCell,
    credential: Arc<Option<Credential>>,
    ended: CancellationToken,
    operations: Arc<Semaphore>,
}

impl Connection {
    fn new(app: App, credential: Option<Credential>) -> Self {
        let ended = CancellationToken::new();
        let operations = Arc::new(Semaphore::new(OPERATIONS_MAX));
        Self { app, asker: AskerCell::default(), credential: Arc::new(credential), ended, operations }
    }

    async fn run(self, socket: Socket) {
        let (mut sink, source) = socket.split();
        let texts = source
            .take_while(|message| futures_util::future::ready(message.is_ok()))
            .filter_map(|message| async {
                match message.ok()? {
                    Message::Text(text) => Some(text.as_bytes().to_vec()),
                    Message::Binary(bytes) => Some(bytes.to_vec()),
                    _ => None,
                }
            })
            .boxed();
        let this = self.clone();
        let mut protocol = WebSocket::new(self.clone(), texts, WebSocketProtocols::GraphQLWS)
            .on_connection_init(move |payload| this.init(payload))
            .keepalive_timeout(SILENCE_LIMIT);
        let mut renew = interval(RENEW_EVERY);
        renew.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let signed_in = tokio::time::sleep(INIT_LIMIT);
        tokio::pin!(signed_in);
        loop {
            let message = tokio::select! {
                message = protocol.next() => match message {
                    Some(message) => to_frame(message),
                    None => break,
                },
                () = self.ended.cancelled() => close(4403, "the session has ended"),
                () = &mut signed_in, if self.asker.get().is_none() => close(4408, "say who you are within 10 s"),
                _ = renew.tick() => {
                    self.renew().await;
                    continue;
                }
            };
            let last = matches!(message, Message::Close(_));
            // A client that does not read is let go.
            let sent = timeout(INIT_LIMIT, sink.send(message)).await;
            if last || !matches!(sent, Ok(Ok(()))) {
                break;
            }
        }
        self.ended.cancel();
    }

    async fn init(self, payload: serde_json::Value) -> async_graphql::Result<Data> {
        let header = ["Authorization", "authorization"].iter().find_map(|name| payload.get(name)?.as_str());
        let given = match header {
            Some(header) => bearer(header).map(|secret| Credential { secret, by_cookie: false }),
            None => None,
        };
        let credential = given.as_ref().or(self.credential.as_ref().as_ref());
        let asker = sign_in::asker(&self.app.system, credential).await?;
        if asker.is_none() {
            return Err(Failure::Unauthenticated.into());
        }
        self.asker.set(asker);
        Ok(Data::default())
    }

    /// Reads again what the asker may do; without a session everything on this socket ends.
    async fn renew(&self) {
        let Some(asker) = self.asker.get() else { return };
        match asker.renewed(&self.app.system.store).await {
            Ok(Some(renewed)) => self.asker.set(Some(renewed)),
            Ok(None) => self.ended.cancel(),
            Err(error) => tracing::warn!(%error, "websocket.renew_failed"),
        }
    }

    fn cx(&self) -> Arc<Cx> {
        Cx::shared(Arc::clone(&self.app.system), self.asker.clone(), Envelope::default())
    }

    /// What is to run, and its place among those that may run at once.
    fn prepare(&self, mut operation: Operation) -> Result<(Operation, OwnedSemaphorePermit), Box<Answered>> {
        let place = Arc::clone(&self.operations).try_acquire_owned();
        let place =
            place.map_err(|_| refusal(Failure::bad_request("50 operations run on this socket already")))?;
        let accepted = accept(&operation).map_err(refusal)?;
        operation.set_parsed_query(accepted.document);
        Ok((operation.data(self.cx()), place))
    }
}

fn refusal(failure: Failure) -> Box<Answered> {
    let error: async_graphql::Error = failure.into();
    let mut refused = ServerError::new(error.message, None);
    refused.extensions = error.extensions;
    Box::new(Answered::from_errors(vec![refused]))
}

impl Executor for Connection {
    async fn execute(&self, operation: Operation) -> Answered {
        match self.prepare(operation) {
            Ok((operation, _place)) => self.app.schema.execute(operation).await,
            Err(refusal) => *refusal,
        }
    }

    fn execute_stream(
        &self,
        operation: Operation,
        session: Option<Arc<Data>>,
    ) -> BoxStream<'static, Answered> {
        match self.prepare(operation) {
            Ok((operation, place)) => {
                let ended = self.ended.clone();
                let answers =
                    self.app.schema.execute_stream_with_session_data(operation, session.unwrap_or_default());
                // The place is held for as long as the stream is.
                let answers = answers.inspect(move |_| {
                    let _held = &place;
                });
                answers.take_until(async move { ended.cancelled().await }).boxed()
            }
            Err(refusal) => stream::once(async { *refusal }.boxed()).boxed(),
        }
    }
}

fn to_frame(message: WsMessage) -> Message {
    match message {
        WsMessage::Text(text) => Message::Text(text.into()),
        // The library's code for a refused connection_init is not the protocol's.
        WsMessage::Close(1002, reason) if reason.starts_with("sign in") => close(4403, "Forbidden"),
        WsMessage::Close(1011, _) => close(4401, "Unauthorized"),
        WsMessage::Close(1002, _) => close(4400, "this is no message of graphql-transport-ws"),
        WsMessage::Close(code, reason) => close(code, &reason),
    }
}

fn close(code: u16, reason: &str) -> Message {
    Message::Close(Some(CloseFrame { code, reason: reason.into() }))
}
