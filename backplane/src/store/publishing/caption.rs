//! Captions: rows never change, an edit inserts a new one.

use domain::platform::Platform;
use uuid::Uuid;

use super::stored::parse;
use crate::store::{StoreError, Tx};

/// A caption as it is stored. Lengths are in the network's unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptionRow {
    pub id: Uuid,
    pub brand_id: Uuid,
    pub platform: Platform,
    pub title: Option<String>,
    pub text: String,
    pub length: i32,
    pub max_length: i32,
    /// `ORIGINAL`, `RULES`, `MODEL` or `PERSON`.
    pub author: String,
}

/// A caption to be stored; it passed the validator of its network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCaption {
    pub id: Uuid,
    pub platform: Platform,
    pub title: Option<String>,
    pub text: String,
    pub length: i32,
    pub max_length: i32,
    pub author: &'static str,
}

/// Reads captions by id, in no order.
///
/// # Errors
/// When the statement fails.
pub async fn captions_by_id(tx: &mut Tx, ids: &[Uuid]) -> Result<Vec<CaptionRow>, StoreError> {
    let rows = sqlx::query!(
        r#"
        select id, brand_id, platform, title, text, length, max_length, author
          from adapted_captions where id = any($1)
        "#,
        ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    let read = rows.into_iter().map(|row| {
        Ok(CaptionRow {
            id: row.id,
            brand_id: row.brand_id,
            platform: parse(&row.platform)?,
            title: row.title,
            text: row.text,
            length: row.length,
            max_length: row.max_length,
            author: row.author,
        })
    });
    read.collect()
}

/// Stores `captions` of `brand` with one statement.
///
/// # Errors
/// When the statement fails.
pub async fn insert_captions(tx: &mut Tx, brand: Uuid, captions: &[NewCaption]) -> Result<(), StoreError> {
    if captions.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = captions.iter().map(|caption| caption.id).collect();
    let platforms: Vec<String> =
        captions.iter().map(|caption| caption.platform.as_str().to_owned()).collect();
    let titles: Vec<Option<String>> = captions.iter().map(|caption| caption.title.clone()).collect();
    let texts: Vec<String> = captions.iter().map(|caption| caption.text.clone()).collect();
    let lengths: Vec<i32> = captions.iter().map(|caption| caption.length).collect();
    let limits: Vec<i32> = captions.iter().map(|caption| caption.max_length).collect();
    let authors: Vec<String> = captions.iter().map(|caption| caption.author.to_owned()).collect();
    sqlx::query!(
        r#"
        insert into adapted_captions (id, brand_id, platform, title, text, length, max_length, author)
        select id, $2, platform, title, text, length, max_length, author
          from unnest($1::uuid[], $3::text[], $4::text[], $5::text[], $6::int[], $7::int[], $8::text[])
               as given (id, platform, title, text, length, max_length, author)
        "#,
        &ids,
        brand,
        &platforms,
        &titles as &[Option<String>],
        &texts,
        &lengths,
        &limits,
        &authors,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
