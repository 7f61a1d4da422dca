-- What a network allows an account beyond its own rules, as it said when it was last asked.

alter table social_accounts
    -- The longest video, ms. Null: the network named none, or was not asked yet.
    add column max_duration_ms bigint check (max_duration_ms > 0);
