//! `POST /sandbox/accounts/ID/media`: a post that the account makes in the network's own app.

use std::sync::Arc;

use axum::Json;
use axum::extract::multipart::{Field, Multipart};
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use domain::platform::Platform;
use serde_json::{Value, json};

use crate::account::Account;
use crate::app::App;
use crate::control::{ControlError, invalid};
use crate::form;
use crate::ledger::{Post, PostKind, PostMedia};
use crate::media_store::ReceiveError;
use crate::world::numeric_id;

/// Largest file that a person can post, bytes.
const FILE: u64 = 1 << 30;
/// Most files of a carousel.
const FILES: usize = 10;

/// The form as far as it was read.
#[derive(Default)]
struct Form {
    kind: Option<PostKind>,
    caption: String,
    at: Option<DateTime<Utc>>,
    media: Vec<PostMedia>,
}

/// Makes the post and answers its id on the network.
pub async fn create(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    mut multipart: Multipart,
) -> Result<Json<Value>, ControlError> {
    let account = app.world().accounts.rows().find(|account| account.external_id == id).cloned();
    let account = account.ok_or_else(|| ControlError::Missing(format!("there is no account {id}")))?;
    if account.platform == Platform::Telegram {
        return Err(invalid("Telegram shows a bot no history, so a post by hand would never be seen"));
    }
    let mut form = Form::default();
    while let Some(field) =
        multipart.next_field().await.map_err(|error| invalid(format!("the form is broken: {error}")))?
    {
        read(&app, account.platform, field, &mut form).await?;
    }
    let post = post(&app, &account, form)?;
    let remote_id = post.remote_id.clone();
    app.world().handmade.put(&remote_id, post)?;
    Ok(Json(json!({ "remoteId": remote_id })))
}

async fn read(app: &App, platform: Platform, field: Field<'_>, form: &mut Form) -> Result<(), ControlError> {
    if field.file_name().is_some() {
        if form.media.len() == FILES {
            return Err(invalid(format!("a post has at most {FILES} files")));
        }
        form.media.push(file(app, platform, field).await?);
        return Ok(());
    }
    let name = field.name().unwrap_or("").to_owned();
    let text = form::part_text(field).await.map_err(|error| invalid(format!("{name} is broken: {error}")))?;
    match name.as_str() {
        "kind" => {
            let kind = serde_json::from_value(json!(text));
            form.kind = Some(kind.map_err(|_| invalid("kind is photo, reel, carousel or video"))?);
        }
        "caption" => form.caption = text,
        "timestamp" => {
            let at = form::time(&text).ok_or_else(|| invalid("timestamp is RFC 3339 or Unix seconds"))?;
            form.at = Some(at);
        }
        other => return Err(invalid(format!("`{other}` is no field; kind, caption and timestamp are"))),
    }
    Ok(())
}

async fn file(app: &App, platform: Platform, field: Field<'_>) -> Result<PostMedia, ControlError> {
    let stored = app.media.receive(field, FILE).await.map_err(|error| match error {
        ReceiveError::Storage(error) => ControlError::Storage(error),
        other => invalid(other.to_string()),
    })?;
    let facts = app.prober.look(&app.media.path(&stored.sha256), &stored.sha256).await;
    let facts = facts.ok().flatten().filter(|facts| facts.video.is_some());
    let facts = facts.ok_or_else(|| invalid("a file is neither a picture nor a video"))?;
    let id = match platform {
        Platform::Tiktok => numeric_id("75", 19),
        _ => numeric_id("179", 17),
    };
    Ok(PostMedia::new(id, stored, &facts))
}

fn post(app: &App, account: &Account, form: Form) -> Result<Post, ControlError> {
    let kind = match (account.platform, form.kind) {
        (Platform::Instagram, Some(PostKind::Video)) => PostKind::Reel,
        (_, Some(kind)) => kind,
        (_, None) => return Err(invalid("kind is missing: photo, reel or carousel")),
    };
    let videos = form.media.iter().filter(|media| media.is_video()).count();
    let fits = match (account.platform, kind) {
        (Platform::Instagram, PostKind::Photo) => form.media.len() == 1 && videos == 0,
        (Platform::Instagram, PostKind::Reel) | (Platform::Tiktok, PostKind::Video | PostKind::Reel) => {
            form.media.len() == 1 && videos == 1
        }
        (Platform::Instagram, PostKind::Carousel) => (2..=FILES).contains(&form.media.len()),
        _ => return Err(invalid(format!("{} has no such kind of post", account.platform))),
    };
    if !fits {
        return Err(invalid(
            "the files do not fit the kind: photo 1 picture, reel 1 video, carousel 2 to 10",
        ));
    }
    let at = form.at.unwrap_or_else(|| app.clock.now());
    let remote_id = match kind {
        PostKind::Carousel => numeric_id("179", 17),
        _ => form.media[0].id.clone(),
    };
    Ok(Post {
        seq: 0,
        platform: account.platform,
        account: account.external_id.clone(),
        remote_id,
        kind,
        caption: form.caption,
        media: form.media,
        at,
        handle: None,
        reply_to: None,
        privacy: (account.platform == Platform::Tiktok).then(|| "PUBLIC_TO_EVERYONE".to_owned()),
        share_to_feed: true,
        listed_at: at,
    })
}
