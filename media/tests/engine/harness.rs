//! A scratch directory of its own for each test, and the program spawned in it like a worker does.

use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use domain::engine::{
    Event, InputLimits, OutputOutcome, OutputRequest, ProbeRequest, Probed, Request, RunRequest,
};
use domain::media_info::MediaInfo;
use domain::operation::{AudioOutput, Framing, Operation, VideoEncode, VideoOutput};
use domain::problem::Problem;
use serde_json::Value;
use tempfile::TempDir;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_reelmill-media");
/// Any user but root, who exists nowhere.
pub const UID: u32 = 61_000;

/// A file of the corpus: as the project's owners keep it beside the repository, else the copy in it.
pub fn corpus(name: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let beside = here.join("../../shared/media").join(name);
    if beside.exists() { beside } else { here.join("../tests/shared/media").join(name) }
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Where one request is answered.
pub struct Scratch(TempDir);

impl Scratch {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o700)).unwrap();
        let scratch = Self(dir);
        scratch.give(scratch.path(""));
        scratch
    }

    /// With a copy of a file as `source`.
    pub fn with(file: &Path) -> Self {
        let scratch = Self::new();
        scratch.put("source", &std::fs::read(file).unwrap());
        scratch
    }

    /// With a `source` that ffmpeg makes from these arguments.
    pub fn made_by_ffmpeg(format: &str, arguments: &str) -> Self {
        let scratch = Self::new();
        let made = scratch.0.path().join("made");
        ffmpeg(&format!("{arguments} -f {format} {}", made.display()));
        std::fs::rename(made, scratch.path("source")).unwrap();
        scratch.give(scratch.path("source"));
        scratch
    }

    pub fn put(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
        self.give(self.path(name));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Runs the program like a worker does: own uid when root, empty environment, JSON on stdin.
    pub fn spawn(&self, arguments: &[&str], stdin: &[u8]) -> Output {
        self.start(arguments, stdin).wait_with_output().unwrap()
    }

    /// The same, while it runs.
    pub fn start(&self, arguments: &[&str], stdin: &[u8]) -> Child {
        let mut command = Command::new(PROGRAM);
        command.args(arguments);
        self.start_by(command, stdin)
    }

    fn start_by(&self, mut command: Command, stdin: &[u8]) -> Child {
        let mut child = self.prepare(command.env_clear()).spawn().unwrap();
        // A program that does not want to read is no failure of this test.
        let _unread = child.stdin.take().unwrap().write_all(stdin);
        child
    }

    /// What becomes of a command that starts the program in an unusual way.
    pub fn output_of(&self, mut command: Command) -> Output {
        let mut child = self.prepare(&mut command).spawn().unwrap();
        drop(child.stdin.take());
        child.wait_with_output().unwrap()
    }

    /// As a worker starts it: here, as a user of its own, with pipes.
    pub fn prepare<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.current_dir(self.0.path());
        if is_root() {
            command.args(["--uid", &UID.to_string(), "--gid", &UID.to_string()]);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped())
    }

    pub fn ask(&self, request: &Request) -> Vec<Event> {
        Self::events(&self.spawn(&["--require-jail"], &serde_json::to_vec(request).unwrap()))
    }

    /// The same with so many bytes of address space.
    pub fn ask_within(&self, bytes: u64, request: &Request) -> Vec<Event> {
        let mut command = Command::new("/usr/bin/prlimit");
        command.args([&format!("--as={bytes}"), PROGRAM, "--require-jail"]);
        let stdin = serde_json::to_vec(request).unwrap();
        Self::events(&self.start_by(command, &stdin).wait_with_output().unwrap())
    }

    fn events(output: &Output) -> Vec<Event> {
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{:?}: {log}", output.status);
        let events: Vec<Event> =
            output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(parse).collect();
        assert!(matches!(events.first(), Some(Event::Jailed { .. })), "{events:?}");
        events
    }

    pub fn probe(&self) -> Result<Probed, Problem> {
        self.probe_within(InputLimits::default())
    }

    pub fn probe_within(&self, limits: InputLimits) -> Result<Probed, Problem> {
        let request = ProbeRequest { source: "source".into(), thumbnail: "thumbnail.jpg".into(), limits };
        match self.ask(&Request::Probe(request)).pop() {
            Some(Event::Probed(probed)) => Ok(probed),
            Some(Event::Rejected { problem }) => Err(problem),
            other => panic!("no last event: {other:?}"),
        }
    }

    /// Makes one output, called `out`.
    pub fn make(&self, operation: Operation) -> Result<MediaInfo, Problem> {
        let events = self.run(vec![("out", operation)]);
        outcomes(&events).remove(0).1.map(|(info, _)| info)
    }

    pub fn run(&self, outputs: Vec<(&str, Operation)>) -> Vec<Event> {
        let outputs = outputs
            .into_iter()
            .map(|(name, operation)| OutputRequest { name: name.to_owned(), operation })
            .collect();
        let request = RunRequest::new("source", outputs);
        let events = self.ask(&Request::Run(request));
        assert!(matches!(events.last(), Some(Event::Finished { .. })), "{:?}", events.last());
        assert!(!self.names().iter().any(|name| name.ends_with(".part")), "{:?}", self.names());
        events
    }

    fn give(&self, path: PathBuf) {
        if is_root() {
            chown(path, Some(UID), Some(UID)).unwrap();
        }
    }
}

