//! Sizes: what one request may use at most, whatever the file makes the decoder believe.
#![expect(unsafe_code, reason = "timers and signal dispositions have no safe name")]

use std::thread::available_parallelism;
use std::time::Duration;

use rlimit::{Resource, setrlimit};

/// A 64-megapixel picture in 16 bit RGBA with a copy, or five 1080p encodes (330 MB each, measured)
/// with their thread stacks, stay well below.
const ADDRESS_SPACE_BYTES: u64 = 6 << 30;
/// Without a deadline; the parent kills by the clock much earlier.
const CPU_SECONDS: u64 = 6 * 60 * 60;
/// More than the largest input (4 GiB), which a remux may equal.
const FILE_BYTES: u64 = 5 << 30;
const OPEN_FILES: u64 = 64;
/// Threads count as processes, and those of other engines under the same uid count, too.
const PROCESSES: u64 = 1024;
/// The parent kills at the deadline; this much later it is taken for dead.
const GRACE: Duration = Duration::from_secs(5);

/// Sets all limits. `own_uid` says that the user runs nothing but engines: otherwise the number of
/// processes is not ours to limit (seccomp still forbids forking).
pub fn set(own_uid: bool, deadline: Option<Duration>) -> bool {
    let mut limits = vec![
        (Resource::AS, ADDRESS_SPACE_BYTES),
        (Resource::CPU, deadline.map_or(CPU_SECONDS, cpu_seconds)),
        (Resource::FSIZE, FILE_BYTES),
        (Resource::NOFILE, OPEN_FILES),
        (Resource::CORE, 0),
    ];
    if own_uid {
        limits.push((Resource::NPROC, PROCESSES));
    }
    fail_to_write_too_much();
    let timed = deadline.is_none_or(|deadline| end_after(deadline + GRACE));
    timed && limits.into_iter().all(|(resource, limit)| lower(resource, limit))
}

/// All cores, all the time, until the deadline.
fn cpu_seconds(deadline: Duration) -> u64 {
    let cores = available_parallelism().map_or(1, |cores| cores.get() as u64);
    ((deadline + GRACE).as_secs() * cores).clamp(1, CPU_SECONDS)
}

/// The kernel ends the process by the clock, also when it waits for something that never comes: by the signal that
/// nobody can ignore, from a timer that nobody can change in the jail.
fn end_after(time: Duration) -> bool {
    let seconds = libc::time_t::try_from(time.as_secs()).unwrap_or(libc::time_t::MAX);
    // SAFETY: plain numbers, for which all zeros is a value; the kernel reads what is lent to it during the calls.
    unsafe {
        let mut signal: libc::sigevent = std::mem::zeroed();
        (signal.sigev_notify, signal.sigev_signo) = (libc::SIGEV_SIGNAL, libc::SIGKILL);
        let mut timer: libc::timer_t = std::ptr::null_mut();
        let mut once: libc::itimerspec = std::mem::zeroed();
        once.it_value.tv_sec = seconds;
        libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut signal, &raw mut timer) == 0
            && libc::timer_settime(timer, 0, &raw const once, std::ptr::null_mut()) == 0
    }
}

/// A file over its limit makes the write fail, not the process: an output fails alone.
fn fail_to_write_too_much() {
    // SAFETY: ignores a signal that nobody here handles.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

/// When the machine runs out of memory, the kernel ends this process and not its parent. A courtesy
/// to the parent and no layer: where `/proc` is read-only it stays out.
pub fn be_killed_first() {
    let _kept = std::fs::write("/proc/self/oom_score_adj", "1000");
}

/// Never raises: a parent may have set a tighter limit already.
fn lower(resource: Resource, limit: u64) -> bool {
    let Ok((_, hard)) = resource.get() else { return false };
    let limit = limit.min(hard);
    setrlimit(resource, limit, limit).is_ok()
}
