//! Parameters of a call: query, form, JSON, or multipart with files.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequest, Multipart, Request};

use crate::app::App;
use crate::form;
use crate::media_store::{Arrived, ReceiveError};
use crate::telegram::error::BotError;

/// Largest file, bytes ("50 MB").
pub const FILE: u64 = 50_000_000;
/// Most parts of a form.
const PARTS: usize = 64;

/// What a client sent.
#[derive(Default)]
pub struct Params {
    texts: HashMap<String, String>,
    files: HashMap<String, Arrived>,
}

impl Params {
    /// Reads a whole call; files are left aside until one is sent.
    pub async fn read(app: &Arc<App>, request: Request) -> Result<Self, BotError> {
        if form::content_type(&request) != "multipart/form-data" {
            let texts =
                form::all(request).await.map_err(|_| BotError::bad("can't parse the request body"))?;
            return Ok(Self { texts, files: HashMap::new() });
        }
        let mut params = Self { texts: form::query(request.uri().query()), files: HashMap::new() };
        let broken = || BotError::bad("failed to parse multipart form data");
        let mut parts = Multipart::from_request(request, app).await.map_err(|_| broken())?;
        while let Some(part) = parts.next_field().await.map_err(|_| broken())? {
            if params.texts.len() + params.files.len() >= PARTS {
                return Err(broken());
            }
            let name = part.name().unwrap_or("").to_owned();
            if part.file_name().is_none() {
                params.texts.insert(name, form::part_text(part).await.map_err(|_| broken())?);
                continue;
            }
            let file = app.media.arrive(part, FILE).await.map_err(|error| match error {
                ReceiveError::TooLarge { .. } => BotError::too_large(),
                ReceiveError::Broken(_) => broken(),
                ReceiveError::Storage(error) => error.into(),
            })?;
            params.files.insert(name, file);
        }
        Ok(params)
    }

    /// A parameter, if it is there and not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// Takes the file of a part out, once.
    pub fn take_file(&mut self, name: &str) -> Option<Arrived> {
        self.files.remove(name)
    }
}
