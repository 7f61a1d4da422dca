//! The jail that the engine enters before it reads its request: what an attacker who owns the
//! decoder may still do is compute, and read and write files of one scratch directory.
//!
//! Layers are independent. Each that the kernel or our privileges do not allow is left out and not
//! named, so that the parent can say truly what holds; `--require-jail` refuses to go on without.

mod filesystem;
mod identity;
mod limits;
mod self_test;
mod syscalls;

pub use identity::Identity;
pub use self_test::self_test;

/// The names of the layers, as the parent sees them.
pub const NO_NEW_PRIVILEGES: &str = "no_new_privs";
pub const NOT_DUMPABLE: &str = "not_dumpable";
pub const LIMITS: &str = "rlimits";
pub const OWN_UID: &str = "own_uid";
pub const CHROOT: &str = "chroot";
pub const LANDLOCK: &str = "landlock";
pub const SECCOMP: &str = "seccomp";

/// Enters every layer that can be had, with the working directory as scratch. Call it while the
/// process has a single thread: identity and filters are set for the calling thread.
pub fn enter(identity: Option<Identity>) -> Vec<&'static str> {
    let mut layers = Vec::with_capacity(7);
    let mut note = |layer, holds: bool| {
        if holds {
            layers.push(layer);
        }
    };
    // The root directory changes while we may still change it; the uid drops right after.
    note(CHROOT, filesystem::change_root());
    note(LIMITS, limits::set(identity.is_some()));
    note(OWN_UID, identity.is_some_and(identity::assume));
    note(NOT_DUMPABLE, identity::refuse_dumps());
    note(NO_NEW_PRIVILEGES, identity::refuse_privileges());
    note(LANDLOCK, filesystem::restrict_to_scratch());
    // Last, since it forbids what the layers above need.
    note(SECCOMP, syscalls::filter());
    layers
}

/// What is missing for a jail that holds: `None` when files, system calls and sizes are confined.
/// Landlock and a root directory of its own confine files equally well for a process without
/// privileges, so one of them will do.
#[must_use]
pub fn missing(layers: &[&str]) -> Option<&'static str> {
    let has = |layer| layers.contains(&layer);
    if !has(LANDLOCK) && !has(CHROOT) {
        return Some("landlock");
    }
    if has(CHROOT) && !has(OWN_UID) && !has(LANDLOCK) {
        return Some("own_uid");
    }
    [NO_NEW_PRIVILEGES, NOT_DUMPABLE, LIMITS, SECCOMP].into_iter().find(|layer| !has(layer))
}
