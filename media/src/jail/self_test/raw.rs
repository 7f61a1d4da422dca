//! System calls as an attacker makes them: by number.
#![expect(unsafe_code, reason = "what is tried has no safe name, for good reasons")]

use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};

/// Makes a system call that touches at most the memory that its arguments point to. `false` when the
/// kernel refuses.
pub fn call(number: libc::c_long, arguments: &[usize]) -> bool {
    answer(number, arguments) >= 0
}

/// The same for a call that answers with a descriptor, which is closed again.
pub fn opens(number: libc::c_long, arguments: &[usize]) -> bool {
    let Ok(descriptor) = RawFd::try_from(answer(number, arguments)) else { return false };
    // SAFETY: the kernel just made this descriptor, and nobody else knows it.
    descriptor >= 0 && {
        drop(unsafe { OwnedFd::from_raw_fd(descriptor) });
        true
    }
}

/// What the kernel says; negative when it refuses.
pub fn answer(number: libc::c_long, arguments: &[usize]) -> libc::c_long {
    let argument = |index: usize| arguments.get(index).copied().unwrap_or(0);
    // SAFETY: the calls of this self-test touch only what their arguments point to, which those who
    // make them keep alive, and lend where the kernel writes.
    unsafe {
        libc::syscall(number, argument(0), argument(1), argument(2), argument(3), argument(4), argument(5))
    }
}

/// The address of something that the kernel may read.
pub fn address<T: ?Sized>(value: &T) -> usize {
    std::ptr::from_ref(value).cast::<u8>() as usize
}

/// Starts another process, which ends at once. `false` when there is none.
pub fn fork() -> bool {
    // SAFETY: the other process does nothing but end, without running anybody's clean-up.
    match unsafe { libc::fork() } {
        ..0 => false,
        0 => unsafe { libc::_exit(0) },
        child => {
            // SAFETY: waits for our own child and stores nothing.
            unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
            true
        }
    }
}

/// The same by `clone3`, which hides what it asks for behind a pointer.
pub fn clone3() -> bool {
    // SAFETY: plain numbers, for which all zeros is a value; the other process does nothing but end.
    unsafe {
        let mut arguments: libc::clone_args = std::mem::zeroed();
        arguments.exit_signal = libc::SIGCHLD.unsigned_abs().into();
        match libc::syscall(libc::SYS_clone3, &raw const arguments, size_of::<libc::clone_args>()) {
            ..0 => false,
            0 => libc::_exit(0),
            child => {
                libc::waitpid(libc::pid_t::try_from(child).unwrap_or(0), std::ptr::null_mut(), 0);
                true
            }
        }
    }
}

/// Blocks every signal that can be.
pub fn fall_deaf() {
    // SAFETY: a set of this process's own, which the kernel reads.
    unsafe {
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
    }
}

/// Closes standard output and error, which nobody may use afterwards.
pub fn fall_silent() {
    // SAFETY: the caller does nothing after this but wait.
    unsafe {
        libc::close(1);
        libc::close(2);
    }
}

/// Makes a call in the numbering of 32-bit programs.
#[cfg(target_arch = "x86_64")]
pub fn call_as_32_bit() {
    const GETPID: u32 = 20;
    // SAFETY: takes no arguments and changes nothing but the register of the answer.
    unsafe {
        std::arch::asm!("int 0x80", inout("eax") GETPID => _, out("r8") _, out("r9") _, out("r10") _, out("r11") _)
    };
}
