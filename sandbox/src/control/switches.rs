//! What a test turns: faults, limits, clock, settings, and revocation.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use domain::platform::Platform;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::control::{ControlError, invalid};
use crate::faults::Order;

/// `POST /sandbox/faults`.
pub async fn order_fault(
    State(app): State<Arc<App>>,
    Json(order): Json<Value>,
) -> Result<Json<Value>, ControlError> {
    let order: Order = serde_json::from_value(order).map_err(|error| invalid(error.to_string()))?;
    if let Some(problem) = order.problem() {
        return Err(invalid(problem));
    }
    if !app.world().faults.order(order) {
        return Err(invalid("too many faults are waiting; DELETE /sandbox/faults first"));
    }
    Ok(Json(json!({ "ok": true })))
}

/// `GET /sandbox/faults`: those that have calls left.
pub async fn faults(State(app): State<Arc<App>>) -> Json<Value> {
    let world = app.world();
    Json(json!({ "faults": world.faults.pending().collect::<Vec<_>>() }))
}

/// `DELETE /sandbox/faults`.
pub async fn clear_faults(State(app): State<Arc<App>>) -> Json<Value> {
    app.world().faults.clear();
    Json(json!({ "ok": true }))
}

/// The body of `POST /sandbox/limits`.
#[derive(Deserialize)]
pub struct Lift {
    platform: Platform,
    lifted: bool,
}

/// `POST /sandbox/limits`: turns the quotas of a network off and on.
pub async fn limits(State(app): State<Arc<App>>, Json(lift): Json<Lift>) -> Json<Value> {
    let mut world = app.world();
    if lift.lifted {
        world.lifted.insert(lift.platform);
    } else {
        world.lifted.remove(&lift.platform);
    }
    Json(json!({ "ok": true }))
}

/// The body of `POST /sandbox/clock`; at most 49 days at once.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Advance {
    advance_ms: u32,
}

/// `POST /sandbox/clock`.
pub async fn advance(
    State(app): State<Arc<App>>,
    Json(advance): Json<Advance>,
) -> Result<Json<Value>, ControlError> {
    app.clock.advance(advance.advance_ms)?;
    Ok(Json(json!({ "now": app.clock.now() })))
}

/// `GET /sandbox/clock`.
pub async fn clock(State(app): State<Arc<App>>) -> Json<Value> {
    Json(json!({ "now": app.clock.now() }))
}

/// The body of `POST /sandbox/settings`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    instagram_token_shape: Option<TokenShape>,
    /// True: publishing a published container makes another post, where the documents are silent.
    /// A client that relies on the network to refuse it is caught by the ledger.
    instagram_republish: Option<bool>,
}

/// How Instagram answers the code exchange.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum TokenShape {
    /// `{"data":[{…}]}`, as documented.
    Data,
    /// `{…}`, as older documents and some live answers have it.
    Flat,
}

/// `POST /sandbox/settings`.
pub async fn settings(State(app): State<Arc<App>>, Json(settings): Json<Settings>) -> Json<Value> {
    let mut world = app.world();
    if let Some(shape) = settings.instagram_token_shape {
        world.flat_tokens = matches!(shape, TokenShape::Flat);
    }
    if let Some(republish) = settings.instagram_republish {
        world.republish = republish;
    }
    Json(json!({ "ok": true }))
}

/// `POST /sandbox/accounts/ID/revoke`: the person takes the app's access away.
pub async fn revoke(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, ControlError> {
    let mut world = app.world();
    let platform = world.accounts.rows().find(|account| account.external_id == id);
    let platform = platform.map(|account| account.platform);
    let platform = platform.ok_or_else(|| ControlError::Missing(format!("there is no account {id}")))?;
    world.revoke(platform, &id)?;
    Ok(Json(json!({ "ok": true })))
}
