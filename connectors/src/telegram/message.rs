//! The one request that makes a post: a photo, a video, an album or a reply.

use bytes::Bytes;
use domain::platform::MediaKind;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::answer::Broken;
use crate::connector::{Post, PostMedia};
use crate::http::Http;
use crate::spool::{self, Piece};
use crate::wire::Payload;

/// A request without its address.
pub(super) struct Prepared {
    pub(super) method: &'static str,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Payload,
}

/// Part 0: the media with its caption, every byte of it at hand.
pub(super) async fn media(http: &Http, chat: &str, post: &Post, caption: &str) -> Result<Prepared, Broken> {
    let mut form = Form::new();
    form.text("chat_id", chat);
    let method = if let [media] = post.media.as_slice() {
        if !caption.is_empty() {
            form.text("caption", caption);
        }
        if media.kind == MediaKind::Video {
            for (name, value) in video_facts(media) {
                form.text(name, &value.to_string());
            }
        }
        let field = field(media);
        form.file(field, media, http).await?;
        if field == "video" { "sendVideo" } else { "sendPhoto" }
    } else {
        let names: Vec<String> = (0..post.media.len()).map(|item| format!("f{item}")).collect();
        form.text("media", &album(post, &names, caption).to_string());
        for (media, name) in post.media.iter().zip(&names) {
            form.file(name, media, http).await?;
        }
        "sendMediaGroup"
    };
    Ok(form.finish(method))
}

/// A text, in answer to `reply_to` where that is known.
pub(super) fn text(chat: &str, text: &str, reply_to: Option<i64>) -> Prepared {
    let mut body = json!({ "chat_id": chat, "text": text });
    if let Some(message) = reply_to {
        // The reply is still worth having when somebody deleted the post in between.
        body["reply_parameters"] = json!({ "message_id": message, "allow_sending_without_reply": true });
    }
    let headers = vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Prepared { method: "sendMessage", headers, body: Bytes::from(body.to_string()).into() }
}

fn field(media: &PostMedia) -> &'static str {
    if media.kind == MediaKind::Video { "video" } else { "photo" }
}

fn video_facts(media: &PostMedia) -> Vec<(&'static str, Value)> {
    let seconds = media.duration_ms.unwrap_or(0).div_ceil(1000);
    vec![
        ("width", media.width.into()),
        ("height", media.height.into()),
        ("duration", seconds.into()),
        ("supports_streaming", true.into()),
    ]
}

fn album(post: &Post, names: &[String], caption: &str) -> Value {
    let items = post.media.iter().zip(names).enumerate().map(|(index, (media, name))| {
        let mut item = json!({ "type": field(media), "media": format!("attach://{name}") });
        if media.kind == MediaKind::Video {
            for (name, value) in video_facts(media) {
                item[name] = value;
            }
        }
        // The caption of the first item is shown as the album's.
        if index == 0 && !caption.is_empty() {
            item["caption"] = caption.into();
        }
        item
    });
    items.collect()
}

/// A multipart/form-data body in the making.
struct Form {
    boundary: String,
    pieces: Vec<Piece>,
}

impl Form {
    fn new() -> Self {
        Self { boundary: format!("reelmill-{}", Uuid::new_v4().simple()), pieces: Vec::new() }
    }

    fn text(&mut self, name: &str, value: &str) {
        let head = format!("--{}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n", self.boundary);
        self.pieces.push(Piece::Text(Bytes::from(format!("{head}{value}\r\n"))));
    }

    async fn file(&mut self, name: &str, media: &PostMedia, http: &Http) -> Result<(), Broken> {
        let extension = if media.kind == MediaKind::Video { "mp4" } else { "jpg" };
        let head = format!(
            "--{}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}.{extension}\"\r\nContent-Type: {}\r\n\r\n",
            self.boundary, media.content_type
        );
        self.pieces.push(Piece::Text(Bytes::from(head)));
        self.pieces.push(Piece::File(spool::whole(http, media).await?));
        self.pieces.push(Piece::Text(Bytes::from_static(b"\r\n")));
        Ok(())
    }

    fn finish(mut self, method: &'static str) -> Prepared {
        self.pieces.push(Piece::Text(Bytes::from(format!("--{}--\r\n", self.boundary))));
        let content_type = HeaderValue::try_from(format!("multipart/form-data; boundary={}", self.boundary))
            .expect("a boundary of letters, digits and hyphens is a header value");
        Prepared { method, headers: vec![(CONTENT_TYPE, content_type)], body: spool::payload(self.pieces) }
    }
}
