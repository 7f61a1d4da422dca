//! The schema: the visible lists of what can be asked, changed and watched.

use async_graphql::{MergedObject, SDLExportOptions};

use super::api_key::ApiKeyMutation;
use super::change_account::ChangeAccountMutation;
use super::change_publish_job::ChangePublishJobMutation;
use super::complete_uploads::CompleteUploadsMutation;
use super::create_brand::CreateBrandMutation;
use super::create_carousel::CreateCarouselMutation;
use super::create_publish_job::CreatePublishJobMutation;
use super::create_uploads::CreateUploadsMutation;
use super::credentials::CredentialsMutation;
use super::delete_assets::DeleteAssetsMutation;
use super::format_profile::FormatProfileQuery;
use super::membership::MembershipMutation;
use super::node::NodeQuery;
use super::oauth::OauthMutation;
use super::resolve::ResolveMutation;
use super::review::ReviewMutation;
use super::session::SessionMutation;
use super::subscription::ChangeSubscription;
use super::update_brand::UpdateBrandMutation;
use super::update_targets::UpdateTargetsMutation;
use super::viewer::ViewerQuery;

/// What can be asked.
#[derive(MergedObject, Default)]
pub struct Query(ViewerQuery, NodeQuery, FormatProfileQuery);

/// What can be changed. Each takes one `input`, and answers with the changed object or with
/// `userErrors` and no change at all.
#[derive(MergedObject, Default)]
pub struct Mutation(
    SessionMutation,
    MembershipMutation,
    ApiKeyMutation,
    CreateBrandMutation,
    UpdateBrandMutation,
    CreateUploadsMutation,
    CompleteUploadsMutation,
    CreateCarouselMutation,
    DeleteAssetsMutation,
    CreatePublishJobMutation,
    ChangePublishJobMutation,
    UpdateTargetsMutation,
    ReviewMutation,
    ResolveMutation,
    OauthMutation,
    CredentialsMutation,
    ChangeAccountMutation,
);

/// The whole schema.
pub type Schema = async_graphql::Schema<Query, Mutation, ChangeSubscription>;

/// Builds the schema. Limits on documents are checked before it sees them.
#[must_use]
pub fn build() -> Schema {
    Schema::build(Query::default(), Mutation::default(), ChangeSubscription)
        .disable_suggestions()
        .limit_recursive_depth(64)
        .limit_directives(8)
        .finish()
}

/// The schema in the schema definition language, as it is checked in.
#[must_use]
pub fn sdl() -> String {
    build().sdl_with_options(SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items())
}
