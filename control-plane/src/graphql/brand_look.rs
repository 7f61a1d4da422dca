//! How a brand's files look: the colour of borders, and its logo.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, SimpleObject};
use backplane::store::Tx;
use backplane::store::assets::ready_photo;
use backplane::store::tenants::BrandRow;
use domain::id::Noun;
use domain::operation::{Color, Corner as DomainCorner};
use uuid::Uuid;

use super::failure::Answer;
use super::id;
use super::media_asset::{AssetKey, MediaAsset};
use super::scope::cx;
use super::user_error::{Path, Stop, UserError};

/// Where a logo stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainCorner")]
pub enum Corner {
    /// Upper left.
    TopLeft,
    /// Upper right.
    TopRight,
    /// Lower left.
    BottomLeft,
    /// Lower right.
    BottomRight,
}

impl Corner {
    const ALL: [Self; 4] = [Self::TopLeft, Self::TopRight, Self::BottomLeft, Self::BottomRight];

    /// The name stored in the database.
    const fn as_str(self) -> &'static str {
        match self {
            Self::TopLeft => "TOP_LEFT",
            Self::TopRight => "TOP_RIGHT",
            Self::BottomLeft => "BOTTOM_LEFT",
            Self::BottomRight => "BOTTOM_RIGHT",
        }
    }
}

/// A logo that is drawn over every file of a brand.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(complex)]
pub struct Watermark {
    #[graphql(skip)]
    asset_id: Uuid,
    /// Where it stands.
    corner: Corner,
    /// Its width, percent of the picture's: 1 to 50.
    width_percent: f64,
    /// From the edges, percent of the picture's shorter side: 0 to 20.
    margin_percent: f64,
}

#[ComplexObject]
impl Watermark {
    /// The picture. Null where the asset may not be seen.
    async fn asset(&self, ctx: &Context<'_>) -> Answer<Option<MediaAsset>> {
        Ok(cx(ctx).loaders.load_one(AssetKey(self.asset_id)).await?)
    }
}

/// The logo of a brand, if it has one.
#[must_use]
pub fn watermark(row: &BrandRow) -> Option<Watermark> {
    let name = row.watermark_corner.as_deref()?;
    Some(Watermark {
        asset_id: row.watermark_asset_id?,
        corner: Corner::ALL.into_iter().find(|corner| corner.as_str() == name)?,
        width_percent: f64::from(row.watermark_width_permille?) / 10.0,
        margin_percent: f64::from(row.watermark_margin_permille?) / 10.0,
    })
}

/// The logo that is to be drawn over every file from now on. With one, nothing is sent as it came.
#[derive(Clone, InputObject)]
pub struct WatermarkInput {
    /// A photo of the brand that is READY, best a PNG with a transparent ground.
    asset_id: ID,
    /// Where it stands.
    #[graphql(default_with = "Corner::BottomRight")]
    corner: Corner,
    /// Its width, percent of the picture's: 1 to 50.
    #[graphql(default = 15.0)]
    width_percent: f64,
    /// From the edges, percent of the picture's shorter side: 0 to 20.
    #[graphql(default = 3.0)]
    margin_percent: f64,
}

impl WatermarkInput {
    /// Writes the logo into `row`.
    ///
    /// # Errors
    /// `NOT_FOUND` or `INVALID` below `path`.
    pub async fn apply(self, tx: &mut Tx, row: &mut BrandRow, path: &Path) -> Result<(), Stop> {
        let field = path.field("assetId");
        let asset = id::parse_input(Noun::MediaAsset, &self.asset_id, &field)?;
        let found = ready_photo(tx, row.id, asset).await?;
        let content = found.ok_or_else(|| UserError::not_found("asset", &field))?;
        let message = "a logo is a photo that is READY: upload it, or wait until it is";
        let hash = content.ok_or_else(|| UserError::invalid(message, &field))?;
        row.watermark_width_permille =
            Some(permille(self.width_percent, 1.0..=50.0, &path.field("widthPercent"))?);
        row.watermark_margin_permille =
            Some(permille(self.margin_percent, 0.0..=20.0, &path.field("marginPercent"))?);
        row.watermark_asset_id = Some(asset);
        row.watermark_hash = Some(hash);
        row.watermark_corner = Some(self.corner.as_str().to_owned());
        Ok(())
    }
}

/// Takes the logo away.
pub fn clear_watermark(row: &mut BrandRow) {
    row.watermark_asset_id = None;
    row.watermark_hash = None;
    row.watermark_corner = None;
    row.watermark_width_permille = None;
    row.watermark_margin_permille = None;
}

/// Reads a colour, e.g. `#1A2b3c`.
///
/// # Errors
/// `INVALID` at `path`.
pub fn pad_color(text: &str, path: &Path) -> Result<String, UserError> {
    let message = "a colour is # and six hexadecimal digits, e.g. #1a2b3c";
    let Color([red, green, blue]) = Color::parse(text).ok_or_else(|| UserError::invalid(message, path))?;
    Ok(format!("#{red:02x}{green:02x}{blue:02x}"))
}

fn permille(percent: f64, range: std::ops::RangeInclusive<f64>, path: &Path) -> Result<i32, UserError> {
    if !range.contains(&percent) {
        let message = format!("this goes from {} to {} percent", range.start(), range.end());
        return Err(UserError::invalid(message, path));
    }
    #[expect(clippy::cast_possible_truncation, reason = "at most 500")]
    Ok((percent * 10.0).round() as i32)
}
