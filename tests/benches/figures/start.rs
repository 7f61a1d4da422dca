//! The first `reelmill up` on empty data, until its summary is there and the demo is published; what its processes
//! hold in memory once they are idle; and how large the executables are.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tests::{
    eventually,
    process::{Process, executable},
};
use tokio::time::sleep;

use crate::summary::rounded;

const LIMIT: Duration = Duration::from_secs(300);
/// By then what the start and the demo needed has been given back, as far as it is.
const IDLE_AFTER: Duration = Duration::from_secs(20);

pub async fn measure() -> Value {
    let folder = tempfile::Builder::new().prefix("reelmill-figures-").tempdir().unwrap();
    // Postgres' own user must be able to enter it.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
    let data = folder.path().join("data");
    let begun = Instant::now();
    let arguments = ["up", "--data-dir", data.to_str().unwrap()];
    let mut up = Process::start(&arguments, &[], &folder.path().join("up.log"));
    let summary = data.join("summary.json");
    eventually("the summary is there", LIMIT, async || {
        up.assert_alive();
        summary.exists().then_some(())
    })
    .await;
    let took = begun.elapsed();
    sleep(IDLE_AFTER).await;
    let children = children(up.id());
    let resident = |role: &str| -> Vec<f64> {
        children.iter().filter(|pid| second_word(**pid) == role).map(|pid| resident_mib(*pid)).collect()
    };
    let measured = json!({
        "cold_up_to_summary_s": rounded(took.as_secs_f64()),
        "idle_rss_mib": {
            "control_plane": resident("serve"), "workers": resident("work"),
            "up_with_s3_and_sandbox": resident_mib(up.id()),
        },
        "executables_mib": { "reelmill": size_mib("reelmill"), "reelmill-media": size_mib("reelmill-media") },
    });
    up.terminate().await;
    measured
}

/// The processes that this one started, by id.
fn children(parent: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{parent}/task")).unwrap();
    let lists =
        tasks.map(|task| fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default());
    lists.flat_map(|list| list.split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<_>>()).collect()
}

fn second_word(pid: u32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let mut words = line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
    words.nth(1).unwrap_or_default()
}

fn resident_mib(pid: u32) -> f64 {
    let status = fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib: f64 = line.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap();
    rounded(kib / 1024.0)
}

fn size_mib(name: &str) -> f64 {
    let bytes = fs::metadata(executable(name)).unwrap().len();
    #[expect(clippy::cast_precision_loss, reason = "a file's size, far below 2^52")]
    let mib = bytes as f64 / (1024.0 * 1024.0);
    rounded(mib)
}