fn parse(line: &[u8]) -> Event {
    serde_json::from_slice(line).unwrap()
}

/// Facts and hash of an output, or why there is none.
pub type Made = Result<(MediaInfo, String), Problem>;

/// Name, and what became of it, of every output.
pub fn outcomes(events: &[Event]) -> Vec<(String, Made)> {
    let outputs = events.iter().filter_map(|event| match event {
        Event::Output(result) => Some(result.clone()),
        _ => None,
    });
    outputs
        .map(|result| match result.outcome {
            OutputOutcome::Made { info, sha256 } => (result.name, Ok((info, sha256))),
            OutputOutcome::Failed { problem } => (result.name, Err(problem)),
        })
        .collect()
}

pub fn ffmpeg(arguments: &str) {
    let run = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-y"])
        .args(words(arguments))
        .output()
        .unwrap();
    assert!(run.status.success(), "ffmpeg {arguments}: {}", String::from_utf8_lossy(&run.stderr));
}

/// What ffmpeg writes to its standard output.
pub fn ffmpeg_pipe(arguments: &str) -> Vec<u8> {
    let run = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin"])
        .args(words(arguments))
        .arg("-")
        .output()
        .unwrap();
    assert!(run.status.success(), "ffmpeg {arguments}: {}", String::from_utf8_lossy(&run.stderr));
    run.stdout
}

/// ffprobe's opinion: format, streams, and packets.
pub fn ffprobe(path: &Path) -> Value {
    let arguments = ["-v", "error", "-of", "json", "-show_format", "-show_streams", "-show_packets"];
    let run = Command::new("ffprobe").args(arguments).arg(path).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    serde_json::from_slice(&run.stdout).unwrap()
}

/// The stream of a kind in ffprobe's opinion.
pub fn stream<'a>(probe: &'a Value, kind: &str) -> Option<&'a Value> {
    probe["streams"].as_array().unwrap().iter().find(|stream| stream["codec_type"] == kind)
}

/// A number that ffprobe prints as text.
pub fn number(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

fn words(arguments: &str) -> impl Iterator<Item = &str> {
    arguments.split_whitespace()
}

/// A small encode that is quick in a test.
pub fn encode(width: u32, height: u32, framing: Framing, frame_rate: (u32, u32)) -> VideoEncode {
    let gop_frames = frame_rate.0.div_ceil(frame_rate.1) * 2;
    VideoEncode {
        width,
        height,
        framing,
        frame_rate,
        gop_frames,
        crf_tenths: 215,
        max_rate: 6_000_000,
        level: 40,
        pad_color: None,
        watermark: None,
    }
}

pub fn video(encode: VideoEncode, audio: AudioOutput) -> Operation {
    Operation::Video(VideoOutput::new(Some(encode), audio))
}

pub const AAC: AudioOutput = AudioOutput::Aac { bit_rate: 128_000 };
