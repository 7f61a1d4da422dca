-- 100,000 rows of every table that a list is read from, of 25 brands whose rows lie mixed. The n-th row of each
-- table has the id n, and belongs to brand 1 + n % 25, so that whatever refers to it does so within the brand.
-- Foreign keys are true by this rule and not checked one by one.
set session_replication_role = replica;

-- Indexes that are built when the rows are there take a fraction of the time.
create temporary table postponed as
select indexname as name, indexdef as definition from pg_indexes
 where schemaname = 'public' and not exists (select from pg_constraint where conname = indexname);
do $$
declare
    index record;
begin
    for index in select name from postponed loop
        execute format('drop index %I', index.name);
    end loop;
end
$$;

create function pg_temp.id(n bigint) returns uuid language sql immutable as $$ select lpad(to_hex(n), 32, '0')::uuid $$;
create function pg_temp.brand(n bigint) returns uuid language sql immutable as $$ select pg_temp.id(1 + n % 25) $$;
create function pg_temp.minutes_ago(n bigint) returns timestamptz language sql stable
    as $$ select date_trunc('minute', now()) - interval '1 hour' - n * interval '1 min' $$;

-- Only the first 25 brands and organisations have anything; the others are other customers of the installation.
insert into organizations (id, name) select pg_temp.id(n), 'Agency ' || n from generate_series(1, 100000) n;
insert into brands (id, organization_id, name, timezone)
select pg_temp.id(n), pg_temp.id(n), 'Brand ' || n, 'Europe/Kyiv' from generate_series(1, 100000) n;
insert into users (id, email, name, password_hash)
select pg_temp.id(n), 'user' || n || '@agency.example', 'User ' || n, 'x' from generate_series(1, 100000) n;
insert into memberships (id, organization_id, user_id, email, role, all_brands)
select pg_temp.id(n), pg_temp.brand(n), pg_temp.id(n), 'user' || n || '@agency.example', 'EDITOR', false
  from generate_series(1, 100000) n;
insert into membership_brands (organization_id, membership_id, brand_id)
select pg_temp.brand(n), pg_temp.id(n), pg_temp.brand(n) from generate_series(1, 100000) n;
insert into api_keys (id, organization_id, name, role, all_brands, secret_hash, revoked_at)
select pg_temp.id(n), pg_temp.brand(n), 'Key ' || n, 'EDITOR', false, uuid_send(pg_temp.id(n)),
       case when n % 10 > 0 then now() end
  from generate_series(1, 100000) n;
insert into api_key_brands (organization_id, api_key_id, brand_id)
select pg_temp.brand(n), pg_temp.id(n), pg_temp.brand(n) from generate_series(1, 100000) n;

insert into social_accounts (id, brand_id, platform, external_id, handle, state, problem_code, problem_remedy, problem_since,
                             updated_at)
select pg_temp.id(n), pg_temp.brand(n), (array['instagram', 'telegram', 'tiktok'])[1 + n % 3], 'account' || n, '@brand' || n,
       'CONNECTED', case when n % 100 = 1 then 'account.revoked' end, case when n % 100 = 1 then 'reconnect' end,
       case when n % 100 = 1 then pg_temp.minutes_ago(n) end, pg_temp.minutes_ago(n)
  from generate_series(1, 100000) n;
insert into ingest_cursors (brand_id, account_id)
select pg_temp.brand(n), pg_temp.id(n) from generate_series(1, 100000) n;

insert into media_assets (id, brand_id, source, account_id, kind, state, problem_code, problem_remedy, problem_since, filename,
                          caption, in_carousel, object_key, thumbnail_key, content_hash, info, listed_at, updated_at)
select pg_temp.id(n), pg_temp.brand(n), case when n % 4 = 0 then 'UPLOAD' else 'INSTAGRAM' end,
       case when n % 4 > 0 then pg_temp.id(1 + (n - 1) % 100) end, case when n <= 10000 then 'CAROUSEL' when n % 2 = 0 then 'VIDEO' else 'IMAGE' end,
       (array['READY', 'READY', 'READY', 'READY', 'UPLOADING', 'FETCHING', 'PROBING', 'REJECTED', 'DELETED'])[1 + n % 9],
       case when n % 100 = 2 then 'media.rejected' end, case when n % 100 = 2 then 'change_media' end,
       case when n % 100 = 2 then pg_temp.minutes_ago(n) end, 'file' || n || '.mp4', 'Morning coffee number ' || n, n % 7 = 0,
       'object/' || n, 'thumbnail/' || n, sha256(uuid_send(pg_temp.id(n))),
       '{"kind": "image", "container": "jpeg", "bytes": 400000, "width": 1080, "height": 1350, "edit_list": false,
         "edit_list_trims": false, "moov_first": false, "fragmented": false, "other_streams": 0, "has_metadata": false,
         "image": {"orientation": 1, "has_alpha": false, "animated": false, "srgb": true, "color_model": "rgb",
                   "bits_per_channel": 8, "trailing_data": false}}',
       pg_temp.minutes_ago(n), pg_temp.minutes_ago(n)
  from generate_series(1, 100000) n;
