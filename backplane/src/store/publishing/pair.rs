//! Has this content been on this account already? Asked for all pairs of a new job at once.

use uuid::Uuid;

use crate::store::{StoreError, Tx};

/// A target that posted, posts or may have posted this content there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EarlierTarget {
    pub account_id: Uuid,
    pub content_key: Vec<u8>,
    pub target_id: Uuid,
}

/// The newest target of each pair of `accounts[i]` and `keys[i]` that neither failed nor was
/// cancelled. Both slices have one length.
///
/// # Errors
/// When the statement fails.
pub async fn earlier_targets(
    tx: &mut Tx,
    accounts: &[Uuid],
    keys: &[Vec<u8>],
) -> Result<Vec<EarlierTarget>, StoreError> {
    let rows = sqlx::query_as!(
        EarlierTarget,
        r#"
        select pair.account_id as "account_id!", pair.content_key as "content_key!", earlier.id as target_id
          from unnest($1::uuid[], $2::bytea[]) as pair (account_id, content_key)
          cross join lateral (
            select target.id from publish_targets target
             where target.account_id = pair.account_id and target.content_key = pair.content_key
               and target.state not in ('FAILED', 'CANCELLED')
             order by target.id desc limit 1) earlier
        "#,
        accounts,
        keys,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Which of these contents came from which of these accounts: (account, content hash). They are
/// published there already.
///
/// # Errors
/// When the statement fails.
pub async fn ingested_there(
    tx: &mut Tx,
    brand: Uuid,
    accounts: &[Uuid],
    hashes: &[Vec<u8>],
) -> Result<Vec<(Uuid, Vec<u8>)>, StoreError> {
    let rows = sqlx::query!(
        r#"
        select distinct account_id as "account_id!", content_hash as "content_hash!" from media_assets
         where brand_id = $1 and content_hash = any($2) and account_id = any($3)
        "#,
        brand,
        hashes,
        accounts,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.account_id, row.content_hash)).collect())
}
