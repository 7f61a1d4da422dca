//! The jailed program, watched: what it said, how long it took, how much memory it had, and what it
//! tried.

use std::io::{Read, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use domain::engine::{Event, Request};

use crate::harness::{PROGRAM, Scratch};

/// Of all cores together, far above what any file of the corpus takes. Counted as work and not by the
/// clock, so that a busy machine makes no difference.
const WORK_MAX: Duration = Duration::from_secs(90);
/// By the clock: whoever takes longer waits for something that never comes.
const TIME_MAX: Duration = Duration::from_secs(300);
/// Above what two encodes of a 4K clip take.
const PEAK_MAX: u64 = 2 << 30;
/// Of standard output, and of standard error.
const SAID_BYTES_MAX: u64 = 16 << 20;

/// How a request ended.
pub struct Ended {
    pub status: ExitStatus,
    pub events: Option<Vec<Event>>,
    pub log: String,
    /// By the clock.
    pub took: Duration,
    /// Time of the processor.
    pub worked: Duration,
    /// Most memory in RAM, bytes.
    pub peak: u64,
}

impl Ended {
    /// Everything about it that its parent would not like.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.took > TIME_MAX || self.worked > WORK_MAX {
            faults.push(format!("it took {:?} and worked {:?}", self.took, self.worked));
        }
        if !self.status.success() {
            let end: String =
                self.log.chars().rev().take(400).collect::<Vec<_>>().into_iter().rev().collect();
            faults.push(format!("it ended with {}: {end}", self.status));
        } else if self.events.is_none() {
            faults.push("it said what is no event".to_owned());
        }
        if self.peak > PEAK_MAX {
            faults.push(format!("it took {} MB of memory", self.peak >> 20));
        }
        faults
    }
}

/// Answers `request` in `scratch`; calls go to the file `trace`.
#[expect(clippy::zombie_processes, reason = "waited for by pid, for the sake of what it used")]
pub fn run(scratch: &Scratch, request: &Request, trace: Option<&Path>) -> Ended {
    let mut command = match trace {
        None => Command::new(PROGRAM),
        Some(trace) => {
            let mut strace = Command::new("strace");
            strace.args(["-f", "-qq", "-e", "trace=%network,%file,seccomp", "-o"]).arg(trace).arg(PROGRAM);
            strace
        }
    };
    command.env_clear().env("PATH", "/usr/bin:/bin").args(["--deadline", &TIME_MAX.as_secs().to_string()]);
    if trace.is_none() {
        // What strace needs to be found would come along.
        command.env_clear().arg("--require-jail");
    }
    let begun = Instant::now();
    let mut child = scratch.prepare(&mut command).spawn().unwrap();
    let _unread = child.stdin.take().unwrap().write_all(&serde_json::to_vec(request).unwrap());
    let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let said = listen(stdout);
    let logged = listen(stderr);
    let stdout = said.recv_timeout(TIME_MAX).unwrap_or_else(|_| {
        child.kill().unwrap();
        Vec::new()
    });
    let (status, usage) = wait(&child);
    let lines = stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    Ended {
        status,
        events: lines.map(|line| serde_json::from_slice(line).ok()).collect(),
        log: String::from_utf8_lossy(&logged.recv().unwrap_or_default()).into_owned(),
        took: begun.elapsed(),
        worked: duration(usage.ru_utime) + duration(usage.ru_stime),
        // Of what strace starts, its own counts as well.
        peak: if trace.is_none() { usage.ru_maxrss.cast_unsigned() * 1024 } else { 0 },
    }
}

fn listen(pipe: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut said = Vec::new();
        let _broken = pipe.take(SAID_BYTES_MAX).read_to_end(&mut said);
        let _nobody_waits = sender.send(said);
    });
    receiver
}

/// How the child ended, and what it used.
#[expect(unsafe_code, reason = "the usage of one child has no safe name")]
fn wait(child: &Child) -> (ExitStatus, libc::rusage) {
    let mut status = 0;
    // SAFETY: the usage is plain integers, for which zero is a value; the child is ours, and nobody
    // else waits for it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        assert!(libc::wait4(child.id().cast_signed(), &raw mut status, 0, &raw mut usage) > 0);
        usage
    };
    (ExitStatus::from_raw(status), usage)
}

fn duration(time: libc::timeval) -> Duration {
    Duration::from_secs(time.tv_sec.cast_unsigned()) + Duration::from_micros(time.tv_usec.cast_unsigned())
}

/// What was called in the jail that has no business there: anything of the network, and files outside
/// of the scratch directory that could be opened.
pub fn escapes(trace: &str) -> Vec<String> {
    let is_filter = |line: &&str| line.contains(" seccomp(") && line.ends_with("= 0");
    let inside = trace.lines().skip_while(|line| !is_filter(line)).filter(|line| !is_filter(line));
    let escapes = inside.filter(|line| {
        let Some((_, call)) = line.split_once(' ') else { return false };
        let name = call.trim_start().split('(').next().unwrap_or_default();
        if NETWORK.contains(&name) {
            return true;
        }
        let path = call.split('"').nth(1).unwrap_or_default();
        (path.starts_with('/') || path.contains("..")) && !call.contains("= -1 ") && call.contains(" = ")
    });
    escapes.map(str::to_owned).collect()
}

const NETWORK: [&str; 10] = [
    "socket",
    "socketpair",
    "connect",
    "bind",
    "listen",
    "accept",
    "accept4",
    "sendto",
    "sendmsg",
    "recvfrom",
];
