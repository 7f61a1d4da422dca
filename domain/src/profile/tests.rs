//! Every data file is read here, and every row and field that is wrong is named.

use super::*;

fn limits_of(profile: &Profile) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |field: &str, fine: bool| {
        if !fine {
            wrong.push(format!("{}: `{field}` is not sensible", profile.name));
        }
    };
    let expected = format!("{}.", profile.platform.as_str());
    check("name", profile.name.starts_with(&expected));
    check("source", url::Url::parse(&profile.source).is_ok_and(|url| url.scheme() == "https"));
    check("as_of", profile.as_of.to_string().as_str() >= "2026-01-01");
    check("purpose", !profile.purpose.is_empty() && !profile.purpose.ends_with('.'));
    check("also", !profile.also.contains(&profile.placement));
    match &profile.accepts {
        Accepts::Video(limits, prefers) => {
            check("containers", limits.containers.iter().any(|name| name == "mp4"));
            check("codecs", limits.codecs.iter().any(|name| name == "h264"));
            check("pixel_formats", limits.pixel_formats.iter().any(|name| name == "yuv420p"));
            check("audio.codecs", limits.audio.codecs.iter().any(|name| name == "aac"));
            check(
                "audio.profiles",
                limits.audio.profiles.is_empty() || limits.audio.profiles.contains(&"LC".into()),
            );
            check("audio.sample_rate_max", limits.audio.sample_rate_max >= 48_000);
            check("audio.channels_max", limits.audio.channels_max >= 2);
            check("audio.bit_rate_max", limits.audio.bit_rate_max.is_none_or(|rate| rate >= 128_000));
            check("width", ordered(&limits.width));
            check("height", ordered(&limits.height));
            check("ratio", ordered_ratio(&limits.ratio));
            check("frame_rate", limits.frame_rate.holds(30.0) && ordered(&limits.frame_rate));
            check("duration_ms", ordered(&limits.duration_ms));
            check("bytes_max", limits.bytes_max >= 1_000_000);
            check("prefers.ratio", ordered_ratio(&prefers.ratio) && within(&prefers.ratio, &limits.ratio));
            check("prefers.short_side", prefers.short_side <= prefers.long_side);
            check("prefers.crop_up_to_percent", prefers.crop_up_to_percent < 100);
        }
        Accepts::Image(limits, prefers) => {
            check("formats", limits.formats.iter().any(|name| name == "jpeg"));
            check("width", ordered(&limits.width));
            check("height", ordered(&limits.height));
            check("ratio", ordered_ratio(&limits.ratio));
            check("side_sum_max", limits.side_sum_max.is_none_or(|sum| sum >= 2 * prefers.long_side));
            check("bytes_max", limits.bytes_max >= 500_000);
            check("prefers.ratio", ordered_ratio(&prefers.ratio) && within(&prefers.ratio, &limits.ratio));
            check("prefers.short_side", prefers.short_side <= prefers.long_side);
            check("prefers.crop_up_to_percent", prefers.crop_up_to_percent < 100);
        }
        Accepts::Carousel(limits) => {
            check(
                "items",
                ordered(&limits.items) && limits.items.min.is_some() && limits.items.max.is_some(),
            );
            check("item", !profile.item);
            let taken = |shapes: &Range<Ratio>| items_take(profile.platform, shapes);
            check("one_shape.ratio", limits.one_shape.as_ref().is_none_or(|rule| taken(&rule.ratio)));
            let told = |rule: &OneShape| !rule.purpose.is_empty() && !rule.purpose.ends_with('.');
            check("one_shape.purpose", limits.one_shape.as_ref().is_none_or(told));
        }
    }
    wrong
}

/// Items of every kind can be brought to every shape that the carousel may have.
fn items_take(platform: Platform, shapes: &Range<Ratio>) -> bool {
    let mut items = profiles().iter().filter(|row| row.platform == platform && row.item);
    let both_ends = shapes.min.is_some() && shapes.max.is_some() && ordered_ratio(shapes);
    both_ends
        && items.all(|row| match &row.accepts {
            Accepts::Video(limits, _) => within(shapes, &limits.ratio),
            Accepts::Image(limits, _) => within(shapes, &limits.ratio),
            Accepts::Carousel(_) => false,
        })
}

