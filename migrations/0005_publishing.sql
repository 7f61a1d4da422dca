-- Captions, publish jobs, their targets, and the record of every step and attempt.

create table adapted_captions (
    id uuid primary key,
    brand_id uuid not null references brands (id),
    platform text not null,
    title text,
    text text not null,
    length int not null,
    max_length int not null,
    author text not null check (author in ('ORIGINAL', 'RULES', 'MODEL', 'PERSON')),
    created_at timestamptz not null default now(),
    unique (brand_id, id)
);

create table publish_jobs (
    id uuid primary key,
    brand_id uuid not null references brands (id),
    name text,
    captions text not null check (captions in ('ADAPT', 'ORIGINAL')),
    created_by uuid,
    -- Null: a draft that nobody submitted yet.
    submitted_at timestamptz,
    cancelled_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (brand_id, id)
);
create index publish_jobs_list on publish_jobs (brand_id, created_at desc, id desc);
create index publish_jobs_changed on publish_jobs (brand_id, updated_at);

create table publish_targets (
    id uuid primary key,
    brand_id uuid not null,
    job_id uuid not null,
    -- In the order of the job's posts, then of its destinations.
    position int not null,
    asset_id uuid not null,
    account_id uuid not null,
    platform text not null,
    placement text check (placement in ('FEED', 'REEL', 'STORY')),
    -- Null until the asset is probed.
    profile text,
    framing text check (framing in ('WHOLE', 'CROP', 'PAD')),
    -- The text to adapt: of the post, else of the asset.
    source_caption text,
    caption_id uuid,
    -- What to do differently when the caption is written anew.
    caption_instruction text,
    state text not null check (state in ('DRAFT', 'PREPARING', 'AWAITING_APPROVAL', 'SCHEDULED', 'PUBLISHING', 'PUBLISHED',
                                         'FAILED', 'UNCONFIRMED', 'NEEDS_ATTENTION', 'CANCELLED')),
    problem_code text,
    problem_message text,
    problem_remedy text,
    problem_since timestamptz,
    problem_retry_at timestamptz,
    revision int not null default 1,
    -- Rises with every change of what will be posted; an approval is of one content.
    content_revision int not null default 1,
    approval_required boolean not null default false,
    approved_content_revision int,
    scheduled_at timestamptz,
    -- When it may leave: scheduled_at, else when it became ready.
    due_at timestamptz,
    cancelled_at timestamptz,
    published_at timestamptz,
    external_id text,
    external_url text,
    attempts int not null default 0,
    -- What and where, for the guard against posting it twice. The asset's id until its content is known.
    content_key bytea not null,
    duplicate_allowed boolean not null default false,
    -- By when it lists: published, else scheduled; those without either last.
    listed_at timestamptz generated always as (coalesce(published_at, scheduled_at, 'infinity')) stored,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (brand_id, id),
    unique (job_id, position),
    foreign key (brand_id, job_id) references publish_jobs (brand_id, id),
    foreign key (brand_id, asset_id) references media_assets (brand_id, id),
    foreign key (brand_id, account_id) references social_accounts (brand_id, id),
    foreign key (brand_id, caption_id) references adapted_captions (brand_id, id)
);
-- A pair (content, account) that is published, under way or undecided exists once, unless allowed.
create unique index one_content_per_account on publish_targets (account_id, content_key)
    where not duplicate_allowed and state not in ('FAILED', 'CANCELLED');
-- A post of a network belongs to one target.
create unique index one_target_per_post on publish_targets (account_id, external_id) where external_id is not null;
create index publish_targets_list on publish_targets (brand_id, listed_at, id);
create index publish_targets_state on publish_targets (brand_id, state, listed_at, id);
create index publish_targets_account on publish_targets (account_id, state);
create index publish_targets_asset on publish_targets (asset_id, created_at desc, id desc);
-- Has this account had this content? Asked for every pair of a new job, allowed repeats included.
create index publish_targets_content on publish_targets (account_id, content_key);
create index publish_targets_waiting on publish_targets (asset_id, id) where state in ('DRAFT', 'PREPARING');
create index publish_targets_stuck on publish_targets (updated_at) where state = 'PREPARING';
create index publish_targets_undecided on publish_targets (account_id, id) where state in ('PUBLISHING', 'UNCONFIRMED', 'NEEDS_ATTENTION');
create index publish_targets_problem on publish_targets (brand_id, problem_since desc, id desc) where problem_code is not null;
create index publish_targets_changed on publish_targets (brand_id, updated_at);
create index publish_targets_counts on publish_targets (job_id, state);

create table target_media (
    brand_id uuid not null,
    target_id uuid not null,
    -- 0, or the item of a carousel.
    position smallint not null,
    transcoded_id uuid not null,
    primary key (target_id, position),
    foreign key (brand_id, target_id) references publish_targets (brand_id, id) on delete cascade,
    foreign key (brand_id, transcoded_id) references transcoded_media (brand_id, id)
);
create index target_media_transcoded on target_media (transcoded_id);

create table reviews (
    id uuid primary key,
    brand_id uuid not null,
    target_id uuid not null,
    revision int not null,
    decision text not null check (decision in ('APPROVE', 'REQUEST_CHANGES')),
    comment text,
    user_id uuid,
    at timestamptz not null default now(),
    foreign key (brand_id, target_id) references publish_targets (brand_id, id) on delete cascade
);
create index reviews_latest on reviews (target_id, at desc);

create table publish_steps (
    brand_id uuid not null,
    target_id uuid not null,
    part smallint not null,
    name text not null,
    input_hash text not null,
    -- False: begun and not done; `data` says how to go on.
    done boolean not null,
    remote_id text not null,
    expires_at timestamptz,
    data jsonb not null default 'null',
    updated_at timestamptz not null default now(),
    primary key (target_id, part, name),
    foreign key (brand_id, target_id) references publish_targets (brand_id, id) on delete cascade
);

create table publish_attempts (
    id uuid primary key,
    brand_id uuid not null,
    target_id uuid not null,
    part smallint not null default 0,
    epoch bigint not null,
    handle text,
    request_hash bytea not null,
    started_at timestamptz not null default now(),
    send_deadline timestamptz not null,
    outcome text check (outcome in ('created', 'refused', 'refused_for_now', 'not_sent', 'absent')),
    proof text,
    remote_id text,
    ended_at timestamptz,
    foreign key (brand_id, target_id) references publish_targets (brand_id, id)
);
create unique index one_open_attempt on publish_attempts (target_id) where outcome is null;
create unique index one_creation on publish_attempts (target_id, part) where outcome = 'created';
create index publish_attempts_target on publish_attempts (target_id, started_at);

do $$
declare
    name text;
begin
    foreach name in array array['adapted_captions', 'publish_jobs', 'publish_targets', 'target_media', 'reviews',
                                'publish_steps', 'publish_attempts'] loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy by_brand on %I to reelmill_api, reelmill_worker
            using (brand_id = any ((select scope_brands())::uuid[]))
            with check (brand_id = any ((select scope_brands())::uuid[]))', name);
        -- Attempts are never deleted, and neither are targets: they are the record.
        execute format('grant select, insert, update on %I to reelmill_api, reelmill_worker', name);
    end loop;
end
$$;
grant delete on target_media, publish_steps to reelmill_api, reelmill_worker;
