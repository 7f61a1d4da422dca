//! Thousands of damaged and lying files, each through the program as a worker runs it: it ends by
//! itself with an answer, in bounded time and memory, touches nothing outside, and what it makes of
//! a file that it accepts is as good as any.
//!
//! `make test` runs a few of them, `make fuzz` thousands; a number finds a file again.

mod child;
mod dice;
mod lengths;
mod mutate;
mod summary;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use domain::engine::{Event, InputLimits, OutputOutcome, OutputRequest, ProbeRequest, Request, RunRequest};
use domain::media_info::MediaInfo;
use domain::operation::Operation;
use domain::plan::{Want, plan};

use self::child::Ended;
use self::dice::Dice;
use self::summary::{Find, Summary};
use crate::canary::Canary;
use crate::harness::{Scratch, corpus};
use crate::judge::{Finished, profiles_for};

/// More pixels in all of a video are looked into, and not encoded: the next mutation waits.
const PIXELS_MAX: u64 = 1_300_000_000;
/// So many of a run are watched call by call.
const TRACED: u64 = 50;

/// What is asked for, in the environment since the arguments are the test harness's.
#[derive(Clone, Copy)]
struct Game {
    seed: u64,
    mutations: u64,
    /// Just this one of them.
    only: Option<u64>,
}

impl Game {
    fn asked_for() -> Self {
        let mut game = Self { seed: 1, mutations: 60, only: None };
        let asked = std::env::var("FUZZ_ARGS").unwrap_or_default();
        let words: Vec<_> = asked.split_whitespace().collect();
        for pair in words.chunks(2) {
            match (pair[0], pair.get(1).and_then(|number| number.parse().ok())) {
                ("--seed", Some(seed)) => game.seed = seed,
                ("--mutations", Some(mutations)) => game.mutations = mutations,
                ("--only", Some(index)) => game.only = Some(index),
                _ => panic!("{asked}: say --mutations NUMBER, --seed NUMBER or --only NUMBER"),
            }
        }
        game
    }

    fn numbers(&self) -> std::ops::Range<u64> {
        self.only.map_or(0..self.mutations, |index| index..index + 1)
    }

    fn is_traced(&self, index: u64) -> bool {
        self.only.is_some() || index.is_multiple_of((self.mutations / TRACED).max(10))
    }
}

/// A good file, and how often it is taken.
struct Seed {
    name: String,
    bytes: Vec<u8>,
    weight: u64,
}

fn seeds() -> Vec<Seed> {
    let mut seeds: Vec<Seed> = ["video", "images", "nasty"].into_iter().flat_map(folder).collect();
    seeds.sort_by(|one, other| one.name.cmp(&other.name));
    seeds
}

fn folder(folder: &'static str) -> impl Iterator<Item = Seed> {
    fs::read_dir(corpus(folder)).unwrap().map(move |entry| {
        let entry = entry.unwrap();
        let bytes = fs::read(entry.path()).unwrap();
        // Small files are quick, and a flipped bit hits more of them.
        let weight = match bytes.len() {
            ..300_000 => 8,
            300_000..1_200_000 => 3,
            _ => 1,
        };
        Seed { name: format!("{folder}/{}", entry.file_name().to_string_lossy()), bytes, weight }
    })
}

#[test]
fn damaged_and_lying_files_cost_nothing_but_their_own_job() {
    let game = Game::asked_for();
    let (seeds, canary) = (seeds(), Canary::laid_out());
    let traceable = Command::new("strace").arg("-V").output().is_ok();
    let summary = Mutex::new(Summary::new(game.seed));
    let next = AtomicU64::new(game.numbers().start);
    thread::scope(|scope| {
        for _core in 0..thread::available_parallelism().unwrap().get() {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if !game.numbers().contains(&index) {
                        break;
                    }
                    Trial::new(game.seed, index, &seeds, traceable && game.is_traced(index)).run(&summary);
                }
            });
        }
    });
    let summary = summary.into_inner().unwrap();
    summary.print();
    assert!(canary.is_untouched(), "somebody followed a playlist");
    assert!(summary.finds.is_empty(), "{:#?}", summary.finds);
}

/// One damaged file.
struct Trial<'a> {
    index: u64,
    seed: &'a str,
    dice: Dice,
    how: Vec<&'static str>,
    mutant: Vec<u8>,
    traced: bool,
    faults: Vec<String>,
}

impl<'a> Trial<'a> {
    fn new(seed: u64, index: u64, seeds: &'a [Seed], traced: bool) -> Self {
        let mut dice = Dice::new(seed, index);
        let one = pick(&mut dice, seeds);
        let other = pick(&mut dice, seeds);
        let mut mutant = one.bytes.clone();
        let how = mutate::mutate(&mut dice, &mut mutant, &other.bytes);
        Self { index, seed: &one.name, dice, how, mutant, traced, faults: Vec::new() }
    }

