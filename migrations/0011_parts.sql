-- Long videos are encoded in parts by several workers, and joined.

create table transcode_parts (
    id uuid primary key,
    brand_id uuid not null,
    -- The file that it is a part of.
    transcoded_id uuid not null,
    -- Of the file's frames: a multiple of its group of pictures.
    first_frame bigint not null check (first_frame >= 0),
    frames bigint not null check (frames > 0),
    progress real not null default 0 check (progress between 0 and 1),
    -- Null until it is made.
    object_key text,
    updated_at timestamptz not null default now(),
    unique (brand_id, id),
    unique (transcoded_id, first_frame),
    foreign key (brand_id, transcoded_id) references transcoded_media (brand_id, id) on delete cascade
);
create index transcode_parts_object on transcode_parts (object_key) where object_key is not null;

alter table transcode_parts enable row level security;
alter table transcode_parts force row level security;
create policy by_brand on transcode_parts to reelmill_api, reelmill_worker
    using (brand_id = any ((select scope_brands())::uuid[]))
    with check (brand_id = any ((select scope_brands())::uuid[]));
grant select, insert, update, delete on transcode_parts to reelmill_worker;
-- Which targets wait for work that is under way.
grant select on transcode_parts to reelmill_api;
