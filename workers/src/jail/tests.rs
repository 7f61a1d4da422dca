//! The parent, told with real children: a shell that starts `reelmill-media` misbehaving.
#![expect(clippy::unwrap_used, reason = "a test stops at a surprise")]

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::time::{Instant, SystemTime};

use domain::engine::{InputLimits, ProbeRequest};
use domain::jail::Layer;

use super::*;

/// Any user but root, who exists nowhere.
const UID: u32 = 61_001;
const DEADLINE: Duration = Duration::from_millis(1500);
/// How late the answer may be.
const LATE_MAX: Duration = Duration::from_millis(100);

/// The engine that was built beside this test.
fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("reelmill-media");
    assert!(program.is_file(), "build it first: cargo build --workspace --bins");
    program
}

fn config(root: &Path, executable: PathBuf) -> EngineConfig {
    EngineConfig { executable, scratch_root: root.join("scratch"), uid: UID, require_jail: true }
}

/// An engine of which every child does `misdeed`.
fn misbehaving(root: &Path, misdeed: &str) -> Engine {
    let script = root.join("engine");
    let program = program();
    let arguments = format!("--self-test /outside --misbehave {misdeed} \"$@\"");
    fs::write(&script, format!("#!/bin/sh\nexec '{}' {arguments}\n", program.display())).unwrap();
    fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
    Engine::new(config(root, script)).unwrap()
}

fn probe() -> Request {
    let limits = InputLimits::default();
    Request::Probe(ProbeRequest { source: "source".into(), thumbnail: "thumbnail.jpg".into(), limits })
}

fn limits() -> RunLimits {
    RunLimits { deadline: DEADLINE, cancel: CancellationToken::new() }
}

/// What became of the run, and how many events came.
async fn run(engine: &Engine, limits: RunLimits) -> (Result<(), EngineFailure>, usize) {
    let scratch = engine.scratch().unwrap();
    let mut events = 0;
    let ended = engine.run(&scratch, &probe(), limits, |_| events += 1).await;
    (ended, events)
}

/// Memory of this process that lies in RAM, bytes.
fn resident() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}

/// Processes that work in `root`, which is this test's alone.
fn processes_in(root: &Path) -> usize {
    let working_in = |entry: std::io::Result<fs::DirEntry>| fs::read_link(entry.unwrap().path().join("cwd"));
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| working_in(entry).ok())
        .filter(|cwd| cwd.starts_with(root))
        .count()
}

fn scratch_directories(root: &Path) -> usize {
    let entries = fs::read_dir(root.join("scratch")).unwrap();
    entries.filter(|entry| entry.as_ref().unwrap().file_type().unwrap().is_dir()).count()
}

/// Each costs its own job: the call returns with its class and in time, this process grows by nothing to speak of, no
/// child and no file is left, and the job beside it is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_misbehaves_costs_its_own_job_alone() {
    let cases: [(&str, &[&str]); 9] = [
        ("crash", &["signal: 6"]),
        ("hang", &["stopped after"]),
        ("hang-silently", &["stopped after"]),
        ("spin", &["stopped after"]),
        ("oom", &["signal: 6", "memory allocation of"]),
        ("flood-stdout", &["a line that never ends"]),
        ("flood-events", &["goes on printing"]),
        ("flood-stderr", &["stopped after"]),
        ("fork-bomb", &["stopped after"]),
    ];
    let root = tempfile::tempdir().unwrap();
    let good = Engine::new(config(root.path(), program())).unwrap();
    let before = resident();
    for (misdeed, said) in cases {
        let engine = misbehaving(root.path(), misdeed);
        // What ends by itself may take its time on a busy machine.
        let times_out = said == ["stopped after"];
        let deadline = if times_out { DEADLINE } else { Duration::from_secs(60) };
        let begun = Instant::now();
        let runs = async {
            let ended = run(&engine, RunLimits { deadline, ..limits() }).await;
            (ended, begun.elapsed())
        };
        let (((ended, events), took), ()) = tokio::join!(runs, answers_well(&good));
        let failure = ended.unwrap_err();
        assert!(took < deadline + LATE_MAX, "{misdeed}: {took:?}");
        assert_eq!(matches!(failure, EngineFailure::TimedOut(_)), times_out, "{misdeed}: {failure}");
        let failure = failure.to_string();
        assert!(said.iter().all(|words| failure.contains(words)), "{misdeed}: {failure}");
        assert!(failure.len() < 2 * talk::STDERR_BYTES_MAX, "{misdeed}: {} bytes", failure.len());
        assert!(events <= talk::STDOUT_BYTES_MAX / 32, "{misdeed}: {events} events");
        assert_eq!(processes_in(root.path()), 0, "{misdeed}");
        assert_eq!(scratch_directories(root.path()), 0, "{misdeed}");
    }
    assert!(resident() < before + (64 << 20), "from {before} to {} bytes", resident());
}

