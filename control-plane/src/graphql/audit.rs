//! Writing the audit log: in the transaction of the change that it tells of.

use backplane::store::Tx;
use backplane::store::audit::{AuditRow, insert_audit};
use chrono::{DateTime, Utc};
use domain::id::{GlobalId, Noun};
use serde_json::{Value, json};
use uuid::Uuid;

use super::user_error::Stop;
use crate::auth::{Actor, Asker};

/// One line to be written.
#[derive(Clone, Debug)]
pub struct Entry {
    action: &'static str,
    subject: GlobalId,
    changes: Vec<Value>,
}

impl Entry {
    /// `action` is stable and public, e.g. `publish_target.approved`.
    #[must_use]
    pub const fn new(action: &'static str, noun: Noun, id: Uuid) -> Self {
        Self { action, subject: GlobalId::new(noun, id), changes: Vec::new() }
    }

    /// Adds a changed field, never a secret. Nothing is added when both are the same.
    #[must_use]
    pub fn change(mut self, field: &str, before: Option<String>, after: Option<String>) -> Self {
        if before != after {
            self.changes.push(json!({ "field": field, "before": before, "after": after }));
        }
        self
    }
}

/// Where a line belongs.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    Brand(Uuid),
    /// One that the asker did not see when the request began.
    NewBrand {
        organization: Uuid,
        brand: Uuid,
    },
    Organization(Uuid),
}

/// Writes lines of what `asker` did.
///
/// # Errors
/// When the statement fails.
pub async fn write(tx: &mut Tx, asker: &Asker, place: Place, entries: &[Entry]) -> Result<(), Stop> {
    let (organization_id, brand_id) = match place {
        // Whoever writes in a brand has access to it; without it row-level security refuses the line.
        Place::Brand(brand) => {
            (asker.brands.get(&brand).map_or(Uuid::nil(), |access| access.organization), Some(brand))
        }
        Place::NewBrand { organization, brand } => (organization, Some(brand)),
        Place::Organization(organization) => (organization, None),
    };
    let actor_kind = match asker.actor {
        Actor::User { .. } => "USER",
        Actor::ApiKey { .. } => "API_KEY",
    };
    let rows: Vec<AuditRow> = entries
        .iter()
        .map(|entry| AuditRow {
            id: Uuid::now_v7(),
            organization_id,
            brand_id,
            // Set by the database.
            at: DateTime::<Utc>::UNIX_EPOCH,
            actor_kind: actor_kind.to_owned(),
            actor_id: Some(asker.actor.id()),
            actor_name: asker.name.clone(),
            action: entry.action.to_owned(),
            subject_id: entry.subject.to_string(),
            changes: Value::Array(entry.changes.clone()),
        })
        .collect();
    Ok(insert_audit(tx, &rows).await?)
}
