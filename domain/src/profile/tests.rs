//! Every row can be met, and a broken one is told of by its file, its name and its field.

use super::check::read;
use super::*;

/// A file of one network with one row, which `change` breaks.
fn faults(file: &str, change: impl Fn(&str) -> String) -> Vec<String> {
    let whole = FILES.iter().find(|text| text.contains(&format!("\"platform\": \"{file}\"")));
    let changed = change(whole.unwrap_or_else(|| panic!("{file} has a data file")));
    assert!(Some(&changed.as_str()) != whole, "nothing was broken");
    read(&format!("domain/profiles/{file}.json"), &changed).err().unwrap_or_default()
}

#[test]
fn every_file_is_right() {
    let platforms: Vec<Platform> = NETWORKS.iter().map(|file| file.platform).collect();
    assert!(Platform::ALL.iter().all(|platform| platforms.contains(platform)), "{platforms:?}");
    for (file, platform) in FILES.iter().zip(platforms) {
        let read = read(&format!("{platform}.json"), file).map(|_| ());
        assert_eq!(read, Ok(()));
    }
}

/// The file that is broken, what is replaced in it by what, and how what is told begins.
type Case = (&'static str, &'static str, &'static str, &'static str);

fn told(cases: &[Case]) {
    for (file, from, to, expected) in cases {
        let told = faults(file, |text| text.replacen(from, to, 1));
        let expected = format!("domain/profiles/{file}.json: {expected}");
        assert!(told.iter().any(|fault| fault.starts_with(&expected)), "{expected}\n{told:#?}");
    }
}

#[test]
fn a_field_that_is_missing_or_not_known_is_named() {
    told(&[
        ("x", "\"bytes_max\": 512000000,", "", "x.video: accepts.video.bytes_max: missing"),
        (
            "x",
            "\"confidence\": \"documented\",\n      \"purpose\"",
            "\"purpose\"",
            "x.video: confidence: missing",
        ),
        ("x", "\"name\": \"x.image\",", "", "profiles[2]: name: missing"),
        ("x", "\"unit\": \"weighted\",", "", "text.unit: missing"),
        ("x", "512000000", "\"big\"", "x.video: accepts.video.bytes_max: invalid type: string \"big\""),
        ("x", "\"long_side\"", "\"longside\"", "x.video: accepts.video.longside: not known, expected one of"),
        ("x", "\"profiles\": [", "\"profiles\": [,", "profiles[0]: expected value (line 11"),
    ]);
}

#[test]
fn a_limit_that_nothing_could_meet_is_named() {
    told(&[
        ("x", "\"h264\"", "\"avc\"", "x.video: accepts.video.codecs: `h264` is what is made"),
        ("tiktok", "\"vp9\"", "\"vp10\"", "tiktok.video: accepts.video.codecs: one is not known"),
        ("tiktok", "\"opus\"", "\"opos\"", "tiktok.video: accepts.video.audio.codecs: one is not known"),
        (
            "x",
            "\"yuv420p\"",
            "\"yuv444p\"",
            "x.video: accepts.video.pixel_formats: `yuv420p` is what is made",
        ),
        ("x", "\"max\": 60 ", "\"max\": 29 ", "x.video: accepts.video.frame_rate: 24, 25 and 30"),
        ("x", "\"min\": 500,", "\"min\": 1200001,", "x.video: accepts.video.duration_ms: `min`"),
        ("x", "\"max\": 1280", "\"max\": 30", "x.video: accepts.video.long_side: `min`"),
        ("x", "\"max\": 1280", "\"max\": 1200", "x.video: prefers.long_side: outside"),
        ("x", "[3, 1]", "[0, 1]", "x.video: accepts.video.ratio: `min`"),
        ("x", "512000000", "512", "x.video: accepts.video.bytes_max: less than 1 MB"),
        ("x", "25000000", "25", "x.video: accepts.video.bit_rate_max: less than 1 Mb/s"),
        ("x", "48000", "44100", "x.video: accepts.video.audio.sample_rate_max: 48,000 Hz"),
        (
            "x",
            "\"channels_max\": 2",
            "\"channels_max\": 1",
            "x.video: accepts.video.audio.channels_max: 2 channels",
        ),
        (
            "facebook",
            "\"gop_ms_max\": 5000",
            "\"gop_ms_max\": 2000",
            "facebook.reel: accepts.video.gop_ms_max: 2,100",
        ),
        (
            "web",
            "\"h264_level_max\": 42",
            "\"h264_level_max\": 4",
            "web.video: accepts.video.h264_level_max: from 40",
        ),
        ("web", ", \"format\": \"webp\"", "", "web.webp_1600: accepts.image.formats: `jpeg` is what is made"),
        (
            "linkedin",
            "36152319",
            "3615231",
            "linkedin.image: accepts.image.pixels_max: less than is preferred",
        ),
        ("telegram", "10000,", "5000,", "telegram.photo: accepts.image.side_sum_max: less than is preferred"),
        ("instagram", "{ \"min\": [9, 16]", "{ \"min\": [1, 200]", "instagram.reel: prefers.ratio: outside"),
        (
            "instagram",
            "\"min\": 2, \"max\": 10",
            "\"min\": 2",
            "instagram.carousel: accepts.carousel.items: has to",
        ),
        (
            "x",
            "\"role\": \"item\"",
            "\"role\": \"cover\"",
            "x.carousel: accepts.carousel.items: no row is for its items",
        ),
        ("x", "\"mixed\": false", "\"mixed\": true", "x.carousel: accepts.carousel.mixed: there is no row"),
        (
            "pinterest",
            "\"one_shape\": {",
            "\"two_shapes\": {",
            "pinterest.carousel: accepts.carousel.two_shapes: not known",
        ),
        (
            "instagram",
            "\"min\": [4, 5], \"max\": [191, 100] },\n            \"purpose\"",
            "\"min\": [1, 5], \"max\": [191, 100] },\n            \"purpose\"",
            "instagram.carousel: accepts.carousel.one_shape.ratio: outside",
        ),
    ]);
}

