//! When posts go out: one moment for all, a fixed interval, or times of day in the brand's time zone.

use chrono::{DateTime, Duration, LocalResult, NaiveDate, NaiveTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

/// Times of day in one schedule.
pub const TIMES_MAX: usize = 48;

/// Days from the first to the last of a schedule that has a last one.
pub const DAYS_MAX: i64 = 2 * 366;

/// Posts of one schedule: as many as a job has targets.
pub const POSTS_MAX: usize = 5000;

/// The longest interval, minutes: a year.
pub const INTERVAL_MAX: u32 = 366 * 24 * 60;

/// Nothing is scheduled further ahead than this: 20 years, so that no calendar ever overflows.
const HORIZON: Duration = Duration::days(20 * 366);

/// A moment this little past still counts as now: clocks differ and requests take time.
const GRACE: Duration = Duration::minutes(1);

/// How posts get their times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// All at once.
    At(DateTime<Utc>),
    /// One after the other.
    Every { start_at: DateTime<Utc>, minutes: u32 },
    /// One to a slot of a day, or spread evenly until the last day.
    Slots { times: Vec<NaiveTime>, from: NaiveDate, until: Option<NaiveDate> },
}

/// A schedule that gives no times. The message is for people, [`BadSchedule::field`] for their form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSchedule {
    #[error("The time is in the past. Choose a later one.")]
    AtInPast,
    #[error("The first time is in the past. Choose a later one.")]
    StartInPast,
    #[error("The interval has to be between 1 and {INTERVAL_MAX} minutes.")]
    Interval,
    #[error("Give between 1 and {TIMES_MAX} times of day.")]
    Times,
    #[error("The last day comes before the first. Choose a later one.")]
    UntilBeforeFrom,
    #[error("First and last day are more than {DAYS_MAX} days apart. Choose a shorter span.")]
    TooLong,
    #[error("All times up to the last day are in the past. Choose a later day.")]
    NoSlotLeft,
    #[error(
        "The posts would go on beyond the end of the calendar. Choose an earlier day or a shorter interval."
    )]
    TooFarAhead,
    #[error("At most {POSTS_MAX} posts can be scheduled at once. Make several jobs of them.")]
    TooManyPosts,
}

impl BadSchedule {
    /// Where in the input of the schedule the fault is.
    #[must_use]
    pub const fn field(self) -> &'static [&'static str] {
        match self {
            Self::AtInPast => &["at"],
            Self::StartInPast => &["every", "startAt"],
            Self::Interval => &["every", "minutes"],
            Self::Times => &["slots", "times"],
            Self::UntilBeforeFrom | Self::TooLong | Self::NoSlotLeft => &["slots", "until"],
            Self::TooFarAhead | Self::TooManyPosts => &[],
        }
    }
}

/// Gives `posts` their times in order, none earlier than the one before.
///
/// Times of day are those of `zone`: one that summer time skips is the next that exists, of one
/// that comes twice it is the first, and those that are not after `now` are left out.
///
/// # Errors
/// [`BadSchedule`] when the schedule has no times for so many posts.
pub fn times(
    schedule: &Schedule,
    posts: usize,
    zone: Tz,
    now: DateTime<Utc>,
) -> Result<Vec<DateTime<Utc>>, BadSchedule> {
    if posts > POSTS_MAX {
        return Err(BadSchedule::TooManyPosts);
    }
    let given = match schedule {
        Schedule::At(at) if *at < now - GRACE => Err(BadSchedule::AtInPast),
        Schedule::At(at) => Ok(vec![*at; posts]),
        Schedule::Every { start_at, .. } if *start_at < now - GRACE => Err(BadSchedule::StartInPast),
        Schedule::Every { start_at, minutes } => every(*start_at, *minutes, posts),
        Schedule::Slots { times, from, until } => {
            let slots = Slots::new(times, zone, now)?;
            if *from > (now + HORIZON).date_naive() {
                return Err(BadSchedule::TooFarAhead);
            }
            match until {
                None => slots.one_each(*from, posts),
                Some(until) => slots.spread(*from, *until, posts),
            }
        }
    }?;
    match given.last() {
        Some(last) if *last > now + HORIZON => Err(BadSchedule::TooFarAhead),
        _ => Ok(given),
    }
}

/// Gives every post its time: its own, else the next of the schedule, else `None` for as soon as it
/// is ready. `own` holds what each post brings, in their order.
///
/// # Errors
/// [`BadSchedule`] as of [`times`], and [`BadSchedule::AtInPast`] for an own time in the past.
pub fn post_times(
    schedule: Option<&Schedule>,
    own: &[Option<DateTime<Utc>>],
    zone: Tz,
    now: DateTime<Utc>,
) -> Result<Vec<Option<DateTime<Utc>>>, BadSchedule> {
    if own.iter().flatten().any(|at| *at < now - GRACE) {
        return Err(BadSchedule::AtInPast);
    }
    if own.iter().flatten().any(|at| *at > now + HORIZON) {
        return Err(BadSchedule::TooFarAhead);
    }
    let without = own.iter().filter(|at| at.is_none()).count();
    let scheduled = match schedule {
        Some(schedule) => times(schedule, without, zone, now)?,
        None => Vec::new(),
    };
    let mut scheduled = scheduled.into_iter();
    Ok(own.iter().map(|at| at.or_else(|| scheduled.next())).collect())
}

