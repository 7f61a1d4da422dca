//! `reelmill schema`: the public API, exported from the code.

use std::process::ExitCode;

use clap::Args;

use crate::console;

/// Prints the GraphQL schema in the schema definition language.
#[derive(Debug, Args)]
pub struct Arguments {}

impl Arguments {
    pub fn run(self) -> ExitCode {
        console::say(control_plane::schema_sdl().trim_end());
        ExitCode::SUCCESS
    }
}
