-- What comes in (assets and their uploads) and what is made of it.

create table media_assets (
    id uuid primary key,
    brand_id uuid not null references brands (id),
    source text not null check (source in ('INSTAGRAM', 'UPLOAD')),
    account_id uuid,
    kind text not null check (kind in ('IMAGE', 'VIDEO', 'CAROUSEL')),
    state text not null check (state in ('UPLOADING', 'FETCHING', 'PROBING', 'READY', 'REJECTED', 'DELETED')),
    problem_code text,
    problem_message text,
    problem_remedy text,
    problem_since timestamptz,
    problem_retry_at timestamptz,
    filename text,
    caption text,
    -- Words of caption and file name in lower case; searched within one brand's rows.
    search_text text generated always as (lower(coalesce(caption, '') || ' ' || coalesce(filename, ''))) stored,
    posted_at timestamptz,
    external_id text,
    external_url text,
    -- Came in a carousel: shown inside it, not beside it.
    in_carousel boolean not null default false,
    object_key text,
    content_type text,
    bytes bigint,
    -- SHA-256 of the file; of a carousel, of its items' hashes in order.
    content_hash bytea,
    -- domain::media_info::MediaInfo
    info jsonb,
    thumbnail_key text,
    -- By when it lists: posted there, else made here.
    listed_at timestamptz not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (brand_id, id),
    foreign key (brand_id, account_id) references social_accounts (brand_id, id)
);
-- Ingested once; a deleted one stays as a row, so that it does not come back.
create unique index media_assets_external on media_assets (brand_id, account_id, external_id) where external_id is not null;
create index media_assets_list on media_assets (brand_id, listed_at desc, id desc) where not in_carousel and state <> 'DELETED';
create index media_assets_list_all on media_assets (brand_id, listed_at desc, id desc);
create index media_assets_state on media_assets (brand_id, state, listed_at desc, id desc) where state in ('UPLOADING', 'FETCHING', 'PROBING', 'REJECTED');
create index media_assets_problem on media_assets (brand_id, problem_since desc, id desc) where problem_code is not null;
create index media_assets_changed on media_assets (brand_id, updated_at);
-- Housekeeping asks which files are still named.
create index media_assets_object on media_assets (object_key) where object_key is not null;
create index media_assets_thumbnail on media_assets (thumbnail_key) where thumbnail_key is not null;
create index media_assets_hash on media_assets (brand_id, content_hash);

create table carousel_items (
    brand_id uuid not null,
    carousel_id uuid not null,
    position smallint not null,
    item_id uuid not null,
    primary key (carousel_id, position),
    foreign key (brand_id, carousel_id) references media_assets (brand_id, id) on delete cascade,
    foreign key (brand_id, item_id) references media_assets (brand_id, id)
);
create index carousel_items_item on carousel_items (item_id);

create table uploads (
    id uuid primary key,
    brand_id uuid not null,
    asset_id uuid not null unique,
    -- The object store's own name for the multipart upload.
    storage_upload_id text not null,
    object_key text not null,
    content_type text not null,
    bytes bigint not null check (bytes between 1 and 4294967296),
    part_bytes int not null,
    part_count int not null,
    -- What the client says that the whole file is, hex decoded.
    declared_sha256 bytea,
    expires_at timestamptz not null,
    completed_at timestamptz,
    created_at timestamptz not null default now(),
    unique (brand_id, id),
    foreign key (brand_id, asset_id) references media_assets (brand_id, id) on delete cascade
);
create index uploads_expiry on uploads (brand_id, expires_at) where completed_at is null;

create table transcoded_media (
    id uuid primary key,
    brand_id uuid not null,
    -- The asset whose file is read; others with the same content share the result.
    asset_id uuid not null,
    content_hash bytea not null,
    -- domain::operation::Operation and its key
    operation jsonb not null,
    operation_key text not null,
    engine_version int not null,
    kind text not null check (kind in ('PASSTHROUGH', 'REMUX', 'TRANSCODE')),
    state text not null default 'QUEUED' check (state in ('QUEUED', 'RUNNING', 'DONE', 'FAILED')),
    progress real not null default 0 check (progress between 0 and 1),
    problem_code text,
    problem_message text,
    problem_remedy text,
    problem_since timestamptz,
    problem_retry_at timestamptz,
    object_key text,
    content_type text,
    info jsonb,
    sha256 bytea,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (brand_id, id),
    -- Identical work of a brand is found and not done again.
    unique (brand_id, content_hash, operation_key, engine_version),
    foreign key (brand_id, asset_id) references media_assets (brand_id, id)
);
create index transcoded_media_object on transcoded_media (object_key) where object_key is not null;
create index transcoded_media_asset on transcoded_media (asset_id);

create table transcode_profiles (
    brand_id uuid not null,
    transcoded_id uuid not null,
    profile text not null,
    primary key (transcoded_id, profile),
    foreign key (brand_id, transcoded_id) references transcoded_media (brand_id, id) on delete cascade
);

do $$
declare
    name text;
begin
    foreach name in array array['media_assets', 'carousel_items', 'uploads', 'transcoded_media', 'transcode_profiles'] loop
        execute format('alter table %I enable row level security', name);
        execute format('alter table %I force row level security', name);
        execute format('create policy by_brand on %I to reelmill_api, reelmill_worker
            using (brand_id = any ((select scope_brands())::uuid[]))
            with check (brand_id = any ((select scope_brands())::uuid[]))', name);
        execute format('grant select, insert, update, delete on %I to reelmill_api, reelmill_worker', name);
    end loop;
end
$$;
