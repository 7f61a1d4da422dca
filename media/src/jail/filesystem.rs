//! Files: nothing but the scratch directory can be opened.

use std::os::unix::fs::chroot;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};

/// Makes the working directory the root directory, which needs to be root. Shared libraries are
/// loaded by now, libheif's plugins among them, and neither libav nor x264 opens files of its own.
pub fn change_root() -> bool {
    rustix::process::geteuid().is_root() && chroot(".").is_ok() && std::env::set_current_dir("/").is_ok()
}

/// The working directory, opened while we may.
pub fn scratch() -> Option<PathFd> {
    PathFd::new(".").ok()
}

/// Restricts all opens to `scratch`, and what newer kernels can to nothing: TCP, signals to others, abstract sockets of
/// others. `false` on a kernel without Landlock.
pub fn restrict_to(scratch: Option<&PathFd>) -> bool {
    scratch.is_some_and(|scratch| landlock(scratch).is_ok_and(|status| status != RulesetStatus::NotEnforced))
}

fn landlock(here: &PathFd) -> Result<RulesetStatus, RulesetError> {
    // V6 adds scopes to renames (V2), truncation (V3), TCP (V4) and device ioctls (V5); older kernels
    // take what they know.
    let abi = ABI::V6;
    let everything = AccessFs::from_all(abi);
    let scratch = AccessFs::ReadFile
        | AccessFs::ReadDir
        | AccessFs::WriteFile
        | AccessFs::MakeReg
        | AccessFs::RemoveFile
        | AccessFs::Truncate;
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(everything)?
        .handle_access(AccessNet::from_all(abi))?
        .scope(Scope::from_all(abi))?
        .create()?
        .add_rule(PathBeneath::new(here, scratch))?
        .restrict_self()?;
    Ok(status.ruleset)
}
