//! Who the process is: a user of its own, who can gain nothing and whose memory nobody reads.

use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::thread::{Gid, Uid, set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// The user and group to become when started as root.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    pub uid: u32,
    pub gid: u32,
}

/// Becomes `identity` for good: real, effective and saved ids, and no supplementary groups.
pub fn assume(identity: Identity) -> bool {
    if identity.uid == 0 || identity.gid == 0 {
        return false;
    }
    let (uid, gid) = (Uid::from_raw(identity.uid), Gid::from_raw(identity.gid));
    set_thread_groups(&[]).is_ok()
        && set_thread_res_gid(gid, gid, gid).is_ok()
        && set_thread_res_uid(uid, uid, uid).is_ok()
}

/// No core dump, no attaching debugger, and `/proc/self` belongs to root.
pub fn refuse_dumps() -> bool {
    set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok()
}

/// No set-uid program can raise us again.
pub fn refuse_privileges() -> bool {
    set_no_new_privs(true).is_ok()
}
