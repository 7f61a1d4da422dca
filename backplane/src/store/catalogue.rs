//! The proof, taken from Postgres's own catalogue, that a brand sees its own rows only.
//!
//! Every process asks for it at start-up and refuses to start when anything is wrong: a login that
//! owns its tables or bypasses row-level security would make every policy void without a word.

use super::{Scope, Store, StoreError, Unreachable};

/// Tables that belong to no brand, organisation or user, and so have no policies.
const SHARED_TABLES: [&str; 4] = ["_sqlx_migrations", "installation", "rate_budgets", "workers"];

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the database does not keep tenants apart, so nothing is served: {}", .0.join("; "))]
    NotIsolated(Vec<String>),
}

/// Checks that every tenant table enforces row-level security on this login, that the login owns
/// and bypasses nothing, and that no column is of an enum type (their operators are not leakproof,
/// which turns indexes off under row-level security).
///
/// # Errors
/// [`CatalogueError::NotIsolated`] with everything that is wrong, each with what to do.
pub async fn prove(store: &Store) -> Result<(), CatalogueError> {
    store.reach().await?;
    let mut tx = store.begin(&Scope::Shared).await?;
    let shared: Vec<String> = SHARED_TABLES.map(str::to_owned).to_vec();
    let mut wrong = sqlx::query_scalar!(
        r#"
        with tables as (
            select c.oid, c.relname, c.relkind, c.relrowsecurity, c.relforcerowsecurity, c.relowner, c.reloptions
              from pg_class c
             where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm'))
        select format('table %s has no forced row-level security: enable and force it', relname) as "wrong!"
          from tables
         where relkind in ('r', 'p') and relname <> all ($1) and not (relrowsecurity and relforcerowsecurity)
        union all
        select format('table %s has no policy: add one', relname) from tables
         where relkind in ('r', 'p') and relname <> all ($1)
           and not exists (select from pg_policy p where p.polrelid = tables.oid)
        union all
        select format('table %s has a brand_id and is listed as shared: give it policies', relname) from tables
         where relkind in ('r', 'p') and relname = any ($1)
           and exists (select from pg_attribute a where a.attrelid = tables.oid and a.attname = 'brand_id'
                       and not a.attisdropped)
        union all
        select format('view %s runs as its owner: make it security_invoker', relname) from tables
         where relkind in ('v', 'm') and not coalesce('security_invoker=true' = any (reloptions), false)
        union all
        select format('the login owns table %s: use a login that owns nothing', relname) from tables
         where pg_has_role(current_user, relowner, 'member')
        union all
        select format('column %s.%s is an enum: make it text with a check', relname, a.attname)
          from tables join pg_attribute a on a.attrelid = tables.oid and a.attnum > 0 and not a.attisdropped
          join pg_type t on t.oid = a.atttypid
         where t.typtype = 'e'
        "#,
        &shared,
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    let login = sqlx::query!(
        r#"
        select rolname as "name!", rolsuper as "superuser!", rolbypassrls as "bypasses!"
          from pg_roles where pg_has_role(current_user, oid, 'member') and (rolsuper or rolbypassrls)
        "#
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(StoreError::from)?;
    wrong.extend(login.into_iter().map(|role| {
        format!("the login may act as {}, which bypasses row-level security: use another login", role.name)
    }));
    let migrated = sqlx::query_scalar!(r#"select to_regclass('public.jobs') is not null as "migrated!""#)
        .fetch_one(&mut *tx)
        .await
        .map_err(StoreError::from)?;
    if !migrated {
        wrong.push("the schema is not there: run `reelmill migrate`".to_owned());
    }
    if wrong.is_empty() { Ok(()) } else { Err(CatalogueError::NotIsolated(wrong)) }
}