/// A text is refused as what it is.
async fn answers_well(engine: &Engine) {
    let scratch = engine.scratch().unwrap();
    fs::write(scratch.file("source"), b"no picture").unwrap();
    let limits = RunLimits { deadline: Duration::from_secs(20), ..limits() };
    let mut refused = None;
    let heard = |event| {
        if let Event::Rejected { problem } = event {
            refused = Some(problem.code);
        }
    };
    engine.run(&scratch, &probe(), limits, heard).await.unwrap();
    assert_eq!(refused.as_deref(), Some("media.unsupported_format"));
}

#[tokio::test]
async fn what_goes_on_after_the_last_event_is_no_answer() {
    let root = tempfile::tempdir().unwrap();
    let (ended, _) = run(&misbehaving(root.path(), "answer-twice"), limits()).await;
    assert!(ended.unwrap_err().to_string().contains("goes on printing"));
}

/// Outside of its jail a child can leave a link in the place of a file; what it points to is not read.
#[tokio::test]
async fn a_link_in_the_place_of_a_file_is_no_answer() {
    let root = tempfile::tempdir().unwrap();
    let (ended, _) = run(&misbehaving(root.path(), "leave-link"), limits()).await;
    ended.unwrap();
    let (ended, _) = run(&misbehaving(root.path(), "leave-link --without landlock,seccomp"), limits()).await;
    assert!(ended.unwrap_err().to_string().contains("a link in the place of a file"));
}

#[tokio::test]
async fn a_job_that_is_over_ends_its_child() {
    let root = tempfile::tempdir().unwrap();
    let limits = RunLimits { deadline: Duration::from_secs(600), cancel: CancellationToken::new() };
    let engine = misbehaving(root.path(), "flood-stderr");
    let cancel = limits.cancel.clone();
    let over = async {
        while processes_in(root.path()) == 0 {
            tokio::task::yield_now().await;
        }
        cancel.cancel();
        Instant::now()
    };
    let ((ended, _), cancelled) = tokio::join!(run(&engine, limits), over);
    assert!(matches!(ended, Err(EngineFailure::Cancelled)), "{ended:?}");
    assert!(cancelled.elapsed() < Duration::from_secs(1));
    assert_eq!(processes_in(root.path()), 0);
}

#[tokio::test]
async fn the_layers_are_asked_for() {
    let root = tempfile::tempdir().unwrap();
    let engine = Engine::new(config(root.path(), program())).unwrap();
    let layers = engine.layers().await.unwrap();
    assert_eq!(layers.missing, [], "{:?}", layers.held);
    assert!(layers.held.contains(&Layer::Seccomp));
    let absent = Engine::new(config(root.path(), "/no/such/program".into())).unwrap();
    assert!(matches!(absent.layers().await, Err(EngineFailure::Start(_))));
    let wrong = Engine::new(config(root.path(), "/bin/true".into())).unwrap();
    assert!(matches!(wrong.layers().await, Err(EngineFailure::Crashed { .. })));
}

#[test]
fn a_worker_without_the_jail_it_needs_does_not_start() {
    let held = Layer::ALL.into_iter().filter(|layer| *layer != Layer::Seccomp).collect();
    let layers = Layers { held, missing: vec![Layer::Seccomp] };
    let refusal = crate::check_jail(&layers, true).unwrap_err().to_string();
    assert!(refusal.contains("seccomp does not hold. Use a kernel with CONFIG_SECCOMP_FILTER"), "{refusal}");
    crate::check_jail(&layers, false).unwrap();
}

