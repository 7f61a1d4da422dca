//! What comes in: assets, their uploads, carousels made of them, and their end.

mod carousel;
mod delete;
mod list;
mod row;
mod upload;

pub use carousel::{CarouselItem, NewCarousel, insert_carousel, items_for_carousel};
pub use delete::{Deletable, deletable, delete_asset};
pub use list::{AssetQuery, assets_of_brand, count_assets};
pub use row::{AssetRow, assets_by_id, brand_of_assets, items_of_carousels, ready_photo};
pub use upload::{
    Completable, NewUpload, UploadRow, complete_upload, insert_uploads, lock_upload, uploads_by_id,
    uploads_of_assets,
};
