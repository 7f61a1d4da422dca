//! Encodes, judged by ffprobe.

use domain::engine::Event;
use domain::operation::{AudioOutput, Framing, Operation, VideoOutput};
use serde_json::Value;

use crate::harness::{AAC, Scratch, corpus, encode, ffprobe, number, outcomes, stream, video};

/// What every network's recommendation has in common.
fn assert_is_as_asked(judge: &Value, width: u32, height: u32, rate: &str) {
    let video = stream(judge, "video").unwrap();
    assert_eq!(
        (video["width"].as_u64(), video["height"].as_u64()),
        (Some(width.into()), Some(height.into()))
    );
    for (field, value) in [
        ("codec_name", "h264"),
        ("codec_tag_string", "avc1"),
        ("profile", "High"),
        ("pix_fmt", "yuv420p"),
        ("sample_aspect_ratio", "1:1"),
        ("color_range", "tv"),
        ("color_space", "bt709"),
        ("color_transfer", "bt709"),
        ("color_primaries", "bt709"),
        ("field_order", "progressive"),
        ("avg_frame_rate", rate),
        ("r_frame_rate", rate),
    ] {
        assert_eq!(video[field].as_str(), Some(value), "{field}");
    }
    assert!(video["side_data_list"].is_null(), "{video}");
    assert!(number(&video["start_time"]).abs() < 0.001);
    if let Some(audio) = stream(judge, "audio") {
        assert_eq!((audio["codec_name"].as_str(), audio["profile"].as_str()), (Some("aac"), Some("LC")));
        assert_eq!((audio["sample_rate"].as_str(), audio["channels"].as_u64()), (Some("48000"), Some(2)));
        assert!(number(&audio["start_time"]).abs() < 0.001);
        let drift = number(&audio["duration"]) - number(&video["duration"]);
        assert!(drift.abs() < 0.04, "sound and pictures end {drift} s apart");
    }
}

/// Key frames fall exactly on multiples of the group length.
fn assert_groups(judge: &Value, frames: usize) {
    let video = stream(judge, "video").unwrap()["index"].clone();
    let packets =
        judge["packets"].as_array().unwrap().iter().filter(|packet| packet["stream_index"] == video);
    for (index, packet) in packets.enumerate() {
        let key = packet["flags"].as_str().unwrap().starts_with('K');
        assert_eq!(key, index % frames == 0, "packet {index}");
    }
}

/// One source of each trouble: rotation, HDR, variable rate, odd size, aspect, full range, 5.1,
/// 8 kHz mono, program stream, Matroska, AV1, VP8.
#[test]
fn every_kind_of_source_becomes_the_same_kind_of_file() {
    for name in [
        "fmp4-rot90-51audio.mp4",
        "iphone-hlg-10bit-editlist-rot90.mp4",
        "iphone-dolbyvision-hdr-rot90.MOV",
        "portrait-720x1280-av1-hdr10.mp4",
        "screenrec-vfr-3026x1386.mp4",
        "bear-vp9-161x121.webm",
        "phone-h263-aac8k-mono.3gp",
        "phone-4k60-portrait-rot90.mp4",
        "city-mpeg2-noaudio.mpg",
        "h264-ac3-srt.mkv",
        "mpeg4asp-720p.avi",
        "nasa-multistream-13s.mp4",
        "one-frame-rot90.mp4",
    ] {
        let scratch = Scratch::with(&corpus(&format!("video/{name}")));
        let source = scratch.probe().unwrap().info;
        let audio = if source.audio.is_some() { AAC } else { AudioOutput::Silent { bit_rate: 128_000 } };
        let events = scratch.run(vec![
            ("pad", video(encode(360, 640, Framing::Pad, (30, 1)), audio.clone())),
            ("crop", video(encode(320, 320, Framing::Crop, (24_000, 1001)), audio)),
        ]);
        for (output, made) in outcomes(&events) {
            let (info, _) = made.unwrap_or_else(|problem| panic!("{name} {output}: {problem:?}"));
            let judge = ffprobe(&scratch.path(&output));
            let (width, height, rate) =
                if output == "pad" { (360, 640, "30/1") } else { (320, 320, "24000/1001") };
            if info.video.as_ref().unwrap().frames > 1 {
                assert_is_as_asked(&judge, width, height, rate);
            }
            assert_groups(&judge, if output == "pad" { 60 } else { 48 });
            assert!(info.moov_first && !info.edit_list && !info.has_metadata, "{name}");
            scratch.put("source", &std::fs::read(scratch.path(&output)).unwrap());
            std::fs::remove_file(scratch.path("thumbnail.jpg")).unwrap();
            assert_eq!(scratch.probe().unwrap().info, info, "{name}: read again, it is another file");
        }
    }
}