/// A child of the same user, and without any jail, looks for its parent's secrets. Told by this test started again as
/// a user that is not root, from whom nothing is hidden by rights alone.
#[tokio::test]
async fn an_undumpable_parent_keeps_its_secrets() {
    const AS_WORKER: &str = "REELMILL_TEST_AS_WORKER";
    if let Some(here) = std::env::var_os(AS_WORKER) {
        return secrets_are_kept(Path::new(&here)).await;
    }
    let here = tempfile::tempdir().unwrap();
    fs::set_permissions(here.path(), Permissions::from_mode(0o777)).unwrap();
    let tests = here.path().join("tests");
    fs::copy(std::env::current_exe().unwrap(), &tests).unwrap();
    fs::copy(program(), here.path().join("reelmill-media")).unwrap();
    let mut command = std::process::Command::new(tests);
    command.args(["--exact", "jail::tests::an_undumpable_parent_keeps_its_secrets"]);
    if rustix::process::getuid().is_root() {
        command.uid(UID).gid(UID);
    }
    let output = command.env(AS_WORKER, here.path()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("1 passed"), "{told}");
}

async fn secrets_are_kept(here: &Path) {
    let looks =
        ["read the parent's environment", "read the parent's map of memory", "list the parent's files"];
    assert_eq!(found(here).await, looks);
    Engine::new(config(here, here.join("reelmill-media"))).unwrap();
    assert_eq!(found(here).await, [""; 0]);
}

/// What a child without a jail finds of its parent's.
async fn found(here: &Path) -> Vec<String> {
    let scratch = tempfile::tempdir_in(here).unwrap();
    let without = Layer::ALL.map(Layer::as_str).join(",");
    let mut command = Command::new(here.join("reelmill-media"));
    command.args(["--self-test", "/outside", "--without", &without]).env_clear().current_dir(scratch.path());
    let output = command.output().await.unwrap();
    let attempts: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    // Whether memory can be opened without the guard depends on the kernel's settings.
    let of_parent = |tried: &str| tried.contains("the parent's") && tried != "open the parent's memory";
    let succeeded = attempts.iter().filter(|attempt| attempt["stopped"] == false);
    succeeded
        .map(|attempt| attempt["tried"].as_str().unwrap().to_owned())
        .filter(|tried| of_parent(tried))
        .collect()
}

/// Nobody can lay a trap in the place of the scratch root, and engines that run at once are different users.
#[test]
fn scratch_is_this_users_alone() {
    let root = tempfile::tempdir().unwrap();
    let config = config(root.path(), "reelmill-media".into());
    let open = root.path().join("scratch");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
    assert!(Engine::new(config.clone()).unwrap_err().to_string().contains("choose another SCRATCH_DIR"));
    fs::set_permissions(&open, Permissions::from_mode(0o711)).unwrap();
    let engine = Engine::new(config).unwrap();
    let (one, other) = (engine.scratch().unwrap(), engine.scratch().unwrap());
    let expected = drops_uid().then_some([UID, UID + 1]);
    assert_eq!(one.user().zip(other.user()).map(|(one, other)| [one, other]), expected);
    drop(one);
    assert_eq!(engine.scratch().unwrap().user(), drops_uid().then_some(UID));
}

#[test]
fn what_a_killed_worker_left_is_removed_and_what_is_in_use_is_not() {
    let root = tempfile::tempdir().unwrap();
    let config = config(root.path(), "reelmill-media".into());
    let engine = Engine::new(config.clone()).unwrap();
    let made = |name: &str| {
        let directory = config.scratch_root.join(name);
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("source"), b"half of it").unwrap();
        directory
    };
    let (left, young, other) = (made("media-left"), made("media-young"), made("other"));
    let used = engine.scratch().unwrap();
    let long_ago = SystemTime::now() - 2 * scratch::AGE_MIN;
    for old in [&left, &other, &used.file("")] {
        File::open(old).unwrap().set_modified(long_ago).unwrap();
    }

    Engine::new(config).unwrap();
    assert!(!left.exists());
    assert!(young.exists() && other.exists() && used.file("").exists());
}
