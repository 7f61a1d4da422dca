//! The jail, from inside and from outside.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use domain::engine::{Event, InputLimits, ProbeRequest, Request};
use domain::jail::Layer;
use domain::jail::Layer::{
    Chroot, ClosedFiles, EmptyEnvironment, Landlock, Limits, NoNewPrivileges, OwnUser, Seccomp,
};
use serde::Deserialize;

use crate::harness::{PROGRAM, Scratch, UID, is_root};

/// What is tried, and every layer that stops it alone: it succeeds once these are left out, and is
/// stopped as long as one of them holds. The second list depends on the settings of the kernel.
const STOPPED_BY: &[(&str, &[Layer], &[Layer])] = &[
    ("open a TCP socket", &[Seccomp], &[Landlock]),
    ("open a UDP socket", &[Seccomp], &[]),
    // Not the calls, but the file that stands for it.
    ("open a Unix socket", &[Landlock, Seccomp], &[]),
    ("open a netlink socket", &[Seccomp], &[]),
    ("open a raw socket", &[OwnUser, Seccomp], &[]),
    ("use what the parent left open", &[ClosedFiles], &[]),
    ("read /etc/passwd", &[Chroot, Landlock], &[]),
    ("list the processes of the machine", &[Chroot, Landlock], &[]),
    ("read the parent's environment", &[Chroot, OwnUser, Landlock], &[]),
    ("read the parent's map of memory", &[Chroot, OwnUser, Landlock], &[]),
    ("open the parent's memory", &[Chroot, OwnUser, Landlock], &[]),
    ("list the parent's files", &[Chroot, OwnUser, Landlock], &[]),
    ("write outside the scratch directory", &[Chroot, Landlock], &[]),
    ("write above the scratch directory", &[Chroot, Landlock], &[]),
    ("give a file another name outside", &[Chroot, Landlock, Seccomp], &[]),
    ("move a file outside", &[Chroot, Landlock], &[]),
    ("leave a symbolic link", &[Landlock, Seccomp], &[]),
    ("leave a named pipe", &[Landlock, Seccomp], &[]),
    ("change the mode of a file", &[Seccomp], &[]),
    ("run a program", &[Chroot, Landlock, Seccomp], &[]),
    // And no_new_privs, which a test of its own shows.
    ("gain rights from a set-uid program", &[Chroot, Landlock, Seccomp], &[]),
    ("fork", &[Seccomp], &[]),
    ("fork by clone3", &[Seccomp], &[]),
    ("trace the parent", &[OwnUser, Landlock, Seccomp], &[]),
    ("signal the parent", &[OwnUser, Seccomp], &[Landlock]),
    ("signal a thread of the parent", &[OwnUser, Seccomp], &[Landlock]),
    ("have a pipe signal others", &[Seccomp], &[]),
    ("take a file of the parent", &[OwnUser, Landlock, Seccomp], &[]),
    ("become root", &[OwnUser, Seccomp], &[]),
    ("enter a namespace of its own", &[OwnUser, Seccomp], &[]),
    ("mount a file system", &[OwnUser, Seccomp], &[]),
    ("set up io_uring", &[Seccomp], &[OwnUser]),
    ("open performance counters", &[Seccomp], &[OwnUser]),
    ("load into the kernel", &[Seccomp], &[OwnUser]),
    ("handle page faults", &[Seccomp], &[OwnUser]),
    ("make a file without a name", &[Seccomp], &[]),
    ("use keyrings", &[Seccomp], &[]),
    ("make code", &[Seccomp], &[]),
    ("make code of what was written", &[Seccomp], &[]),
    ("become dumpable again", &[Seccomp], &[]),
    ("take 7 GiB of memory", &[Limits], &[]),
    ("write a file of 6 GiB", &[Limits], &[]),
    ("open 80 files at once", &[Limits], &[]),
    ("raise its limits", &[Seccomp], &[Limits, OwnUser]),
];

#[derive(Debug, Deserialize)]
struct Attempt {
    tried: String,
    forbidden: bool,
    stopped: bool,
}

/// Whether each attempt is stopped in a jail without these layers. Whatever succeeded, nothing is
/// left of it.
fn attempts(without: &[Layer]) -> BTreeMap<String, Attempt> {
    let scratch = Scratch::new();
    let outside = world_writable();
    let target = outside.path().join("escaped");
    // Root's for whoever runs it.
    let program = outside.path().join("id");
    fs::copy("/usr/bin/id", &program).unwrap();
    fs::set_permissions(&program, Permissions::from_mode(0o4755)).unwrap();
    let mut command = Command::new("/bin/sh");
    // A file that is left open across the start.
    command.args(["-c", "exec 9</etc/passwd; exec \"$0\" \"$@\"", PROGRAM, "--self-test"]).arg(&target);
    if !without.is_empty() {
        let names: Vec<_> = without.iter().map(|layer| layer.as_str()).collect();
        command.arg("--without").arg(names.join(","));
    }
    let output = scratch.output_of(command);
    assert!(output.status.success(), "{output:?}");
    assert!(!target.exists() && scratch.names().is_empty(), "{without:?}: {:?}", scratch.names());
    let attempts: Vec<Attempt> = serde_json::from_slice(&output.stdout).unwrap();
    attempts.into_iter().map(|attempt| (attempt.tried.clone(), attempt)).collect()
}

