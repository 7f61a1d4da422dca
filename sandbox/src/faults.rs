//! Faults that are ordered through the control API and happen to the next calls that match.
//!
//! A fault of the call (cut, 500, 429 …) is played by [`guard`] around the call's effect; a fault of
//! the network's inside (slow processing, listing lag, failed processing) is taken by the code that
//! plays it, with [`Faults::take_inner`].

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use domain::platform::Platform;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Deserializer, Serialize};

use crate::app::App;
use crate::connection::CutConnection;

/// Orders held at once.
const ORDERS: usize = 1000;
/// Longest wait that a fault may ask for, ms.
const DELAY_MAX_MS: u64 = 600_000;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Fault {
    /// The effect happens, the connection ends without an answer.
    #[serde(rename = "accept_then_drop")]
    AcceptThenDrop,
    /// The connection ends, nothing happened.
    #[serde(rename = "drop_before")]
    DropBefore,
    /// The effect happens, the answer is the network's 500.
    #[serde(rename = "500_after_accept")]
    Error500AfterAccept,
    /// Nothing happened, the answer is the network's 500.
    #[serde(rename = "500_before")]
    Error500Before,
    /// Nothing happened, the answer is an HTML page with 503.
    #[serde(rename = "503_html")]
    Html503,
    /// The effect happens, the answer is 200 with no body.
    #[serde(rename = "empty_200_after_accept")]
    EmptyAfterAccept,
    /// The effect happens, the answer is 200 with other JSON than documented.
    #[serde(rename = "wrong_json_after_accept")]
    WrongJsonAfterAccept,
    /// Nothing happened, too many requests, come back after `delayMs`.
    #[serde(rename = "429_with_retry_after")]
    Throttled,
    /// Nothing happened, too many requests, and not a word on when to come back.
    #[serde(rename = "429_without_retry_after")]
    ThrottledSilently,
    /// The effect happens, the answer is too many requests.
    #[serde(rename = "429_after_accept")]
    ThrottledAfterAccept,
    /// The effect happens after `delayMs`, also when the client has gone.
    #[serde(rename = "slow")]
    Slow,
    /// The effect happens at once, the answer comes after `delayMs`.
    #[serde(rename = "slow_after_accept")]
    SlowAfterAccept,
    /// All tokens of the account end for good, and the call is refused for it.
    #[serde(rename = "token_revoked")]
    TokenRevoked,
    /// The network works `delayMs` longer on the media.
    #[serde(rename = "slow_processing")]
    SlowProcessing,
    /// A new post is not in lists (or its container not yet PUBLISHED) for `delayMs`.
    #[serde(rename = "listing_lag")]
    ListingLag,
    /// The network refuses the media with `code`.
    #[serde(rename = "processing_failed")]
    ProcessingFailed,
}

/// Every fault with the names it answers to; `-` and a blank count as `_`.
const NAMES: [(&str, Fault); 21] = [
    ("accept_then_drop", Fault::AcceptThenDrop),
    ("drop_before", Fault::DropBefore),
    ("500_after_accept", Fault::Error500AfterAccept),
    ("500_before", Fault::Error500Before),
    ("500", Fault::Error500Before),
    ("503_html", Fault::Html503),
    ("empty_200_after_accept", Fault::EmptyAfterAccept),
    ("wrong_json_after_accept", Fault::WrongJsonAfterAccept),
    ("429_with_retry_after", Fault::Throttled),
    ("429_retry_after", Fault::Throttled),
    ("429", Fault::Throttled),
    ("429_without_retry_after", Fault::ThrottledSilently),
    ("429_without", Fault::ThrottledSilently),
    ("429_no_retry_after", Fault::ThrottledSilently),
    ("429_after_accept", Fault::ThrottledAfterAccept),
    ("slow", Fault::Slow),
    ("slow_after_accept", Fault::SlowAfterAccept),
    ("token_revoked", Fault::TokenRevoked),
    ("slow_processing", Fault::SlowProcessing),
    ("listing_lag", Fault::ListingLag),
    ("processing_failed", Fault::ProcessingFailed),
];

