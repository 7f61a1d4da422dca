//! What a run of mutations came to.
#![expect(clippy::print_stdout, reason = "whoever asks for thousands reads it")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::child::Ended;

/// A file that did what it must not.
#[derive(Debug)]
#[expect(dead_code, reason = "printed as a whole")]
pub struct Find {
    pub index: u64,
    pub seed: String,
    pub how: String,
    pub faults: Vec<String>,
}

#[derive(Default)]
pub struct Summary {
    seed: u64,
    pub accepted: u64,
    pub made: u64,
    refused: BTreeMap<String, u64>,
    failed: BTreeMap<String, u64>,
    crashes: u64,
    traced: u64,
    took: Vec<Duration>,
    worked: Duration,
    peak: u64,
    pub finds: Vec<Find>,
}

impl Summary {
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    pub fn refused(&mut self, code: &str) {
        *self.refused.entry(code.to_owned()).or_default() += 1;
    }

    pub fn failed(&mut self, code: &str) {
        *self.failed.entry(code.to_owned()).or_default() += 1;
    }

    pub fn ended(&mut self, ended: &Ended, traced: bool) {
        self.crashes += u64::from(!ended.status.success());
        self.traced += u64::from(traced);
        self.peak = self.peak.max(ended.peak);
        self.took.push(ended.took);
        self.worked = self.worked.max(ended.worked);
    }

    /// Lays the file aside and says how it is made again.
    pub fn found(&mut self, find: Find, mutant: &[u8]) {
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mutant-{}-{}", self.seed, find.index));
        fs::write(&path, mutant).unwrap();
        let again = format!("make fuzz ARGS=\"--seed {} --only {}\"", self.seed, find.index);
        println!("{find:#?}\nthe file: {}\nagain: {again}", path.display());
        self.finds.push(find);
    }

    /// One line of JSON.
    pub fn print(&self) {
        let mut took = self.took.clone();
        took.sort_unstable();
        let share = |percent: usize| took.get((took.len() * percent / 100).min(took.len().saturating_sub(1)));
        let ms = |percent| share(percent).map(|took| took.as_millis());
        let line = json!({
            "seed": self.seed,
            "mutations": self.accepted + self.refused.values().sum::<u64>(),
            "accepted": self.accepted,
            "refused": self.refused,
            "outputs_made": self.made,
            "outputs_failed": self.failed,
            "runs": took.len(),
            "runs_traced": self.traced,
            "crashes": self.crashes,
            "finds": self.finds.len(),
            "ms": { "p50": ms(50), "p99": ms(99), "max": ms(100), "max_cpu": self.worked.as_millis() },
            "peak_mb": self.peak >> 20,
        });
        println!("{line}");
    }
}