/// So that only the jail can stop a write.
fn world_writable() -> tempfile::TempDir {
    let outside = tempfile::tempdir().unwrap();
    fs::set_permissions(outside.path(), Permissions::from_mode(0o777)).unwrap();
    outside
}

#[test]
fn nothing_leaves_the_jail() {
    let attempts = attempts(&[]);
    for attempt in attempts.values() {
        assert_eq!(attempt.stopped, attempt.forbidden, "{attempt:?}");
    }
    let tried: Vec<_> =
        attempts.values().filter(|attempt| attempt.forbidden).map(|attempt| &attempt.tried).collect();
    let mut listed: Vec<_> = STOPPED_BY.iter().map(|(tried, ..)| *tried).collect();
    listed.sort_unstable();
    assert_eq!(tried, listed);
}

/// Without any layer everything succeeds, and each layer alone stops what the table says: so each
/// attempt is a real one, and fails this test when its layer does nothing.
#[test]
fn each_layer_stops_what_it_is_there_for() {
    let bare = attempts(&Layer::ALL);
    let possible: Vec<_> = STOPPED_BY.iter().filter(|(tried, ..)| !bare[*tried].stopped).collect();
    if is_root() {
        assert_eq!(possible.len(), STOPPED_BY.len(), "{bare:?}");
    }
    for layer in Layer::ALL {
        let others: Vec<_> = Layer::ALL.into_iter().filter(|other| *other != layer).collect();
        if !held(&others).contains(&layer) {
            // Root alone has it; there is nothing to see of it here.
            assert!(!is_root() || layer == EmptyEnvironment, "{layer}");
            continue;
        }
        let alone = attempts(&others);
        for (tried, surely, perhaps) in &possible {
            if !perhaps.contains(&layer) {
                assert_eq!(alone[*tried].stopped, surely.contains(&layer), "{tried}, {layer} alone");
            }
        }
    }
}

/// And with that layer removed, what it alone stops succeeds, while all the rest is still stopped.
#[test]
fn layers_are_stacked() {
    let bare = attempts(&Layer::ALL);
    let whole = held(&[]);
    for layer in &whole {
        let rest = attempts(&[*layer]);
        for (tried, surely, perhaps) in STOPPED_BY.iter().filter(|(tried, ..)| !bare[*tried].stopped) {
            let mut others = whole.iter().filter(|other| *other != layer);
            if others.clone().any(|other| surely.contains(other)) {
                assert!(rest[*tried].stopped, "{tried}, without {layer}");
            } else if !others.any(|other| perhaps.contains(other)) {
                assert!(!rest[*tried].stopped, "{tried}, without {layer}");
            }
        }
    }
}

fn held(without: &[Layer]) -> Vec<Layer> {
    let whole: Vec<Layer> = serde_json::from_slice(&Scratch::new().spawn(&["--layers"], b"").stdout).unwrap();
    whole.into_iter().filter(|layer| !without.contains(layer)).collect()
}

#[test]
fn the_layers_are_told() {
    let layers = held(&[]);
    assert_eq!(domain::jail::missing(&layers, is_root()), []);
    assert!(layers.contains(&Landlock), "{layers:?}: this kernel has no Landlock; the tests want to see it");
    assert_eq!(layers.contains(&OwnUser), is_root());
    assert_eq!(layers.contains(&Chroot), is_root());
}

#[test]
fn a_jail_with_a_layer_less_is_refused_with_advice() {
    let scratch = Scratch::new();
    let mut command = Command::new(PROGRAM);
    command.arg("--require-jail").env("AWS_SECRET_ACCESS_KEY", "it came along");
    let output = scratch.output_of(command);
    assert_eq!(output.status.code(), Some(2));
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(log.contains("empty_environment does not hold. Start reelmill-media with"), "{log}");
    assert!(output.stdout.is_empty());
    if is_root() {
        let mut command = Command::new(PROGRAM);
        command.arg("--require-jail").env_clear().current_dir(scratch.path(""));
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(log.contains("own_uid does not hold. Name a user that is not root (MEDIA_UID)"), "{log}");
    }
}

