//! Files: nothing but the scratch directory can be opened.

use std::os::unix::fs::chroot;

use landlock::{
    ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus,
};

/// Makes the working directory the root directory, which needs to be root. Shared libraries are
/// loaded by now, libheif's plugins among them, and neither libav nor x264 opens files of its own.
pub fn change_root() -> bool {
    rustix::process::geteuid().is_root() && chroot(".").is_ok() && std::env::set_current_dir("/").is_ok()
}

/// Restricts all opens to the working directory. `false` on a kernel without Landlock.
pub fn restrict_to_scratch() -> bool {
    landlock().is_ok_and(|status| status != RulesetStatus::NotEnforced)
}

fn landlock() -> Result<RulesetStatus, RulesetError> {
    // V5 adds device ioctls to renames (V2) and truncation (V3); older kernels take what they know.
    let abi = ABI::V5;
    let everything = AccessFs::from_all(abi);
    let scratch = AccessFs::ReadFile
        | AccessFs::ReadDir
        | AccessFs::WriteFile
        | AccessFs::MakeReg
        | AccessFs::RemoveFile
        | AccessFs::Truncate;
    let Ok(here) = PathFd::new(".") else { return Ok(RulesetStatus::NotEnforced) };
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(everything)?
        .create()?
        .add_rule(PathBeneath::new(here, scratch))?
        .restrict_self()?;
    Ok(status.ruleset)
}
