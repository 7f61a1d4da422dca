//! Listing keys in order, a page at a time, whatever the number of objects.

use std::{collections::BTreeMap, fs, io::ErrorKind, path::PathBuf};

use super::{
    key,
    object::Object,
    store::{Store, StoreError, read_record},
};

/// What to list.
#[derive(Debug)]
pub(super) struct Query<'a> {
    pub bucket: &'a str,
    pub prefix: &'a str,
    pub delimiter: Option<&'a str>,
    /// Only keys (and groups) after this one.
    pub after: Option<&'a str>,
    /// 1 to 1,000.
    pub limit: usize,
}

/// One line of a page.
#[derive(Debug)]
pub(super) enum Entry {
    Object(Box<Object>),
    /// All keys that share what comes before the delimiter.
    Group,
}

/// A page in the order of keys.
#[derive(Debug)]
pub(super) struct Page {
    pub entries: Vec<(String, Entry)>,
    pub truncated: bool,
}

impl Store {
    /// Walks the records below the prefix's folder and keeps the first `limit`: memory is bounded, time is not.
    pub(super) fn list(&self, query: &Query<'_>) -> Result<Page, StoreError> {
        let bucket = self.bucket(query.bucket)?;
        let start = match query.prefix.rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/"),
            None => String::new(),
        };
        let mut first: BTreeMap<String, Option<PathBuf>> = BTreeMap::new();
        let mut folders = vec![(bucket.join(key::folder_of_prefix(query.prefix)), start)];
        while let Some((folder, start)) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                entries => entries?,
            };
            for entry in entries {
                let entry = entry?;
                let name = entry.file_name();
                let Some(name) = name.to_str() else { continue };
                if entry.file_type()?.is_dir() {
                    folders
                        .extend(key::folder_name(name).map(|name| (entry.path(), format!("{start}{name}/"))));
                } else if let Some(name) = key::record_name(name) {
                    keep(query, &mut first, format!("{start}{name}"), entry.path());
                }
            }
        }
        let truncated = first.len() > query.limit;
        let mut entries = Vec::with_capacity(query.limit.min(first.len()));
        for (key, path) in first.into_iter().take(query.limit) {
            match path {
                None => entries.push((key, Entry::Group)),
                // Deleted since we saw it: not there.
                Some(path) => entries.extend(
                    read_record::<Object>(&path)?.map(|object| (key, Entry::Object(Box::new(object)))),
                ),
            }
        }
        Ok(Page { entries, truncated })
    }
}

/// Keeps one more than the limit, which is how a page knows that it is not the last.
fn keep(query: &Query<'_>, first: &mut BTreeMap<String, Option<PathBuf>>, key: String, path: PathBuf) {
    let Some(rest) = key.strip_prefix(query.prefix) else { return };
    let group = query.delimiter.and_then(|delimiter| {
        rest.find(delimiter).map(|at| key[..query.prefix.len() + at + delimiter.len()].to_owned())
    });
    let (name, path) = match group {
        Some(group) => (group, None),
        None => (key, Some(path)),
    };
    if query.after.is_none_or(|after| name.as_str() > after) {
        first.insert(name, path);
        if first.len() > query.limit + 1 {
            first.pop_last();
        }
    }
}
