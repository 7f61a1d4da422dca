//! The protocol between a worker and the jailed `reelmill-media`.
//!
//! The worker writes one [`Request`] as JSON to the child's standard input and closes it. The
//! child answers on standard output with one [`Event`] a line, ends with exactly one terminal
//! event (`Probed`, `Finished` or `Rejected`), and exits with 0. Anything else (a signal, another
//! exit code, no terminal event) is a crash of the engine and says nothing about the file.
//!
//! It is started as `reelmill-media --require-jail --deadline SECONDS`, and when the worker is root
//! with `--uid N --gid N` of a user that owns nothing but the scratch directory (mode 0700) and the
//! source in it.
//! Its environment is empty; its standard error is libav's log and has to be drained.
//!
//! Files are passed by name inside the scratch directory, which is the child's working directory
//! and the only place that its jail lets it read or write. Names are letters, digits, `.`, `_`, `-`.

use serde::{Deserialize, Serialize};

use crate::jail::Layer;
use crate::media_info::MediaInfo;
use crate::operation::Operation;
use crate::problem::Problem;

/// Raised when the same operation on the same bytes may give another picture or another sound.
pub const ENGINE_VERSION: i32 = 4;

/// One piece of work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// Reads facts, hash and a thumbnail.
    Probe(ProbeRequest),
    /// Makes all outputs of one source with one decode.
    Run(RunRequest),
    /// Makes one output of parts that were encoded apart, without encoding their pictures again.
    Join(JoinRequest),
}

/// Reads `source` and writes a JPEG thumbnail to `thumbnail`, both names in the scratch directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProbeRequest {
    pub source: String,
    pub thumbnail: String,
    pub limits: InputLimits,
}

/// Makes every one of `outputs` from `source`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRequest {
    pub source: String,
    pub limits: InputLimits,
    pub outputs: Vec<OutputRequest>,
    /// The logos that the outputs name, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overlays: Vec<Overlay>,
    /// Only these frames of every output: a part of a long video, to be joined with others. All outputs are then
    /// encodes of one frame rate without sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
}

/// Frames of an output, from one on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// A multiple of the outputs' GOP.
    pub first: u64,
    /// At least 1; fewer are made when the source ends.
    pub frames: u64,
}

impl RunRequest {
    /// Without logos, under the usual limits.
    #[must_use]
    pub fn new(source: &str, outputs: Vec<OutputRequest>) -> Self {
        Self {
            source: source.to_owned(),
            limits: InputLimits::default(),
            outputs,
            overlays: Vec::new(),
            span: None,
        }
    }
}

/// A logo in the scratch directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlay {
    /// As in [`crate::operation::Watermark::sha256`].
    pub sha256: String,
    /// Its file name.
    pub name: String,
}

/// Joins the pictures of `parts`, each the result of a [`Span`] of `output`'s encode, and puts the sound of `source`
/// beside them. Answered like a run of one output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JoinRequest {
    pub source: String,
    pub limits: InputLimits,
    /// File names, in order and without gap.
    pub parts: Vec<String>,
    pub output: OutputRequest,
}

/// One file to make; `name` is its file name in the scratch directory and must not exist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputRequest {
    pub name: String,
    pub operation: Operation,
}

/// What a source may be, checked before anything of it is decoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputLimits {
    /// Width × height, px.
    pub pixels: u64,
    pub side: u32,
    pub duration_ms: u64,
    pub streams: u32,
    pub frames: u64,
    pub bytes: u64,
}

impl Default for InputLimits {
    fn default() -> Self {
        Self {
            pixels: 64_000_000,
            side: 16_384,
            duration_ms: 4 * 60 * 60 * 1000,
            streams: 32,
            frames: 1_000_000,
            bytes: 4 << 30,
        }
    }
}

/// One line of the child's standard output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Which layers of the jail hold, first of all.
    Jailed { layers: Vec<Layer> },
    /// Share of the work done, 0 to 1, at least twice a second while frames move.
    Progress { done: f64 },
    /// Terminal for [`Request::Probe`].
    Probed(Probed),
    /// One output stands verified under its name, or failed alone; in any order.
    Output(OutputResult),
    /// Terminal for [`Request::Run`] and [`Request::Join`]: every output was answered before.
    Finished { frames_decoded: u64, encodes: u32 },
    /// Terminal: the file cannot be used, and why.
    Rejected { problem: Problem },
}

/// The answer to a probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probed {
    pub info: MediaInfo,
    /// SHA-256 of the whole file, hex.
    pub sha256: String,
    /// Written under the name asked for; `None` when no frame could be shown.
    pub thumbnail: Option<Thumbnail>,
    /// A thumbhash in base64: some 25 bytes that show the picture as a blur while it loads.
    #[serde(default)]
    pub placeholder: Option<String>,
}

/// A small JPEG, at most 640 px on its longer side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thumbnail {
    pub width: u32,
    pub height: u32,
    pub bytes: u64,
}

/// What became of one output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutputResult {
    pub name: String,
    #[serde(flatten)]
    pub outcome: OutputOutcome,
}

/// Made and probed again, or failed without harm to the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "a job reads a handful of these, one at a time")]
pub enum OutputOutcome {
    Made { info: MediaInfo, sha256: String },
    Failed { problem: Problem },
}
