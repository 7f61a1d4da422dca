//! Ours: the jailed executable, asked as a worker asks it.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use domain::engine::{Event, InputLimits, OutputOutcome, OutputRequest, ProbeRequest, Request, RunRequest};
use domain::media_info::MediaInfo;
use domain::operation::Operation;
use domain::plan::{Plan, Want, Work, plan};
use domain::profile::{Profile, Role, profiles};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::measure::{Taken, run};

const PROGRAM: &str = env!("CARGO_BIN_EXE_reelmill-media");
/// Any user but root, who exists nowhere.
const UID: u32 = 61_000;

/// A scratch directory with a source in it.
pub struct Scratch {
    dir: TempDir,
}

impl Scratch {
    /// Holds a copy of `source`.
    pub fn with(source: &Path) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o700)).unwrap();
        let scratch = Self { dir };
        fs::copy(source, scratch.path("source")).unwrap();
        fs::set_permissions(scratch.path("source"), PermissionsExt::from_mode(0o600)).unwrap();
        if is_root() {
            chown(scratch.dir.path(), Some(UID), Some(UID)).unwrap();
            chown(scratch.path("source"), Some(UID), Some(UID)).unwrap();
        }
        scratch
    }

    /// A file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The facts of the source.
    pub fn probe(&self) -> (Taken, MediaInfo) {
        self.remove(["thumbnail.jpg".to_owned()]);
        let (source, thumbnail) = ("source".to_owned(), "thumbnail.jpg".to_owned());
        let request = Request::Probe(ProbeRequest { source, thumbnail, limits: InputLimits::default() });
        let (taken, events) = self.ask(&request);
        let info = events.into_iter().find_map(|event| match event {
            Event::Probed(probed) => Some(probed.info),
            _ => None,
        });
        (taken, info.unwrap())
    }

    /// What it takes to start, enter the jail and end.
    pub fn enter_jail(&self) -> Taken {
        let mut command = Command::new(PROGRAM);
        command.current_dir(self.dir.path()).env_clear().arg("--layers");
        if is_root() {
            command.args(["--uid", &UID.to_string(), "--gid", &UID.to_string()]);
        }
        run(&mut command, &[]).0
    }

    /// What it takes to start and end.
    pub fn start(&self) -> Taken {
        let mut command = Command::new(PROGRAM);
        run(command.current_dir(self.dir.path()).env_clear().arg("--version"), &[]).0
    }

    /// Makes each of `operations`, called `0`, `1` …; returns also how many encodes of pictures it took.
    pub fn make(&self, operations: &[Operation]) -> (Taken, u32) {
        self.remove((0..operations.len()).map(|index| index.to_string()));
        let output = |(index, operation): (usize, &Operation)| OutputRequest {
            name: index.to_string(),
            operation: operation.clone(),
        };
        let outputs = operations.iter().enumerate().map(output).collect();
        let (taken, events) = self.ask(&Request::Run(RunRequest::new("source", outputs)));
        let mut encodes = 0;
        for event in events {
            match event {
                Event::Output(result) => {
                    let made = matches!(result.outcome, OutputOutcome::Made { .. });
                    assert!(made, "{result:?}");
                }
                Event::Finished { encodes: counted, .. } => encodes = counted,
                Event::Rejected { problem } => panic!("{problem:?}"),
                _ => {}
            }
        }
        (taken, encodes)
    }

    fn ask(&self, request: &Request) -> (Taken, Vec<Event>) {
        let mut command = Command::new(PROGRAM);
        command.current_dir(self.dir.path()).env_clear().arg("--require-jail");
        if is_root() {
            command.args(["--uid", &UID.to_string(), "--gid", &UID.to_string()]);
        }
        let (taken, printed) = run(&mut command, &serde_json::to_vec(request).unwrap());
        let lines = printed.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        (taken, lines.map(|line| serde_json::from_slice(line).unwrap()).collect())
    }

    fn remove(&self, names: impl IntoIterator<Item = String>) {
        for name in names {
            // Not there before the first round.
            let _absent = fs::remove_file(self.path(&name));
        }
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// What every target of the source's kind makes of it, and which they are. The items of a carousel are none: their
/// shape is that of its first.
pub fn plan_for_all(info: &MediaInfo) -> (Plan, Vec<&'static Profile>) {
    let targets = profiles().iter().filter(|row| row.kind() == info.kind && row.role != Role::Item);
    let rows: Vec<&Profile> = targets.collect();
    let wants: Vec<Want<'_>> = rows.iter().map(|row| Want::new(row)).collect();
    (plan(info, &wants), rows)
}

/// What each file of a plan is, and whom it serves.
pub fn files(plan: &Plan, rows: &[&Profile]) -> Vec<Value> {
    let told = |work: &Work| {
        let names: Vec<&str> = work.wants.iter().map(|want| rows[*want].name.as_str()).collect();
        let size = plan.fits[work.wants[0]].as_ref().map(|fit| format!("{}x{}", fit.width, fit.height)).ok();
        let kind = match &work.operation {
            Operation::Passthrough => "as it is",
            Operation::Remux { .. } => "repackaged",
            Operation::Video(output) if output.video.is_none() => "picture copied",
            Operation::Video(_) | Operation::Image(_) => "encoded",
        };
        json!({ "file": kind, "size": size, "serves": names })
    };
    plan.works.iter().map(told).collect()
}

/// The files that have to be made, and how many profiles they serve together with what goes out as it is.
pub fn works(plan: &Plan) -> (Vec<Operation>, usize) {
    let made = plan.works.iter().filter(|work| work.operation != Operation::Passthrough);
    let served = plan.works.iter().map(|work| work.wants.len()).sum();
    (made.map(|work| work.operation.clone()).collect(), served)
}
