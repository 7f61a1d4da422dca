-- How a brand's files look, and what a person may choose about a file that does not fit.

alter table publish_targets drop constraint publish_targets_framing_check;
alter table publish_targets
    add constraint publish_targets_framing_check check (framing in ('WHOLE', 'CROP', 'PAD', 'BLUR')),
    -- Somebody said that a video longer than the network takes may be cut: its beginning is posted.
    add column trim boolean not null default false;

alter table brands
    -- Of borders, e.g. #1a2b3c. Null: black beside videos, white beside photos.
    add column pad_color text check (pad_color ~ '^#[0-9a-f]{6}$'),
    -- The logo over what is encoded. It is named by its content: another asset of the same file will do.
    add column watermark_asset_id uuid,
    add column watermark_hash bytea check (length(watermark_hash) = 32),
    add column watermark_corner text check (watermark_corner in ('TOP_LEFT', 'TOP_RIGHT', 'BOTTOM_LEFT', 'BOTTOM_RIGHT')),
    -- Thousandths of the output's width, and of its shorter side.
    add column watermark_width_permille int check (watermark_width_permille between 10 and 500),
    add column watermark_margin_permille int check (watermark_margin_permille between 0 and 200),
    add constraint brands_watermark_whole check (
        (watermark_hash is null) = (watermark_corner is null)
        and (watermark_hash is null) = (watermark_width_permille is null)
        and (watermark_hash is null) = (watermark_margin_permille is null)
        and (watermark_hash is null) = (watermark_asset_id is null));

alter table media_assets
    -- A thumbhash in base64: some 25 bytes that show the picture as a blur while it loads.
    add column placeholder text;

alter table social_accounts
    -- What the account pays for, where that changes what the network takes, e.g. PREMIUM.
    add column tier text check (tier in ('PREMIUM'));
