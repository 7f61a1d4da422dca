//! What commands take: wall time, CPU time of all their threads, and the most memory that one of them held.
#![expect(unsafe_code, reason = "only wait4 tells what a child used")]

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How often everything is measured.
const ROUNDS: usize = 5;

/// What something took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Taken {
    pub wall: Duration,
    pub cpu: Duration,
    /// The largest of the processes that ran one after the other.
    pub peak_bytes: u64,
}

impl Taken {
    /// Both after each other.
    #[must_use]
    pub fn then(self, other: Self) -> Self {
        Self {
            wall: self.wall + other.wall,
            cpu: self.cpu + other.cpu,
            peak_bytes: self.peak_bytes.max(other.peak_bytes),
        }
    }

    /// The share of all cores that was used.
    #[must_use]
    pub fn core_use(&self) -> f64 {
        self.cpu.as_secs_f64() / self.wall.as_secs_f64() / cores() as f64
    }

    /// For people.
    #[must_use]
    pub fn told(&self) -> Value {
        json!({
            "wall_ms": milliseconds(self.wall),
            "cpu_ms": milliseconds(self.cpu),
            "core_use": rounded(self.core_use()),
            "peak_mb": self.peak_bytes / 1_000_000,
        })
    }
}

/// Runs a command to its end, with `input` on its standard input, and returns what it printed.
///
/// # Panics
/// When it fails.
#[expect(clippy::zombie_processes, reason = "wait4 waits for it")]
pub fn run(command: &mut Command, input: &[u8]) -> (Taken, Vec<u8>) {
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    child.stdin.take().unwrap().write_all(input).unwrap();
    let mut printed = Vec::new();
    std::io::Read::read_to_end(&mut child.stdout.take().unwrap(), &mut printed).unwrap();
    let mut status = 0;
    // SAFETY: plain numbers, for which all zeros is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pid is that of a child that nobody else waits for; both pointers are to live variables.
    let waited = unsafe { libc::wait4(child.id().try_into().unwrap(), &raw mut status, 0, &raw mut usage) };
    assert!(waited > 0 && status == 0, "{command:?} ended with {status}");
    let time = |time: libc::timeval| {
        Duration::new(time.tv_sec.try_into().unwrap(), u32::try_from(time.tv_usec).unwrap() * 1000)
    };
    let taken = Taken {
        wall: started.elapsed(),
        cpu: time(usage.ru_utime) + time(usage.ru_stime),
        peak_bytes: u64::try_from(usage.ru_maxrss).unwrap() * 1024,
    };
    (taken, printed)
}

/// Measures all `candidates` in turns.
pub fn in_turns<const N: usize>(candidates: [&mut dyn FnMut() -> Taken; N]) -> [Taken; N] {
    in_turns_of(ROUNDS, candidates)
}

/// The same as often as is asked for.
pub fn in_turns_of<const N: usize>(
    count: usize,
    mut candidates: [&mut dyn FnMut() -> Taken; N],
) -> [Taken; N] {
    let mut rounds: [Vec<Taken>; N] = std::array::from_fn(|_| Vec::new());
    for _ in 0..count {
        for (candidate, taken) in candidates.iter_mut().zip(&mut rounds) {
            taken.push(candidate());
        }
    }
    rounds.map(|taken| Taken {
        wall: median(taken.iter().map(|one| one.wall)),
        cpu: median(taken.iter().map(|one| one.cpu)),
        peak_bytes: median(taken.iter().map(|one| one.peak_bytes)),
    })
}

fn median<T: Ord>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<T> = values.collect();
    values.sort();
    values.remove(values.len() / 2)
}

/// One wall time as a share of another.
#[must_use]
pub fn ratio(ours: Taken, other: Taken) -> f64 {
    rounded(ours.wall.as_secs_f64() / other.wall.as_secs_f64())
}

/// To three digits.
#[must_use]
pub fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

fn milliseconds(time: Duration) -> f64 {
    rounded(time.as_secs_f64() * 1000.0)
}

/// Cores that we may use.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().unwrap().get()
}

/// The load that others put on the machine as well.
#[must_use]
pub fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap()
}
