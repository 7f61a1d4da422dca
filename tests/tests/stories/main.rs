//! Stories that a user would recognise, each in a world of its own.
#![expect(clippy::unwrap_used, reason = "a story stops at the first surprise")]

mod account_limits;
mod admin;
mod approval;
mod bad_input;
mod bad_requests;
mod broker_lost;
mod claimed_twice;
mod conforming_clip;
mod deadlocks;
mod deleted;
mod flows;
mod frozen_worker;
mod idempotency;
mod ingest;
mod killed_worker;
mod long_video;
mod looks;
mod lost_answers;
mod messages;
mod phone_clip;
mod photos;
mod roles;
mod same_clip;
mod slots;
mod tenants;
mod throttled;
mod tokens;
mod unready_assets;
