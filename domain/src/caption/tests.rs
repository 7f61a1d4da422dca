//! The validator case by case, and the laws of dividing a text.

use proptest::prelude::{Strategy, any};
use proptest::{collection, prop_assert, prop_assert_eq, proptest, sample};

use super::*;
use crate::platform::Platform;
use crate::profile::{TextUnit, text_rules};

fn rules(platform: Platform) -> &'static TextRules {
    text_rules(platform).unwrap_or_else(|| panic!("{platform} has text rules"))
}

fn verdict(text: &str, platform: Platform) -> Result<usize, String> {
    check(text, rules(platform), &[]).map(|facts| facts.length).map_err(|problem| problem.code)
}

#[test]
fn each_network_counts_in_its_own_units() {
    use Platform::{Instagram, Telegram, Tiktok};
    let long = |what: &str, n: usize| what.repeat(n);
    let too_long = Err("caption.too_long".to_owned());
    assert_eq!(verdict(&long("😀", 2200), Instagram), Ok(2200));
    assert_eq!(verdict(&long("😀", 2201), Instagram), too_long);
    assert_eq!(verdict(&long("😀", 1100), Tiktok), Ok(2200));
    assert_eq!(verdict(&long("😀", 1101), Tiktok), too_long);
    assert_eq!(verdict(&long("x", 1024), Telegram), Ok(1024));
    assert_eq!(verdict(&long("x", 1024 + 4096), Telegram), Ok(5120));
    assert_eq!(verdict(&long("x", 1024 + 4097), Telegram), too_long);
    assert_eq!(TextUnit::Graphemes.count("👩‍👩‍👧‍👦e\u{301}"), 2);
    assert_eq!(TextUnit::Utf8Bytes.count("é"), 2);
}

#[test]
fn an_emoji_counts_by_its_bytes_on_threads_and_a_link_by_a_fixed_weight_on_x() {
    let threads = |text: &str| TextUnit::EmojiBytes.count(text);
    assert_eq!(
        [threads("añ好1#"), threads("😀"), threads("👩‍👧"), threads("1\u{fe0f}\u{20e3}"), threads("©")],
        [5, 4, 11, 7, 1]
    );
    let x = |text: &str| TextUnit::Weighted.count(text);
    assert_eq!([x("añя’"), x("好か"), x("😀"), x("👩‍👩‍👧‍👦"), x("e\u{301}"), x("…")], [4, 4, 2, 2, 1, 2]);
    assert_eq!(x("a https://x.example/ b"), 4 + 23);
    assert_eq!(x(&format!("a https://x.example/{} b", "long".repeat(90))), 4 + 23);
    let link = format!("https://x.example/{}", "long".repeat(90));
    assert_eq!(verdict(&format!("{} {link}", "x".repeat(256)), Platform::X), Ok(280));
    assert_eq!(
        verdict(&format!("{} {link}", "x".repeat(257)), Platform::X),
        Err("caption.too_long".to_owned())
    );
    let threads = rules(Platform::Threads);
    assert_eq!(check(&"😀".repeat(125), threads, &[]).map(|facts| facts.length).ok(), Some(500));
    assert!(check(&"😀".repeat(126), threads, &[]).is_err());
}

#[test]
fn youtube_takes_no_angle_brackets_and_counts_bytes() {
    assert_eq!(verdict("a < b", Platform::Youtube), Err("caption.refused_character".to_owned()));
    assert_eq!(verdict(&"é".repeat(2500), Platform::Youtube), Ok(5000));
    assert_eq!(verdict(&"é".repeat(2501), Platform::Youtube), Err("caption.too_long".to_owned()));
}

#[test]
fn hashtags_and_mentions_are_counted_on_instagram() {
    let tags = |n: usize| (0..n).map(|i| format!("#t{i} ")).collect::<String>();
    assert!(verdict(&tags(30), Platform::Instagram).is_ok());
    assert_eq!(verdict(&tags(31), Platform::Instagram), Err("caption.too_many_hashtags".to_owned()));
    assert!(verdict(&tags(31), Platform::Tiktok).is_ok());
    let people = |n: usize| (0..n).map(|i| format!("@p{i} ")).collect::<String>();
    assert!(verdict(&people(20), Platform::Instagram).is_ok());
    assert_eq!(verdict(&people(21), Platform::Instagram), Err("caption.too_many_mentions".to_owned()));
}

