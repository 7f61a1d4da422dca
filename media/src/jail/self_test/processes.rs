//! Ways to other processes, and to more rights.

use std::process::Command;
use std::thread;

use super::raw::{answer, call, clone3, fork, opens};
use super::{Attempt, Ground};

const PTRACE_SEIZE: usize = 0x4206;

pub fn attempts(ground: &Ground<'_>) -> Vec<Attempt> {
    let parent = ground.parent as usize;
    vec![
        Attempt::forbidden("run a program", Command::new("/bin/true").status().is_err()),
        Attempt::forbidden("gain rights from a set-uid program", !gains_rights(ground)),
        Attempt::forbidden("fork", !fork()),
        Attempt::forbidden("fork by clone3", !clone3()),
        // It is let go when we end.
        Attempt::forbidden("trace the parent", !call(libc::SYS_ptrace, &[PTRACE_SEIZE, parent, 0, 0])),
        // Signal 0 is only asked whether it could be sent.
        Attempt::forbidden("signal the parent", !call(libc::SYS_kill, &[parent, 0])),
        Attempt::forbidden("signal a thread of the parent", !call(libc::SYS_tgkill, &[parent, parent, 0])),
        Attempt::forbidden("have a pipe signal others", !owns_a_pipe(parent)),
        Attempt::forbidden("take a file of the parent", !takes_a_file(parent)),
        Attempt::forbidden("become root", !call(libc::SYS_setresuid, &[0, 0, 0])),
        Attempt::forbidden("enter a namespace of its own", !enters_a_namespace()),
    ]
}

pub fn needed() -> Vec<Attempt> {
    let threads: Vec<_> = (0..8).map(|_| thread::Builder::new().spawn(|| ())).collect();
    let started = threads.into_iter().all(|thread| thread.is_ok_and(|thread| thread.join().is_ok()));
    vec![Attempt::needed("start threads", !started)]
}

/// The test of this lays a copy of `id` there that is root's for whoever runs it.
fn gains_rights(ground: &Ground<'_>) -> bool {
    let program = ground.outside.with_file_name("id");
    Command::new(program).arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

/// Whoever owns a descriptor is signalled when something comes.
fn owns_a_pipe(other: usize) -> bool {
    let owns = |owner: usize| call(libc::SYS_fcntl, &[0, libc::F_SETOWN.unsigned_abs() as usize, owner]);
    owns(other) && owns(0)
}

fn takes_a_file(parent: usize) -> bool {
    let Ok(process) = usize::try_from(answer(libc::SYS_pidfd_open, &[parent, 0])) else { return false };
    let taken = opens(libc::SYS_pidfd_getfd, &[process, 0, 0]);
    call(libc::SYS_close, &[process]);
    taken
}

/// In a thread, with which the namespace ends.
fn enters_a_namespace() -> bool {
    let entered = thread::spawn(|| call(libc::SYS_unshare, &[libc::CLONE_NEWUTS.unsigned_abs() as usize]));
    entered.join().unwrap_or(false)
}
