//! Waiting for what other processes do: asking again and again, never a fixed nap.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How often it is asked.
const POLL: Duration = Duration::from_millis(100);

/// Asks until there is an answer.
///
/// # Panics
/// When there is none within `limit`; the message says `what` was waited for.
pub async fn eventually<T>(what: &str, limit: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let give_up = Instant::now() + limit;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < give_up, "waited {limit:?} in vain: {what}");
        sleep(POLL).await;
    }
}