    fn run(mut self, summary: &Mutex<Summary>) {
        let scratch = Scratch::new();
        scratch.put("source", &self.mutant);
        let limits = InputLimits::default();
        let request = ProbeRequest { source: "source".into(), thumbnail: "thumbnail.jpg".into(), limits };
        let probed = self.ask(&scratch, &Request::Probe(request), summary);
        match probed.events.unwrap_or_default().pop() {
            Some(Event::Probed(probed)) => {
                summary.lock().unwrap().accepted += 1;
                self.make(&scratch, &probed.info, summary);
            }
            Some(Event::Rejected { problem }) => {
                summary.lock().unwrap().refused(&problem.code);
                if scratch.names() != ["source"] {
                    self.faults.push(format!("refused, it left {:?}", scratch.names()));
                }
            }
            _ => self.faults.push("its last event is none".to_owned()),
        }
        if !self.faults.is_empty() {
            let (seed, how) = (self.seed.to_owned(), self.how.join(", "));
            let find = Find { index: self.index, seed, how, faults: self.faults };
            summary.lock().unwrap().found(find, &self.mutant);
        }
    }

    /// Makes what one or two networks would want of it.
    fn make(&mut self, scratch: &Scratch, source: &MediaInfo, summary: &Mutex<Summary>) {
        let all = profiles_for(source);
        let some: Vec<_> = (0..1 + self.dice.below(2)).map(|_| *self.dice.one_of(&all)).collect();
        if pixels(source) > PIXELS_MAX {
            return;
        }
        let wants: Vec<_> = some.iter().map(|profile| Want::new(profile)).collect();
        let works = plan(source, &wants).works;
        if works.is_empty() {
            return;
        }
        let name = |index: usize| format!("out-{index}");
        let outputs = works.iter().enumerate();
        let outputs = outputs
            .map(|(index, work)| OutputRequest { name: name(index), operation: work.operation.clone() })
            .collect();
        let ended = self.ask(scratch, &Request::Run(RunRequest::new("source", outputs)), summary);
        for event in ended.events.unwrap_or_default() {
            let Event::Output(result) = event else { continue };
            let Some(work) = works.iter().enumerate().find(|(index, _)| name(*index) == result.name) else {
                self.faults.push(format!("nobody asked for {}", result.name));
                continue;
            };
            let operation = &work.1.operation;
            match result.outcome {
                OutputOutcome::Failed { problem } => summary.lock().unwrap().failed(&problem.code),
                OutputOutcome::Made { info, .. } => {
                    summary.lock().unwrap().made += 1;
                    let same = *operation == Operation::Passthrough;
                    let finished = Finished {
                        path: &scratch.path(if same { "source" } else { &result.name }),
                        info: &info,
                        source,
                        operation,
                        profiles: work.1.wants.iter().map(|want| some[*want]).collect(),
                    };
                    let faults = finished.faults();
                    self.faults.extend(faults.into_iter().map(|fault| format!("{operation:?}: {fault}")));
                }
            }
        }
    }

    fn ask(&mut self, scratch: &Scratch, request: &Request, summary: &Mutex<Summary>) -> Ended {
        let trace = tempfile::NamedTempFile::new().unwrap();
        let ended = child::run(scratch, request, self.traced.then_some(trace.path()));
        if self.traced {
            self.faults.extend(read_trace(trace.path()));
        }
        self.faults.extend(ended.faults());
        summary.lock().unwrap().ended(&ended, self.traced);
        ended
    }
}

/// What there is to encode: pictures that are shown long are encoded many times.
fn pixels(info: &MediaInfo) -> u64 {
    let frames = info.video.as_ref().map_or(1, |video| video.frames);
    let shown = info.duration_ms.unwrap_or(0) * 60 / 1000;
    u64::from(info.width) * u64::from(info.height) * frames.max(shown)
}

fn read_trace(trace: &Path) -> Vec<String> {
    let trace = fs::read_to_string(trace).unwrap();
    assert!(trace.contains(" seccomp("), "the trace shows no jail: {trace}");
    child::escapes(&trace)
}

fn pick<'a>(dice: &mut Dice, seeds: &'a [Seed]) -> &'a Seed {
    let all: u64 = seeds.iter().map(|seed| seed.weight).sum();
    let mut at = dice.next() % all;
    seeds
        .iter()
        .find(|seed| {
            let here = at < seed.weight;
            at = at.saturating_sub(seed.weight);
            here
        })
        .unwrap()
}
