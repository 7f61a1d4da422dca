-- Organisations (agencies), the people and keys that act for them, and their brands (tenants).

create table organizations (
    id uuid primary key,
    name text not null check (length(name) between 1 and 200),
    created_at timestamptz not null default now()
);

create table users (
    id uuid primary key,
    -- Stored in lower case: an address is one person however it is typed.
    email text not null unique check (email = lower(email) and length(email) between 3 and 320),
    name text not null check (length(name) between 1 and 200),
    password_hash text not null,
    created_at timestamptz not null default now()
);

create table brands (
    id uuid primary key,
    organization_id uuid not null references organizations (id),
    name text not null check (length(name) between 1 and 200),
    timezone text not null,
    voice_prompt text not null default '',
    voice_hashtags text[] not null default '{}',
    voice_forbidden text[] not null default '{}',
    voice_language text,
    approval_required boolean not null default false,
    paused boolean not null default false,
    max_lateness_minutes int not null default 360 check (max_lateness_minutes between 1 and 43200),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (organization_id, id)
);
create index brands_by_name on brands (organization_id, name, id);

create table memberships (
    id uuid primary key,
    organization_id uuid not null references organizations (id),
    -- Null until the invitation is accepted.
    user_id uuid references users (id),
    email text not null check (email = lower(email)),
    role text not null check (role in ('OWNER', 'ADMIN', 'EDITOR', 'APPROVER', 'VIEWER')),
    all_brands boolean not null,
    created_at timestamptz not null default now(),
    unique (organization_id, email),
    unique (organization_id, id)
);
create unique index memberships_user on memberships (organization_id, user_id) where user_id is not null;
create index memberships_by_user on memberships (user_id);

create table membership_brands (
    organization_id uuid not null,
    membership_id uuid not null,
    brand_id uuid not null,
    primary key (membership_id, brand_id),
    foreign key (organization_id, membership_id) references memberships (organization_id, id) on delete cascade,
    foreign key (organization_id, brand_id) references brands (organization_id, id) on delete cascade
);
create index membership_brands_brand on membership_brands (brand_id);

create table invitations (
    token_hash bytea primary key,
    organization_id uuid not null,
    membership_id uuid not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    unique (membership_id),
    foreign key (organization_id, membership_id) references memberships (organization_id, id) on delete cascade
);

create table sessions (
    id uuid primary key,
    user_id uuid not null references users (id),
    token_hash bytea not null unique,
    kind text not null check (kind in ('TOKEN', 'COOKIE')),
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index sessions_user on sessions (user_id);

create table api_keys (
    id uuid primary key,
    organization_id uuid not null references organizations (id),
    name text not null check (length(name) between 1 and 200),
    role text not null check (role in ('OWNER', 'ADMIN', 'EDITOR', 'APPROVER', 'VIEWER')),
    all_brands boolean not null,
    secret_hash bytea not null unique,
    created_at timestamptz not null default now(),
    last_used_at timestamptz,
    expires_at timestamptz,
    revoked_at timestamptz,
    unique (organization_id, id)
);
create unique index api_keys_live_name on api_keys (organization_id, name) where revoked_at is null;

create table api_key_brands (
    organization_id uuid not null,
    api_key_id uuid not null,
    brand_id uuid not null,
    primary key (api_key_id, brand_id),
    foreign key (organization_id, api_key_id) references api_keys (organization_id, id) on delete cascade,
    foreign key (organization_id, brand_id) references brands (organization_id, id) on delete cascade
);
create index api_key_brands_brand on api_key_brands (brand_id);

-- The data key of each brand, wrapped by the master key that `master_key_id` names.
create table brand_keys (
    brand_id uuid primary key references brands (id) on delete cascade,
    master_key_id text not null,
    wrapped bytea not null,
    created_at timestamptz not null default now()
);

-- Policies. `organization_id` tables open in the scope of their organisation and while signing in.
do $$
declare
    name text;
begin
    foreach name in array array['organizations', 'users', 'brands', 'memberships', 'membership_brands', 'invitations',
                                'sessions', 'api_keys', 'api_key_brands', 'brand_keys'] loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
    end loop;
    foreach name in array array['membership_brands', 'invitations', 'api_keys', 'api_key_brands'] loop
        execute format('create policy by_organization on %I to reelmill_api
            using ((select scope_sign_in()) or organization_id = any ((select scope_organizations())::uuid[]))
            with check ((select scope_sign_in()) or organization_id = any ((select scope_organizations())::uuid[]))', name);
    end loop;
end
$$;

create policy by_organization on organizations to reelmill_api
    using ((select scope_sign_in()) or id = any ((select scope_organizations())::uuid[])
        or id = any ((select scope_colleagues())::uuid[]))
    with check ((select scope_sign_in()) or id = any ((select scope_organizations())::uuid[]));
create policy by_organization on memberships to reelmill_api
    using ((select scope_sign_in()) or organization_id = any ((select scope_organizations())::uuid[])
        or organization_id = any ((select scope_colleagues())::uuid[]))
    with check ((select scope_sign_in()) or organization_id = any ((select scope_organizations())::uuid[]));
create policy by_colleague on users to reelmill_api
    using ((select scope_sign_in())
        or exists (select from memberships m where m.user_id = users.id
                   and m.organization_id = any ((select scope_colleagues())::uuid[] || (select scope_organizations())::uuid[])))
    with check ((select scope_sign_in()));
create policy while_signing_in on sessions to reelmill_api
    using ((select scope_sign_in())) with check ((select scope_sign_in()));

create policy by_brand on brands to reelmill_api, reelmill_worker
    using (id = any ((select scope_brands())::uuid[]) or organization_id = any ((select scope_organizations())::uuid[])
        or (select scope_sign_in()))
    with check (id = any ((select scope_brands())::uuid[]) or organization_id = any ((select scope_organizations())::uuid[]));
create policy by_brand on brand_keys to reelmill_api, reelmill_worker
    using (brand_id = any ((select scope_brands())::uuid[]))
    with check (brand_id = any ((select scope_brands())::uuid[]));

grant select, insert, update, delete on organizations, users, memberships, membership_brands, invitations, sessions,
    api_keys, api_key_brands to reelmill_api;
grant select, insert, update on brands to reelmill_api;
grant select on brands to reelmill_worker;
-- The control plane seals with a brand's data key. Only publishers unwrap it to open.
grant select, insert on brand_keys to reelmill_api;
grant select, insert on brand_keys to reelmill_publisher;
