//! `reelmill-media`: reads one request as JSON on standard input, enters its jail, answers with one
//! event a line on standard output, and dies. The only program here that touches untrusted media.

mod args;
mod av;
mod boxes;
mod events;
mod image;
mod jail;
mod machine;
mod probe;
mod reject;
mod run;
mod sniff;

use std::io::Read;
use std::process::ExitCode;

use clap::Parser;
use domain::engine::{Event, Request};
use domain::names;

use crate::args::Args;
use crate::events::Events;
use crate::jail::Ground;

/// Requests are a few kilobytes; a longer one is not from our worker.
const REQUEST_BYTES_MAX: u64 = 1 << 20;

/// Asked for wrongly, or the jail does not hold: the parent's fault, not the file's.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let args = Args::parse();
    image::heif::load();
    // In the jail nobody may ask any more.
    let (as_root, parent) = (rustix::process::geteuid().is_root(), std::os::unix::process::parent_id());
    let layers = jail::enter(&args.terms());
    if args.layers {
        return print(&layers);
    }
    if let Some(misdeed) = args.misbehave {
        jail::misbehave(misdeed);
        return ExitCode::SUCCESS;
    }
    if let Some(outside) = &args.self_test {
        return print(&jail::self_test(&Ground { outside, parent }));
    }
    let missing = domain::jail::missing(&layers, as_root);
    if args.require_jail && !missing.is_empty() {
        return refuse(&format!("the jail does not hold: {}", domain::jail::explain(&missing)));
    }
    av::quiet();
    let mut events = Events::to_stdout();
    events.send(&Event::Jailed { layers });
    match read_request() {
        Ok(request) => {
            answer(request, &mut events);
            ExitCode::SUCCESS
        }
        Err(reason) => refuse(&reason),
    }
}

fn answer(request: Request, events: &mut Events) {
    let outcome = match request {
        Request::Probe(request) => probe::probe(&request),
        Request::Run(request) => run::run(&request, events),
        Request::Join(request) => run::join(&request, events),
    };
    let last = outcome.unwrap_or_else(|problem| Event::Rejected { problem });
    events.send(&last);
}

fn read_request() -> Result<Request, String> {
    let mut json = Vec::new();
    std::io::stdin()
        .take(REQUEST_BYTES_MAX)
        .read_to_end(&mut json)
        .map_err(|error| format!("cannot read the request: {error}"))?;
    serde_json::from_slice(&json).map_err(|error| format!("the request is not valid: {error}"))
}

fn refuse(reason: &str) -> ExitCode {
    complain(reason);
    ExitCode::from(EXIT_USAGE)
}

#[expect(clippy::print_stdout, reason = "the answer to --layers and --self-test")]
fn print(answer: &impl serde::Serialize) -> ExitCode {
    match serde_json::to_string(answer) {
        Ok(json) => {
            println!("{json}");
            ExitCode::SUCCESS
        }
        Err(_) => ExitCode::FAILURE,
    }
}

#[expect(clippy::print_stderr, reason = "standard error is this program's log")]
fn complain(reason: &str) {
    eprintln!("reelmill-media: {reason}");
}
