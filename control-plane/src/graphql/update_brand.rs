//! Changing a brand's settings.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use backplane::job_kind::JobKind;
use backplane::store::tenants::{self, BrandRow};
use domain::id::Noun;

use super::audit::{self, Entry, Place};
use super::brand::{Brand, BrandKey};
use super::brand_look::{self, WatermarkInput};
use super::brand_settings::{BrandVoiceInput, check_name, check_timezone};
use super::failure::{Answer, Failure};
use super::scope::{Cx, cx};
use super::user_error::{Path, Stop, UserError, change, payloads};
use crate::auth::Right;

/// Minutes that a target may be late unless it is changed.
const LATENESS_MINUTES: i32 = 360;
/// Most minutes: 30 days.
const LATENESS_MINUTES_MAX: i32 = 43_200;

/// What is left out stays as it is; null clears, or gives back what it was at first.
#[derive(Clone, InputObject)]
pub struct UpdateBrandInput {
    /// The brand.
    brand_id: ID,
    /// What it is called: 1 to 200 characters.
    name: MaybeUndefined<String>,
    /// IANA name, e.g. Europe/Kyiv. Moves nothing that is already scheduled.
    timezone: MaybeUndefined<String>,
    /// How it speaks.
    voice: MaybeUndefined<BrandVoiceInput>,
    /// Of targets submitted from now on.
    approval_required: MaybeUndefined<bool>,
    /// true: nothing is sent; what is being sent goes on to its end.
    paused: MaybeUndefined<bool>,
    /// 1 to 43,200: a target that could not be sent for so long after its time is FAILED instead.
    max_lateness_minutes: MaybeUndefined<i32>,
    /// Of borders, e.g. `#1a2b3c`.
    pad_color: MaybeUndefined<String>,
    /// The logo that is drawn over every file. Targets that are ready keep the files that they have, until they are changed; what was approved and gets another file asks for approval again.
    watermark: MaybeUndefined<WatermarkInput>,
}

/// The changed brand.
#[derive(SimpleObject, Default)]
pub struct UpdateBrandPayload {
    /// The brand.
    pub brand: Option<Brand>,
    /// Why nothing changed.
    pub user_errors: Vec<UserError>,
}

payloads!(UpdateBrandPayload);

/// Changing brands.
#[derive(Default)]
pub struct UpdateBrandMutation;

#[Object]
impl UpdateBrandMutation {
    /// Changes a brand's settings.
    async fn update_brand(&self, ctx: &Context<'_>, input: UpdateBrandInput) -> Answer<UpdateBrandPayload> {
        change(input, |input| update(cx(ctx), input)).await
    }
}

async fn update(cx: &Cx, input: UpdateBrandInput) -> Result<UpdateBrandPayload, Stop> {
    let path = Path::input();
    let field = path.field("brandId");
    let brand = cx.brand_in(&input.brand_id, Right::Administer, &field)?;
    let mut tx = cx.write(brand, Right::Administer, &field).await?;
    let before = tenants::lock_brand(&mut tx, brand).await?;
    let before = before.ok_or_else(|| UserError::not_found("brand", &field))?;
    let mut after = before.clone();
    match input.watermark.clone() {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => brand_look::clear_watermark(&mut after),
        MaybeUndefined::Value(logo) => logo.apply(&mut tx, &mut after, &path.field("watermark")).await?,
    }
    apply(&mut after, input, &path)?;
    tenants::save_brand(&mut tx, &after).await?;
    if before.paused && !after.paused {
        // What waits because of the pause goes on at once.
        let waiting = tenants::waiting_targets(&mut tx, brand).await?;
        backplane::store::jobs::wake(&mut tx, JobKind::Publish, &waiting).await?;
    }
    audit::write(&mut tx, &*cx.asker()?, Place::Brand(brand), &[changes(&before, &after)]).await?;
    tx.commit().await?;
    let brand = cx.loaders.load_one(BrandKey(brand)).await.map_err(Failure::from)?;
    Ok(UpdateBrandPayload { brand, user_errors: vec![] })
}

fn apply(row: &mut BrandRow, input: UpdateBrandInput, path: &Path) -> Result<(), UserError> {
    let required = |name: &str| {
        UserError::invalid("this cannot be cleared: leave it out or give a value", &path.field(name))
    };
    match input.name {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => return Err(required("name")),
        MaybeUndefined::Value(name) => row.name = check_name(&name, &path.field("name"))?,
    }
    match input.timezone {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => return Err(required("timezone")),
        MaybeUndefined::Value(zone) => row.timezone = check_timezone(&zone, &path.field("timezone"))?,
    }
    match input.voice {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => {
            row.voice_prompt = String::new();
            row.voice_hashtags = vec![];
            row.voice_forbidden = vec![];
            row.voice_language = None;
        }
        MaybeUndefined::Value(voice) => voice.apply(row, &path.field("voice"))?,
    }
    match input.pad_color {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => row.pad_color = None,
        MaybeUndefined::Value(color) => {
            row.pad_color = Some(brand_look::pad_color(&color, &path.field("padColor"))?);
        }
    }
    row.approval_required = set(input.approval_required, row.approval_required, false);
    row.paused = set(input.paused, row.paused, false);
    row.max_lateness_minutes = set(input.max_lateness_minutes, row.max_lateness_minutes, LATENESS_MINUTES);
    if !(1..=LATENESS_MINUTES_MAX).contains(&row.max_lateness_minutes) {
        return Err(UserError::invalid(
            "lateness goes from 1 to 43,200 minutes",
            &path.field("maxLatenessMinutes"),
        ));
    }
    Ok(())
}

fn set<T>(given: MaybeUndefined<T>, before: T, cleared: T) -> T {
    match given {
        MaybeUndefined::Undefined => before,
        MaybeUndefined::Null => cleared,
        MaybeUndefined::Value(value) => value,
    }
}

fn changes(before: &BrandRow, after: &BrandRow) -> Entry {
    let text = |value: &dyn ToString| Some(value.to_string());
    Entry::new("brand.updated", Noun::Brand, before.id)
        .change("name", text(&before.name), text(&after.name))
        .change("timezone", text(&before.timezone), text(&after.timezone))
        .change("voice.systemPrompt", text(&before.voice_prompt), text(&after.voice_prompt))
        .change(
            "voice.defaultHashtags",
            text(&before.voice_hashtags.join(" ")),
            text(&after.voice_hashtags.join(" ")),
        )
        .change(
            "voice.forbiddenPhrases",
            text(&before.voice_forbidden.join("; ")),
            text(&after.voice_forbidden.join("; ")),
        )
        .change("voice.language", before.voice_language.clone(), after.voice_language.clone())
        .change("approvalRequired", text(&before.approval_required), text(&after.approval_required))
        .change("paused", text(&before.paused), text(&after.paused))
        .change("padColor", before.pad_color.clone(), after.pad_color.clone())
        .change("watermark", logo(before), logo(after))
        .change("maxLatenessMinutes", text(&before.max_lateness_minutes), text(&after.max_lateness_minutes))
}

fn logo(row: &BrandRow) -> Option<String> {
    let (asset, corner) = row.watermark_asset_id.zip(row.watermark_corner.as_deref())?;
    let (width, margin) = row.watermark_width_permille.zip(row.watermark_margin_permille)?;
    Some(format!("{} {corner} {width}/{margin}", asset.simple()))
}
