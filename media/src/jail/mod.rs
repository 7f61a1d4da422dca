//! The jail that the engine enters before it reads its request: what an attacker who owns the
//! decoder may still do is compute, and read and write files of one scratch directory.
//!
//! Layers are independent. Each that the kernel or our privileges do not allow is left out and not
//! named, so that the parent can say truly what holds; `--require-jail` refuses to go on without.

mod filesystem;
mod identity;
mod inherited;
mod limits;
mod misbehave;
mod self_test;
mod syscalls;

use std::time::Duration;

use domain::jail::Layer;

pub use identity::Identity;
pub use misbehave::{Misdeed, misbehave};
pub use self_test::{Ground, self_test};

/// How the jail is to be entered.
#[derive(Debug)]
pub struct Terms {
    /// The user to become when started as root.
    pub identity: Option<Identity>,
    /// When the parent kills; a parent that died cannot, so limits of time are set by it.
    pub deadline: Option<Duration>,
    /// Layers that a self-test leaves out, to see what they are good for.
    pub without: Vec<Layer>,
}

/// Enters every layer that can be had, with the working directory as scratch. Call it first of all,
/// while the process has a single thread: identity and Landlock are set for the calling thread, and
/// files are closed whoever opened them.
pub fn enter(terms: &Terms) -> Vec<Layer> {
    let mut held = Vec::with_capacity(Layer::ALL.len());
    let mut note = |layer, enter: &dyn Fn() -> bool| {
        if !terms.without.contains(&layer) && enter() {
            held.push(layer);
        }
    };
    note(Layer::EmptyEnvironment, &inherited::environment_is_empty);
    note(Layer::ClosedFiles, &inherited::close_files);
    limits::be_killed_first();
    // The root directory changes while we may still change it; the uid drops right after.
    note(Layer::Chroot, &filesystem::change_root);
    let scratch = filesystem::scratch();
    note(Layer::Limits, &|| limits::set(terms.identity.is_some(), terms.deadline));
    note(Layer::OwnUser, &|| terms.identity.is_some_and(identity::assume));
    note(Layer::NotDumpable, &identity::refuse_dumps);
    note(Layer::NoNewPrivileges, &identity::refuse_privileges);
    note(Layer::Landlock, &|| filesystem::restrict_to(scratch.as_ref()));
    // Last, since it forbids what the layers above need.
    note(Layer::Seccomp, &syscalls::filter);
    held
}
