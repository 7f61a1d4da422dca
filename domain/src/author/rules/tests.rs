//! What the author makes of texts, and what holds for any text at all.

use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof};
use proptest::{collection, prop_assert, prop_assert_eq, proptest, sample};

use super::{adapt, without_forbidden};
use crate::author::BrandVoice;
use crate::caption::{check, check_links, forbidden, links};
use crate::platform::Platform;
use crate::profile::{TextRules, TextUnit, text_rules};

fn rules(platform: Platform) -> &'static TextRules {
    text_rules(platform).unwrap_or_else(|| panic!("{platform} has text rules"))
}

fn voice(hashtags: &[&str], phrases: &[&str]) -> BrandVoice {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    BrandVoice {
        default_hashtags: owned(hashtags),
        forbidden_phrases: owned(phrases),
        ..BrandVoice::default()
    }
}

fn small(caption_max: usize) -> TextRules {
    TextRules { caption_max, ..rules(Platform::Instagram).clone() }
}

fn adapted(text: &str, voice: &BrandVoice, rules: &TextRules) -> String {
    match adapt(text, voice, rules) {
        Ok(draft) => draft.text,
        Err(problem) => format!("{}: {}", problem.code, problem.message),
    }
}

#[test]
fn a_text_that_fits_is_kept_and_gets_the_brands_hashtags_once() {
    let brand = voice(&["Sofas", "#home deco", "sofas", "!", ""], &[]);
    let text = adapted("  Our new sofa.\r\nhttps://x.example/a?b=1#c \u{202e}#SOFAS  ", &brand, &small(2200));
    assert_eq!(text, "Our new sofa.\nhttps://x.example/a?b=1#c #SOFAS\n\n#homedeco");
    assert_eq!(adapted("", &brand, &small(2200)), "#Sofas #homedeco");
}

#[test]
fn youtube_gets_a_title_in_its_own_unit_and_no_angle_brackets() {
    let long = format!("<b>{}</b> x\nmore", "é".repeat(90));
    let draft = adapt(&long, &voice(&[], &[]), rules(Platform::Youtube));
    let title = draft.ok().and_then(|draft| draft.title).unwrap_or_default();
    assert_eq!(title, format!("b{}/b x", "é".repeat(90)));
}

#[test]
fn hashtags_are_added_only_where_they_fit() {
    let brand = voice(&["one", "two"], &[]);
    assert_eq!(adapted("Twelve chars", &brand, &small(18)), "Twelve chars\n\n#one");
    let full: String = (0..30).map(|n| format!("#t{n} ")).collect();
    assert_eq!(adapted(&full, &brand, &small(2200)), full.trim());
}

#[test]
fn forbidden_phrases_go_with_the_hashtag_they_are_part_of() {
    let brand = voice(&["cheap", "fine"], &["cheap", "Free  Money"]);
    let cases = [
        ("A CHEAP, good one", "A, good one\n\n#fine"),
        ("Get free money now", "Get now\n\n#fine"),
        ("Get ｆｒｅｅ mo\u{200b}ney!", "Get!\n\n#fine"),
        ("Not a cheapskate", "Not a cheapskate\n\n#fine"),
        ("Look #Cheap #sofa", "Look #sofa\n\n#fine"),
        ("free cheap money", "#fine"),
    ];
    for (original, expected) in cases {
        assert_eq!(adapted(original, &brand, &small(2200)), expected, "{original}");
    }
    let link = adapt("see https://cheap.example/", &brand, &small(2200)).map_err(|problem| problem.code);
    assert_eq!(link, Err("caption.forbidden_phrase".to_owned()));
}