#[test]
fn a_row_that_is_no_row_of_its_file_is_named() {
    told(&[
        ("x", "\"name\": \"x.image\"", "\"name\": \"x.video\"", "x.video: name: another row has it too"),
        ("x", "\"name\": \"x.image\"", "\"name\": \"y.image\"", "y.image: name: has to begin with `x.`"),
        (
            "x",
            "\"tier\": \"premium\",",
            "",
            "x.video_premium: placement: x.video is chosen for the same already",
        ),
        (
            "x",
            "\"also\": [\"reel\"],",
            "\"tier\": \"premium\",",
            "x.video: tier: no row serves the accounts without it",
        ),
        ("x", "\"also\": [\"reel\"]", "\"also\": [\"feed\"]", "x.video: also: names the placement itself"),
        (
            "x",
            "https://docs.x.com/x-api",
            "http://docs.x.com/x-api",
            "x.video: source: has to be the https://",
        ),
        ("x", "2026-07-29", "2016-07-29", "x.video: as_of: too long ago"),
        ("x", "lying or upright\"", "lying or upright.\"", "x.video: purpose: has to be half a sentence"),
        ("x", "\"caption_max\": 280", "\"caption_max\": 0", "x: text.caption_max: has to be more than 0"),
        ("youtube", "\"title_max\": 100,", "", "youtube: text.title_unit: there is no `title_max`"),
        (
            "x",
            "\"platform\": \"x\"",
            "\"platform\": \"web\"",
            "web: platform: the file has to be named like it",
        ),
    ]);
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
    use Platform::{Facebook, Instagram, Linkedin, Pinterest, Telegram, Threads, Tiktok, Web, X, Youtube};
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
        (Facebook, None, Video, Ok("facebook.reel")),
        (Facebook, Some(Feed), Video, Ok("facebook.video")),
        (Facebook, Some(Story), Video, Ok("facebook.story_video")),
        (Facebook, Some(Story), Image, Ok("facebook.story_photo")),
        (Facebook, None, Carousel, Ok("facebook.carousel")),
        (Youtube, None, Video, Ok("youtube.video")),
        (Youtube, Some(Reel), Video, Ok("youtube.short")),
        (Youtube, None, Image, Err("media.unsupported_kind")),
        (Pinterest, None, Image, Ok("pinterest.image")),
        (Pinterest, Some(Story), Image, Err("media.unsupported_placement")),
        (Pinterest, None, Carousel, Ok("pinterest.carousel")),
        (X, None, Video, Ok("x.video")),
        (X, None, Carousel, Ok("x.carousel")),
        (Linkedin, None, Carousel, Ok("linkedin.multi_image")),
        (Threads, None, Carousel, Ok("threads.carousel")),
        (Web, None, Image, Ok("web.image")),
        (Web, Some(Reel), Video, Ok("web.video")),
        (Web, None, Carousel, Err("media.unsupported_kind")),
    ];
    for (platform, placement, kind, expected) in cases {
        let chosen = choose(platform, placement, kind, None);
        let chosen = chosen.as_ref().map(|row| row.name.as_str()).map_err(|problem| problem.code.as_str());
        assert_eq!(chosen, expected, "{platform} {placement:?} {kind:?}");
    }
}

#[test]
fn a_tier_has_a_row_of_its_own_where_its_network_has_one_and_the_plain_row_elsewhere() {
    let chosen =
        |platform, placement, kind, tier| choose(platform, placement, kind, tier).map(|row| &row.name);
    let named = |name: &str| profile(name).map(|row| &row.name).ok_or(());
    let premium = Some(Tier::Premium);
    let video = MediaKind::Video;
    for placement in [None, Some(Placement::Feed), Some(Placement::Reel)] {
        assert_eq!(chosen(Platform::X, placement, video, premium).map_err(|_| ()), named("x.video_premium"));
        assert_eq!(chosen(Platform::X, placement, video, None).map_err(|_| ()), named("x.video"));
    }
    assert_eq!(chosen(Platform::X, None, MediaKind::Image, premium).map_err(|_| ()), named("x.image"));
    assert_eq!(chosen(Platform::Telegram, None, video, premium).map_err(|_| ()), named("telegram.video"));
    let rules = |name: &str| profile(name).and_then(Profile::text_rules).map(|rules| rules.caption_max);
    assert_eq!([rules("x.video"), rules("x.video_premium")], [Some(280), Some(25_000)]);
}

#[test]
fn what_is_no_post_or_has_no_connector_is_shown_and_never_chosen() {
    let kept = profiles().iter().filter(|row| row.role != Role::Post || !row.postable);
    let names: Vec<&str> = kept.map(|row| row.name.as_str()).collect();
    for name in ["youtube.thumbnail", "web.poster", "web.webp_960", "tiktok.photo", "instagram.story_video"] {
        assert!(names.contains(&name), "{name}");
    }
    for platform in Platform::ALL {
        for placement in [None, Some(Placement::Feed), Some(Placement::Reel), Some(Placement::Story)] {
            for kind in [MediaKind::Image, MediaKind::Video, MediaKind::Carousel] {
                let Ok(chosen) = choose(platform, placement, kind, Some(Tier::Premium)) else { continue };
                assert!(!names.contains(&chosen.name.as_str()), "{}", chosen.name);
            }
        }
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
