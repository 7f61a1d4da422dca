-- Connected network accounts, their secrets (a table of their own) and OAuth in flight.

create table social_accounts (
    id uuid primary key,
    brand_id uuid not null references brands (id),
    platform text not null,
    external_id text not null,
    handle text not null,
    avatar_url text,
    state text not null check (state in ('CONNECTED', 'NEEDS_RECONNECT', 'DISCONNECTED')),
    problem_code text,
    problem_message text,
    problem_remedy text,
    problem_since timestamptz,
    problem_retry_at timestamptz,
    paused boolean not null default false,
    -- What a person chose, and what there is to choose, by key.
    settings jsonb not null default '{}',
    setting_specs jsonb not null default '[]',
    token_expires_at timestamptz,
    -- A refresh token goes on working: expiry of the access token needs nobody.
    refreshable boolean not null default false,
    checked_at timestamptz,
    connected_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (brand_id, id),
    unique (brand_id, platform, external_id)
);
create index social_accounts_list on social_accounts (brand_id, platform, handle, id);
create index social_accounts_problem on social_accounts (brand_id, problem_since desc, id desc) where problem_code is not null;
create index social_accounts_changed on social_accounts (brand_id, updated_at);
-- Is this network account connected to another brand of the organisation as well? Asked when connecting.

create table account_secrets (
    brand_id uuid not null,
    account_id uuid not null,
    -- access or refresh
    name text not null check (name in ('access', 'refresh')),
    sealed bytea not null,
    -- Kept until the new one has worked.
    previous bytea,
    issued_at timestamptz not null default now(),
    expires_at timestamptz,
    primary key (account_id, name),
    foreign key (brand_id, account_id) references social_accounts (brand_id, id) on delete cascade
);

create table oauth_states (
    state_hash bytea primary key,
    brand_id uuid not null references brands (id),
    -- The session or key that asked: nobody else may finish it.
    actor_id uuid not null,
    platform text not null,
    redirect_url text not null,
    -- Connects this account again and no other.
    account_id uuid,
    -- What OAuth gave access to, waiting for a choice; secrets are sealed for the account ids in it.
    found jsonb,
    expires_at timestamptz not null,
    created_at timestamptz not null default now(),
    foreign key (brand_id, account_id) references social_accounts (brand_id, id) on delete cascade
);
create index oauth_states_expiry on oauth_states (expires_at);

create table ingest_cursors (
    brand_id uuid not null,
    account_id uuid primary key,
    running boolean not null default false,
    found int not null default 0,
    -- Posts at least as old as this and known are where an ordinary run stops.
    newest_posted_at timestamptz,
    -- Where a run that goes on stands, and how far back it goes.
    page_after text,
    since timestamptz,
    back_catalogue boolean not null default false,
    started_at timestamptz,
    finished_at timestamptz,
    next_at timestamptz,
    problem_code text,
    problem_message text,
    problem_remedy text,
    problem_since timestamptz,
    problem_retry_at timestamptz,
    foreign key (brand_id, account_id) references social_accounts (brand_id, id) on delete cascade
);

do $$
declare
    name text;
begin
    foreach name in array array['social_accounts', 'account_secrets', 'oauth_states', 'ingest_cursors'] loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
    end loop;
end
$$;
create policy by_brand on social_accounts to reelmill_api, reelmill_worker
    using (brand_id = any ((select scope_brands())::uuid[])) with check (brand_id = any ((select scope_brands())::uuid[]));
create policy by_brand on ingest_cursors to reelmill_api, reelmill_worker
    using (brand_id = any ((select scope_brands())::uuid[])) with check (brand_id = any ((select scope_brands())::uuid[]));
create policy by_brand on account_secrets to reelmill_api, reelmill_publisher
    using (brand_id = any ((select scope_brands())::uuid[])) with check (brand_id = any ((select scope_brands())::uuid[]));
-- The state is found by its hash before the brand is known; it is of use to its actor only.
create policy by_actor on oauth_states to reelmill_api
    using (actor_id = (select scope_actor()) or (select scope_sign_in()))
    with check (brand_id = any ((select scope_brands())::uuid[]) and actor_id = (select scope_actor()));

grant select, insert, update on social_accounts to reelmill_api;
grant select, update on social_accounts to reelmill_worker;
-- The control plane writes sealed tokens and cannot read them.
grant insert (brand_id, account_id, name, sealed, previous, issued_at, expires_at),
      update (sealed, previous, issued_at, expires_at), delete on account_secrets to reelmill_api;
grant select (brand_id, account_id, name) on account_secrets to reelmill_api;
grant select, insert, update, delete on account_secrets to reelmill_publisher;
grant select, insert, update, delete on oauth_states to reelmill_api;
grant select, insert, update on ingest_cursors to reelmill_api, reelmill_worker;