#[test]
fn forbidden_phrases_are_found_however_they_are_written() {
    let phrases =
        ["Buy now".to_owned(), "crème".to_owned(), "ÎLE".to_owned(), "赚钱".to_owned(), " ".to_owned()];
    let found = |text: &str| check(text, rules(Platform::Instagram), &phrases).is_err();
    for text in [
        "BUY NOW!",
        "buy\n now",
        "#buy now",
        "ｂｕｙ ｎｏｗ",
        "b\u{ad}uy no\u{200d}w",
        "cre\u{300}me",
        "CRÈME brûlée",
        "i\u{302}le",
        "快速赚钱方法",
        "see www.buy.example. Or buy now.Really",
    ] {
        assert!(found(text), "{text:?}");
    }
    for text in ["buy nowhere", "rebuy now", "creme", "cremé", "buynow", "isle", "", "   "] {
        assert!(!found(text), "{text:?}");
    }
}

#[test]
fn a_part_of_a_character_is_no_phrase() {
    for part in ["1", "2"] {
        assert_eq!(forbidden("½", &[part.to_owned()]), [], "{part}");
    }
}

#[test]
fn what_nobody_sees_is_refused_or_cleaned_and_right_to_left_letters_are_kept() {
    for hidden in ["a\0b", "a\u{7}b", "a\u{202e}b", "a\u{2066}b\u{2069}", "\u{feff}a", "a\rb", "a\tb"] {
        assert_eq!(verdict(hidden, Platform::Instagram), Err("caption.unprintable".to_owned()), "{hidden:?}");
        assert!(verdict(&clean(hidden), Platform::Instagram).is_ok(), "{hidden:?}");
    }
    let ordinary = "שלום עולם\u{200f}!\nمرحبا 👩‍👧 e\u{301}";
    assert_eq!(clean(ordinary), ordinary);
    assert!(verdict(ordinary, Platform::Instagram).is_ok());
    assert_eq!(clean(" a\r\nb\rc\u{2028}d\te \n"), "a\nb\nc\nd e");
}

#[test]
fn texts_from_outside_have_a_bound() {
    let code = |text: &str| accept(text).map_err(|problem| problem.code);
    assert_eq!(code(&"x".repeat(64 * 1024)), Err("caption.too_long".to_owned()));
    assert_eq!(code("a\0b"), Err("caption.unprintable".to_owned()));
    assert_eq!(code(" a\u{202e} "), Ok("a".to_owned()));
}

#[test]
fn words_are_what_networks_act_upon() {
    let found = |text: &str| words(text).into_iter().map(|word| word.text.to_owned()).collect::<Vec<_>>();
    let cases: [(&str, &[&str]); 13] = [
        ("see https://x.example/a?b=1#c, now", &["https://x.example/a?b=1#c"]),
        ("(www.example.org/a_(b)) and [http://y.example].", &["www.example.org/a_(b))", "http://y.example"]),
        ("https:// and www.", &[]),
        ("看https://x.example/页。", &["https://x.example/页。"]),
        ("#one#two #3 #", &["#one", "#two", "#3"]),
        ("＃夏 #été_2 #हिन्दी", &["＃夏", "#été_2", "#हिन्दी"]),
        ("@a.b. @c, (@d) ＠e", &["@a.b", "@c", "@d", "＠e"]),
        ("me@example.org &#39; C#", &[]),
        ("@", &[]),
        ("#a-b", &["#a"]),
        ("##a", &["#a"]),
        ("HTTPS://X.example", &["HTTPS://X.example"]),
        ("\"https://x.example\"", &["https://x.example"]),
    ];
    for (text, expected) in cases {
        assert_eq!(found(text), expected, "{text}");
    }
}

