//! What the ingest job reads and writes: cursors, new assets, and our own posts among them.

use chrono::{DateTime, Utc};
use domain::problem::Problem;
use uuid::Uuid;

use super::jobs::Fence;
use super::{StoreError, Tx};

/// Where an account's ingest stands.
#[derive(Clone, Debug)]
pub struct IngestCursor {
    pub now: DateTime<Utc>,
    pub account_state: String,
    pub running: bool,
    pub newest_posted_at: Option<DateTime<Utc>>,
    pub page_after: Option<String>,
    pub since: Option<DateTime<Utc>>,
    pub back_catalogue: bool,
    pub started_at: Option<DateTime<Utc>>,
}

/// Reads where an account's ingest stands; `None` when the account is gone.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn cursor(tx: &mut Tx, brand: Uuid, account: Uuid) -> Result<Option<IngestCursor>, StoreError> {
    let cursor = sqlx::query_as!(
        IngestCursor,
        r#"
        select now() as "now!", a.state as account_state, coalesce(c.running, false) as "running!", c.newest_posted_at,
               c.page_after, c.since, coalesce(c.back_catalogue, false) as "back_catalogue!", c.started_at
          from social_accounts a left join ingest_cursors c on c.brand_id = a.brand_id and c.account_id = a.id
         where a.brand_id = $1 and a.id = $2
        "#,
        brand,
        account,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(cursor)
}

/// A run begins, or goes on where a crash left it.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn run_started(tx: &mut Tx, fence: &Fence, account: Uuid) -> Result<(), StoreError> {
    let brand = fence.brand();
    sqlx::query!(
        r#"
        insert into ingest_cursors (brand_id, account_id, running, started_at) values ($1, $2, true, now())
        on conflict (account_id) do update
           set found = case when ingest_cursors.running then ingest_cursors.found else 0 end,
               started_at = case when ingest_cursors.running then ingest_cursors.started_at else now() end,
               running = true
        "#,
        brand,
        account,
    )
    .execute(&mut **tx)
    .await?;
    touch_account(tx, brand, account).await
}

/// A page was taken in: the run goes on behind it.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn page_taken(
    tx: &mut Tx,
    fence: &Fence,
    account: Uuid,
    found: i32,
    next: Option<&str>,
) -> Result<(), StoreError> {
    let brand = fence.brand();
    sqlx::query!(
        r#"
        update ingest_cursors set found = found + $3, page_after = $4 where brand_id = $1 and account_id = $2
        "#,
        brand,
        account,
        found,
        next,
    )
    .execute(&mut **tx)
    .await?;
    touch_account(tx, brand, account).await
}

/// How a run ended, and when the next one starts.
#[derive(Clone, Debug)]
pub struct RunEnd<'a> {
    /// Posts up to this time are known; `None` leaves it as it is.
    pub newest_posted_at: Option<DateTime<Utc>>,
    pub next_at: Option<DateTime<Utc>>,
    pub problem: Option<&'a Problem>,
}

/// A run ended.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn run_ended(
    tx: &mut Tx,
    fence: &Fence,
    account: Uuid,
    end: &RunEnd<'_>,
) -> Result<(), StoreError> {
    let brand = fence.brand();
    sqlx::query!(
        r#"
        update ingest_cursors
           set running = false, page_after = null, since = null, back_catalogue = false, finished_at = now(), next_at = $4,
               newest_posted_at = greatest(newest_posted_at, $3), problem_code = $5, problem_message = $6,
               problem_remedy = $7, problem_since = case when $5::text is not null then coalesce(problem_since, now()) end
         where brand_id = $1 and account_id = $2
        "#,
        brand,
        account,
        end.newest_posted_at,
        end.next_at,
        end.problem.map(|problem| problem.code.as_str()),
        end.problem.map(|problem| problem.message.as_str()),
        end.problem.map(|problem| problem.remedy.as_str()),
    )
    .execute(&mut **tx)
    .await?;
    touch_account(tx, brand, account).await
}