#[test]
fn layers_are_left_out_for_a_self_test_alone() {
    for arguments in
        [&["--without", "seccomp"][..], &["--layers", "--without", "seccomp"], &["--misbehave", "crash"]]
    {
        let output = Scratch::new().spawn(arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
    }
}

/// Where the attempt is made as another user, who has something to gain.
#[test]
fn a_set_uid_program_gives_nothing() {
    if !is_root() {
        return;
    }
    let tried = "gain rights from a set-uid program";
    let confined = [Chroot, Landlock, Seccomp];
    assert!(attempts(&confined)[tried].stopped, "no_new_privs does not hold");
    let bare = attempts(&[&confined[..], &[NoNewPrivileges]].concat());
    assert!(!bare[tried].stopped, "the attempt is none: is the temporary folder mounted nosuid?");
}

/// Of a process that nobody may look into, `/proc` shows the entries as root's.
#[test]
fn nobody_looks_into_the_engine() {
    use std::os::unix::fs::MetadataExt as _;
    let scratch = Scratch::new();
    let readable = Executable::for_everybody();
    for (without, dumpable) in [("seccomp,landlock", false), ("not_dumpable,seccomp,landlock", true)] {
        let mut command = Command::new(&readable.path);
        command.args(["--self-test", "/outside", "--misbehave", "hang", "--without", without]);
        command.env_clear().current_dir(scratch.path("")).stdin(Stdio::null());
        if is_root() {
            // As a worker that is not root starts it: a change of the user would hide it as well.
            command.uid(UID).gid(UID);
        }
        let mut child = command.spawn().unwrap();
        let environment = format!("/proc/{}/environ", child.id());
        let own = if is_root() { UID } else { rustix::process::geteuid().as_raw() };
        let wanted = if dumpable { own } else { 0 };
        let limit = Instant::now() + Duration::from_secs(10);
        // It is dumpable until it has entered.
        while (fs::metadata(&environment).unwrap().uid() != wanted || !sleeps(child.id()))
            && Instant::now() < limit
        {
            std::thread::yield_now();
        }
        let owner = fs::metadata(&environment).unwrap().uid();
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(owner, wanted, "without {without}");
    }
}

/// It has entered its jail and waits.
fn sleeps(process: u32) -> bool {
    fs::read_to_string(format!("/proc/{process}/stat")).unwrap().contains(") S ")
}

/// The program where every user can run it.
struct Executable {
    path: std::path::PathBuf,
    _directory: tempfile::TempDir,
}

impl Executable {
    fn for_everybody() -> Self {
        let directory = world_writable();
        let path = directory.path().join("reelmill-media");
        fs::copy(PROGRAM, &path).unwrap();
        Self { path, _directory: directory }
    }
}

#[test]
fn a_call_in_another_machines_numbering_is_death() {
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    let output = Scratch::new().spawn(&["--self-test", "/outside", "--misbehave", "wrong-arch"], b"");
    assert_eq!(output.status.signal(), Some(libc::SIGSYS), "{output:?}");
}

/// Whoever was to kill it at the deadline is gone: the kernel does, by the clock and by the work done.
#[test]
fn an_engine_ends_without_its_parent() {
    let begun = Instant::now();
    let misdeeds = ["hang", "spin"].map(|misdeed| {
        let arguments = ["--self-test", "/outside", "--misbehave", misdeed, "--deadline", "0"];
        (misdeed, Scratch::new(), arguments)
    });
    let children: Vec<_> = misdeeds
        .iter()
        .map(|(misdeed, scratch, arguments)| (misdeed, scratch.start(arguments, b"")))
        .collect();
    for (misdeed, child) in children {
        for limit in
            ["Max cpu time", "Max core file size"].iter().chain(is_root().then_some(&"Max processes"))
        {
            assert!(is_limited(&child, limit), "{misdeed}: {limit}");
        }
        let status = child.wait_with_output().unwrap().status;
        assert!(matches!(status.signal(), Some(libc::SIGKILL | libc::SIGXCPU)), "{misdeed}: {status}");
        assert!(begun.elapsed() < Duration::from_secs(8), "{misdeed}: {:?}", begun.elapsed());
    }
}

/// Whether the kernel comes to hold the child to a limit, read from outside: inside nobody may ask.
fn is_limited(child: &std::process::Child, limit: &str) -> bool {
    let limits = || fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap_or_default();
    let held = |text: &str| {
        let line = text.lines().find(|line| line.starts_with(limit)).unwrap_or_default();
        // The soft limit may be low by itself; the hard one is what we set.
        let hard = line[limit.len().min(line.len())..].split_whitespace().nth(1);
        hard.and_then(|number| number.parse::<u64>().ok()).is_some_and(|number| number <= 1024)
    };
    let begun = Instant::now();
    std::iter::repeat_with(limits)
        .take_while(|_| begun.elapsed() < Duration::from_secs(3))
        .any(|text| held(&text))
}

#[test]
fn nonsense_is_refused_without_an_event() {
    let scratch = Scratch::new();
    for request in [&b"not json"[..], b"{}", b"", br#"{"request":"probe","source":"a"}"#, &[b' '; 2 << 20]] {
        let output = scratch.spawn(&["--require-jail"], request);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("the request is not valid"), "{output:?}");
    }
}

#[test]
fn files_outside_the_scratch_directory_cannot_be_named() {
    let scratch = Scratch::new();
    for source in ["../secret", "/etc/passwd", "a/b", "http:x", "-i", ""] {
        let limits = InputLimits::default();
        let request = ProbeRequest { source: source.into(), thumbnail: "thumbnail.jpg".into(), limits };
        match scratch.ask(&Request::Probe(request)).pop() {
            Some(Event::Rejected { problem }) => assert_eq!(problem.code, "media.bad_request", "{source}"),
            other => panic!("{source}: {other:?}"),
        }
    }
}
