//! The command line. Everything about the file comes in the request; here is only the jail.

use std::path::PathBuf;

use clap::Parser;

use crate::jail::Identity;

/// Probes and transcodes one untrusted media file inside a jail. Reads a request as JSON from
/// standard input; the working directory is its scratch directory.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Args {
    /// User to become when started as root.
    #[arg(long, requires = "gid")]
    uid: Option<u32>,
    /// Group to become when started as root.
    #[arg(long, requires = "uid")]
    gid: Option<u32>,
    /// Refuse to work unless files, system calls and sizes are confined.
    #[arg(long)]
    pub require_jail: bool,
    /// Print the layers that hold here as a JSON list, and exit.
    #[arg(long)]
    pub layers: bool,
    /// Try from inside what the jail forbids, print what happened as JSON, and exit. Takes a path
    /// outside the scratch directory that must not become writable.
    #[arg(long, value_name = "OUTSIDE", conflicts_with = "layers")]
    pub self_test: Option<PathBuf>,
}

impl Args {
    /// The user to become, when asked for.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        self.uid.zip(self.gid).map(|(uid, gid)| Identity { uid, gid })
    }
}
