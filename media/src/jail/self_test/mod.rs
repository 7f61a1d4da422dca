//! Tries from inside what the jail forbids. `reelmill-media --self-test` prints what it found.
//!
//! An attempt does nothing that lasts, also where it succeeds: with layers left out, and as root.

mod files;
mod kernel;
mod network;
mod processes;
mod raw;
mod sizes;

use std::path::Path;

use serde::Serialize;

#[cfg(target_arch = "x86_64")]
pub use raw::call_as_32_bit;
pub use raw::{fall_deaf, fall_silent, fork};

/// What the attempts are about.
#[derive(Debug)]
pub struct Ground<'a> {
    /// A path that could be made, and lies outside the scratch directory.
    pub outside: &'a Path,
    /// The process that started us.
    pub parent: u32,
}

/// What was tried, whether the jail stopped it, and whether it should.
#[derive(Debug, Serialize)]
pub struct Attempt {
    tried: &'static str,
    forbidden: bool,
    stopped: bool,
}

impl Attempt {
    const fn forbidden(tried: &'static str, stopped: bool) -> Self {
        Self { tried, forbidden: true, stopped }
    }

    const fn needed(tried: &'static str, stopped: bool) -> Self {
        Self { tried, forbidden: false, stopped }
    }
}

/// Tries everything once and cleans up after itself.
#[must_use]
pub fn self_test(ground: &Ground<'_>) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    attempts.extend(network::attempts());
    attempts.extend(files::attempts(ground));
    attempts.extend(processes::attempts(ground));
    attempts.extend(kernel::attempts());
    attempts.extend(sizes::attempts());
    attempts.extend(files::needed());
    attempts.extend(processes::needed());
    attempts
}
