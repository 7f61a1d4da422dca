//! System calls: an allow-list. What is not named here (sockets, exec, fork, ptrace, mounts, keys,
//! io_uring, executable memory …) answers EPERM, so that a library that tries something optional carries on.

use std::collections::BTreeMap;

use libc::{
    CLONE_THREAD, F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_GETFL, F_SETFD, PR_SET_NAME, PROT_EXEC, SYS_brk,
    SYS_clock_getres, SYS_clock_gettime, SYS_clock_nanosleep, SYS_clone, SYS_clone3, SYS_close, SYS_dup,
    SYS_exit, SYS_exit_group, SYS_faccessat, SYS_fadvise64, SYS_fcntl, SYS_fdatasync, SYS_fstat, SYS_fsync,
    SYS_ftruncate, SYS_futex, SYS_get_robust_list, SYS_getcpu, SYS_getdents64, SYS_getegid, SYS_geteuid,
    SYS_getgid, SYS_getpid, SYS_getrandom, SYS_getrusage, SYS_gettid, SYS_gettimeofday, SYS_getuid,
    SYS_lseek, SYS_madvise, SYS_membarrier, SYS_mmap, SYS_mprotect, SYS_mremap, SYS_munmap, SYS_nanosleep,
    SYS_newfstatat, SYS_openat, SYS_ppoll, SYS_prctl, SYS_pread64, SYS_pwrite64, SYS_read, SYS_readv,
    SYS_renameat, SYS_renameat2, SYS_restart_syscall, SYS_rseq, SYS_rt_sigaction, SYS_rt_sigprocmask,
    SYS_rt_sigreturn, SYS_sched_getaffinity, SYS_sched_yield, SYS_set_robust_list, SYS_sigaltstack,
    SYS_statx, SYS_sysinfo, SYS_tgkill, SYS_uname, SYS_unlinkat, SYS_write, SYS_writev,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter_all_threads,
};

/// Allowed with any arguments. Opening a file is here, since Landlock or the root directory decides
/// about paths, which a filter cannot read.
const ALLOWED: &[i64] = &[
    SYS_read,
    SYS_readv,
    SYS_pread64,
    SYS_write,
    SYS_writev,
    SYS_pwrite64,
    SYS_lseek,
    SYS_close,
    SYS_dup,
    SYS_openat,
    SYS_faccessat,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_getdents64,
    SYS_fsync,
    SYS_fdatasync,
    SYS_ftruncate,
    SYS_fadvise64,
    SYS_renameat,
    SYS_renameat2,
    SYS_unlinkat,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    SYS_membarrier,
    SYS_futex,
    SYS_set_robust_list,
    SYS_get_robust_list,
    SYS_rseq,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_getcpu,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_restart_syscall,
    SYS_getpid,
    SYS_gettid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getrusage,
    SYS_getrandom,
    SYS_uname,
    SYS_sysinfo,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_ppoll,
    SYS_exit,
    SYS_exit_group,
];

/// The older forms that only x86-64 still has.
#[cfg(target_arch = "x86_64")]
const ALLOWED_OLD: &[i64] = &[
    libc::SYS_access,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_open,
    libc::SYS_poll,
    libc::SYS_rename,
    libc::SYS_unlink,
];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_OLD: &[i64] = &[];

/// Installs the filters for every thread there is and will be. A call in another machine's numbering
/// (32 bit) ends the process; x32 numbers are not on the list.
pub fn filter() -> bool {
    let Some((clone3, main)) = threads_only().ok().zip(allow_list().ok()) else { return false };
    apply_filter_all_threads(&clone3).is_ok() && apply_filter_all_threads(&main).is_ok()
}

/// `clone3` hides its flags behind a pointer; answered "no such call", the C library falls back to
/// `clone`, whose flags the other filter reads.
fn threads_only() -> Result<BpfProgram, seccompiler::Error> {
    let absent = SeccompAction::Errno(errno(libc::ENOSYS));
    build(BTreeMap::from([(SYS_clone3, vec![])]), SeccompAction::Allow, absent)
}

fn allow_list() -> Result<BpfProgram, seccompiler::Error> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALLOWED.iter().chain(ALLOWED_OLD).map(|call| (*call, vec![])).collect();
    // The stacked filter answered it already; the stricter of two answers would win otherwise.
    rules.insert(SYS_clone3, vec![]);
    let thread = u64::from(CLONE_THREAD.cast_unsigned());
    // Memory that can be executed is what the program and its libraries brought: no code is made.
    let execute = u64::from(PROT_EXEC.cast_unsigned());
    for call in [SYS_mmap, SYS_mprotect] {
        rules.insert(call, vec![only(2, SeccompCmpOp::MaskedEq(execute), 0)?]);
    }
    rules.insert(SYS_clone, vec![only(0, SeccompCmpOp::MaskedEq(thread), thread)?]);
    let name = u64::from(PR_SET_NAME.cast_unsigned());
    rules.insert(SYS_prctl, vec![only(0, SeccompCmpOp::Eq, name)?]);
    // With other commands a pipe can be made to signal any process of the same user.
    let commands = [F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL].map(libc::c_int::cast_unsigned);
    let commands = commands.into_iter().map(|command| only(1, SeccompCmpOp::Eq, u64::from(command)));
    rules.insert(SYS_fcntl, commands.collect::<Result<_, _>>()?);
    // An abort signals the process itself.
    rules.insert(SYS_tgkill, vec![only(0, SeccompCmpOp::Eq, u64::from(std::process::id()))?]);
    build(rules, SeccompAction::Errno(errno(libc::EPERM)), SeccompAction::Allow)
}

fn only(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, seccompiler::Error> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?;
    Ok(SeccompRule::new(vec![condition])?)
}

fn build(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    matched: SeccompAction,
) -> Result<BpfProgram, seccompiler::Error> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    Ok(SeccompFilter::new(rules, otherwise, matched, arch)?.try_into()?)
}

const fn errno(code: i32) -> u32 {
    code.unsigned_abs()
}
