//! What a transaction may see.

use std::fmt::Write;

use uuid::Uuid;

/// The rows that a transaction is for. The role of the login decides which tables at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Reads and writes of one brand: every mutation and every job. `actor` is the user or key that
    /// asks (idempotency keys and OAuth states are theirs), `None` for a job.
    Brand { brand: Uuid, actor: Option<Uuid> },
    /// Reads across brands, for lists and loaders. `colleagues`: organisations whose people may be
    /// read by name.
    Brands { brands: Vec<Uuid>, colleagues: Vec<Uuid>, actor: Option<Uuid> },
    /// Reads and writes of an organisation itself: members, keys, its list of brands, its audit log.
    Organization { organization: Uuid, actor: Option<Uuid> },
    /// Finding out who asks: sessions, keys, invitations, users, and what they may see.
    SignIn,
    /// Relay and sweeper: jobs of every brand, and nothing else.
    Relay,
    /// A worker renewing its leases: the jobs that it holds, of whatever brand, and nothing else.
    Holder { holder: Uuid },
    /// What belongs to no brand: rate budgets and the list of workers.
    Shared,
}

impl Scope {
    /// One brand, on behalf of a job.
    #[must_use]
    pub const fn brand(brand: Uuid) -> Self {
        Self::Brand { brand, actor: None }
    }

    /// The statement that opens the transaction: one round trip for `BEGIN` and the settings, which
    /// end with it. Made of UUIDs and constants only, so there is nothing to escape.
    pub(super) fn begin_statement(&self) -> String {
        let mut sql = String::from("begin");
        let mut set = |name: &str, value: &str| {
            // Writing to a String cannot fail.
            let _ = write!(sql, "; set local {name} = '{value}'");
        };
        match self {
            Self::Brand { brand, actor } => {
                set("app.brands", &array(&[*brand]));
                set_actor(&mut set, *actor);
            }
            Self::Brands { brands, colleagues, actor } => {
                set("transaction_read_only", "on");
                set("app.brands", &array(brands));
                set("app.colleagues", &array(colleagues));
                set_actor(&mut set, *actor);
            }
            Self::Organization { organization, actor } => {
                set("app.organizations", &array(&[*organization]));
                set("app.colleagues", &array(&[*organization]));
                set_actor(&mut set, *actor);
            }
            Self::SignIn => set("app.sign_in", "on"),
            Self::Holder { holder } => set("app.holder", &holder.to_string()),
            Self::Relay | Self::Shared => {}
        }
        sql
    }
}

fn set_actor(set: &mut impl FnMut(&str, &str), actor: Option<Uuid>) {
    if let Some(actor) = actor {
        set("app.actor", &actor.to_string());
    }
}

fn array(ids: &[Uuid]) -> String {
    let ids: Vec<String> = ids.iter().map(Uuid::to_string).collect();
    format!("{{{}}}", ids.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_opens_with_what_it_may_see() {
        let id = Uuid::from_u128(7);
        let text = "00000000-0000-0000-0000-000000000007";
        assert_eq!(Scope::brand(id).begin_statement(), format!("begin; set local app.brands = '{{{text}}}'"));
        assert_eq!(Scope::Relay.begin_statement(), "begin");
        let reading = Scope::Brands { brands: vec![], colleagues: vec![], actor: None };
        assert!(reading.begin_statement().starts_with("begin; set local transaction_read_only = 'on'"));
    }
}