#[test]
fn a_text_is_divided_where_a_reader_would() {
    let telegram = TextRules { caption_max: 30, reply_max: Some(60), ..rules(Platform::Telegram).clone() };
    let cases = [
        ("A first paragraph.\n\nAnd a second.", "A first paragraph.", Some("And a second.")),
        ("A sentence that ends. Another one here.", "A sentence that ends.", Some("Another one here.")),
        ("No. Many words without an end of them", "No. Many words without an end", Some("of them")),
        ("This is https://x.example/long/path", "This is", Some("https://x.example/long/path")),
        ("Words that come before #hashtags", "Words that come before", Some("#hashtags")),
        ("xxxxxxxxxxxxxxxxxxxxxxxxx#hashtag", "xxxxxxxxxxxxxxxxxxxxxxxxx", Some("#hashtag")),
        ("short", "short", None),
    ];
    for (text, caption, reply) in cases {
        assert_eq!(split(text, &telegram), Ok(Parts { caption, reply }), "{text}");
    }
}

#[test]
fn a_lost_link_is_named_unless_the_links_alone_are_too_long() {
    let original = "a https://x.example/1 b https://x.example/2";
    let short = TextRules { caption_max: 50, ..rules(Platform::Instagram).clone() };
    assert_eq!(check_links(original, "https://x.example/2 https://x.example/1", &short), Ok(()));
    let lost = check_links(original, "https://x.example/1", &short).map_err(|problem| problem.message);
    assert_eq!(lost, Err("The link https://x.example/2 is missing from the text. Put it back.".to_owned()));
    assert_eq!(check_links(original, "", &TextRules { caption_max: 30, ..short }), Ok(()));
}

fn text() -> impl Strategy<Value = String> {
    let piece = sample::select(vec![
        "word ",
        "Ende. ",
        "\n\n",
        "😀",
        "👩‍👩‍👧‍👦",
        "e\u{301}",
        "#tag ",
        "https://x.example/abc ",
        "یک ",
        "。",
        "x",
    ]);
    let pieces = collection::vec(piece, 0..200).prop_map(|pieces| pieces.concat());
    (pieces, any::<String>()).prop_map(|(a, b)| format!("{a}{b}"))
}

fn unit() -> impl Strategy<Value = TextUnit> {
    sample::select(vec![TextUnit::Utf16, TextUnit::Utf8Bytes, TextUnit::EmojiBytes, TextUnit::Weighted])
}

proptest! {
    #[test]
    fn a_cut_fits_and_breaks_no_word(text in text(), limit in 30usize..300, unit in unit()) {
        let at = cut(&text, limit, unit);
        prop_assert!(text.is_char_boundary(at));
        prop_assert!(unit.count(&text[..at]) <= limit);
        prop_assert!(words(&text).iter().all(|word| at <= word.range.start || word.range.end <= at || word.range.start == 0));
        if unit.count(&text) > limit {
            prop_assert!(at > 0);
        }
    }

    #[test]
    fn dividing_loses_nothing_but_blanks_at_the_seam(text in text(), limit in 30usize..300) {
        let rules = TextRules { caption_max: limit, ..rules(Platform::Telegram).clone() };
        if let Ok(parts) = split(&text, &rules) {
            let joined: String = [parts.caption, parts.reply.unwrap_or("")].concat();
            let bare = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(bare(&joined), bare(&text));
        }
    }

    #[test]
    fn cleaning_is_done_once_and_is_enough(text in any::<String>()) {
        let cleaned = clean(&text);
        prop_assert_eq!(&clean(&cleaned), &cleaned);
        prop_assert!(!cleaned.chars().any(is_unprintable));
    }

    #[test]
    fn a_phrase_that_was_put_there_is_found(before in "[a-z ]{0,20}", after in "[a-z ]{0,20}", upper in any::<bool>()) {
        let phrase = "Verbotene Größe".to_owned();
        let written = if upper { phrase.to_uppercase().replace("SS", "ẞ") } else { phrase.to_lowercase() };
        let text = format!("{before} {written}! {after}");
        prop_assert_eq!(forbidden(&text, &[phrase]).len(), 1);
    }
}