#[test]
fn what_is_around_a_hole_is_well_formed() {
    let phrases =
        ["cheap", "free money", "赚钱", "argent gratuit", "dinero gratis", "مال مجاني", "геть", "मुफ़्त"];
    let phrases: Vec<String> = phrases.map(str::to_owned).into();
    let cases = [
        // Sentences that were nothing else.
        ("In the light. Free money! #light", "In the light. #light"),
        ("Free money! Come in.", "Come in."),
        ("Really? Cheap?! Yes.", "Really? Yes."),
        ("Good. Cheap.", "Good."),
        ("Wait… cheap, then", "Wait… then"),
        // Clauses.
        ("A cheap, good one", "A, good one"),
        ("Good, cheap, fine", "Good, fine"),
        ("Come today, free money!", "Come today!"),
        ("Come today, free money", "Come today"),
        ("Good; cheap, fine", "Good; fine"),
        ("Good, cheap; fine", "Good; fine"),
        ("We have: cheap, good sofas", "We have: good sofas"),
        ("Sofas – cheap – for you", "Sofas – for you"),
        ("Sofas — cheap, for you", "Sofas, for you"),
        ("Sofas | cheap", "Sofas"),
        ("Get free money , now", "Get, now"),
        ("cheap, free money, cheap", ""),
        // Halves of words, and signs that are none.
        ("A super-cheap sofa", "A super sofa"),
        ("A cheap-looking sofa", "A looking sofa"),
        ("good/cheap/fine", "good/fine"),
        ("good/cheap sofas", "good sofas"),
        ("Cheap: -5 % today", "-5 % today"),
        // Brackets and quotes.
        ("A sofa (cheap)", "A sofa"),
        ("A sofa (cheap!), red", "A sofa, red"),
        ("A ([cheap]) sofa", "A sofa"),
        ("A sofa (cheap, red)", "A sofa (red)"),
        ("A sofa (red, cheap)", "A sofa (red)"),
        ("A sofa (cheap red)", "A sofa (red)"),
        ("They call it \"cheap\".", "They call it."),
        ("\"Free money!\" she said", "she said"),
        ("\"Yes\" cheap \"no\"", "\"Yes\" \"no\""),
        ("“Cheap” and ‘cheap’ and good", "and and good"),
        ("„Cheap“ sagt er, »cheap« sagt sie", "sagt er, sagt sie"),
        ("„Ja“ cheap „nein“", "„Ja“ „nein“"),
        ("«cheap» — «нет»", "«нет»"),
        ("Sale, «геть», отак", "Sale, отак"),
        // Lines.
        ("A\nfree money\nB", "A\nB"),
        ("A\n\nFree money!\n\nB", "A\n\nB"),
        ("A\ncheap, B", "A\nB"),
        ("A, cheap\nB", "A\nB"),
        ("- sofa\n- cheap\n  - chair", "- sofa\n  - chair"),
        ("• cheap\n• sofa", "• sofa"),
        ("Look #Cheap, #sofa", "Look, #sofa"),
        // Other scripts.
        ("Venez, argent gratuit\u{a0}!", "Venez\u{a0}!"),
        ("«\u{a0}argent gratuit\u{a0}» : oui", "oui"),
        ("«\u{a0}bon, argent gratuit\u{a0}»", "«\u{a0}bon\u{a0}»"),
        ("¡Dinero gratis! Hola", "Hola"),
        ("¡Ven, dinero gratis!", "¡Ven!"),
        ("¿Dinero gratis? ¡Hola!", "¡Hola!"),
        ("很好，赚钱，快来。赚钱！", "很好，快来。"),
        ("他说“赚钱”。（赚钱）好", "他说。好"),
        ("「赚钱」です、よ", "です、よ"),
        ("مرحبا، مال مجاني؟ أهلا", "مرحبا؟ أهلا"),
        ("नमस्ते। मुफ़्त। आओ", "नमस्ते। आओ"),
        // Links and names stay what they are.
        ("https://x.example/a cheap, b", "https://x.example/a, b"),
        ("https://x.example/a 赚钱。", "https://x.example/a 。"),
        ("https://x.example/a， 赚钱！", "https://x.example/a， ！"),
        ("(cheap https://x.example/a_(b))", "(https://x.example/a_(b))"),
        ("@anna cheap.shop", "@anna .shop"),
    ];
    let wrong: Vec<String> = cases
        .into_iter()
        .map(|(text, expected)| (text, expected, without_forbidden(text, &phrases)))
        .filter(|(_, expected, got)| got.as_deref() != Ok(*expected))
        .map(|(text, expected, got)| format!("{text:?}: {got:?}, not {expected:?}"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_long_text_ends_at_a_sentence_with_its_link_and_hashtags_behind_it() {
    let text = "The first sentence is here. The second one is a little longer. And a third https://x.example/y #a #b";
    assert_eq!(
        adapted(text, &voice(&[], &[]), &small(90)),
        "The first sentence is here. …\n\nhttps://x.example/y #a #b"
    );
}

#[test]
fn what_is_too_much_for_the_network_goes() {
    let tags: String = (0..40).map(|n| format!("#t{n} ")).collect();
    let text = adapted(&tags, &voice(&[], &[]), rules(Platform::Instagram));
    assert!(text.ends_with("#t29") && text.starts_with("#t0 #t1 "), "{text}");
    let people: String = (0..22).map(|n| format!("@p{n} ")).collect();
    let text = adapted(&people, &voice(&[], &[]), rules(Platform::Instagram));
    assert!(text.ends_with("@p19 p20 p21"), "{text}");
}

/// Anything that can be typed, with what networks act upon strewn in.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => any::<String>(),
        4 => sample::select(vec![
            "Good morning. ", "чудовий ранок! ", "مرحبا ", "您好。", "👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "\n\n", " ", "e\u{301}", "#", "@", "\u{202e}",
            "free", "money", "free money", "FREE\u{ad} MONEY", "#free", "@free.money",
        ]).prop_map(str::to_owned),
        2 => "#[a-zäö0-9_]{1,20} ?".prop_map(|tag| tag),
        1 => "@[a-z.]{1,12} ".prop_map(|name| name),
        1 => "https://[a-z]{1,12}\\.example/[a-z0-9]{0,40} ".prop_map(|link| link),
        1 => (1usize..900).prop_map(|n| "x".repeat(n)),
        1 => (1usize..60).prop_map(|n| "Words and more. ".repeat(n)),
        1 => (1usize..700).prop_map(|n| format!("e{}", "\u{301}".repeat(n))),
    ];
    collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn network() -> impl Strategy<Value = TextRules> {
    let unit = sample::select(vec![
        TextUnit::Chars,
        TextUnit::Utf16,
        TextUnit::Utf8Bytes,
        TextUnit::Graphemes,
        TextUnit::EmojiBytes,
        TextUnit::Weighted,
    ]);
    prop_oneof![
        sample::select(Platform::ALL.to_vec()).prop_map(|platform| rules(platform).clone()),
        (unit, 20usize..500).prop_map(|(unit, caption_max)| TextRules { unit, ..small(caption_max) }),
        (20usize..200, 200usize..900, Just(()))
            .prop_map(|(caption_max, reply, ())| TextRules { reply_max: Some(reply), ..small(caption_max) }),
    ]
}

/// Phrases, marks, blanks and words of many scripts in any order.
fn punctuated() -> impl Strategy<Value = String> {
    let piece = sample::select(vec![
        "cheap",
        "Cheap",
        "赚钱",
        "#cheap ",
        "word",
        "слово",
        "好",
        "كلمة",
        "https://x.example/a",
        "www.y.example/页",
        "#tag ",
        "@anna ",
        " ",
        " ",
        " ",
        "\u{a0}",
        "\n",
        "\u{200b}",
        ".",
        ",",
        "!",
        "?",
        ";",
        ":",
        "…",
        "。",
        "，",
        "؟",
        "-",
        "–",
        "/",
        "&",
        "(",
        ")",
        "[",
        "]",
        "（",
        "）",
        "\"",
        "'",
        "“",
        "”",
        "„",
        "«",
        "»",
        "¡",
        "¿",
        "’",
    ]);
    collection::vec(piece, 0..30).prop_map(|pieces| crate::caption::clean(&pieces.concat()))
}

proptest! {
    #[test]
    fn a_removal_leaves_what_it_is_not_asked_to_take(original in punctuated()) {
        let phrases = ["cheap".to_owned(), "赚钱".to_owned()];
        let Ok(text) = without_forbidden(&original, &phrases) else { return Ok(()) };
        prop_assert_eq!(forbidden(&text, &phrases), vec![]);
        prop_assert_eq!(without_forbidden(&text, &phrases), Ok(text.clone()));
        for blanks in ["  ", " \n", "\u{a0} ", " \u{a0}", "\n\n\n"] {
            prop_assert!(original.contains(blanks) || !text.contains(blanks), "{text:?}");
        }
        prop_assert_eq!(links(&text).collect::<Vec<_>>(), links(&original).collect::<Vec<_>>(), "{:?}", text);
        // Nothing but marks and blanks goes with the phrases.
        let others = |text: &str| {
            let letters: String = text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
            letters.replace("cheap", "").replace("赚钱", "")
        };
        prop_assert_eq!(others(&text), others(&original), "{:?}", text);
    }
}

proptest! {
    // Long texts in a build without optimisation: fewer cases keep the suite quick.
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_comes_in_what_comes_out_is_valid(original in text(), rules in network()) {
        let brand = voice(&["brand", "free", "Tag_2", "free money"], &["free money", "free", "e\u{301}"]);
        let draft = adapt(&original, &brand, &rules);
        prop_assert!(draft.is_ok(), "{:?}", draft);
        let Ok(draft) = draft else { return Ok(()) };
        prop_assert!(check(&draft.text, &rules, &brand.forbidden_phrases).is_ok());
        prop_assert_eq!(adapt(&original, &brand, &rules).map(|again| again.text), Ok(draft.text));
    }

    #[test]
    fn links_are_kept_when_they_fit(original in text(), rules in network()) {
        let draft = adapt(&original, &voice(&["brand"], &[]), &rules);
        let text = draft.map(|draft| draft.text).unwrap_or_default();
        let original = crate::caption::clean(&original);
        prop_assert_eq!(check_links(&original, &text, &rules), Ok(()), "{:?}", links(&text).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_right_already_stays_as_it_is(original in text(), rules in network()) {
        let original = crate::caption::clean(&original);
        if check(&original, &rules, &[]).is_ok() {
            prop_assert_eq!(adapt(&original, &BrandVoice::default(), &rules).map(|draft| draft.text), Ok(original));
        }
    }
}
