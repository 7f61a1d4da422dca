//! Requests that another site makes a browser send are refused (OWASP, fetch metadata with the
//! origin as fall-back): sessions in cookies go along with them.

use axum::http::HeaderMap;
use axum::http::header::ORIGIN;

use crate::config::ApiConfig;

/// Whether a request that changes something may act for the people at the browser.
#[must_use]
pub fn is_trusted(config: &ApiConfig, headers: &HeaderMap, with_cookie: bool) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if text(ORIGIN.as_str()).is_some_and(|origin| config.trusts_origin(origin)) {
        return true;
    }
    match (text("sec-fetch-site"), headers.contains_key(ORIGIN)) {
        (Some("same-origin" | "none"), _) => true,
        (Some(_), _) | (None, true) => false,
        // No browser: fine, unless it carries a browser's cookie.
        (None, false) => !with_cookie,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::config::tests::local;

    #[test]
    fn only_our_own_pages_act_for_people() {
        let config = local();
        for (site, origin, cookie, trusted) in [
            (Some("same-origin"), None, true, true),
            (Some("none"), None, true, true),
            (Some("cross-site"), Some("https://evil.example"), true, false),
            (Some("cross-site"), Some("https://evil.example"), false, false),
            (Some("cross-site"), Some("http://127.0.0.1:5173"), true, true),
            (None, Some("https://evil.example"), true, false),
            (None, Some("http://127.0.0.1:5173"), true, true),
            (None, Some("null"), true, false),
            (None, None, true, false),
            (None, None, false, true),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(site) = site {
                headers.insert("sec-fetch-site", HeaderValue::from_static(site));
            }
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(is_trusted(&config, &headers, cookie), trusted, "{site:?} {origin:?} {cookie}");
        }
    }
}
