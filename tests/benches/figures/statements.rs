//! Counts SQL statements as Postgres executes them, by the role that asks: transactions' own (`begin`, `set`, `commit`)
//! are statements like any other. What the bench itself asks runs under a role of its own and is not counted.

use backplane::migrate::Role;
use secrecy::ExposeSecret as _;
use sqlx::{PgPool, postgres::PgPoolOptions};
use tests::{World, services::services};

/// The counter of one world's database.
pub struct Statements {
    admin: PgPool,
    database: String,
}

impl Statements {
    /// # Panics
    /// When the cluster does not count: `make bench` starts one that does (`pg_stat_statements`).
    pub async fn of(world: &World) -> Self {
        let url = services().await.admin_url.expose_secret();
        let admin = PgPoolOptions::new().max_connections(1).connect(url).await.unwrap();
        sqlx::query("create extension if not exists pg_stat_statements").execute(&admin).await.unwrap();
        let database = "select current_database()::text";
        let database = sqlx::query_scalar(database).fetch_one(&world.database.pool).await.unwrap();
        Self { admin, database }
    }

    /// Begins anew.
    pub async fn reset(&self) {
        let reset = "select pg_stat_statements_reset(0, (select oid from pg_database where datname = $1), 0)";
        sqlx::query(reset).bind(&self.database).execute(&self.admin).await.unwrap();
    }

    /// How many statements this role had executed since then.
    pub async fn of_role(&self, role: Role) -> i64 {
        let count = "select coalesce(sum(calls), 0)::int8 from pg_stat_statements \
            where userid = (select oid from pg_roles where rolname = $1) \
              and dbid = (select oid from pg_database where datname = $2)";
        let count = sqlx::query_scalar(count).bind(role.name()).bind(&self.database);
        count.fetch_one(&self.admin).await.unwrap()
    }
}