fn every(start_at: DateTime<Utc>, minutes: u32, posts: usize) -> Result<Vec<DateTime<Utc>>, BadSchedule> {
    if !(1..=INTERVAL_MAX).contains(&minutes) {
        return Err(BadSchedule::Interval);
    }
    let step = Duration::minutes(i64::from(minutes));
    let mut next = Some(start_at);
    let mut times = Vec::with_capacity(posts);
    for _ in 0..posts {
        let at = next.ok_or(BadSchedule::TooFarAhead)?;
        times.push(at);
        next = at.checked_add_signed(step);
    }
    Ok(times)
}

/// Times of day, sorted and without doubles.
struct Slots {
    times: Vec<NaiveTime>,
    zone: Tz,
    now: DateTime<Utc>,
}

impl Slots {
    fn new(times: &[NaiveTime], zone: Tz, now: DateTime<Utc>) -> Result<Self, BadSchedule> {
        if times.is_empty() || times.len() > TIMES_MAX {
            return Err(BadSchedule::Times);
        }
        let mut times = times.to_vec();
        times.sort_unstable();
        times.dedup();
        Ok(Self { times, zone, now })
    }

    /// The first day on which a slot can lie in the future.
    fn first_day(&self, from: NaiveDate) -> NaiveDate {
        from.max(self.now.with_timezone(&self.zone).date_naive())
    }

    /// Slots of a day that are still to come, and after `last`: summer time may move two together.
    fn of_day(&self, day: NaiveDate, last: Option<DateTime<Utc>>) -> Vec<DateTime<Utc>> {
        let mut slots: Vec<DateTime<Utc>> = Vec::with_capacity(self.times.len());
        for time in &self.times {
            let last = slots.last().copied().or(last);
            let moment = resolve(day, *time, self.zone);
            slots.extend(moment.filter(|at| *at > self.now && last.is_none_or(|last| *at > last)));
        }
        slots
    }

    /// One post a slot. Every day has a slot, so as many days as posts are enough; two more are
    /// for today, whose slots may be over, and for a day that a time zone leaves out.
    fn one_each(&self, from: NaiveDate, posts: usize) -> Result<Vec<DateTime<Utc>>, BadSchedule> {
        let mut slots: Vec<DateTime<Utc>> = Vec::with_capacity(posts);
        for day in self.first_day(from).iter_days().take(posts + 2) {
            if slots.len() >= posts {
                break;
            }
            slots.extend(self.of_day(day, slots.last().copied()));
        }
        slots.truncate(posts);
        if slots.len() < posts { Err(BadSchedule::TooFarAhead) } else { Ok(slots) }
    }

    /// Of n posts over m slots, both counted from 0, the k-th takes slot k·m/n rounded down.
    fn spread(
        &self,
        from: NaiveDate,
        until: NaiveDate,
        posts: usize,
    ) -> Result<Vec<DateTime<Utc>>, BadSchedule> {
        if until < from {
            return Err(BadSchedule::UntilBeforeFrom);
        }
        let first = self.first_day(from);
        if (until - first).num_days() > DAYS_MAX {
            return Err(BadSchedule::TooLong);
        }
        let mut slots: Vec<DateTime<Utc>> = Vec::new();
        for day in first.iter_days().take_while(|day| *day <= until) {
            slots.extend(self.of_day(day, slots.last().copied()));
        }
        if slots.is_empty() {
            return Err(BadSchedule::NoSlotLeft);
        }
        Ok((0..posts).map(|post| slots[post * slots.len() / posts]).collect())
    }
}

/// The moment of a local time. `None` only where a zone has no time for over a day, which no zone has.
fn resolve(day: NaiveDate, time: NaiveTime, zone: Tz) -> Option<DateTime<Utc>> {
    let wanted = day.and_time(time);
    if let LocalResult::Single(at) | LocalResult::Ambiguous(at, _) = zone.from_local_datetime(&wanted) {
        return Some(at.to_utc());
    }
    // Clocks were moved ahead over it, by a day at most (Samoa, 2011), and to a whole minute.
    let minute = wanted.with_second(0)?.with_nanosecond(0)?;
    (1..=25 * 60)
        .filter_map(|minutes| minute.checked_add_signed(Duration::minutes(minutes)))
        .find_map(|later| zone.from_local_datetime(&later).earliest())
        .map(|at| at.to_utc())
}

#[cfg(test)]
mod tests;
