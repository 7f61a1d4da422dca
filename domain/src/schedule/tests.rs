//! Schedules over days on which clocks change, and what holds for all of them.

use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::{collection, option, prop_assert, prop_assert_eq, proptest, sample};

use super::*;

fn utc(text: &str) -> DateTime<Utc> {
    match DateTime::parse_from_rfc3339(text) {
        Ok(at) => at.to_utc(),
        Err(error) => panic!("{text}: {error}"),
    }
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn clock(times: &[&str]) -> Vec<NaiveTime> {
    let time = |text: &&str| format!("{text}:00").parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    times.iter().map(time).collect()
}

fn slots(times: &[&str], from: &str, until: Option<&str>) -> Schedule {
    Schedule::Slots { times: clock(times), from: day(from), until: until.map(day) }
}

fn told(schedule: &Schedule, posts: usize, zone: Tz, now: &str) -> Vec<String> {
    match times(schedule, posts, zone, utc(now)) {
        Ok(times) => times.into_iter().map(|at| at.format("%m-%dT%H:%M").to_string()).collect(),
        Err(error) => vec![format!("{error:?}")],
    }
}

#[test]
fn slots_follow_the_brands_clock_over_its_changes() {
    let winter = "2026-01-01T00:00:00Z";
    let cases: [(&str, Tz, Schedule, usize, &[&str]); 8] = [
        (
            "Kyiv, spring: 09:00 stays 09:00",
            Tz::Europe__Kyiv,
            slots(&["09:00"], "2026-03-28", None),
            3,
            &["03-28T07:00", "03-29T06:00", "03-30T06:00"],
        ),
        (
            "Kyiv, spring: 03:30 does not exist on the 29th, 04:00 does",
            Tz::Europe__Kyiv,
            slots(&["03:30"], "2026-03-28", None),
            3,
            &["03-28T01:30", "03-29T01:00", "03-30T00:30"],
        ),
        (
            "Kyiv, spring: skipped times meet in one slot",
            Tz::Europe__Kyiv,
            slots(&["03:10", "03:30", "04:00", "05:00"], "2026-03-29", None),
            3,
            &["03-29T01:00", "03-29T02:00", "03-30T00:10"],
        ),
        (
            "Kyiv, autumn: 03:30 comes twice on the 25th, the first counts",
            Tz::Europe__Kyiv,
            slots(&["03:30"], "2026-10-24", None),
            3,
            &["10-24T00:30", "10-25T00:30", "10-26T01:30"],
        ),
        (
            "New York, spring: 02:30 on 8 March is 03:00",
            Tz::America__New_York,
            slots(&["02:30"], "2026-03-07", None),
            3,
            &["03-07T07:30", "03-08T07:00", "03-09T06:30"],
        ),
        (
            "New York, autumn: the first 01:30 on 1 November",
            Tz::America__New_York,
            slots(&["01:30"], "2026-10-31", None),
            3,
            &["10-31T05:30", "11-01T05:30", "11-02T06:30"],
        ),
        (
            "given out of order and twice",
            Tz::UTC,
            slots(&["18:00", "09:00", "18:00"], "2026-05-01", None),
            3,
            &["05-01T09:00", "05-01T18:00", "05-02T09:00"],
        ),
        (
            "Lord Howe moves by half an hour",
            Tz::Australia__Lord_Howe,
            slots(&["02:15"], "2026-10-04", None),
            1,
            &["10-03T15:30"],
        ),
    ];
    for (case, zone, schedule, posts, expected) in cases {
        assert_eq!(told(&schedule, posts, zone, winter), expected, "{case}");
    }
}

#[test]
fn slots_in_the_past_are_left_out() {
    let now = "2026-05-02T10:00:00Z";
    let schedule = slots(&["09:00", "18:00"], "2026-05-01", None);
    assert_eq!(told(&schedule, 2, Tz::UTC, now), ["05-02T18:00", "05-03T09:00"]);
    assert_eq!(told(&schedule, 1, Tz::UTC, "2026-05-01T09:00:00Z"), ["05-01T18:00"]);
    let old = slots(&["09:00"], "1999-01-01", None);
    assert_eq!(told(&old, 1, Tz::UTC, now), ["05-03T09:00"]);
    assert_eq!(told(&slots(&["09:00"], "1999-01-01", Some("2026-05-02")), 1, Tz::UTC, now), ["NoSlotLeft"]);
}

#[test]
fn posts_are_spread_evenly_until_the_last_day() {
    let now = "2026-01-01T00:00:00Z";
    let week = slots(&["09:00"], "2026-05-01", Some("2026-05-07"));
    assert_eq!(told(&week, 3, Tz::UTC, now), ["05-01T09:00", "05-03T09:00", "05-05T09:00"]);
    let two = slots(&["09:00"], "2026-05-01", Some("2026-05-02"));
    assert_eq!(
        told(&two, 5, Tz::UTC, now),
        ["05-01T09:00", "05-01T09:00", "05-01T09:00", "05-02T09:00", "05-02T09:00"]
    );
    assert_eq!(told(&two, 0, Tz::UTC, now), Vec::<String>::new());
}

#[test]
fn an_interval_and_a_moment_are_taken_as_they_are() {
    let now = "2026-05-01T12:00:00Z";
    let every = |start, minutes| Schedule::Every { start_at: utc(start), minutes };
    assert_eq!(
        told(&every("2026-05-01T23:30:00Z", 45), 3, Tz::UTC, now),
        ["05-01T23:30", "05-02T00:15", "05-02T01:00"]
    );
    assert_eq!(told(&Schedule::At(utc("2026-06-01T00:00:00+02:00")), 2, Tz::UTC, now), ["05-31T22:00"; 2]);
    assert_eq!(told(&Schedule::At(utc("2026-05-01T11:59:30Z")), 1, Tz::UTC, now), ["05-01T11:59"]);
}

#[test]
fn what_gives_no_times_is_named() {
    let now = "2026-05-01T12:00:00Z";
    let every = |start, minutes| Schedule::Every { start_at: utc(start), minutes };
    let cases = [
        (Schedule::At(utc("2026-05-01T11:00:00Z")), 1, BadSchedule::AtInPast),
        (every("2026-05-01T11:00:00Z", 5), 1, BadSchedule::StartInPast),
        (every("2026-05-02T11:00:00Z", 0), 1, BadSchedule::Interval),
        (every("2026-05-02T11:00:00Z", u32::MAX), 1, BadSchedule::Interval),
        (slots(&[], "2026-05-01", None), 1, BadSchedule::Times),
        (slots(&["09:00"; 49], "2026-05-01", None), 1, BadSchedule::Times),
        (slots(&["09:00"], "2026-05-03", Some("2026-05-02")), 1, BadSchedule::UntilBeforeFrom),
        (slots(&["09:00"], "2026-05-03", Some("9999-05-02")), 1, BadSchedule::TooLong),
        (slots(&["09:00"], "2026-05-03", None), POSTS_MAX + 1, BadSchedule::TooManyPosts),
        (
            Schedule::Slots { times: clock(&["09:00"]), from: NaiveDate::MAX, until: None },
            9,
            BadSchedule::TooFarAhead,
        ),
        (every("2026-05-02T11:00:00Z", INTERVAL_MAX), 25, BadSchedule::TooFarAhead),
        (Schedule::At(DateTime::<Utc>::MAX_UTC), 1, BadSchedule::TooFarAhead),
    ];
    for (schedule, posts, expected) in cases {
        assert_eq!(times(&schedule, posts, Tz::UTC, utc(now)), Err(expected), "{schedule:?}");
    }
}

#[test]
fn a_posts_own_time_takes_none_of_the_schedule() {
    let now = utc("2026-05-01T00:00:00Z");
    let own = utc("2026-12-24T18:00:00Z");
    let schedule = slots(&["09:00"], "2026-05-01", None);
    let given = post_times(Some(&schedule), &[None, Some(own), None], Tz::UTC, now);
    let slot = |text| Some(utc(text));
    assert_eq!(given, Ok(vec![slot("2026-05-01T09:00:00Z"), Some(own), slot("2026-05-02T09:00:00Z")]));
    assert_eq!(post_times(None, &[None, Some(own)], Tz::UTC, now), Ok(vec![None, Some(own)]));
    assert_eq!(
        post_times(None, &[Some(utc("2026-04-01T00:00:00Z"))], Tz::UTC, now),
        Err(BadSchedule::AtInPast)
    );
}

fn any_schedule() -> impl Strategy<Value = Schedule> {
    let moment = || {
        (1_760_000_000i64..1_900_000_000).prop_map(|at| DateTime::from_timestamp(at, 0).unwrap_or_default())
    };
    let date =
        || (739_000i32..743_000).prop_map(|n| NaiveDate::from_num_days_from_ce_opt(n).unwrap_or_default());
    let time =
        (0u32..86_400).prop_map(|s| NaiveTime::from_num_seconds_from_midnight_opt(s, 0).unwrap_or_default());
    prop_oneof![
        moment().prop_map(Schedule::At),
        (moment(), prop_oneof![0u32..2000, any::<u32>()])
            .prop_map(|(start_at, minutes)| Schedule::Every { start_at, minutes }),
        (collection::vec(time, 0..6), date(), option::of(date()))
            .prop_map(|(times, from, until)| Schedule::Slots { times, from, until }),
    ]
}

proptest! {
    #[test]
    fn every_post_gets_a_future_time_in_order_or_there_is_a_reason(
        schedule in any_schedule(),
        posts in 0usize..300,
        zone in sample::select(chrono_tz::TZ_VARIANTS.to_vec()),
        now in prop_oneof![Just(1_800_000_000i64), 1_760_000_000i64..1_900_000_000],
    ) {
        let now = DateTime::from_timestamp(now, 0).unwrap_or_default();
        match times(&schedule, posts, zone, now) {
            Ok(given) => {
                prop_assert_eq!(given.len(), posts);
                prop_assert!(given.is_sorted());
                prop_assert!(given.iter().all(|at| *at >= now - GRACE));
                if let Schedule::Slots { until: None, .. } = schedule {
                    prop_assert!(given.windows(2).all(|pair| pair[0] < pair[1]));
                }
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}
