//! The command line. Everything about the file comes in the request; here is only the jail.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use domain::jail::Layer;

use crate::jail::{Identity, Misdeed, Terms};

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
    /// Seconds after which the parent kills: some seconds later the engine ends by itself.
    #[arg(long, value_name = "SECONDS")]
    deadline: Option<u64>,
    /// Refuse to work with fewer than all layers of the jail that can be had.
    #[arg(long)]
    pub require_jail: bool,
    /// Print the layers that hold here as a JSON list, and exit.
    #[arg(long)]
    pub layers: bool,
    /// Try from inside what the jail forbids, print what happened as JSON, and exit. Takes a path
    /// outside the scratch directory that must not become writable.
    #[arg(long, value_name = "OUTSIDE", conflicts_with = "layers")]
    pub self_test: Option<PathBuf>,
    /// Leave layers of the jail out, to see what they are good for.
    #[arg(
        long,
        value_name = "LAYER",
        value_delimiter = ',',
        requires = "self_test",
        conflicts_with = "layers",
        hide = true
    )]
    without: Vec<Layer>,
    /// Behave like an engine that an attacker has taken over, to see what its parent makes of it.
    #[arg(long, requires = "self_test", conflicts_with = "layers", hide = true)]
    pub misbehave: Option<Misdeed>,
}

impl Args {
    /// How the jail is to be entered.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms {
            identity: self.uid.zip(self.gid).map(|(uid, gid)| Identity { uid, gid }),
            deadline: self.deadline.map(Duration::from_secs),
            without: self.without.clone(),
        }
    }
}
