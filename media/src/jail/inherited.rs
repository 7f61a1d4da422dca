//! What comes along from the parent: nothing but the three standard streams.
#![expect(unsafe_code, reason = "closing descriptors that nobody owns has no safe name")]

/// The first descriptor that is no standard stream.
const FIRST_OTHER: libc::c_uint = 3;

/// Variables that came along stay in our memory, so that only the parent can leave them out.
pub fn environment_is_empty() -> bool {
    std::env::vars_os().next().is_none()
}

/// Closes every file, socket and pipe that the parent left open across its `exec`. `false` before
/// Linux 5.9.
pub fn close_files() -> bool {
    // SAFETY: the jail is entered first of all, before anything here has opened a descriptor, so
    // none that is closed has an owner.
    unsafe { libc::syscall(libc::SYS_close_range, FIRST_OTHER, libc::c_uint::MAX, 0) == 0 }
}
