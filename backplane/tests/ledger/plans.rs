//! The plans by which Postgres really runs what the store asks, as the extension `auto_explain` tells them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backplane::migrate::Role;
use backplane::store::{Store, StoreConfig};
use serde_json::Value;
use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry;

use crate::world::World;

/// How Postgres plans a prepared statement: it may choose either by itself, so both have to be good.
#[derive(Clone, Copy, Debug)]
pub enum Planned {
    /// For the very values.
    Custom,
    /// For any values.
    Generic,
}

/// A store whose every statement is explained, in this thread.
pub struct Explained {
    pub store: Store,
    notices: Notices,
    _listening: DefaultGuard,
}

/// One statement as it ran.
pub struct Run {
    /// The text that the store sent, in one line.
    pub sql: String,
    pub took: Duration,
    plan: Value,
}

impl Explained {
    /// The role's own view of a world's database.
    pub fn new(world: &World, role: Role, planned: Planned) -> Self {
        let mode = match planned {
            Planned::Custom => "force_custom_plan",
            Planned::Generic => "force_generic_plan",
        };
        let options = world.options().clone().options([
            ("session_preload_libraries", "auto_explain"),
            ("auto_explain.log_min_duration", "0"),
            ("auto_explain.log_format", "json"),
            ("auto_explain.log_level", "notice"),
            ("plan_cache_mode", mode),
            ("role", role.name()),
        ]);
        let notices = Notices::default();
        let listening = tracing::subscriber::set_default(registry().with(notices.clone()));
        let config = StoreConfig {
            options,
            connections_max: 1,
            acquire_timeout: Duration::from_secs(20),
            statement_timeout: Duration::from_secs(20),
        };
        Self { store: Store::connect(config), notices, _listening: listening }
    }

    /// What ran since this was asked last.
    pub fn runs(&self) -> Vec<Run> {
        let notices = std::mem::take(&mut *self.notices.0.lock().unwrap_or_else(PoisonError::into_inner));
        notices.iter().filter_map(|notice| Run::read(notice)).collect()
    }
}

impl Run {
    /// Reads `duration: 0.123 ms  plan:` and the JSON after it; other notices are none.
    fn read(notice: &str) -> Option<Self> {
        let (took, plan) = notice.strip_prefix("duration: ")?.split_once(" ms  plan:")?;
        let mut told: Value = serde_json::from_str(plan).unwrap();
        let sql = one_line(told["Query Text"].as_str().unwrap());
        Some(Self {
            sql,
            took: Duration::from_secs_f64(took.parse::<f64>().unwrap() / 1000.0),
            plan: told["Plan"].take(),
        })
    }

    /// The plan in short: the nodes with their tables or indexes, each before what it reads from.
    pub fn outline(&self) -> String {
        outline(&self.plan)
    }

    /// The tables that are read from end to end, if what reads them is run at all.
    pub fn scanned(&self) -> BTreeSet<String> {
        let mut scanned = BTreeSet::new();
        let mut nodes = vec![&self.plan];
        while let Some(node) = nodes.pop() {
            if node["One-Time Filter"] == "false" {
                continue;
            }
            if node["Node Type"] == "Seq Scan" {
                scanned.extend(node["Relation Name"].as_str().map(str::to_owned));
            }
            nodes.extend(node["Plans"].as_array().into_iter().flatten());
        }
        scanned
    }
}

fn outline(node: &Value) -> String {
    let text = |key: &str| node[key].as_str().unwrap_or_default();
    let on = if node["Index Name"].is_null() { text("Relation Name") } else { text("Index Name") };
    let below: Vec<String> = node["Plans"].as_array().into_iter().flatten().map(outline).collect();
    let below = if below.is_empty() { String::new() } else { format!(" ({})", below.join(", ")) };
    format!("{} {on}{}{below}", text("Node Type"), text("One-Time Filter"))
}

/// What Postgres says besides its answers; sqlx hands it to `tracing`.
#[derive(Clone, Default)]
struct Notices(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Notices {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "sqlx::postgres::notice" {
            let mut message = Message::default();
            event.record(&mut message);
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message.0);
        }
    }
}

#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

/// Every statement of the store that reads several rows and locks none, in one line, as its compile-time check
/// recorded it.
pub fn recorded_lists() -> BTreeSet<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../.sqlx");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let queries = files.map(|file| {
        let recorded: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        one_line(recorded["query"].as_str().unwrap())
    });
    queries.filter(|sql| is_list(sql)).collect()
}

fn is_list(sql: &str) -> bool {
    let writes = ["insert into ", "update ", "delete from ", "for update", "for share"];
    let several = [" limit ", "count(*) as \"count!\"", "= any($"];
    !writes.iter().any(|word| sql.contains(word)) && several.iter().any(|word| sql.contains(word))
}

fn one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}
