//! `make bench`: measures, and prints one JSON line for each figure. `make bench ARGS="recovery"` measures that one.
//!
//! Every figure starts a world of its own: the release executables as users run them, a durable Postgres, RabbitMQ,
//! an object store on disk and the simulated networks, all on this one machine and sharing its cores.
#![expect(clippy::unwrap_used, reason = "a bench stops at the first surprise")]
#![expect(clippy::print_stdout, reason = "its result is what it prints")]

mod conforming;
mod encode;
mod fairness;
mod publish_job;
mod recovery;
mod seed;
mod start;
mod statements;
mod summary;
mod throughput;

use serde_json::{Value, json};

/// Every figure, in the order of their making.
const FIGURES: [&str; 7] =
    ["start", "publish_job", "throughput", "fairness", "recovery", "conforming", "encode"];

async fn measure(figure: &str) -> Value {
    match figure {
        "start" => start::measure().await,
        "publish_job" => publish_job::measure().await,
        "throughput" => throughput::measure().await,
        "fairness" => fairness::measure().await,
        "recovery" => recovery::measure().await,
        "conforming" => conforming::measure().await,
        "encode" => encode::measure().await,
        other => panic!("there is no figure `{other}`: choose of {FIGURES:?}"),
    }
}

/// The load that others put on the machine as well: figures of a busy one are no more than ratios.
fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap()
}

#[tokio::main]
async fn main() {
    // Cargo says `--bench`; the rest are names.
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let figures: Vec<&str> =
        if asked.is_empty() { FIGURES.to_vec() } else { asked.iter().map(String::as_str).collect() };
    let cores = std::thread::available_parallelism().unwrap().get();
    for figure in figures {
        let load_before = load();
        let measured = measure(figure).await;
        let machine = json!({ "cores": cores, "load_before": load_before });
        println!("{}", json!({ "figure": figure, "machine": machine, "measured": measured }));
    }
}