impl Fault {
    fn named(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase().replace(['-', ' '], "_");
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, fault)| *fault)
    }

    const fn is_inner(self) -> bool {
        matches!(self, Self::SlowProcessing | Self::ListingLag | Self::ProcessingFailed)
    }

    const fn needs_acceptance(self) -> bool {
        matches!(
            self,
            Self::AcceptThenDrop
                | Self::Error500AfterAccept
                | Self::EmptyAfterAccept
                | Self::WrongJsonAfterAccept
                | Self::SlowAfterAccept
                | Self::ThrottledAfterAccept
        )
    }
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::named(&name).ok_or_else(|| {
            let known: Vec<_> = NAMES.iter().map(|(name, _)| *name).collect();
            serde::de::Error::custom(format!("`{name}` is no fault; known are {}", known.join(", ")))
        })
    }
}

/// The steps of each network that a fault can be ordered for.
pub const fn steps(platform: Platform) -> &'static [&'static str] {
    match platform {
        Platform::Instagram => &["container", "status", "publish", "list", "refresh", "media"],
        Platform::Tiktok => &["creator_info", "init", "upload", "status", "refresh"],
        Platform::Telegram => &["send", "getMe"],
        _ => &[],
    }
}

/// The body of `POST /sandbox/faults`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Order {
    pub platform: Platform,
    pub step: String,
    pub fault: Fault,
    /// How many calls it happens to.
    #[serde(default = "once")]
    pub times: u32,
    /// With a seed every matching call is hit with probability ½, the same calls for the same seed.
    pub seed: Option<u64>,
    /// External id of the only account it happens to.
    pub account: Option<String>,
    pub delay_ms: Option<u64>,
    /// For `processing_failed`: Instagram's subcode, TikTok's fail_reason.
    pub code: Option<String>,
}

const fn once() -> u32 {
    1
}

impl Order {
    /// Says what is wrong with an order, if anything is.
    pub fn problem(&self) -> Option<String> {
        let steps = steps(self.platform);
        if !steps.contains(&self.step.as_str()) {
            return Some(format!("`{}` is no step of {}; known are {steps:?}", self.step, self.platform));
        }
        if self.delay_ms.is_some_and(|delay| delay > DELAY_MAX_MS) {
            return Some(format!("delayMs is at most {DELAY_MAX_MS}"));
        }
        (self.times == 0).then(|| "times is at least 1".to_owned())
    }

    pub fn delay(&self, default_ms: u64) -> Duration {
        Duration::from_millis(self.delay_ms.unwrap_or(default_ms))
    }
}

struct Pending {
    order: Order,
    dice: Option<StdRng>,
}

/// All orders that have calls left.
#[derive(Default)]
pub struct Faults(Vec<Pending>);

/// Where a call is.
#[derive(Clone)]
pub struct Site {
    pub platform: Platform,
    pub step: &'static str,
    pub account: String,
}

