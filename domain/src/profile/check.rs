//! Reads a data file and names what is wrong in it: file, row and field.
//!
//! The build script runs this over every file, so that no program is built from a row that could not
//! be met; tests run it over broken rows.

use chrono::NaiveDate;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use super::limits::{
    AudioLimits, CarouselLimits, ImageLimits, OneShape, Preferences, Range, Ratio, VideoLimits,
};
use super::row::{NetworkFile, Role, Row, RowAccepts};
use super::text::TextRules;
use crate::platform::{MediaKind, Placement};

/// Names that the probe gives; another one would never be met.
const CONTAINERS: [&str; 8] = ["mp4", "mov", "webm", "matroska", "avi", "mpegps", "mpegts", "3gp"];
const FORMATS: [&str; 8] = ["jpeg", "png", "webp", "gif", "bmp", "tiff", "heic", "avif"];
const VIDEO_CODECS: [&str; 9] =
    ["h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mpeg2video", "h263", "prores"];
const PIXEL_FORMATS: [&str; 4] = ["yuv420p", "yuv420p10le", "yuv422p", "yuv422p10le"];
const AUDIO_CODECS: [&str; 6] = ["aac", "mp3", "opus", "vorbis", "ac3", "pcm_s16le"];
const AUDIO_PROFILES: [&str; 3] = ["LC", "HE-AAC", "HE-AACv2"];

/// No page that limits are taken from is older.
const EARLIEST: Option<NaiveDate> = NaiveDate::from_ymd_opt(2020, 1, 1);

/// Reads the file called `path`, whose last part without `.json` names its network.
///
/// # Errors
/// Each fault as `path: row: field: what`. A file that cannot be read has one.
pub fn read(path: &str, text: &str) -> Result<NetworkFile, Vec<String>> {
    let mut json = serde_json::Deserializer::from_str(text);
    let file: NetworkFile = serde_path_to_error::deserialize(&mut json)
        .map_err(|error| vec![format!("{path}: {}", unreadable(text, &error))])?;
    json.end().map_err(|error| vec![format!("{path}: {error}")])?;
    let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".json");
    let mut faults = Faults { list: Vec::new() };
    faults.network(&file, stem);
    if faults.list.is_empty() {
        return Ok(file);
    }
    Err(faults.list.into_iter().map(|fault| format!("{path}: {fault}")).collect())
}