insert into carousel_items (brand_id, carousel_id, position, item_id)
select pg_temp.brand(n), pg_temp.id(1 + (n - 1) % 10000), (n - 1) / 10000, pg_temp.id(n) from generate_series(1, 100000) n;
insert into uploads (id, brand_id, asset_id, storage_upload_id, object_key, content_type, bytes, part_bytes, part_count,
                     expires_at, completed_at)
select pg_temp.id(n), pg_temp.brand(n), pg_temp.id(n), 'upload' || n, 'object/' || n, 'video/mp4', 1000, 1000, 1,
       now() + n * interval '1 min' - interval '1 day', case when n % 9 <> 4 then now() end
  from generate_series(1, 100000) n;
insert into transcoded_media (id, brand_id, asset_id, content_hash, operation, operation_key, engine_version, kind, state,
                              object_key)
select pg_temp.id(n), pg_temp.brand(n), pg_temp.id(1 + (n - 1) % 50000), uuid_send(pg_temp.id(1 + (n - 1) % 50000)), '{}',
       'operation' || n, 1, 'REMUX', 'DONE', 'made/' || n
  from generate_series(1, 100000) n;
insert into transcode_profiles (brand_id, transcoded_id, profile)
select pg_temp.brand(n), pg_temp.id(n), 'telegram.video' from generate_series(1, 100000) n;
insert into transcode_parts (id, brand_id, transcoded_id, first_frame, frames)
select pg_temp.id(n), pg_temp.brand(n), pg_temp.id(n), 0, 3600 from generate_series(1, 100000) n;

insert into adapted_captions (id, brand_id, platform, text, length, max_length, author)
select pg_temp.id(n), pg_temp.brand(n), 'telegram', 'Coffee', 6, 1024, 'RULES' from generate_series(1, 100000) n;
insert into publish_jobs (id, brand_id, captions, submitted_at, created_at, updated_at)
select pg_temp.id(n), pg_temp.brand(n), 'ADAPT', now(), pg_temp.minutes_ago(n), pg_temp.minutes_ago(n)
  from generate_series(1, 100000) n;
insert into publish_targets (id, brand_id, job_id, position, asset_id, account_id, platform, caption_id, state, problem_code,
                             problem_remedy, problem_since, scheduled_at, due_at, external_id, content_key, created_at,
                             updated_at)
select pg_temp.id(n), pg_temp.brand(n), pg_temp.id(1 + (n - 1) % 2500), (n - 1) / 2500, pg_temp.id(1 + (n - 1) % 50000),
       pg_temp.id(1 + (n - 1) % 100), (array['instagram', 'telegram', 'tiktok'])[1 + n % 3], pg_temp.id(n),
       (array['PUBLISHED', 'PUBLISHED', 'PUBLISHED', 'PUBLISHED', 'PUBLISHED', 'DRAFT', 'PREPARING', 'AWAITING_APPROVAL',
              'SCHEDULED', 'FAILED', 'CANCELLED', 'UNCONFIRMED', 'NEEDS_ATTENTION'])[1 + n % 13],
       case when n % 100 = 3 then 'publish.refused' end, case when n % 100 = 3 then 'retry' end,
       case when n % 100 = 3 then pg_temp.minutes_ago(n) end, pg_temp.minutes_ago(n), pg_temp.minutes_ago(n), 'post' || n,
       uuid_send(pg_temp.id(n)), pg_temp.minutes_ago(n), pg_temp.minutes_ago(n)
  from generate_series(1, 100000) n;
insert into target_media (brand_id, target_id, position, transcoded_id)
select pg_temp.brand(n), pg_temp.id(n), 0, pg_temp.id(n) from generate_series(1, 100000) n;
insert into reviews (id, brand_id, target_id, revision, decision, at)
select pg_temp.id(n), pg_temp.brand(n), pg_temp.id(n), 1, 'APPROVE', pg_temp.minutes_ago(n) from generate_series(1, 100000) n;
insert into publish_attempts (id, brand_id, target_id, epoch, request_hash, send_deadline, outcome, started_at, ended_at)
select pg_temp.id(n), pg_temp.brand(n), pg_temp.id(n), 1, 'x', now(), case when n % 10 > 0 then 'created' else 'absent' end,
       pg_temp.minutes_ago(n), pg_temp.minutes_ago(n)
  from generate_series(1, 100000) n;

insert into jobs (id, brand_id, kind, subject, state, run_at, finished_at)
select pg_temp.id(n), pg_temp.brand(n), (array['probe', 'caption', 'publish', 'ingest', 'transcode'])[1 + n % 5], pg_temp.id(n),
       case when n % 3 = 0 then 'ready' else 'done' end, now() + interval '1 day', case when n % 3 > 0 then now() end
  from generate_series(1, 100000) n;
insert into audit_log (id, organization_id, brand_id, at, actor_kind, actor_id, actor_name, action, subject_id)
select pg_temp.id(n), pg_temp.brand(n), case when n % 20 > 0 then pg_temp.brand(n) end, pg_temp.minutes_ago(n), 'USER',
       pg_temp.id(1 + n % 1000), 'User', (array['publish_target.approved', 'brand.updated'])[1 + n % 2], 'PublishTarget_' || n
  from generate_series(1, 100000) n;

do $$
declare
    index record;
begin
    for index in select definition from postponed loop
        execute index.definition;
    end loop;
end
$$;
analyze;
