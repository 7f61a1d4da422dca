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
