//! What TikTok does once it has a whole file: looks at it and publishes it, or says why not.

use std::sync::Arc;

use domain::platform::Platform;
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::fs::File;
use tokio_util::io::ReaderStream;

use crate::app::App;
use crate::faults::{Fault, Site};
use crate::journal::StorageError;
use crate::ledger::{Post, PostKind, PostMedia};
use crate::media_store::{ReceiveError, Stored};
use crate::tiktok::share::Share;
use crate::tiktok::{checks, upload};
use crate::world::numeric_id;

/// Goes on with the files that were whole when the last process ended.
pub fn resume(app: &Arc<App>) {
    let unfinished: Vec<String> = {
        let world = app.world();
        let shares = world.shares.rows();
        shares
            .filter(|share| share.is_uploaded() && share.failed.is_none() && !share.is_published(&world))
            .map(|share| share.upload_id.clone())
            .collect()
    };
    unfinished.iter().for_each(|upload_id| spawn(app, upload_id));
}

/// Works on a share in the background.
pub fn spawn(app: &Arc<App>, upload_id: &str) {
    let Some(share) = app.world().shares.get(upload_id).cloned() else { return };
    let (stop, inner) = (app.stop.clone(), Arc::clone(app));
    let work = async move {
        if let Err(error) = process(&inner, share).await {
            tracing::error!(%error, "a share stays in processing");
        }
    };
    app.tasks.spawn(stop.run_until_cancelled_owned(work));
}

async fn process(app: &App, share: Share) -> Result<(), StorageError> {
    let checked = match (look(app, &share).await?, &share.doomed) {
        (_, Some(reason)) => Err(reason.clone()),
        (Ok(media), None) => Ok(media),
        (Err(reason), None) => Err(reason.to_owned()),
    };
    app.clock.sleep_until(share.ready_at.unwrap_or(share.created_at)).await;
    match checked {
        Ok(media) => publish(app, &share, media).await?,
        Err(reason) => {
            app.world().shares.change(&share.upload_id, |share| share.failed = Some(reason))?;
        }
    }
    drop(tokio::fs::remove_dir_all(upload::parts(app, &share.upload_id)).await);
    Ok(())
}

async fn publish(app: &App, share: &Share, media: PostMedia) -> Result<(), StorageError> {
    let now = app.clock.now();
    let site = Site { platform: Platform::Tiktok, step: "upload", account: share.account.clone() };
    {
        let mut world = app.world();
        if share.is_published(&world) {
            return Ok(());
        }
        let listed = world.faults.take_inner(Fault::ListingLag, &site, &["init", "upload"]);
        if let Some(order) = world.faults.take_inner(Fault::ListingLag, &site, &["status"]) {
            let until = now + order.delay(5000);
            world.shares.change(&share.upload_id, |share| share.status_lags_until = Some(until))?;
        }
        world.ledger.append(Post {
            seq: 0,
            platform: Platform::Tiktok,
            account: share.account.clone(),
            remote_id: media.id.clone(),
            kind: PostKind::Video,
            caption: share.title.clone(),
            media: vec![media],
            at: now,
            handle: Some(share.publish_id()),
            reply_to: None,
            privacy: Some(share.privacy.clone()),
            share_to_feed: true,
            listed_at: listed.map_or(now, |order| now + order.delay(5000)),
        })?;
    }
    app.ledger_synced().await
}

/// The file and whether TikTok takes it; inside, its `fail_reason`.
async fn look(app: &App, share: &Share) -> Result<Result<PostMedia, &'static str>, StorageError> {
    let file = match assemble(app, share).await {
        Ok(file) => file,
        Err(ReceiveError::Storage(error)) => return Err(error),
        Err(_) => return Ok(Err("internal")),
    };
    let path = app.media.path(&file.sha256);
    let facts = app.prober.look(&path, &file.sha256).await.map_err(StorageError::at(&path))?;
    let creator = app.world().account(Platform::Tiktok, &share.account).and_then(|a| a.creator.clone());
    let max_s = creator.unwrap_or_default().max_duration_s;
    Ok(checks::video(facts.as_ref(), max_s).map(|facts| PostMedia::new(numeric_id("75", 19), file, facts)))
}

/// Puts the chunks together, in order.
async fn assemble(app: &App, share: &Share) -> Result<Stored, ReceiveError> {
    let firsts = (0..share.chunks).map(|index| index * share.chunk);
    let paths: Vec<_> = firsts.map(|first| upload::part(app, &share.upload_id, first)).collect();
    let whole = stream::iter(paths)
        .then(|path| async move { File::open(path).await.map(ReaderStream::new) })
        .try_flatten()
        .boxed();
    app.media.receive(whole, share.size).await
}
