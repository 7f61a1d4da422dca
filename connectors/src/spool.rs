//! Media bytes at hand before a call starts: fetched from our storage into an unnamed file,
//! checked, then streamed out with a length that is known beforehand.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::pin::pin;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncSeekExt, AsyncWriteExt};
use tokio_util::io::ReaderStream;

use crate::answer::{Broken, Class};
use crate::connector::PostMedia;
use crate::http::Http;
use crate::wire::Payload;

/// Bytes read from the file at a time.
const PIECE: usize = 64 * 1024;

/// A piece of a body.
#[derive(Debug)]
pub(crate) enum Piece {
    Text(Bytes),
    File(Spooled),
}

/// A range of a stored file, on local disk without a name: it is gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Spooled {
    file: tokio::fs::File,
    length: u64,
}

/// Fetches the whole file and checks it against its hash: nothing but what was verified is posted.
pub(crate) async fn whole(http: &Http, media: &PostMedia) -> Result<Spooled, Broken> {
    range(http, media, 0..media.bytes).await
}

/// Fetches a range of bytes; the hash is checked when the range is the whole file.
pub(crate) async fn range(http: &Http, media: &PostMedia, range: Range<u64>) -> Result<Spooled, Broken> {
    let host = media.read_url.host_str().unwrap_or("the object store");
    let failed = |_: io::Error| Broken::before(host, Class::Media);
    let is_whole = range == (0..media.bytes);
    let length = range.end - range.start;
    let mut file = tokio::fs::File::from_std(unnamed_file().await.map_err(failed)?);
    let mut hash = Sha256::new();
    let mut seen = 0;
    let mut pieces = pin!(http.open(media.read_url.clone(), range).await?);
    while let Some(piece) = pieces.try_next().await? {
        seen += piece.len() as u64;
        if is_whole {
            hash.update(&piece);
        }
        file.write_all(&piece).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    file.rewind().await.map_err(failed)?;
    let same = !is_whole || hex::encode(hash.finalize()) == media.sha256.to_lowercase();
    if seen == length && same {
        Ok(Spooled { file, length })
    } else {
        Err(Broken::before(host, Class::Media))
    }
}

async fn unnamed_file() -> io::Result<File> {
    tokio::task::spawn_blocking(tempfile::tempfile).await.map_err(io::Error::other)?
}

/// One body out of pieces, in order.
pub(crate) fn payload(pieces: Vec<Piece>) -> Payload {
    let length = pieces.iter().map(Piece::length).sum();
    let frames = stream::iter(pieces).flat_map(Piece::into_stream).map_ok(Frame::data);
    Payload { length, body: StreamBody::new(frames).boxed_unsync() }
}

impl Piece {
    fn length(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::File(file) => file.length,
        }
    }

    fn into_stream(self) -> stream::BoxStream<'static, io::Result<Bytes>> {
        match self {
            Self::Text(text) => stream::once(async { Ok(text) }).boxed(),
            Self::File(file) => ReaderStream::with_capacity(file.file, PIECE).boxed(),
        }
    }
}
