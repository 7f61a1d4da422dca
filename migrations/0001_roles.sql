-- The roles that processes log in as. They own nothing and bypass nothing; who may log in, and how,
-- is set by `reelmill migrate`. Roles belong to the whole cluster, so another database of it may
-- have made them already, or be making them right now.
do $$
declare
    role_name text;
begin
    foreach role_name in array array['reelmill_api', 'reelmill_worker', 'reelmill_publisher', 'reelmill_relay'] loop
        if not exists (select from pg_roles where rolname = role_name) then
            begin
                execute format('create role %I nologin nosuperuser nobypassrls nocreatedb nocreaterole inherit', role_name);
            exception when duplicate_object or unique_violation then
                null;
            end;
        end if;
    end loop;
    -- A publisher is a worker that may also read secrets.
    if not pg_has_role('reelmill_publisher', 'reelmill_worker', 'member') then
        begin
            grant reelmill_worker to reelmill_publisher;
        exception when unique_violation then
            null;
        end;
    end if;
end
$$;

revoke create on schema public from public;
grant usage on schema public to reelmill_api, reelmill_worker, reelmill_publisher, reelmill_relay;

-- What a transaction may see is set by `Store::scoped`, for that transaction only. Unset means
-- nothing: every function below answers NULL, and no row equals NULL.
create function scope_brands() returns uuid[] language sql stable parallel safe
    as $$ select nullif(current_setting('app.brands', true), '')::uuid[] $$;
create function scope_organizations() returns uuid[] language sql stable parallel safe
    as $$ select nullif(current_setting('app.organizations', true), '')::uuid[] $$;
-- Organisations whose people may be read by name, wider than those that may be administered.
create function scope_colleagues() returns uuid[] language sql stable parallel safe
    as $$ select nullif(current_setting('app.colleagues', true), '')::uuid[] $$;
create function scope_actor() returns uuid language sql stable parallel safe
    as $$ select nullif(current_setting('app.actor', true), '')::uuid $$;
create function scope_sign_in() returns boolean language sql stable parallel safe
    as $$ select coalesce(current_setting('app.sign_in', true) = 'on', false) $$;
