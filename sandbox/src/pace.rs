//! Rate limits as sliding windows and gates, kept in memory as the networks do.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};

/// Keys remembered before those that are free are forgotten.
const KEYS: usize = 4096;

/// One limit to be met by a call that counts as `cost`.
pub struct Rule {
    /// What is counted, e.g. `chat:-100123`.
    pub key: String,
    pub rate: Rate,
    pub cost: u64,
}

/// How much a key may do.
#[derive(Clone, Copy)]
pub enum Rate {
    /// At most `limit` within any `window`.
    Window { limit: u64, window: TimeDelta },
    /// After a call of cost n nothing for n times `each`; the first call is always let in.
    Gate { each: TimeDelta },
}

/// What every key did lately.
#[derive(Default)]
pub struct Paces {
    windows: HashMap<String, VecDeque<(DateTime<Utc>, u64)>>,
    gates: HashMap<String, DateTime<Utc>>,
}

impl Paces {
    /// Counts the call under all rules, or under none and says how long to wait.
    pub fn take(&mut self, rules: &[Rule], now: DateTime<Utc>) -> Result<(), TimeDelta> {
        let wait = rules.iter().map(|rule| self.wait(rule, now)).max().unwrap_or_else(TimeDelta::zero);
        if wait > TimeDelta::zero() {
            return Err(wait);
        }
        for rule in rules {
            match rule.rate {
                Rate::Window { .. } => {
                    self.windows.entry(rule.key.clone()).or_default().push_back((now, rule.cost));
                }
                Rate::Gate { each } => {
                    let cost = i32::try_from(rule.cost).unwrap_or(i32::MAX);
                    self.gates.insert(rule.key.clone(), now + each * cost);
                }
            }
        }
        self.forget(now);
        Ok(())
    }

    fn wait(&mut self, rule: &Rule, now: DateTime<Utc>) -> TimeDelta {
        match rule.rate {
            Rate::Gate { .. } => self.gates.get(&rule.key).map_or_else(TimeDelta::zero, |free| *free - now),
            Rate::Window { limit, window } => {
                let Some(events) = self.windows.get_mut(&rule.key) else { return TimeDelta::zero() };
                while events.front().is_some_and(|(at, _)| *at + window <= now) {
                    events.pop_front();
                }
                let mut used: u64 = events.iter().map(|(_, cost)| cost).sum();
                let mut wait = TimeDelta::zero();
                for (at, cost) in &*events {
                    if used + rule.cost <= limit {
                        break;
                    }
                    used -= cost;
                    wait = *at + window - now;
                }
                wait
            }
        }
    }

    /// Keeps the maps bounded: keys that limit nothing any more go when there are many.
    fn forget(&mut self, now: DateTime<Utc>) {
        if self.gates.len() > KEYS {
            self.gates.retain(|_, free| *free > now);
        }
        if self.windows.len() > KEYS {
            let day = TimeDelta::days(1);
            self.windows.retain(|_, events| events.back().is_some_and(|(at, _)| *at + day > now));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Paces, Rate, Rule};
    use chrono::{DateTime, TimeDelta};

    fn rule(rate: Rate, cost: u64) -> [Rule; 1] {
        [Rule { key: "k".to_owned(), rate, cost }]
    }

    #[test]
    fn a_window_lets_in_again_when_enough_has_left_it() {
        let minute = Rate::Window { limit: 3, window: TimeDelta::seconds(60) };
        let mut paces = Paces::default();
        // (second, cost, seconds to wait; 0 is let in)
        let calls = [(0, 2, 0), (10, 1, 0), (20, 1, 40), (59, 2, 1), (60, 2, 0), (61, 1, 9), (70, 1, 0)];
        for (second, cost, wait) in calls {
            let now = DateTime::UNIX_EPOCH + TimeDelta::seconds(second);
            let expected = if wait == 0 { Ok(()) } else { Err(TimeDelta::seconds(wait)) };
            assert_eq!(paces.take(&rule(minute, cost), now), expected, "at second {second}");
        }
    }

    #[test]
    fn a_gate_closes_for_as_long_as_the_call_cost() {
        let gate = Rate::Gate { each: TimeDelta::seconds(1) };
        let mut paces = Paces::default();
        let at = |ms| DateTime::UNIX_EPOCH + TimeDelta::milliseconds(ms);
        assert_eq!(paces.take(&rule(gate, 10), at(0)), Ok(()));
        assert_eq!(paces.take(&rule(gate, 1), at(9_500)), Err(TimeDelta::milliseconds(500)));
        assert_eq!(paces.take(&rule(gate, 1), at(10_000)), Ok(()));
    }

    #[test]
    fn a_call_that_one_rule_refuses_counts_under_none() {
        let mut paces = Paces::default();
        let day = Rate::Window { limit: 1, window: TimeDelta::days(1) };
        let both = |a: &str, b: &str| [a, b].map(|key| Rule { key: key.to_owned(), rate: day, cost: 1 });
        assert!(paces.take(&both("a", "b"), DateTime::UNIX_EPOCH).is_ok());
        assert!(paces.take(&both("a", "c"), DateTime::UNIX_EPOCH).is_err());
        assert!(paces.take(&both("c", "d"), DateTime::UNIX_EPOCH).is_ok());
    }
}
