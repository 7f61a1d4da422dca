-- The ledger of jobs: queue, outbox and lease in one. Inserting a row is the enqueue.
-- `state = 'ready'` and its like are always literals in the SQL text: as a bind parameter a generic
-- plan cannot prove the partial indexes. `lease_until` stays out of every index, so renewals are HOT.

create table jobs (
    id uuid primary key,
    brand_id uuid not null,
    kind text not null,
    -- 0: now; 1: bulk
    lane smallint not null default 1 check (lane in (0, 1)),
    subject uuid not null,
    state text not null default 'ready' check (state in ('ready', 'running', 'done', 'failed')),
    run_at timestamptz not null default now(),
    rung_at timestamptz,
    again boolean not null default false,
    attempt int not null default 0,
    -- Leases that expired: its workers crashed, and ten of them end the job.
    crashes int not null default 0,
    -- Deaths of the jailed child on the job's file: three of them end the job.
    deaths int not null default 0,
    epoch bigint not null default 0,
    holder uuid,
    lease_until timestamptz,
    last_error text,
    traceparent text,
    created_at timestamptz not null default now(),
    finished_at timestamptz
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
create unique index jobs_live on jobs (kind, subject) where state in ('ready', 'running');
create index jobs_waiting on jobs (kind, lane, brand_id, run_at, id) where state = 'ready' and rung_at is null;
create index jobs_rung on jobs (kind, lane, brand_id) where state = 'ready' and rung_at is not null;
create index jobs_running on jobs (kind, brand_id) where state = 'running';
create index jobs_ended on jobs (state, finished_at) where state in ('done', 'failed');

alter table jobs enable row level security;
alter table jobs force row level security;
create policy by_brand on jobs to reelmill_api, reelmill_worker
    using (brand_id = any ((select nullif(current_setting('app.brands', true), '')::uuid[])::uuid[]))
    with check (brand_id = any ((select nullif(current_setting('app.brands', true), '')::uuid[])::uuid[]));
create policy by_relay on jobs to reelmill_relay using (true) with check (true);
-- One statement of a process renews its leases in all brands: it sees the rows that it holds.
create policy by_holder on jobs to reelmill_worker
    using (holder = (select nullif(current_setting('app.holder', true), '')::uuid))
    with check (holder = (select nullif(current_setting('app.holder', true), '')::uuid));
grant select, insert, update on jobs to reelmill_api, reelmill_worker;
grant select, update, delete on jobs to reelmill_relay;

-- The sweeper finds targets that wait with nothing live behind them, and gauges count states. It
-- reads these columns of any brand and nothing else; what it finds is mended in the brand's scope.
grant select (id, brand_id, asset_id, state, updated_at) on publish_targets to reelmill_relay;
create policy by_relay on publish_targets for select to reelmill_relay using (true);

-- Processes that take jobs, seen at each renewal: how many slots are live decides the relay's window.
create table workers (
    id uuid not null,
    kind text not null,
    slots int not null check (slots > 0),
    seen_at timestamptz not null default now(),
    primary key (id, kind)
);
grant select, insert, update, delete on workers to reelmill_worker;
grant select, delete on workers to reelmill_relay;
grant select on workers to reelmill_api;

-- What a network counts, reserved before a call (GCRA): `tat` is when the budget is whole again.
create table rate_budgets (
    key text primary key,
    tat timestamptz not null default '-infinity',
    every interval not null,
    burst int not null
);
grant select, insert, update on rate_budgets to reelmill_worker;

-- One row. `held_since`: nothing is sent, e.g. after a restore, until a person releases it.
create table installation (
    singleton boolean primary key default true check (singleton),
    held_since timestamptz,
    hold_reason text
);
insert into installation default values;
grant select on installation to reelmill_api, reelmill_worker, reelmill_relay;
