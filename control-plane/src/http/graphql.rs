//! GraphQL over HTTP: one request, one answer.

use std::sync::Arc;

use async_graphql::Request as Operation;
use async_graphql::parser::types::OperationType;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response;
use tokio::time::timeout;

use super::answer::{MediaType, executed, refused};
use super::cross_site::is_trusted;
use super::limits::{self, Accepted};
use super::params::{Params, is_json};
use super::server::App;
use super::sign_in::{self, Credential};
use crate::auth::Asker;
use crate::config::{BODY_MAX, BODY_MAX_ANONYMOUS, REQUEST_LIMIT};
use crate::graphql::failure::{Answer, Failure};
use crate::graphql::scope::{Cx, Envelope};

/// A request that is not executed.
struct Refusal {
    status: StatusCode,
    failure: Failure,
}

impl Refusal {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, failure: Failure::BadRequest(message.into()) }
    }
}

/// Serves a POST, or a GET that only reads.
pub async fn serve(State(app): State<App>, request: Request) -> Response {
    let Some(media) = MediaType::accepted(request.headers()) else {
        let failure = Failure::bad_request("accept application/graphql-response+json or application/json");
        return refused(MediaType::Json, StatusCode::NOT_ACCEPTABLE, failure);
    };
    match timeout(REQUEST_LIMIT, answer(&app, media, request)).await {
        Ok(Ok(response)) => response,
        Ok(Err(Refusal { status, failure })) => refused(media, status, failure),
        Err(_) => {
            let late = std::io::Error::new(std::io::ErrorKind::TimedOut, "the request took over 10 s");
            refused(media, StatusCode::GATEWAY_TIMEOUT, late.into())
        }
    }
}

async fn answer(app: &App, media: MediaType, request: Request) -> Result<Response, Refusal> {
    let (head, body) = request.into_parts();
    let config = &app.system.config;
    let credential = sign_in::credential(config, &head.headers);
    let by_cookie = credential.as_ref().is_some_and(|credential| credential.by_cookie);
    if head.method == Method::POST && !is_trusted(config, &head.headers, by_cookie) {
        let message = "this page may not act here: its origin is not one of the dashboard's";
        return Err(Refusal::new(StatusCode::FORBIDDEN, message));
    }
    let asker = who(app, credential.as_ref()).await?;
    let params = if head.method == Method::POST {
        read_body(&head.headers, body, asker.is_some()).await?
    } else {
        Params::of_address(head.uri.query().unwrap_or("")).map_err(bad_request)?
    };
    let accepted = limits::read(&params.query, params.operation.as_deref(), &params.variables);
    // A JSON client reads what is wrong with its document in the body alone.
    let status = if media == MediaType::Json { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    let accepted = accepted.map_err(|failure| Refusal { status, failure })?;
    check_kind(status, &head.method, accepted.kind)?;
    let mutation = accepted.kind == OperationType::Mutation;
    let envelope = Envelope { traceparent: traceparent(&head.headers), by_cookie };
    let introspect = asker.is_some() || config.local;
    let cx = Cx::new(Arc::clone(&app.system), asker, envelope);
    let operation = operation(params, accepted, introspect).data(Arc::clone(&cx));
    let mut response = executed(media, app.schema.execute(operation).await);
    if mutation {
        // It may have enqueued something that is due.
        app.system.enqueued.notify_one();
    }
    if let Some(cookie) = cx.cookie().and_then(|cookie| HeaderValue::try_from(cookie).ok()) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    Ok(response)
}

fn bad_request(failure: Failure) -> Refusal {
    Refusal { status: StatusCode::BAD_REQUEST, failure }
}

async fn who(app: &App, credential: Option<&Credential>) -> Result<Option<Asker>, Refusal> {
    let asker = sign_in::asker(&app.system, credential).await;
    asker.map_err(|failure| Refusal { status: StatusCode::SERVICE_UNAVAILABLE, failure })
}

async fn read_body(headers: &HeaderMap, body: Body, signed_in: bool) -> Result<Params, Refusal> {
    if !is_json(headers) {
        let message = "send the request as application/json in UTF-8";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let max = if signed_in { BODY_MAX } else { BODY_MAX_ANONYMOUS };
    let too_large =
        || Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body is larger than {max} bytes"));
    let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|bytes| bytes > max) {
        return Err(too_large());
    }
    let bytes = to_bytes(body, max).await.map_err(|_| too_large())?;
    Params::of_body(&bytes).map_err(bad_request)
}

fn check_kind(status: StatusCode, method: &Method, kind: OperationType) -> Result<(), Refusal> {
    match kind {
        OperationType::Query => Ok(()),
        OperationType::Mutation if method == Method::POST => Ok(()),
        OperationType::Mutation => {
            Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "send mutations by POST"))
        }
        OperationType::Subscription => {
            Err(Refusal::new(status, "subscriptions speak graphql-transport-ws at this address"))
        }
    }
}

/// What the schema runs, parsed once.
pub(super) fn operation(params: Params, accepted: Accepted, introspect: bool) -> Operation {
    let mut operation = Operation::new(params.query).variables(params.variables);
    if let Some(name) = params.operation {
        operation = operation.operation_name(name);
    }
    operation.set_parsed_query(accepted.document);
    if introspect { operation } else { operation.disable_introspection() }
}

/// Reads and measures what came in over a socket.
///
/// # Errors
/// `BAD_REQUEST`, with what is wrong.
pub(super) fn accept(operation: &Operation) -> Answer<Accepted> {
    limits::read(&operation.query, operation.operation_name.as_deref(), &operation.variables)
}

/// The W3C trace context of the caller, if it sent one.
fn traceparent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let fine = text.len() == 55 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    fine.then(|| text.to_owned())
}
