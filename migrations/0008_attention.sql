-- What a problem holds up, in one place. With the rights of who asks, so that every table's own
-- policy decides what is seen; and plain enough to be merged from the three problem indexes.
create view attention_items with (security_invoker = true) as
select 'TARGET'::text as kind, id, brand_id, account_id, problem_code, problem_message, problem_remedy, problem_since,
       problem_retry_at
  from publish_targets where problem_code is not null
union all
-- No account for an account's own problem: that is never hidden behind itself.
select 'ACCOUNT', id, brand_id, null::uuid, problem_code, problem_message, problem_remedy, problem_since, problem_retry_at
  from social_accounts where problem_code is not null
union all
select 'ASSET', id, brand_id, null::uuid, problem_code, problem_message, problem_remedy, problem_since, problem_retry_at
  from media_assets where problem_code is not null;
grant select on attention_items to reelmill_api;
