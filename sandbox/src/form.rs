//! Parameters of a call, wherever the client put them: query, form or JSON.

use std::collections::HashMap;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::extract::multipart::Field;
use axum::http::header::CONTENT_TYPE;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// Largest body of a call without media, bytes.
const BODY: usize = 1 << 20;

/// Parameters by name; a JSON value that is no text is kept as JSON.
pub type Params = HashMap<String, String>;

/// The body is too large or not what its Content-Type says.
#[derive(Debug, thiserror::Error)]
#[error("the body is larger than {BODY} bytes or not what its Content-Type says")]
pub struct BadBody;

/// The parameters of the query.
pub fn query(request_query: Option<&str>) -> Params {
    url::form_urlencoded::parse(request_query.unwrap_or("").as_bytes()).into_owned().collect()
}

/// The parameters of query and body together; the body's win.
pub async fn all(request: Request) -> Result<Params, BadBody> {
    let mut params = query(request.uri().query());
    let kind = content_type(&request);
    let body = to_bytes(request.into_body(), BODY).await.map_err(|_| BadBody)?;
    match kind.as_str() {
        _ if body.is_empty() => {}
        "application/json" => params.extend(json(&body)?),
        "application/x-www-form-urlencoded" => {
            params.extend(url::form_urlencoded::parse(&body).into_owned());
        }
        _ => return Err(BadBody),
    }
    Ok(params)
}

/// The text of a form's part, as bounded as a body is.
pub async fn part_text(mut part: Field<'_>) -> Result<String, BadBody> {
    let mut text = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(|_| BadBody)? {
        if text.len() + chunk.len() > BODY {
            return Err(BadBody);
        }
        text.extend_from_slice(&chunk);
    }
    String::from_utf8(text).map_err(|_| BadBody)
}

/// A time as clients write it: Unix seconds, RFC 3339, or Meta's `+0000`.
pub fn time(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(seconds) = text.parse() {
        return DateTime::from_timestamp(seconds, 0);
    }
    let time = DateTime::parse_from_rfc3339(text);
    time.or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%z")).map(|time| time.to_utc()).ok()
}

/// The Content-Type of a call, lower case and without parameters.
pub fn content_type(request: &Request) -> String {
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = value.and_then(|value| value.split(';').next()).unwrap_or("");
    kind.trim().to_ascii_lowercase()
}

fn json(body: &[u8]) -> Result<Params, BadBody> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else { return Err(BadBody) };
    let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
    Ok(fields
        .map(|(name, value)| match value {
            Value::String(text) => (name, text),
            other => (name, other.to_string()),
        })
        .collect())
}
