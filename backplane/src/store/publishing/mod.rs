//! Publish jobs and their targets as the control plane reads and changes them: lists by keyset,
//! batches for loaders, the creation of a job in a constant number of statements, and one locked
//! target at a time for a person's change.

mod attempt;
mod attention;
mod caption;
mod counts;
mod create;
mod file;
mod job;
mod list;
mod page;
mod pair;
mod plan_source;
pub(super) mod stored;
mod target;

pub use attempt::{LastAttempt, close_attempt, last_attempt};
pub use attention::{AttentionKind, AttentionQuery, AttentionRow, attention, count_attention};
pub use caption::{CaptionRow, NewCaption, captions_by_id, insert_captions};
pub use counts::{StateCount, counts_of_jobs};
pub use create::{NewPublishJob, NewTarget, insert_job};
pub use file::{
    TranscodedRow, clear_media, media_of_targets, retry_failed_media, transcoded_by_id, transcoded_of_assets,
};
pub use job::{
    JobRow, cancel_job, cancel_targets_of_job, drafts_of_job, hold_jobs_of, jobs_by_id, lock_job,
    submit_drafts, touch_jobs,
};
pub use list::{
    TargetQuery, count_jobs, count_targets, count_targets_of_assets, count_targets_of_job, jobs_of_brand,
    targets_of_assets, targets_of_brand, targets_of_job,
};
pub use page::{Edge, Window};
pub use pair::{EarlierTarget, earlier_targets, ingested_there};
pub use plan_source::{
    DestinationRow, JobBrand, PlanFile, PlanSource, destinations, job_brand, plan_sources,
};
pub use stored::ProblemRow;
pub use target::{
    NewReview, ReviewRow, TargetRow, insert_review, latest_reviews, lock_target, save_target, targets_by_id,
};
