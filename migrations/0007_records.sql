-- Answers kept for repeated calls, and the record of who did what.

create table idempotency_keys (
    -- A user or an API key.
    actor_id uuid not null,
    key text not null check (length(key) between 1 and 200),
    -- SHA-256 of mutation name and input.
    request_hash bytea not null,
    -- What the repeat is answered with: ids and user errors, from which the payload is built again.
    answer jsonb,
    created_at timestamptz not null default now(),
    primary key (actor_id, key)
);
create index idempotency_keys_age on idempotency_keys (created_at);

create table audit_log (
    id uuid primary key,
    organization_id uuid not null,
    -- Null for what concerns the organisation.
    brand_id uuid,
    at timestamptz not null default now(),
    actor_kind text not null check (actor_kind in ('USER', 'API_KEY', 'SYSTEM')),
    actor_id uuid,
    -- As it was then.
    actor_name text not null,
    action text not null,
    -- A global id of the public API.
    subject_id text not null,
    -- [{"field", "before", "after"}], never a secret
    changes jsonb not null default '[]'
);
create index audit_log_brand on audit_log (brand_id, at desc, id desc);
create index audit_log_organization on audit_log (organization_id, at desc, id desc);

alter table idempotency_keys enable row level security;
alter table idempotency_keys force row level security;
create policy by_actor on idempotency_keys to reelmill_api
    using (actor_id = (select scope_actor())) with check (actor_id = (select scope_actor()));
grant select, insert, update, delete on idempotency_keys to reelmill_api;

alter table audit_log enable row level security;
alter table audit_log force row level security;
create policy by_scope on audit_log to reelmill_api, reelmill_worker
    using (brand_id = any ((select scope_brands())::uuid[]) or organization_id = any ((select scope_organizations())::uuid[]))
    with check (brand_id = any ((select scope_brands())::uuid[])
        or (brand_id is null and (organization_id = any ((select scope_organizations())::uuid[]) or (select scope_sign_in()))));
-- Nobody changes or removes a line of it.
grant select, insert on audit_log to reelmill_api, reelmill_worker;