/// `row: field: what` of a file that does not have the shape of one.
fn unreadable(text: &str, error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let told = error.inner().to_string();
    let (told, place) =
        told.rsplit_once(" at line ").map_or((told.as_str(), ""), |(told, place)| (told, place));
    let row = row_of(error.path(), text);
    let skipped = if row.is_some() { 2 } else { 0 };
    let mut field: Vec<String> = error.path().iter().skip(skipped).map(ToString::to_string).collect();
    let quoted = told.split('`').nth(1).unwrap_or_default().to_owned();
    let what = if told.starts_with("missing field") {
        field.push(quoted);
        "missing".to_owned()
    } else if told.starts_with("unknown field") {
        if field.last() != Some(&quoted) {
            field.push(quoted);
        }
        let known = told.split_once(", ").map_or("", |(_, known)| known);
        format!("not known, {known}")
    } else {
        format!("{told} (line {place})")
    };
    let parts = [row, Some(field.join(".")).filter(|field| !field.is_empty()), Some(what)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
}

/// The name of the row that `path` leads into; its number where it has none.
fn row_of(path: &Path, text: &str) -> Option<String> {
    let mut segments = path.iter();
    let (Some(Segment::Map { key }), Some(Segment::Seq { index })) = (segments.next(), segments.next())
    else {
        return None;
    };
    let file: Option<Value> = serde_json::from_str(text).ok();
    let name = file.as_ref().and_then(|file| file.get(key)?.get(index)?.get("name")?.as_str());
    Some(name.map_or_else(|| format!("{key}[{index}]"), str::to_owned))
}

struct Faults {
    list: Vec<String>,
}

impl Faults {
    fn unless(&mut self, fine: bool, row: &str, field: &str, what: &str) {
        if !fine {
            self.list.push(format!("{row}: {field}: {what}"));
        }
    }

    fn network(&mut self, file: &NetworkFile, stem: &str) {
        let platform = file.platform.as_str();
        self.unless(platform == stem, platform, "platform", "the file has to be named like it");
        self.text(&file.text, platform, "text");
        self.unless(file.text.caption_max > 0, platform, "text.caption_max", "has to be more than 0");
        for (index, row) in file.profiles.iter().enumerate() {
            self.row(row, &file.profiles, platform);
            let before = &file.profiles[..index];
            let once = before.iter().all(|other| other.name != row.name);
            self.unless(once, &row.name, "name", "another row has it too");
            let rival = before.iter().find(|other| chosen_alike(row, other));
            if let Some(rival) = rival {
                let what = format!("{} is chosen for the same already", rival.name);
                self.unless(false, &row.name, "placement", &what);
            }
        }
    }

    fn text(&mut self, rules: &TextRules, row: &str, field: &str) {
        self.page(rules.as_of, &rules.source, row, &format!("{field}."));
        let titled = rules.title_max.is_some() || rules.title_unit.is_none();
        self.unless(titled, row, &format!("{field}.title_unit"), "there is no `title_max`");
    }

    fn page(&mut self, as_of: NaiveDate, source: &str, row: &str, under: &str) {
        let dated = EARLIEST.is_some_and(|earliest| as_of >= earliest);
        self.unless(dated, row, &format!("{under}as_of"), "too long ago");
        let page = source.strip_prefix("https://").is_some_and(|rest| rest.contains('.'));
        let whole = page && !source.contains(char::is_whitespace);
        self.unless(whole, row, &format!("{under}source"), "has to be the https:// address of a page");
    }

    fn row(&mut self, row: &Row, all: &[Row], platform: &str) {
        let name = row.name.as_str();
        let of_platform =
            name.strip_prefix(platform).is_some_and(|rest| rest.len() > 1 && rest.starts_with('.'));
        self.unless(of_platform, name, "name", &format!("has to begin with `{platform}.`"));
        self.page(row.as_of, &row.source, name, "");
        self.unless(
            is_clause(&row.purpose),
            name,
            "purpose",
            "has to be half a sentence without a full stop",
        );
        let noted = row.note.as_ref().is_none_or(|note| note.ends_with('.'));
        self.unless(noted, name, "note", "has to be whole sentences");
        self.unless(!row.also.contains(&row.placement), name, "also", "names the placement itself");
        if let Some(text) = &row.text {
            self.text(text, name, "text");
        }
        let kind = kind_of(row);
        let is_post = row.role == Role::Post;
        self.unless(is_post || kind != MediaKind::Carousel, name, "role", "a carousel is a post");
        self.unless(is_post || row.also.is_empty(), name, "also", "only a post is chosen by placement");
        if row.tier.is_some() {
            self.unless(is_post, name, "tier", "only a post is chosen by tier");
            let plain = |other: &Row| other.tier.is_none() && rivals(row, other);
            self.unless(all.iter().any(plain), name, "tier", "no row serves the accounts without it");
        }
        match (&row.accepts, &row.prefers) {
            (RowAccepts::Video(limits), Some(prefers)) => self.video(limits, prefers, name),
            (RowAccepts::Image(limits), Some(prefers)) => self.image(limits, prefers, name),
            (RowAccepts::Carousel(limits), None) => self.carousel(limits, all, name),
            (RowAccepts::Carousel(_), Some(_)) => {
                self.unless(false, name, "prefers", "a carousel has none: its items do");
            }
            (_, None) => self.unless(false, name, "prefers", "missing"),
        }
    }

    /// Every video that is made is an MP4 of H.264 High 4:2:0 at a usual rate, with AAC-LC at 48 kHz in
    /// stereo at 128 kb/s: a row that does not take it could never be met.
    fn video(&mut self, limits: &VideoLimits, prefers: &Preferences, row: &str) {
        let mut check = |fine: bool, field: &str, what: &str| {
            self.unless(fine, row, &format!("accepts.video.{field}"), what);
        };
        let has = |list: &[String], made: &str| list.iter().any(|one| one == made);
        check(has(&limits.containers, "mp4"), "containers", "`mp4` is what is made");
        check(known(&limits.containers, &CONTAINERS), "containers", &unknown(&CONTAINERS));
        check(has(&limits.codecs, "h264"), "codecs", "`h264` is what is made");
        check(known(&limits.codecs, &VIDEO_CODECS), "codecs", &unknown(&VIDEO_CODECS));
        check(has(&limits.pixel_formats, "yuv420p"), "pixel_formats", "`yuv420p` is what is made");
        check(known(&limits.pixel_formats, &PIXEL_FORMATS), "pixel_formats", &unknown(&PIXEL_FORMATS));
        let usual = |rate: &f64| limits.frame_rate.holds(*rate);
        check(ordered(&limits.frame_rate), "frame_rate", ORDER);
        check([24.0, 25.0, 30.0].iter().all(usual), "frame_rate", "24, 25 and 30 are what is made");
        check(limits.duration_ms.max != Some(0) && ordered(&limits.duration_ms), "duration_ms", ORDER);
        check(limits.bytes_max >= 1_000_000, "bytes_max", "less than 1 MB: it is in bytes");
        let rate = limits.bit_rate_max.is_none_or(|rate| rate >= 1_000_000);
        check(rate, "bit_rate_max", "less than 1 Mb/s: it is in bit/s");
        let level = limits.h264_level_max.is_none_or(|level| (40..=62).contains(&level));
        check(level, "h264_level_max", "from 40 (level 4.0) to 62");
        // Key frames are two seconds apart, or one frame more.
        check(limits.gop_ms_max.is_none_or(|ms| ms >= 2100), "gop_ms_max", "2,100 ms are what is made");
        self.audio(&limits.audio, row);
        let sides = [
            ("width", limits.width),
            ("height", limits.height),
            ("long_side", limits.long_side),
            ("short_side", limits.short_side),
        ];
        self.sides(row, "accepts.video", sides, &limits.ratio);
        let (long, short) = (limits.long_side, limits.short_side);
        self.prefers(row, prefers, &limits.ratio, long, short);
    }

    fn audio(&mut self, limits: &AudioLimits, row: &str) {
        let mut check = |fine: bool, field: &str, what: &str| {
            self.unless(fine, row, &format!("accepts.video.audio.{field}"), what);
        };
        check(limits.codecs.iter().any(|codec| codec == "aac"), "codecs", "`aac` is what is made");
        check(known(&limits.codecs, &AUDIO_CODECS), "codecs", &unknown(&AUDIO_CODECS));
        let lc = limits.profiles.is_empty() || limits.profiles.iter().any(|profile| profile == "LC");
        check(lc, "profiles", "`LC` is what is made");
        check(known(&limits.profiles, &AUDIO_PROFILES), "profiles", &unknown(&AUDIO_PROFILES));
        let rate = limits.sample_rate_max >= 48_000 && limits.sample_rate_min.is_none_or(|min| min <= 48_000);
        check(rate, "sample_rate_max", "48,000 Hz are what is made");
        let stereo = limits.channels_max >= 2 && limits.channels_min.is_none_or(|min| min <= 2);
        check(stereo, "channels_max", "2 channels are what is made");
        check(
            limits.bit_rate_max.is_none_or(|rate| rate >= 128_000),
            "bit_rate_max",
            "128,000 bit/s are what is made",
        );
    }

    fn image(&mut self, limits: &ImageLimits, prefers: &Preferences, row: &str) {
        let mut check = |fine: bool, field: &str, what: &str| {
            self.unless(fine, row, &format!("accepts.image.{field}"), what);
        };
        let made = prefers.format.as_str();
        let taken = limits.formats.iter().any(|format| format == made);
        check(taken, "formats", &format!("`{made}` is what is made: see `prefers.format`"));
        check(known(&limits.formats, &FORMATS), "formats", &unknown(&FORMATS));
        check(made != "webp" || limits.alpha, "alpha", "a WebP is made with what is transparent");
        check(limits.bytes_max >= 200_000, "bytes_max", "less than 0.2 MB: it is in bytes");
        let preferred = prefers.long_side + prefers.short_side;
        check(
            limits.side_sum_max.is_none_or(|sum| sum >= preferred),
            "side_sum_max",
            "less than is preferred",
        );
        let area = u64::from(prefers.long_side) * u64::from(prefers.short_side);
        check(limits.pixels_max.is_none_or(|pixels| pixels >= area), "pixels_max", "less than is preferred");
        let sides = [
            ("width", limits.width),
            ("height", limits.height),
            ("long_side", limits.long_side),
            ("short_side", limits.short_side),
        ];
        self.sides(row, "accepts.image", sides, &limits.ratio);
        let (long, short) = (limits.long_side, limits.short_side);
        self.prefers(row, prefers, &limits.ratio, long, short);
    }

    fn sides(&mut self, row: &str, under: &str, sides: [(&str, Range<u32>); 4], ratio: &Range<Ratio>) {
        for (side, range) in sides {
            let fine = ordered(&range) && range.max != Some(0) && range.min != Some(0);
            self.unless(fine, row, &format!("{under}.{side}"), ORDER);
        }
        self.unless(ordered_ratio(ratio), row, &format!("{under}.ratio"), ORDER);
    }

    fn prefers(
        &mut self,
        row: &str,
        prefers: &Preferences,
        hard: &Range<Ratio>,
        long: Range<u32>,
        short: Range<u32>,
    ) {
        let mut check = |fine: bool, field: &str, what: &str| {
            self.unless(fine, row, &format!("prefers.{field}"), what);
        };
        check(ordered_ratio(&prefers.ratio), "ratio", ORDER);
        check(within(&prefers.ratio, hard), "ratio", "outside of what is accepted");
        check(long.holds(prefers.long_side), "long_side", "outside of what is accepted");
        let held = prefers.short_side > 0 && short.holds(prefers.short_side);
        check(held, "short_side", "outside of what is accepted");
        check(prefers.short_side <= prefers.long_side, "short_side", "longer than the long side");
        check(prefers.crop_up_to_percent < 100, "crop_up_to_percent", "from 0 to 99");
        let enlarged = (100..=400).contains(&prefers.enlarge_up_to_percent);
        check(enlarged, "enlarge_up_to_percent", "from 100 (never) to 400");
    }

    fn carousel(&mut self, limits: &CarouselLimits, all: &[Row], row: &str) {
        let mut check = |fine: bool, field: &str, what: &str| {
            self.unless(fine, row, &format!("accepts.carousel.{field}"), what);
        };
        let both = limits.items.min.is_some_and(|min| min > 0) && limits.items.max.is_some();
        check(both && ordered(&limits.items), "items", "has to have a `min` and a `max`");
        let items: Vec<&Row> = all.iter().filter(|row| row.role == Role::Item).collect();
        check(!items.is_empty(), "items", "no row is for its items: give one `\"role\": \"item\"`");
        let kinds = |kind| items.iter().any(|item| kind_of(item) == kind);
        let both_kinds = kinds(MediaKind::Image) && kinds(MediaKind::Video);
        check(!limits.mixed || both_kinds, "mixed", "there is no row for items of both kinds");
        check(!limits.equal_size || limits.one_shape.is_some(), "equal_size", "needs `one_shape`");
        let Some(OneShape { ratio, purpose }) = &limits.one_shape else { return };
        let both_ends = ratio.min.is_some() && ratio.max.is_some() && ordered_ratio(ratio);
        check(both_ends, "one_shape.ratio", "has to have a `min` and a `max`");
        let taken = items.iter().all(|item| match &item.accepts {
            RowAccepts::Video(limits) => within(ratio, &limits.ratio),
            RowAccepts::Image(limits) => within(ratio, &limits.ratio),
            RowAccepts::Carousel(_) => false,
        });
        check(taken, "one_shape.ratio", "outside of what its items may have");
        check(is_clause(purpose), "one_shape.purpose", "has to be half a sentence without a full stop");
    }
}

const ORDER: &str = "`min` has to be more than 0 and at most `max`";

/// Both would be chosen for the same placement, kind and account.
fn chosen_alike(row: &Row, other: &Row) -> bool {
    row.tier == other.tier && rivals(row, other)
}

/// Both are posts of one kind that may appear at the same place.
fn rivals(row: &Row, other: &Row) -> bool {
    let places = |row: &Row| -> Vec<Placement> { row.also.iter().copied().chain([row.placement]).collect() };
    let posts = row.role == Role::Post && other.role == Role::Post;
    let shared = places(row).iter().any(|place| places(other).contains(place));
    posts && kind_of(row) == kind_of(other) && shared
}

const fn kind_of(row: &Row) -> MediaKind {
    match row.accepts {
        RowAccepts::Video(_) => MediaKind::Video,
        RowAccepts::Image(_) => MediaKind::Image,
        RowAccepts::Carousel(_) => MediaKind::Carousel,
    }
}

fn known(names: &[String], all: &[&str]) -> bool {
    names.iter().all(|name| all.contains(&name.as_str()))
}

fn unknown(all: &[&str]) -> String {
    format!("one is not known; known are {}", all.join(", "))
}

fn is_clause(text: &str) -> bool {
    !text.is_empty() && !text.ends_with('.')
}

fn ordered<T: PartialOrd>(range: &Range<T>) -> bool {
    match (&range.min, &range.max) {
        (Some(min), Some(max)) => min <= max,
        _ => true,
    }
}

fn values(range: &Range<Ratio>) -> Range<f64> {
    Range { min: range.min.map(Ratio::value), max: range.max.map(Ratio::value) }
}

fn ordered_ratio(range: &Range<Ratio>) -> bool {
    let positive = [range.min, range.max].into_iter().flatten().all(|ratio| ratio.0 > 0 && ratio.1 > 0);
    positive && ordered(&values(range))
}

fn within(inner: &Range<Ratio>, outer: &Range<Ratio>) -> bool {
    let (inner, outer) = (values(inner), values(outer));
    [inner.min, inner.max].into_iter().flatten().all(|end| outer.holds(end))
}
