//! An engine that an attacker has taken over, or that has a bad day: what its parent must outlive.
//! `--self-test … --misbehave` does one of these, inside whatever layers hold.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::thread;
use std::time::Duration;

use clap::ValueEnum;
use domain::engine::Event;

use super::self_test::{fall_deaf, fall_silent, fork};
use crate::events::Events;

/// What to do.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Misdeed {
    /// Die by a signal.
    Crash,
    /// Wait for ever, deaf to signals.
    Hang,
    /// Answer, close every pipe, and wait for ever.
    HangSilently,
    /// Compute for ever.
    Spin,
    /// Take all memory that there is.
    Oom,
    /// Print a line that never ends.
    FloodStdout,
    /// Print valid events for ever.
    FloodEvents,
    /// Log for ever.
    FloodStderr,
    /// Start as many processes and threads as can be had.
    ForkBomb,
    /// Answer twice.
    AnswerTwice,
    /// Leave a symbolic link in the place of a file, and answer.
    LeaveLink,
    /// Make a system call as 32-bit programs do.
    WrongArch,
}

const FOR_EVER: Duration = Duration::from_secs(u32::MAX as u64);
const ANSWER: Event = Event::Finished { frames_decoded: 0, encodes: 0 };

/// Does it. Returns only from misdeeds that end.
pub fn misbehave(misdeed: Misdeed) {
    match misdeed {
        Misdeed::Crash => std::process::abort(),
        Misdeed::Hang => {
            fall_deaf();
            thread::sleep(FOR_EVER);
        }
        Misdeed::HangSilently => {
            Events::to_stdout().send(&ANSWER);
            fall_silent();
            thread::sleep(FOR_EVER);
        }
        Misdeed::Spin => loop {
            std::hint::spin_loop();
        },
        Misdeed::Oom => take_all_memory(),
        Misdeed::FloodStdout => flood(&mut std::io::stdout().lock()),
        Misdeed::FloodEvents => {
            let mut events = Events::to_stdout();
            loop {
                events.send(&Event::Progress { done: 0.5 });
            }
        }
        Misdeed::FloodStderr => flood(&mut std::io::stderr().lock()),
        Misdeed::ForkBomb => start_everything(),
        Misdeed::AnswerTwice => {
            let mut events = Events::to_stdout();
            events.send(&ANSWER);
            events.send(&ANSWER);
        }
        Misdeed::LeaveLink => {
            let _refused = symlink("/etc/passwd", "out").or_else(|_| fs::write("out", b"a file"));
            Events::to_stdout().send(&ANSWER);
        }
        Misdeed::WrongArch => wrong_arch(),
    }
}

/// Reserves without touching: the limit is one of addresses, and the machine is shared.
fn take_all_memory() {
    let mut taken = Vec::new();
    loop {
        taken.push(Vec::<u8>::with_capacity(64 << 20));
    }
}

fn flood(pipe: &mut impl std::io::Write) {
    let noise = [b'x'; 1 << 16];
    while pipe.write_all(&noise).is_ok() {}
}

fn start_everything() {
    while fork() {}
    // Small stacks, so that it is the number of threads that ends it, and not their memory.
    let start = || thread::Builder::new().stack_size(16 << 10).spawn(|| thread::sleep(FOR_EVER));
    let threads: Vec<_> = std::iter::from_fn(|| start().ok()).collect();
    let _told = writeln!(std::io::stderr(), "{} threads", threads.len());
    thread::sleep(FOR_EVER);
}

#[cfg(target_arch = "x86_64")]
fn wrong_arch() {
    super::self_test::call_as_32_bit();
}

/// Elsewhere there is no other numbering that a 64-bit program could use.
#[cfg(not(target_arch = "x86_64"))]
fn wrong_arch() {
    std::process::abort();
}
