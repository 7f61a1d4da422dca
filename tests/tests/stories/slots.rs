//! A back catalogue is spread over times of day, across the night when clocks change.

use chrono::{DateTime, Datelike as _, Duration, NaiveDate, TimeZone as _, Timelike as _, Utc};
use chrono_tz::Europe::Lisbon;
use serde_json::{Value, json};
use tests::{World, brand::WORK_LIMIT, files};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn posts_keep_their_time_of_day_when_clocks_change() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Slots").await;
    let account = brand.connect("TELEGRAM", "slots").await;
    let mut assets = Vec::new();
    for seed in 50..56 {
        assets.push(brand.ready(&files::photo(seed), &format!("Slot {seed}")).await);
    }
    let change = next_change(Utc::now());
    let from = change - Duration::days(1);
    let mut input = brand.job_input(&assets.iter().map(String::as_str).collect::<Vec<_>>(), &[&account]);
    input["schedule"] =
        json!({ "slots": { "times": ["09:30", "18:00"], "from": from.to_string(), "until": null } });
    let job = brand.create_job(input).await;
    let targets = brand.until(&job, &["SCHEDULED"], WORK_LIMIT).await;
    let expected: Vec<_> = (0..3)
        .flat_map(|day| [(9, 30), (18, 0)].map(|(hour, minute)| (from + Duration::days(day), hour, minute)))
        .collect();
    let local: Vec<_> = targets
        .iter()
        .map(|target| {
            let at: DateTime<Utc> = target["scheduledAt"].as_str().unwrap().parse().unwrap();
            let at = at.with_timezone(&Lisbon);
            (at.date_naive(), at.hour(), at.minute())
        })
        .collect();
    assert_eq!(local, expected, "every post is at its time of day in Lisbon");
    // An hour is missing or doubled in between, so these are not 24 hours apart.
    let at = |index: usize| targets[index]["scheduledAt"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
    assert_ne!(at(2) - at(0), Duration::hours(24), "the clock changes in that night");
    brand.assert_posts(&[&account], 0).await;

    // The calendar's month holds them all.
    let query = "query ($b: ID!, $r: TimeRangeInput!) { brand(id: $b) { publishTargets(first: 100, filter: { during: $r }) { totalCount } } }";
    let range = json!({ "from": at(0).to_rfc3339(), "before": (at(5) + Duration::seconds(1)).to_rfc3339() });
    let month: Value = brand.api.query(query, json!({ "b": brand.id, "r": range })).await;
    assert_eq!(month["brand"]["publishTargets"]["totalCount"], 6);
    let cancelled = brand.api.mutate("cancelPublishJob", json!({ "jobId": job.id }), "job { state }").await;
    assert_eq!(cancelled["job"]["state"], "CANCELLED");
    world.finish().await;
}

/// The next day on which Lisbon's clocks change at night: the last Sunday of March or October.
fn next_change(now: DateTime<Utc>) -> NaiveDate {
    let offset = |day: NaiveDate| {
        let noon = day.and_hms_opt(12, 0, 0).unwrap();
        Lisbon.from_local_datetime(&noon).unwrap().naive_utc()
    };
    let mut day = now.date_naive() + Duration::days(2);
    while offset(day) - offset(day.pred_opt().unwrap()) == Duration::days(1) {
        day = day.succ_opt().unwrap();
        assert!(day.year() <= now.year() + 1, "clocks change every year");
    }
    day
}
