//! `reelmill`: one executable for every process of a deployment, and for all of them on one machine.

mod commands;
mod config;
mod console;
mod demo;
mod up;

use std::process::ExitCode;

use clap::Parser;

/// Publishes a brand's videos and photos to every network: once each, on time, and with a true record.
#[derive(Debug, Parser)]
#[command(name = "reelmill", version, propagate_version = true, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: commands::Command,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    // Fails only when a provider is there already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // The kernel binds a child's death signal to the thread that starts it; this one lives to the end.
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return console::failure(&anyhow::Error::new(error).context("start the runtime")),
    };
    match runtime.block_on(cli.command.run()) {
        Ok(code) => code,
        Err(error) => console::failure(&error),
    }
}