impl Faults {
    /// Adds an order; false when too many are held already.
    pub fn order(&mut self, order: Order) -> bool {
        if self.0.len() >= ORDERS {
            return false;
        }
        let dice = order.seed.map(StdRng::seed_from_u64);
        self.0.push(Pending { order, dice });
        true
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn pending(&self) -> impl Iterator<Item = &Order> {
        self.0.iter().map(|pending| &pending.order)
    }

    /// Takes the oldest fault of the call that matches.
    fn take_outer(&mut self, site: &Site) -> Option<Order> {
        self.take(|order| !order.fault.is_inner() && order.step == site.step && matches(order, site))
    }

    /// Takes a fault of the network's inside, ordered for one of `steps`.
    pub fn take_inner(&mut self, fault: Fault, site: &Site, steps: &[&str]) -> Option<Order> {
        self.take(|order| {
            order.fault == fault && steps.contains(&order.step.as_str()) && matches(order, site)
        })
    }

    fn take(&mut self, wanted: impl Fn(&Order) -> bool) -> Option<Order> {
        let at = self.0.iter().position(|pending| wanted(&pending.order))?;
        let pending = &mut self.0[at];
        if pending.dice.as_mut().is_some_and(|dice| !dice.random_bool(0.5)) {
            return None;
        }
        pending.order.times -= 1;
        let order = pending.order.clone();
        if order.times == 0 {
            self.0.remove(at);
        }
        Some(order)
    }

    /// Puts back one call's worth of a fault that needs an accepted call and met a refused one.
    fn give_back(&mut self, mut order: Order) {
        order.times = 1;
        order.seed = None;
        self.0.insert(0, Pending { order, dice: None });
    }
}

fn matches(order: &Order, site: &Site) -> bool {
    order.platform == site.platform && order.account.as_ref().is_none_or(|account| *account == site.account)
}

/// A refusal that every network says in its own words.
pub enum Trouble {
    /// Seconds until the call may be tried again, when the network says so.
    Throttled(Option<u64>),
    Internal,
    Revoked,
}

/// Runs the effect of a call, with the fault that was ordered for it, if any.
pub async fn guard<F>(app: &Arc<App>, site: Site, effect: F) -> Response
where
    F: Future<Output = Response> + Send + 'static,
{
    let Some(order) = app.world().faults.take_outer(&site) else { return effect.await };
    tracing::info!(platform = %site.platform, step = site.step, fault = ?order.fault, "fault");
    match order.fault {
        Fault::DropBefore => {
            tokio::time::sleep(order.delay(0)).await;
            return cut();
        }
        Fault::Error500Before => return app.trouble(site.platform, &Trouble::Internal),
        Fault::Html503 => {
            let page = "<html><body><h1>503 Service Unavailable</h1></body></html>";
            return (StatusCode::SERVICE_UNAVAILABLE, axum::response::Html(page)).into_response();
        }
        Fault::Throttled => {
            let seconds = order.delay(5000).as_millis().div_ceil(1000);
            let seconds = u64::try_from(seconds).unwrap_or(u64::MAX).max(1);
            return app.trouble(site.platform, &Trouble::Throttled(Some(seconds)));
        }
        Fault::ThrottledSilently => return app.trouble(site.platform, &Trouble::Throttled(None)),
        Fault::TokenRevoked => return revoke(app, &site),
        _ => {}
    }
    let before = if order.fault == Fault::Slow { order.delay(5000) } else { Duration::ZERO };
    // A task of its own: the effect happens also when the client hangs up while it waits.
    let running = app.tasks.spawn(async move {
        tokio::time::sleep(before).await;
        effect.await
    });
    let Ok(response) = running.await else { return app.trouble(site.platform, &Trouble::Internal) };
    if order.fault.needs_acceptance() && !response.status().is_success() {
        app.world().faults.give_back(order);
        return response;
    }
    match order.fault {
        Fault::AcceptThenDrop => {
            tokio::time::sleep(order.delay(0)).await;
            cut()
        }
        Fault::ThrottledAfterAccept => app.trouble(site.platform, &Trouble::Throttled(None)),
        Fault::Error500AfterAccept => app.trouble(site.platform, &Trouble::Internal),
        Fault::EmptyAfterAccept => StatusCode::OK.into_response(),
        Fault::WrongJsonAfterAccept => axum::Json(serde_json::json!({"status": "done"})).into_response(),
        Fault::SlowAfterAccept => {
            tokio::time::sleep(order.delay(5000)).await;
            response
        }
        _ => response,
    }
}

fn revoke(app: &App, site: &Site) -> Response {
    match app.world().revoke(site.platform, &site.account) {
        Ok(()) => app.trouble(site.platform, &Trouble::Revoked),
        Err(error) => app.broken(&error),
    }
}

fn cut() -> Response {
    let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
    response.extensions_mut().insert(CutConnection);
    response
}
