//! A clip of about 30 MB that every network takes, for three accounts.
//!
//! As it is, it needs no job: its targets are SCHEDULED when `createPublishJob` answers, and the figure is that call.
//! Its twin has its index at the end and is remuxed, without an encode: from the claim of its transcode to the stored
//! result, without the time of transfers to and from storage, as the worker's own metrics have it.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tests::{Brand, World, brand::Account, eventually, files};

use crate::{
    seed,
    summary::{metric, millis, percentile, rounded},
};

const RUNS: i32 = 10;
const LIMIT: Duration = Duration::from_secs(120);

pub async fn measure() -> Value {
    let world = seed::world().await;
    let _worker = world.worker(&[]).await;
    let agency = world.agency("Figures").await;
    let brand = agency.brand("Figures").await;
    let accounts = brand.connect_all("figures").await;
    let clip = clip("whole.mp4", "-movflags +faststart -use_editlist 0");
    let bytes = std::fs::metadata(&clip).unwrap().len();
    let (probe, kept) = passed_through(&brand, &accounts, &clip).await;
    let remuxed = remuxed(&brand, &accounts, &self::clip("late.mp4", "-use_editlist 0")).await;
    json!({
        "bytes": bytes, "runs": RUNS, "passthrough_p50_ms": percentile(&kept, 0.5),
        "passthrough_max_ms": percentile(&kept, 1.0), "probe_ms": probe,
        "remux_p50_ms": percentile(&remuxed, 0.5), "remux_max_ms": percentile(&remuxed, 1.0),
        "aim": "<= 300 ms without transfer",
    })
}

/// 20 s of H.264 with enough noise in it to weigh 12 Mb/s.
fn clip(name: &str, muxing: &str) -> PathBuf {
    let made = format!(
        "-f lavfi -i testsrc2=s=1080x1920:r=30:d=20,noise=alls=30:allf=t -f lavfi -i sine=d=20:r=48000 -c:v libx264 \
         -preset ultrafast -bf 0 -x264-params open-gop=0:keyint=60 -b:v 12M -maxrate 14M -bufsize 14M \
         -pix_fmt yuv420p -c:a aac -b:a 128k -ac 2 {muxing} -shortest"
    );
    files::made(name, &made)
}

/// Milliseconds that the probe takes without transfer, and each call that makes three targets of the clip.
async fn passed_through(brand: &Brand<'_>, accounts: &[Account; 3], clip: &Path) -> (f64, Vec<f64>) {
    let world = brand.world;
    let before = Spent::of(world, "probe").await;
    let asset = brand.ready(clip, "A clip").await;
    let probe = before.since(world).await;
    let mut calls = Vec::new();
    for copy in seed::copies(brand, &asset, RUNS).await {
        let input = job_of(brand, accounts, &copy);
        let begun = Instant::now();
        brand.create_job(input).await;
        calls.push(millis(begun.elapsed()));
    }
    let scheduled = "select count(*) from publish_targets where state = 'SCHEDULED'";
    assert_eq!(world.database.count(scheduled).await, i64::from(RUNS) * 3, "all are ready at once");
    (probe, calls)
}

/// Milliseconds of each remux.
async fn remuxed(brand: &Brand<'_>, accounts: &[Account; 3], clip: &Path) -> Vec<f64> {
    let world = brand.world;
    let asset = brand.ready(clip, "A clip").await;
    let mut jobs = Vec::new();
    for copy in seed::copies(brand, &asset, RUNS).await {
        let before = Spent::of(world, "transcode").await;
        brand.create_job(job_of(brand, accounts, &copy)).await;
        jobs.push(before.since(world).await);
    }
    let made = async |kind: &str| {
        let made = format!("select count(*) from transcoded_media where kind = '{kind}'");
        world.database.count(&made).await
    };
    assert_eq!((made("REMUX").await, made("TRANSCODE").await), (i64::from(RUNS), 0), "no encode");
    jobs
}

fn job_of(brand: &Brand<'_>, accounts: &[Account; 3], asset: &str) -> Value {
    let mut input = brand.job_input(&[asset], &[&accounts[0], &accounts[1], &accounts[2]]);
    input["captions"] = json!("ORIGINAL");
    input["schedule"] = json!({ "at": chrono::Utc::now() + chrono::Duration::days(30) });
    input
}

/// What a worker has spent on a kind of jobs so far, s.
struct Spent {
    kind: &'static str,
    started: f64,
    runs: f64,
    working: f64,
    transferring: f64,
}

impl Spent {
    async fn of(world: &World, kind: &'static str) -> Self {
        let text = world.metrics_text().await;
        let label = format!("kind=\"{kind}\"");
        Self {
            kind,
            started: metric(&text, "reelmill_jobs_started_total", &label),
            runs: metric(&text, "reelmill_job_duration_seconds_count", &label),
            working: metric(&text, "reelmill_job_duration_seconds_sum", &label),
            transferring: metric(&text, "reelmill_transfer_seconds_sum", ""),
        }
    }

    /// What was spent since, in milliseconds without transfers, once all of it has ended.
    async fn since(&self, world: &World) -> f64 {
        let live = format!(
            "select count(*) from jobs where kind = '{}' and state in ('ready', 'running')",
            self.kind
        );
        eventually("all of it ends", LIMIT, async || {
            let idle = world.database.count(&live).await == 0;
            let now = Self::of(world, self.kind).await;
            let working = (now.working - self.working) - (now.transferring - self.transferring);
            let ended = idle && now.runs > self.runs && now.started <= now.runs;
            ended.then(|| rounded(working * 1000.0))
        })
        .await
    }
}
