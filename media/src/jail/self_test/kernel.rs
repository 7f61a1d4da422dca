//! Parts of the kernel that media never needs, and that attackers come through.

use std::mem::size_of_val;

use super::Attempt;
use super::raw::{address, answer, call, opens};

const PAGE: usize = 4096;
const NOBODY: usize = usize::MAX;
/// `KEY_SPEC_PROCESS_KEYRING`, which ends with the process.
const OWN_KEYRING: usize = 2_usize.wrapping_neg();
const BPF_MAP_CREATE: usize = 0;
const BPF_MAP_TYPE_ARRAY: u32 = 2;
const PERF_TYPE_SOFTWARE: u32 = 1;
/// `PERF_ATTR_SIZE_VER0`
const PERF_BYTES: u32 = 64;

pub fn attempts() -> Vec<Attempt> {
    let forbidden = |tried, succeeded: bool| Attempt::forbidden(tried, !succeeded);
    // Entries of 4 bytes; the parameters are written back into memory of our own.
    let mut ring = [0_u32; 30];
    let array = [BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let perf = [PERF_TYPE_SOFTWARE, PERF_BYTES, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let key = [c"user", c"reelmill-self-test", c"x"].map(address);
    vec![
        // Makes a file system that lies nowhere yet.
        forbidden("mount a file system", opens(libc::SYS_fsopen, &[address(c"tmpfs"), 0])),
        forbidden("set up io_uring", opens(libc::SYS_io_uring_setup, &[1, ring.as_mut_ptr() as usize])),
        forbidden(
            "open performance counters",
            opens(libc::SYS_perf_event_open, &[address(&perf), 0, NOBODY, NOBODY, 0]),
        ),
        forbidden(
            "load into the kernel",
            opens(libc::SYS_bpf, &[BPF_MAP_CREATE, address(&array), size_of_val(&array)]),
        ),
        forbidden("handle page faults", opens(libc::SYS_userfaultfd, &[0])),
        forbidden("make a file without a name", opens(libc::SYS_memfd_create, &[address(c"self-test"), 0])),
        forbidden("use keyrings", call(libc::SYS_add_key, &[key[0], key[1], key[2], 1, OWN_KEYRING])),
        forbidden("make code", makes_code()),
        forbidden("make code of what was written", turns_into_code()),
        forbidden(
            "become dumpable again",
            call(libc::SYS_prctl, &[libc::PR_SET_DUMPABLE.unsigned_abs() as usize, 1]),
        ),
    ]
}

const EXECUTE: libc::c_int = libc::PROT_READ | libc::PROT_EXEC;
const WRITE: libc::c_int = libc::PROT_READ | libc::PROT_WRITE;

/// A page that can be executed.
fn makes_code() -> bool {
    page(EXECUTE).is_some_and(|page| call(libc::SYS_munmap, &[page, PAGE]))
}

/// A page that could be written, and is to be executed.
fn turns_into_code() -> bool {
    let Some(page) = page(WRITE) else { return false };
    let turned = call(libc::SYS_mprotect, &[page, PAGE, EXECUTE.unsigned_abs() as usize]);
    call(libc::SYS_munmap, &[page, PAGE]) && turned
}

fn page(rights: libc::c_int) -> Option<usize> {
    let flags = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS).unsigned_abs() as usize;
    let page = answer(libc::SYS_mmap, &[0, PAGE, rights.unsigned_abs() as usize, flags, NOBODY, 0]);
    usize::try_from(page).ok()
}
