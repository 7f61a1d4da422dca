//! Carousels whose items are shown in one shape, and those whose items are not.

use proptest::prelude::{Strategy, prop_oneof};
use proptest::{collection, option, prop_assert, prop_assert_eq, prop_assume, proptest, sample};

use super::laws;
use super::shapes::{image, lasting, row, told};
use crate::conformance::violations;
use crate::media_info::MediaInfo;
use crate::operation::{Framing, Operation};
use crate::plan::{FilePlan, PostWish, expected_info, fit_post};
use crate::samples::{conforming, sized};

fn planned(name: &str, items: &[MediaInfo], framing: Option<Framing>) -> Vec<FilePlan> {
    fit_post(row(name), &items.iter().collect::<Vec<_>>(), &PostWish { framing, ..PostWish::default() })
}

fn all_told(name: &str, items: &[MediaInfo], framing: Option<Framing>) -> Vec<String> {
    planned(name, items, framing).iter().map(|plan| told(&plan.fit)).collect()
}

fn clip(width: u32, height: u32) -> MediaInfo {
    sized(lasting(conforming(), 20_000), width, height)
}

/// What it is, its items, what a person asked for, and what is told of the fits.
type Case = (&'static str, Vec<MediaInfo>, Option<Framing>, Vec<&'static str>);

#[test]
fn on_instagram_the_first_item_shapes_all() {
    let portrait = || image(1080, 1350);
    let cases: Vec<Case> = vec![
        (
            "one shape already",
            vec![portrait(), image(1200, 1500), clip(720, 900)],
            None,
            vec!["passthrough"; 3],
        ),
        (
            "nearly one shape",
            vec![portrait(), image(1440, 1790), clip(1080, 1340)],
            None,
            vec!["passthrough"; 3],
        ),
        (
            "a wide clip behind a portrait",
            vec![portrait(), clip(1920, 1080)],
            None,
            vec!["passthrough", "pad 1080x1350 30/1 L40 6000k copy"],
        ),
        (
            "a portrait behind a square",
            vec![image(1080, 1080), portrait(), image(1000, 800)],
            None,
            vec!["passthrough", "jpeg crop 1080x1080", "jpeg crop 800x800"],
        ),
        (
            "a wide photo first",
            vec![image(1440, 960), image(1080, 1080), clip(1920, 1080)],
            None,
            vec!["passthrough", "jpeg pad 1440x960", "crop 1620x1080 30/1 L40 6000k copy"],
        ),
        (
            "the first is changed itself",
            vec![image(1080, 1920), portrait(), image(1440, 1440)],
            None,
            vec!["jpeg pad 1440x1800", "passthrough", "jpeg crop 1152x1440"],
        ),
        (
            "cut by wish",
            vec![portrait(), clip(1920, 1080)],
            Some(Framing::Crop),
            vec!["passthrough", "crop 864x1080 30/1 L32 6000k copy"],
        ),
        (
            "whole by wish: borders, since Instagram would cut it",
            vec![image(1080, 1080), image(1440, 960)],
            Some(Framing::Whole),
            vec!["passthrough", "jpeg pad 1440x1440"],
        ),
        (
            "a reel first, whole by wish: taken, and not shown so",
            vec![clip(1080, 1920), portrait()],
            Some(Framing::Whole),
            vec!["pad 1080x1350 30/1 L40 6000k copy", "passthrough"],
        ),
        (
            "a shape without a name",
            vec![image(1001, 800), clip(1920, 1080), image(1440, 1440)],
            None,
            vec!["passthrough", "pad 1352x1080 30/1 L40 6000k copy", "jpeg pad 1440x1151"],
        ),
        (
            "nothing can be made of the first",
            vec![image(8, 8), image(1440, 960)],
            None,
            vec!["media.too_small", "passthrough"],
        ),
    ];
    for (case, items, framing, expected) in cases {
        assert_eq!(all_told("instagram.carousel", &items, framing), expected, "{case}");
    }
}

#[test]
fn on_telegram_every_item_keeps_its_shape() {
    let items = [image(1080, 1350), image(1440, 960), clip(1920, 1080)];
    assert_eq!(all_told("telegram.album", &items, None), ["passthrough"; 3]);
}

#[test]
fn an_item_that_is_shaped_by_the_first_says_so() {
    let items = [image(1080, 1350), clip(1920, 1080)];
    let plans = planned("instagram.carousel", &items, None);
    let reasons = plans[1].fit.as_ref().map(|fit| fit.reasons.clone());
    let expected = "Given borders, from 16:9 to 4:5: Instagram shows all items of a carousel in one shape between 4:5 and 1.91:1, that of the first.";
    assert_eq!(reasons, Ok(vec![expected.to_owned()]));
}

/// Items that Instagram does not refuse for what planning cannot mend.
fn items() -> impl Strategy<Value = Vec<MediaInfo>> {
    let short = laws::video().prop_map(|info| {
        let duration = 3_000 + info.duration_ms.unwrap_or(0) % 57_000;
        lasting(info, duration)
    });
    collection::vec(prop_oneof![short, laws::image()], 2..6)
}

fn framing() -> impl Strategy<Value = Option<Framing>> {
    option::of(sample::select(vec![Framing::Whole, Framing::Crop, Framing::Pad]))
}

/// What is made of each item, when something can be made of all.
fn made(items: &[MediaInfo], framing: Option<Framing>) -> Option<Vec<(FilePlan, MediaInfo)>> {
    let plans = planned("instagram.carousel", items, framing).into_iter().zip(items);
    plans
        .map(|(plan, item)| {
            let result = expected_info(item, &plan.fit.as_ref().ok()?.operation);
            Some((plan, result))
        })
        .collect()
}

proptest! {
    #[test]
    fn a_carousel_that_was_made_needs_nothing_more(items in items(), framing in framing()) {
        let made = made(&items, framing);
        prop_assume!(made.is_some());
        let made = made.unwrap_or_default();
        for (plan, result) in &made {
            prop_assert_eq!(violations(result, plan.profile), vec![], "{:?}", plan);
        }
        let results: Vec<MediaInfo> = made.iter().map(|(_, result)| result.clone()).collect();
        for (again, (plan, _)) in planned("instagram.carousel", &results, framing).iter().zip(&made) {
            let operation = again.fit.as_ref().map(|fit| &fit.operation);
            prop_assert_eq!(operation, Ok(&Operation::Passthrough), "after {:?}", plan);
        }
    }

    #[test]
    fn nothing_is_left_that_the_network_would_cut_visibly(items in items(), framing in framing()) {
        let made = made(&items, framing);
        prop_assume!(made.is_some());
        let made = made.unwrap_or_default();
        let ratio = |info: &MediaInfo| f64::from(info.width) / f64::from(info.height);
        let shown = ratio(&made[0].1).clamp(0.8, 1.91);
        for (_, result) in &made {
            let cut = (f64::from(result.height) - f64::from(result.width) / shown).abs();
            prop_assert!((ratio(result) / shown - 1.0).abs() <= 0.02 || cut <= 2.0, "{shown}: {:?}", result);
        }
    }

    #[test]
    fn an_item_depends_on_the_first_alone(items in items(), framing in framing()) {
        let all = planned("instagram.carousel", &items, framing);
        for (index, plan) in all.iter().enumerate().skip(1) {
            let two = planned("instagram.carousel", &[items[0].clone(), items[index].clone()], framing);
            prop_assert_eq!(&two[1], plan);
            prop_assert_eq!(&two[0], &all[0]);
        }
    }
}
