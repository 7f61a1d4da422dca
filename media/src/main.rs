//! `reelmill-media`: reads one request as JSON on standard input, enters its jail, answers with one
//! event a line on standard output, and dies. The only program here that touches untrusted media.

mod args;
mod av;
mod boxes;
mod events;
mod image;
mod jail;
mod names;
mod probe;
mod reject;
mod run;
mod sniff;

use std::io::Read;
use std::process::ExitCode;

use clap::Parser;
use domain::engine::{Event, Request};

use crate::args::Args;
use crate::events::Events;

/// Requests are a few kilobytes; a longer one is not from our worker.
const REQUEST_BYTES_MAX: u64 = 1 << 20;

/// Asked for wrongly, or the jail does not hold: the parent's fault, not the file's.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let args = Args::parse();
    av::quiet();
    image::heif::load();
    let layers = jail::enter(args.identity());
    if let Some(outside) = &args.self_test {
        return print(&jail::self_test(outside));
    }
    if args.layers {
        return print(&layers);
    }
    if let (true, Some(layer)) = (args.require_jail, jail::missing(&layers)) {
        return refuse(&format!("the jail does not hold: {layer} is missing"));
    }
    let mut events = Events::to_stdout();
    events.send(&Event::Jailed { layers: layers.into_iter().map(String::from).collect() });
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