#[test]
fn a_failed_output_leaves_the_others_alone() {
    let scratch = Scratch::with(&corpus("video/bbb-30s-720p-vp8.webm"));
    let small = encode(128, 72, Framing::Whole, (12, 1));
    let mut odd = small.clone();
    odd.width = 127;
    let events = scratch.run(vec![
        ("remux", Operation::Remux { drop_audio: false }),
        ("odd", video(odd, AudioOutput::None)),
        ("whole", video(small, AAC)),
    ]);
    for (name, made) in outcomes(&events) {
        assert_eq!(made.is_ok(), name == "whole", "{name}: {made:?}");
    }
    assert_eq!(scratch.names(), ["source", "whole"]);
}

/// Who has all the frames that are wanted reads no further: the rest of an hour would be decoded, and kept.
#[test]
fn nothing_is_read_behind_the_end_of_what_is_wanted() {
    let scratch = Scratch::with(&corpus("video/hevc-1080p-10s.mp4"));
    let Operation::Video(whole) = video(encode(270, 480, Framing::Pad, (30, 1)), AAC) else { unreachable!() };
    let cut = Operation::Video(VideoOutput { first_ms: Some(1000), ..whole });
    let events = scratch.run(vec![("cut", cut)]);
    assert!(outcomes(&events).iter().all(|(_, made)| made.is_ok()), "{events:?}");
    let Some(Event::Finished { frames_decoded, .. }) = events.last() else { panic!("{events:?}") };
    assert!(*frames_decoded < 100, "{frames_decoded} of 300");
}

#[test]
fn equal_encodes_are_made_once_and_progress_is_told() {
    let scratch = Scratch::with(&corpus("video/hevc-1080p-10s.mp4"));
    let same = encode(270, 480, Framing::Pad, (30, 1));
    let events = scratch.run(vec![
        ("loud", video(same.clone(), AAC)),
        ("mute", video(same.clone(), AudioOutput::None)),
        ("silent", video(same, AudioOutput::Silent { bit_rate: 96_000 })),
    ]);
    assert!(outcomes(&events).iter().all(|(_, made)| made.is_ok()), "{events:?}");
    assert_eq!(events.last(), Some(&Event::Finished { frames_decoded: 300, encodes: 1 }));
    let told: Vec<f64> = events
        .iter()
        .filter_map(|event| match event {
            Event::Progress { done } => Some(*done),
            _ => None,
        })
        .collect();
    assert!(
        told.len() >= 2 && told.is_sorted() && told.iter().all(|done| (0.0..=1.0).contains(done)),
        "{told:?}"
    );
}

#[test]
fn passing_on_changes_nothing() {
    let scratch = Scratch::with(&corpus("video/flower-540p-h264.mp4"));
    let probed = scratch.probe().unwrap();
    let events = scratch.run(vec![("same", Operation::Passthrough)]);
    assert_eq!(outcomes(&events), [("same".to_owned(), Ok((probed.info, probed.sha256)))]);
    assert!(!scratch.path("same").exists(), "the source itself is the output");
}
