//! A short memory of the calls that were made, without secrets, for tests and people.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::Uri;
use axum::middleware::Next;
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::platform::Platform;
use serde::Serialize;

use crate::app::App;
use crate::connection::CutConnection;

/// Calls remembered.
const CALLS: usize = 5000;
/// Parameters that are or carry secrets.
const SECRETS: [&str; 8] =
    ["access_token", "client_secret", "code", "refresh_token", "upload_token", "sig", "token", "state"];

/// One call.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    pub at: DateTime<Utc>,
    pub platform: Option<Platform>,
    pub method: String,
    /// With the query; every secret in it says REDACTED.
    pub path: String,
    /// Null when the connection was cut.
    pub status: Option<u16>,
    pub took_ms: u64,
}

/// The latest calls, oldest first.
#[derive(Default)]
pub struct RequestLog(Mutex<VecDeque<Call>>);

impl RequestLog {
    fn push(&self, call: Call) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() == CALLS {
            calls.pop_front();
        }
        calls.push_back(call);
    }

    /// The calls to one network, or to all.
    pub fn of(&self, platform: Option<Platform>) -> Vec<Call> {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().filter(|call| platform.is_none() || call.platform == platform).cloned().collect()
    }
}

/// Remembers each call to a network once it is answered.
pub async fn remember(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Some(platform) = platform_of(request.uri().path()) else { return next.run(request).await };
    let (method, path) = (request.method().to_string(), redacted(request.uri()));
    let (at, started) = (app.clock.now(), std::time::Instant::now());
    let response = next.run(request).await;
    let cut = response.extensions().get::<CutConnection>().is_some();
    let status = (!cut).then_some(response.status().as_u16());
    let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    app.requests.push(Call { at, platform: Some(platform), method, path, status, took_ms });
    response
}

/// The network that a path's host belongs to.
fn platform_of(path: &str) -> Option<Platform> {
    let host = path.split('/').nth(1)?;
    [("instagram", Platform::Instagram), ("tiktok", Platform::Tiktok), ("telegram", Platform::Telegram)]
        .into_iter()
        .find(|(name, _)| host.contains(name))
        .map(|(_, platform)| platform)
}

fn redacted(uri: &Uri) -> String {
    let segments = uri.path().split('/').map(|segment| match segment.split_once(':') {
        Some((bot, _)) if bot.starts_with("bot") => format!("{bot}:REDACTED"),
        _ => segment.to_owned(),
    });
    let path = segments.collect::<Vec<_>>().join("/");
    let Some(query) = uri.query() else { return path };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if SECRETS.contains(&name) => format!("{name}=REDACTED"),
        _ => pair.to_owned(),
    });
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}
