//! A map that survives a restart: rows in memory, every change a line of a journal.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::journal::{Journal, StorageError};

/// How many superseded lines a file may carry before it is rewritten at start.
const SLACK: usize = 1000;

#[derive(Serialize, Deserialize)]
struct Line<T> {
    key: String,
    row: T,
}

/// Rows of one kind by key.
pub struct Table<T> {
    rows: BTreeMap<String, T>,
    journal: Journal,
}

impl<T: Clone + Serialize + DeserializeOwned> Table<T> {
    /// Loads `name` from the state directory.
    pub fn open(dir: &Path, name: &str) -> Result<Self, StorageError> {
        Self::open_keeping(dir, name, |_| true)
    }

    /// Loads the rows of `name` for which `keep` holds, and forgets the others.
    pub fn open_keeping(dir: &Path, name: &str, keep: impl Fn(&T) -> bool) -> Result<Self, StorageError> {
        let (mut journal, lines) = Journal::open::<Line<T>>(dir.join(format!("{name}.jsonl")))?;
        let written = lines.len();
        let mut rows: BTreeMap<String, T> = lines.into_iter().map(|line| (line.key, line.row)).collect();
        rows.retain(|_, row| keep(row));
        if written > rows.len() + SLACK {
            let lines: Vec<_> =
                rows.iter().map(|(key, row)| Line { key: key.clone(), row: row.clone() }).collect();
            journal.rewrite(&lines)?;
        }
        Ok(Self { rows, journal })
    }

    pub fn get(&self, key: &str) -> Option<&T> {
        self.rows.get(key)
    }

    pub fn rows(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    /// Writes a row, new or changed.
    pub fn put(&mut self, key: &str, row: T) -> Result<(), StorageError> {
        let line = Line { key: key.to_owned(), row };
        self.journal.append(&line)?;
        self.rows.insert(line.key, line.row);
        Ok(())
    }

    /// Changes a row that exists; a missing one is left missing.
    pub fn change(&mut self, key: &str, change: impl FnOnce(&mut T)) -> Result<(), StorageError> {
        let Some(row) = self.rows.get(key) else { return Ok(()) };
        let mut row = row.clone();
        change(&mut row);
        self.put(key, row)
    }

    /// Changes every row for which `which` holds.
    pub fn change_where(
        &mut self,
        which: impl Fn(&T) -> bool,
        change: impl Fn(&mut T),
    ) -> Result<(), StorageError> {
        let keys: Vec<_> =
            self.rows.iter().filter(|(_, row)| which(row)).map(|(key, _)| key.clone()).collect();
        keys.iter().try_for_each(|key| self.change(key, &change))
    }
}