/// Watchers of an account re-read it when its row changed.
async fn touch_account(tx: &mut Tx, brand: Uuid, account: Uuid) -> Result<(), StoreError> {
    sqlx::query!(
        "update social_accounts set updated_at = now() where brand_id = $1 and id = $2",
        brand,
        account,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A target of ours on an account whose post has no id yet: one of the posts found may be it.
#[derive(Clone, Debug)]
pub struct Undecided {
    pub target_id: Uuid,
    pub state: String,
    pub asset_kind: String,
    pub text: Option<String>,
    pub started_at: DateTime<Utc>,
    /// The open attempt, if one is.
    pub open_attempt: Option<Uuid>,
}

/// Which of our sends to this account might be among the posts found.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn undecided(tx: &mut Tx, brand: Uuid, account: Uuid) -> Result<Vec<Undecided>, StoreError> {
    let rows = sqlx::query_as!(
        Undecided,
        r#"
        select t.id as target_id, t.state, s.kind as asset_kind, c.text as "text?", p.started_at,
               case when p.outcome is null then p.id end as open_attempt
          from publish_targets t
          join media_assets s on s.brand_id = t.brand_id and s.id = t.asset_id
          left join adapted_captions c on c.brand_id = t.brand_id and c.id = t.caption_id
          join lateral (select id, started_at, outcome from publish_attempts
                         where target_id = t.id and part = 0 and (outcome is null or outcome = 'created')
                         order by started_at desc limit 1) p on true
         where t.brand_id = $1 and t.account_id = $2 and t.external_id is null
           and (t.state in ('PUBLISHING', 'UNCONFIRMED', 'NEEDS_ATTENTION')
                or (t.state = 'PUBLISHED' and t.published_at > now() - interval '7 days'))
         order by p.started_at
         limit 1000
        "#,
        brand,
        account,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Sends to this account that were closed as absent within a week: a post that matches one of them
/// proves the record wrong.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn closed_as_absent(tx: &mut Tx, brand: Uuid, account: Uuid) -> Result<Vec<Undecided>, StoreError> {
    let rows = sqlx::query_as!(
        Undecided,
        r#"
        select t.id as target_id, t.state, s.kind as asset_kind, c.text as "text?", p.started_at,
               null::uuid as open_attempt
          from publish_targets t
          join media_assets s on s.brand_id = t.brand_id and s.id = t.asset_id
          left join adapted_captions c on c.brand_id = t.brand_id and c.id = t.caption_id
          join publish_attempts p on p.target_id = t.id and p.part = 0 and p.outcome = 'absent'
         where t.brand_id = $1 and t.account_id = $2 and p.ended_at > now() - interval '7 days'
         order by p.started_at limit 1000
        "#,
        brand,
        account,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(rows)
}

/// Which of these posts are targets' posts already.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn own_posts(
    tx: &mut Tx,
    brand: Uuid,
    account: Uuid,
    external_ids: &[String],
) -> Result<Vec<String>, StoreError> {
    let ids = sqlx::query_scalar!(
        r#"
        select external_id as "external_id!" from publish_targets
         where brand_id = $1 and account_id = $2 and external_id = any($3)
        "#,
        brand,
        account,
        external_ids,
    )
    .fetch_all(&mut **tx)
    .await?;
    Ok(ids)
}

/// A post that proves to be a target's.
#[derive(Clone, Debug)]
pub struct Recognised {
    pub target_id: Uuid,
    pub open_attempt: Option<Uuid>,
    pub external_id: String,
    pub external_url: Option<String>,
}

/// Writes the evidence: an open attempt was created after all, and the post's id is known. The
/// target itself follows in its publish job, which the caller wakes.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn attach_own_posts(
    tx: &mut Tx,
    fence: &Fence,
    account: Uuid,
    posts: &[Recognised],
) -> Result<(), StoreError> {
    let brand = fence.brand();
    let targets: Vec<Uuid> = posts.iter().map(|post| post.target_id).collect();
    let attempts: Vec<Uuid> = posts.iter().filter_map(|post| post.open_attempt).collect();
    let ids: Vec<String> = posts.iter().map(|post| post.external_id.clone()).collect();
    let urls: Vec<Option<String>> = posts.iter().map(|post| post.external_url.clone()).collect();
    sqlx::query!(
        r#"
        update publish_targets t
           set external_id = f.external_id, external_url = coalesce(f.external_url, t.external_url), updated_at = now()
          from unnest($3::uuid[], $4::text[], $5::text[]) as f (target_id, external_id, external_url)
         where t.brand_id = $1 and t.account_id = $2 and t.id = f.target_id and t.external_id is null
           and not exists (select from publish_targets o
                            where o.account_id = t.account_id and o.external_id = f.external_id)
        "#,
        brand,
        account,
        &targets,
        &ids,
        &urls as &[Option<String>],
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        r#"
        update publish_attempts a
           set outcome = 'created', ended_at = now(), remote_id = f.external_id, proof = 'found among the posts of the account'
          from unnest($2::uuid[], $3::text[]) as f (target_id, external_id)
         where a.brand_id = $1 and a.target_id = f.target_id and a.id = any($4) and a.outcome is null
        "#,
        brand,
        &targets,
        &ids,
        &attempts,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// A post to take in, or one item of it.
#[derive(Clone, Debug)]
pub struct NewAsset {
    pub id: Uuid,
    /// `IMAGE`, `VIDEO` or `CAROUSEL`
    pub kind: &'static str,
    pub caption: Option<String>,
    pub posted_at: DateTime<Utc>,
    pub external_id: String,
    pub external_url: Option<String>,
    /// The carousel that it is an item of, and where in it.
    pub item_of: Option<(Uuid, i16)>,
}

/// Takes posts in, each once: what is known by its id at the network, deleted ones among it, is
/// left as it is. Returns the ids of the assets that are new.
///
/// # Errors
/// When Postgres cannot be asked.
pub async fn insert_assets(
    tx: &mut Tx,
    fence: &Fence,
    account: Uuid,
    assets: &[NewAsset],
) -> Result<Vec<Uuid>, StoreError> {
    let brand = fence.brand();
    let ids: Vec<Uuid> = assets.iter().map(|asset| asset.id).collect();
    let kinds: Vec<String> = assets.iter().map(|asset| asset.kind.to_owned()).collect();
    let captions: Vec<Option<String>> = assets.iter().map(|asset| asset.caption.clone()).collect();
    let posted: Vec<DateTime<Utc>> = assets.iter().map(|asset| asset.posted_at).collect();
    let external: Vec<String> = assets.iter().map(|asset| asset.external_id.clone()).collect();
    let urls: Vec<Option<String>> = assets.iter().map(|asset| asset.external_url.clone()).collect();
    let in_carousel: Vec<bool> = assets.iter().map(|asset| asset.item_of.is_some()).collect();
    let new = sqlx::query_scalar!(
        r#"
        insert into media_assets (id, brand_id, source, account_id, kind, state, caption, posted_at, external_id, external_url,
                                  in_carousel, listed_at)
        select n.id, $1, 'INSTAGRAM', $2, n.kind, 'FETCHING', n.caption, n.posted_at, n.external_id, n.external_url,
               n.in_carousel, n.posted_at
          from unnest($3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::text[], $9::bool[])
               as n (id, kind, caption, posted_at, external_id, external_url, in_carousel)
        on conflict (brand_id, account_id, external_id) where external_id is not null do nothing
        returning id
        "#,
        brand,
        account,
        &ids,
        &kinds,
        &captions as &[Option<String>],
        &posted,
        &external,
        &urls as &[Option<String>],
        &in_carousel,
    )
    .fetch_all(&mut **tx)
    .await?;
    let items: Vec<&NewAsset> = assets.iter().filter(|asset| asset.item_of.is_some()).collect();
    let carousels: Vec<Uuid> = items.iter().filter_map(|item| item.item_of).map(|(id, _)| id).collect();
    let positions: Vec<i16> = items.iter().filter_map(|item| item.item_of).map(|(_, at)| at).collect();
    let item_ids: Vec<Uuid> = items.iter().map(|item| item.id).collect();
    sqlx::query!(
        r#"
        insert into carousel_items (brand_id, carousel_id, position, item_id)
        select $1, n.carousel_id, n.position, n.item_id
          from unnest($2::uuid[], $3::smallint[], $4::uuid[]) as n (carousel_id, position, item_id)
         where n.carousel_id = any($5) and n.item_id = any($5)
        "#,
        brand,
        &carousels,
        &positions,
        &item_ids,
        &new,
    )
    .execute(&mut **tx)
    .await?;
    Ok(new)
}
