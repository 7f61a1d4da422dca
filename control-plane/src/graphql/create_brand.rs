//! Making a brand: the row, its data key, and the first of its recurring jobs, in one transaction.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use backplane::job_kind::{JobKind, Lane};
use backplane::store::jobs::{self, NewJob};
use backplane::store::tenants::{self, BrandRow};
use chrono::{DateTime, TimeDelta, Utc};
use domain::id::Noun;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::audit::{self, Entry, Place};
use super::brand::{Brand, BrandKey};
use super::brand_settings::{BrandVoiceInput, check_name, check_timezone};
use super::failure::{Answer, Failure};
use super::id;
use super::idempotency::IdempotencyKey;
use super::scope::{Cx, cx};
use super::user_error::{Path, Stop, UserError, change, payloads};
use crate::auth::Right;

/// Minutes that a target may be late unless it is changed.
const LATENESS_MINUTES: i32 = 360;

/// A brand to be made.
#[derive(Clone, InputObject, Serialize)]
pub struct CreateBrandInput {
    /// The agency that it belongs to.
    organization_id: ID,
    /// What it is called: 1 to 200 characters.
    name: String,
    /// IANA name, e.g. Europe/Kyiv.
    timezone: String,
    /// How it speaks.
    voice: Option<BrandVoiceInput>,
    /// Whether somebody approves what goes out.
    #[graphql(default = false)]
    approval_required: bool,
    /// A repeat with the same key makes no second one.
    #[serde(skip)]
    idempotency_key: Option<String>,
}

/// The new brand.
#[derive(SimpleObject, Default)]
pub struct CreateBrandPayload {
    /// The brand.
    pub brand: Option<Brand>,
    /// Why none was made.
    pub user_errors: Vec<UserError>,
}

payloads!(CreateBrandPayload);

/// What a repeated call is answered with.
#[derive(Serialize, Deserialize)]
struct Made {
    brand: Uuid,
}

/// Making brands.
#[derive(Default)]
pub struct CreateBrandMutation;

#[Object]
impl CreateBrandMutation {
    /// Makes a brand of an organisation that the asker administers as a whole.
    async fn create_brand(&self, ctx: &Context<'_>, input: CreateBrandInput) -> Answer<CreateBrandPayload> {
        change(input, |input| create(cx(ctx), input)).await
    }
}

async fn create(cx: &Cx, input: CreateBrandInput) -> Result<CreateBrandPayload, Stop> {
    let path = Path::input();
    let asker = cx.asker()?;
    let field = path.field("organizationId");
    let organization = id::parse_input(Noun::Organization, &input.organization_id, &field)?;
    if !asker.organizations.contains_key(&organization) {
        return Err(UserError::not_found("organisation", &field).into());
    }
    if !asker.may_everywhere(organization, Right::Administer) {
        return Err(UserError::forbidden(&field).into());
    }
    let key =
        IdempotencyKey::read(asker.actor.id(), input.idempotency_key.as_deref(), "createBrand", &input)?;
    let row = new_row(organization, input)?;
    let wrapped = cx.system.vault.new_wrapped_key(row.id)?;
    let mut tx = cx.organization(organization).await?;
    if let Some(key) = &key
        && let Some(Made { brand }) = key.claim(&mut tx).await?
    {
        // Reading takes a connection of its own: nobody holds two.
        drop(tx);
        return answer(cx, brand).await;
    }
    tenants::insert_brand(&mut tx, &row, &wrapped).await?;
    let mut housekeeping =
        NewJob::now(JobKind::Housekeeping, Lane::Bulk, row.id).at(Utc::now() + TimeDelta::days(1));
    housekeeping.traceparent = cx.envelope.traceparent.clone();
    jobs::enqueue(&mut tx, row.id, &[housekeeping]).await?;
    let entry = Entry::new("brand.created", Noun::Brand, row.id).change("name", None, Some(row.name.clone()));
    audit::write(&mut tx, &asker, Place::NewBrand { organization, brand: row.id }, &[entry]).await?;
    if let Some(key) = &key {
        key.keep(&mut tx, &Made { brand: row.id }).await?;
    }
    tx.commit().await?;
    answer(cx, row.id).await
}

async fn answer(cx: &Cx, brand: Uuid) -> Result<CreateBrandPayload, Stop> {
    // It was not there when the request began.
    cx.renew_asker().await?;
    let brand = cx.loaders.load_one(BrandKey(brand)).await.map_err(Failure::from)?;
    Ok(CreateBrandPayload { brand, user_errors: vec![] })
}

fn new_row(organization: Uuid, input: CreateBrandInput) -> Result<BrandRow, Stop> {
    let path = Path::input();
    let mut row = BrandRow {
        id: Uuid::now_v7(),
        organization_id: organization,
        name: check_name(&input.name, &path.field("name"))?,
        timezone: check_timezone(&input.timezone, &path.field("timezone"))?,
        voice_prompt: String::new(),
        voice_hashtags: vec![],
        voice_forbidden: vec![],
        voice_language: None,
        approval_required: input.approval_required,
        paused: false,
        max_lateness_minutes: LATENESS_MINUTES,
        pad_color: None,
        watermark_asset_id: None,
        watermark_hash: None,
        watermark_corner: None,
        watermark_width_permille: None,
        watermark_margin_permille: None,
        // Set by the database.
        created_at: DateTime::<Utc>::UNIX_EPOCH,
    };
    if let Some(voice) = input.voice {
        voice.apply(&mut row, &path.field("voice"))?;
    }
    Ok(row)
}
