//! Reading an account's posts, newest first.

use chrono::{DateTime, Utc};
use domain::platform::MediaKind;
use serde::Deserialize;
use url::Url;

use super::graph::{Graph, id};
use crate::connector::{FoundItem, FoundMedia, MediaPage, PageRequest};
use crate::error::ConnectorError;

const FIELDS: &str = "id,caption,media_type,media_url,permalink,timestamp,children{id,media_type,media_url}";
/// More than 50 with children makes answers of megabytes.
const PAGE: u32 = 50;

#[derive(Deserialize)]
struct Page {
    data: Vec<Media>,
    paging: Option<Paging>,
}

#[derive(Deserialize)]
struct Paging {
    cursors: Option<Cursors>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Cursors {
    after: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Media {
    #[serde(deserialize_with = "id")]
    id: String,
    caption: Option<String>,
    media_type: String,
    /// Missing for what was flagged for copyright.
    media_url: Option<Url>,
    permalink: Option<Url>,
    timestamp: String,
    children: Option<Children>,
}

#[derive(Deserialize)]
struct Children {
    data: Vec<Child>,
}

#[derive(Deserialize)]
struct Child {
    #[serde(deserialize_with = "id")]
    id: String,
    media_type: String,
    media_url: Option<Url>,
}

/// One page. Posts of a kind that this release does not know are left out.
pub(super) async fn list(graph: &Graph<'_>, page: &PageRequest) -> Result<MediaPage, ConnectorError> {
    let limit = page.limit.clamp(1, PAGE).to_string();
    let since = page.since.map(|since| since.timestamp().to_string());
    let mut query = vec![("fields", FIELDS), ("limit", limit.as_str())];
    query.extend(since.as_deref().map(|since| ("since", since)));
    query.extend(page.after.as_deref().map(|after| ("after", after)));
    let answer: Page = graph.get("list_media", &["me", "media"], &query).await?;
    let next = answer.paging.filter(|paging| paging.next.is_some()).and_then(|paging| paging.cursors?.after);
    let media: Vec<FoundMedia> = answer.data.into_iter().filter_map(Media::found).collect();
    // `since` is a filter at the network; should one ignore it, the pages still end here.
    let reached = |since| media.last().is_some_and(|oldest| oldest.posted_at < since);
    let next = if page.since.is_some_and(reached) { None } else { next };
    let media = media.into_iter().filter(|found| page.since.is_none_or(|since| found.posted_at >= since));
    Ok(MediaPage { media: media.collect(), next })
}

/// One post, with fresh addresses.
pub(super) async fn read(graph: &Graph<'_>, media_id: &str) -> Result<Option<FoundMedia>, ConnectorError> {
    let media: Media = graph.get("found_media", &[media_id], &[("fields", FIELDS)]).await?;
    Ok(media.found())
}

impl Media {
    fn found(self) -> Option<FoundMedia> {
        let kind = kind(&self.media_type)?;
        let item = |id, kind, download_url| FoundItem { external_id: id, kind, download_url };
        let items = match self.children {
            Some(children) if kind == MediaKind::Carousel => children
                .data
                .into_iter()
                .filter_map(|child| Some(item(child.id, self::kind(&child.media_type)?, child.media_url)))
                .collect(),
            _ => vec![item(self.id.clone(), kind, self.media_url)],
        };
        Some(FoundMedia {
            external_id: self.id,
            kind,
            caption: self.caption,
            posted_at: timestamp(&self.timestamp)?,
            url: self.permalink,
            items,
        })
    }
}

fn kind(media_type: &str) -> Option<MediaKind> {
    match media_type {
        "IMAGE" => Some(MediaKind::Image),
        "VIDEO" => Some(MediaKind::Video),
        "CAROUSEL_ALBUM" => Some(MediaKind::Carousel),
        _ => None,
    }
}

/// `2026-11-20T10:00:00+0000`: no colon in the zone, so not RFC 3339.
fn timestamp(text: &str) -> Option<DateTime<Utc>> {
    let parsed = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%z");
    parsed.or_else(|_| DateTime::parse_from_rfc3339(text)).ok().map(|time| time.to_utc())
}
