//! Many measurements in a few numbers.

use std::time::Duration;

/// The value that this share (0 to 1) of all values does not exceed.
///
/// # Panics
/// When there are no values.
pub fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index into a short list")]
    #[expect(clippy::cast_precision_loss, reason = "a short list")]
    let at = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len());
    rounded(sorted[at - 1])
}

/// Milliseconds, to the tenth.
pub fn millis(time: Duration) -> f64 {
    rounded(time.as_secs_f64() * 1000.0)
}

/// To two digits after the point.
pub fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// `count` for each of `things`.
pub fn each(count: i64, things: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let share = count as f64 / things as f64;
    rounded(share)
}

/// The sum of a Prometheus metric over its series that carry `label`, in the text of one or more processes.
pub fn metric(text: &str, name: &str, label: &str) -> f64 {
    let series = text.lines().filter(|line| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with([' ', '{']) && rest.contains(label))
    });
    series.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}
