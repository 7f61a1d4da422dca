//! Stories about `reelmill-media`, told to the built program as a worker tells them, on real files,
//! with ffprobe and ffmpeg as independent judges.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod alignment;
mod animations;
mod canary;
mod corpus;
mod fuzz;
mod harness;
mod jail;
mod judge;
mod looks;
mod nasty;
mod orphan;
mod parts;
mod photos;
mod pictures;
mod probe;
mod remux;
mod sound;
mod videos;