fn ordered<T: PartialOrd>(range: &Range<T>) -> bool {
    match (&range.min, &range.max) {
        (Some(min), Some(max)) => min <= max,
        _ => true,
    }
}

fn ordered_ratio(range: &Range<Ratio>) -> bool {
    let sides = [range.min, range.max].into_iter().flatten().all(|ratio| ratio.0 > 0 && ratio.1 > 0);
    sides && ordered(&Range { min: range.min.map(Ratio::value), max: range.max.map(Ratio::value) })
}

fn within(inner: &Range<Ratio>, outer: &Range<Ratio>) -> bool {
    let outer = Range { min: outer.min.map(Ratio::value), max: outer.max.map(Ratio::value) };
    [inner.min, inner.max].into_iter().flatten().all(|ratio| outer.holds(ratio.value()))
}

#[test]
fn every_row_of_every_file_is_sensible() {
    for file in FILES {
        let read: Result<NetworkFile, _> = serde_json::from_str(file);
        let file = read.unwrap_or_else(|error| panic!("{error} in: {}", &file[..60]));
        for row in &file.profiles {
            let carousel = matches!(row.accepts, RowAccepts::Carousel(_));
            assert_eq!(row.prefers.is_none(), carousel, "{}: `prefers`", row.name);
        }
        assert!(file.text.caption_max > 0, "{}: `text.caption_max`", file.platform);
    }
    let wrong: Vec<String> = profiles().iter().flat_map(limits_of).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn names_are_unique_and_found() {
    for row in profiles() {
        assert_eq!(profiles().iter().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
        assert_eq!(profile(&row.name).map(|found| &found.name), Some(&row.name));
    }
}

#[test]
fn a_pair_of_asset_and_destination_finds_its_profile() {
    use MediaKind::{Carousel, Image, Video};
    use Placement::{Feed, Reel, Story};
    use Platform::{Instagram, Pinterest, Telegram, Tiktok};
    let cases = [
        (Instagram, None, Video, Ok("instagram.reel")),
        (Instagram, Some(Reel), Video, Ok("instagram.reel")),
        (Instagram, Some(Feed), Video, Ok("instagram.reel")),
        (Instagram, Some(Story), Video, Err("media.unsupported_placement")),
        (Instagram, None, Image, Ok("instagram.photo")),
        (Instagram, Some(Reel), Image, Err("media.unsupported_placement")),
        (Instagram, None, Carousel, Ok("instagram.carousel")),
        (Telegram, None, Video, Ok("telegram.video")),
        (Telegram, Some(Feed), Image, Ok("telegram.photo")),
        (Telegram, None, Carousel, Ok("telegram.album")),
        (Tiktok, None, Video, Ok("tiktok.video")),
        (Tiktok, None, Image, Err("media.unsupported_kind")),
        (Tiktok, None, Carousel, Err("media.unsupported_kind")),
        (Pinterest, None, Image, Err("media.unsupported_kind")),
    ];
    for (platform, placement, kind, expected) in cases {
        let chosen = choose(platform, placement, kind);
        let chosen = chosen.as_ref().map(|row| row.name.as_str()).map_err(|problem| problem.code.as_str());
        assert_eq!(chosen, expected, "{platform} {placement:?} {kind:?}");
    }
}

#[test]
fn a_carousel_is_checked_as_a_whole() {
    use MediaKind::{Image, Video};
    let Some(album) = profile("telegram.album") else { panic!("telegram.album exists") };
    assert_eq!(check_carousel(album, &[Image, Video]), Ok(()));
    for wrong in [&[Image][..], &[Image; 11][..]] {
        let code = check_carousel(album, wrong).map_err(|problem| problem.code);
        assert_eq!(code, Err("media.item_count".to_owned()));
    }
}
