//! The consent page of the networks with OAuth: a form for people, a redirect at once for scripts.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use chrono::TimeDelta;
use domain::platform::Platform;
use url::Url;

use crate::app::App;
use crate::control::accounts;
use crate::form::{self, Params};
use crate::grant::Code;
use crate::journal::StorageError;
use crate::text::escape_html;

/// What one network's page asks for.
struct Rules {
    platform: Platform,
    /// The parameter with the app's id.
    client: &'static str,
    scopes: &'static [&'static str],
    /// Without it the network refuses.
    required: &'static str,
    /// How long the code is good for.
    code_ttl: TimeDelta,
}

const INSTAGRAM: Rules = Rules {
    platform: Platform::Instagram,
    client: "client_id",
    scopes: &[
        "instagram_business_basic",
        "instagram_business_content_publish",
        "instagram_business_manage_comments",
        "instagram_business_manage_insights",
        "instagram_business_manage_messages",
    ],
    required: "instagram_business_basic",
    code_ttl: TimeDelta::hours(1),
};

const TIKTOK: Rules = Rules {
    platform: Platform::Tiktok,
    client: "client_key",
    scopes: &[
        "user.info.basic",
        "user.info.profile",
        "user.info.stats",
        "video.list",
        "video.upload",
        "video.publish",
    ],
    required: "user.info.basic",
    code_ttl: TimeDelta::minutes(10),
};

/// `GET /www.instagram.com/oauth/authorize`.
pub async fn instagram(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Response {
    page(&app, &INSTAGRAM, &form::query(query.as_deref()))
}

/// `GET /www.tiktok.com/v2/auth/authorize/`.
pub async fn tiktok(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Response {
    page(&app, &TIKTOK, &form::query(query.as_deref()))
}

fn page(app: &App, rules: &Rules, params: &Params) -> Response {
    let (redirect, scopes) = match check(app, rules, params) {
        Ok(checked) => checked,
        Err(problem) => {
            let problem = escape_html(&problem);
            let body = format!("<!doctype html><title>Sorry</title><p>Invalid request: {problem}.</p>");
            return (StatusCode::BAD_REQUEST, Html(body)).into_response();
        }
    };
    let login = params.get("login").map(|login| login.trim()).filter(|login| !login.is_empty());
    match (params.get("consent").map(String::as_str), login) {
        (Some("yes"), Some(login)) => match consent(app, rules, login, params, scopes) {
            Ok(Ok(code)) => back(rules.platform, redirect, params, Some(&code)),
            Ok(Err(problem)) => (StatusCode::BAD_REQUEST, problem).into_response(),
            Err(error) => app.broken(&error),
        },
        (Some("no"), _) => back(rules.platform, redirect, params, None),
        _ => Html(ask(app, rules, params, &scopes)).into_response(),
    }
}

/// What a person has consented to: the scopes that were asked for.
struct Asked {
    text: String,
    list: Vec<String>,
}

fn check(app: &App, rules: &Rules, params: &Params) -> Result<(Url, Asked), String> {
    let param = |name: &str| params.get(name).map_or("", String::as_str);
    if param(rules.client) != app.config.client_id {
        return Err(format!("{} is unknown", rules.client));
    }
    if param("response_type") != "code" {
        return Err("response_type must be code".to_owned());
    }
    let redirect = Url::parse(param("redirect_uri")).map_err(|_| "redirect_uri is no address".to_owned())?;
    if !matches!(redirect.scheme(), "http" | "https") || redirect.fragment().is_some() {
        return Err("redirect_uri must be http or https, without a fragment".to_owned());
    }
    let text = param("scope").replace(' ', ",");
    let list: Vec<String> = text.split(',').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    if let Some(unknown) = list.iter().find(|scope| !rules.scopes.contains(&scope.as_str())) {
        return Err(format!("scope `{unknown}` is unknown"));
    }
    if !list.iter().any(|scope| scope == rules.required) {
        return Err(format!("scope must contain {}", rules.required));
    }
    Ok((redirect, Asked { text: list.join(","), list }))
}

fn consent(
    app: &App,
    rules: &Rules,
    login: &str,
    params: &Params,
    asked: Asked,
) -> Result<Result<String, String>, StorageError> {
    let mut world = app.world();
    let account = match accounts::ensure(&mut world, rules.platform, login)? {
        Ok(account) => account,
        Err(problem) => return Ok(Err(problem)),
    };
    let code = Code {
        platform: rules.platform,
        account: account.external_id,
        // As it was written: the exchange must repeat it letter by letter.
        redirect_uri: params.get("redirect_uri").cloned().unwrap_or_default(),
        scopes: asked.list,
        expires_at: app.clock.now() + rules.code_ttl,
        used: false,
    };
    world.grants.new_code(code).map(Ok)
}

/// The way back to the app, with a code or with the person's refusal.
fn back(platform: Platform, mut to: Url, params: &Params, code: Option<&str>) -> Response {
    {
        let mut query = to.query_pairs_mut();
        match code {
            Some(code) => {
                query.append_pair("code", code);
                if platform == Platform::Tiktok {
                    query.append_pair("scopes", params.get("scope").map_or("", String::as_str));
                }
            }
            None => {
                query.append_pair("error", "access_denied");
                if platform == Platform::Instagram {
                    query.append_pair("error_reason", "user_denied");
                }
                query.append_pair("error_description", "The user denied your request");
            }
        }
        if let Some(state) = params.get("state") {
            query.append_pair("state", state);
        }
    }
    if platform == Platform::Instagram {
        // Instagram appends this to every address it sends people back to.
        to.set_fragment(Some("_"));
    }
    (StatusCode::FOUND, [(header::LOCATION, to.to_string())]).into_response()
}

fn ask(app: &App, rules: &Rules, params: &Params, asked: &Asked) -> String {
    let hidden: String = params
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "login" | "consent"))
        .map(|(name, value)| {
            let (name, value) = (escape_html(name), escape_html(value));
            format!("<input type=hidden name=\"{name}\" value=\"{value}\">")
        })
        .collect();
    let handles: String = {
        let world = app.world();
        let accounts = world.accounts.rows().filter(|account| account.platform == rules.platform);
        accounts.map(|account| format!("<option value=\"{}\">", escape_html(&account.handle))).collect()
    };
    let login = escape_html(params.get("login").map_or("", String::as_str));
    let (name, scopes) = (rules.platform.display_name(), escape_html(&asked.text));
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{name} sandbox</title>\
         <style>body{{font:16px system-ui;max-width:28rem;margin:4rem auto;padding:0 1rem}}\
         input,button{{font:inherit;padding:.5rem;margin:.5rem .5rem .5rem 0}}</style>\
         <h1>{name} sandbox</h1><p>Reelmill asks for <code>{scopes}</code>.</p>\
         <form method=get>{hidden}<label>Sign in as <input name=login list=handles value=\"{login}\" \
         placeholder=handle></label><datalist id=handles>{handles}</datalist><br>\
         <button name=consent value=yes>Allow</button><button name=consent value=no>Cancel</button></form></html>"
    )
}
