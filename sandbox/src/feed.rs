//! `GET /`: the latest posts of all networks with their media, for people.

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Html;

use crate::app::App;
use crate::ledger::{Post, PostMedia};
use crate::text::escape_html;

/// Posts shown.
const POSTS: usize = 60;

const HEAD: &str = "<!doctype html><html lang=en><head><meta charset=utf-8>\
<meta name=viewport content='width=device-width'><meta http-equiv=refresh content=15>\
<title>Reelmill sandbox</title><style>\
body{font:15px/1.45 system-ui,sans-serif;margin:0;background:#f4f4f2;color:#222}\
header{padding:1.2rem 1.5rem;background:#fff;border-bottom:1px solid #ddd}h1{font-size:1.2rem;margin:0}\
main{display:grid;grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));gap:1rem;padding:1.5rem}\
article{background:#fff;border:1px solid #ddd;border-radius:.5rem;overflow:hidden}\
.media{display:flex;overflow-x:auto;background:#111;scroll-snap-type:x mandatory}\
.media>*{flex:0 0 100%;width:100%;height:20rem;object-fit:contain;scroll-snap-align:start}\
.text{padding:.7rem 1rem}.text p{white-space:pre-wrap;overflow-wrap:anywhere;margin:.4rem 0}\
small{color:#666}</style></head><body>";

/// The page; it needs nothing from elsewhere and loads itself again every 15 s.
pub async fn page(State(app): State<Arc<App>>) -> Html<String> {
    let world = app.world();
    let total = world.ledger.since(0).len();
    let from = total.saturating_sub(POSTS) as u64;
    let mut posts: Vec<&Post> = world.ledger.since(from).iter().chain(world.handmade.rows()).collect();
    posts.sort_by_key(|post| std::cmp::Reverse((post.at, post.seq)));
    posts.truncate(POSTS);
    let mut html = HEAD.to_owned();
    let _ = write!(
        html,
        "<header><h1>Reelmill sandbox</h1><small>{total} posts published by API, newest first; \
        <a href=/sandbox/ledger>ledger</a></small></header><main>"
    );
    for post in posts {
        let handle =
            world.account(post.platform, &post.account).map_or("?", |account| account.handle.as_str());
        article(&mut html, post, handle);
    }
    html.push_str("</main></body></html>");
    Html(html)
}

fn article(html: &mut String, post: &Post, handle: &str) {
    html.push_str("<article><div class=media>");
    post.media.iter().for_each(|media| item(html, media));
    let origin = if post.seq == 0 { "by hand".to_owned() } else { format!("#{}", post.seq) };
    let kind = serde_json::to_value(post.kind).unwrap_or_default();
    let _ = write!(
        html,
        "</div><div class=text><b>{}</b> @{} <small>{} · {origin}</small><p>{}</p><small>{} · {}</small></div></article>",
        post.platform.display_name(),
        escape_html(handle),
        kind.as_str().unwrap_or(""),
        escape_html(&post.caption),
        post.at.format("%Y-%m-%d %H:%M:%S UTC"),
        escape_html(&post.remote_id),
    );
}

fn item(html: &mut String, media: &PostMedia) {
    let address = format!("/sandbox/media/{}", media.file.sha256);
    let _ = if media.is_video() {
        // From a moment within: a player shows that frame before anybody starts it.
        write!(html, "<video src={address}#t=0.5 controls muted playsinline preload=metadata></video>")
    } else {
        let alt = escape_html(media.alt_text.as_deref().unwrap_or(""));
        write!(html, "<img src={address} alt=\"{alt}\" loading=lazy>")
    };
}
