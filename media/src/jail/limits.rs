//! Sizes: what one request may use at most, whatever the file makes the decoder believe.

use rlimit::{Resource, setrlimit};

/// A 64-megapixel picture in 16 bit RGBA with a copy, or five 1080p encodes (330 MB each, measured)
/// with their thread stacks, stay well below.
const ADDRESS_SPACE_BYTES: u64 = 6 << 30;
/// The parent kills by the clock much earlier; this is for a parent that died.
const CPU_SECONDS: u64 = 6 * 60 * 60;
/// More than the largest input (4 GiB), which a remux may equal.
const FILE_BYTES: u64 = 5 << 30;
const OPEN_FILES: u64 = 64;
/// Threads count as processes, and those of other engines under the same uid count, too.
const PROCESSES: u64 = 1024;

/// Sets all limits. `own_uid` says that the user runs nothing but engines: otherwise the number of
/// processes is not ours to limit (seccomp still forbids forking).
pub fn set(own_uid: bool) -> bool {
    let mut limits = vec![
        (Resource::AS, ADDRESS_SPACE_BYTES),
        (Resource::CPU, CPU_SECONDS),
        (Resource::FSIZE, FILE_BYTES),
        (Resource::NOFILE, OPEN_FILES),
        (Resource::CORE, 0),
    ];
    if own_uid {
        limits.push((Resource::NPROC, PROCESSES));
    }
    limits.into_iter().all(|(resource, limit)| lower(resource, limit))
}

/// Never raises: a parent may have set a tighter limit already.
fn lower(resource: Resource, limit: u64) -> bool {
    let Ok((_, hard)) = resource.get() else { return false };
    let limit = limit.min(hard);
    setrlimit(resource, limit, limit).is_ok()
}
