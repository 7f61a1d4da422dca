//! What the housekeeping job removes: abandoned uploads, and files that no row names.

use uuid::Uuid;

use super::{StoreError, Tx};

/// An upload that nobody went on with.
#[derive(Clone, Debug)]
pub struct AbandonedUpload {
    pub asset_id: Uuid,
    pub object_key: String,
    pub storage_upload_id: String,
}

/// Uploads whose time is over, 100 at the most.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn abandoned_uploads(tx: &mut Tx, brand: Uuid) -> Result<Vec<AbandonedUpload>, StoreError> {
    let uploads = sqlx::query_as!(
        AbandonedUpload,
        r#"
        select u.asset_id, u.object_key, u.storage_upload_id
          from uploads u join media_assets a on a.brand_id = u.brand_id and a.id = u.asset_id
         where u.brand_id = $1 and u.completed_at is null and u.expires_at < now() and a.state = 'UPLOADING'
         order by u.expires_at limit 100
        "#,
        brand,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(uploads)
}

/// Forgets the files made of contents that no asset has any more: they were under way when the last one was deleted.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn forget_made(tx: &mut Tx, brand: Uuid) -> Result<(), StoreError> {
    sqlx::query!(
        r#"
        update transcoded_media m set object_key = null, updated_at = now()
         where m.brand_id = $1 and m.object_key is not null
           and not exists (select from media_assets a where a.brand_id = $1 and a.content_hash = m.content_hash
                              and a.state <> 'DELETED')
        "#,
        brand,
    )
    .execute(&mut **tx)
    .await?;
    // Parts of files that nobody made to their end: what comes back later is made anew.
    sqlx::query!(
        r#"
        delete from transcode_parts p
         where p.brand_id = $1 and p.updated_at < now() - interval '1 day'
           and not exists (select from transcoded_media m where m.brand_id = $1 and m.id = p.transcoded_id
                              and m.state = 'RUNNING')
        "#,
        brand,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Of these keys, those that no row names.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn unnamed_keys(tx: &mut Tx, brand: Uuid, keys: &[String]) -> Result<Vec<String>, StoreError> {
    let unnamed = sqlx::query_scalar!(
        r#"
        select k as "key!" from unnest($2::text[]) as k
        except select object_key from media_assets
                where brand_id = $1 and object_key = any($2) and state <> 'DELETED'
        except select thumbnail_key from media_assets where brand_id = $1 and thumbnail_key = any($2)
        except select object_key from transcoded_media where brand_id = $1 and object_key = any($2)
        except select object_key from transcode_parts where brand_id = $1 and object_key = any($2)
        except select object_key from uploads where brand_id = $1 and object_key = any($2) and completed_at is null
        "#,
        brand,
        keys,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(unnamed)
}
