//! The worker is killed: its encode ends with it.

use std::io::{BufRead as _, BufReader};
use std::time::{Duration, Instant};

use domain::engine::{Event, OutputRequest, Request, RunRequest};
use domain::operation::Framing;

use crate::harness::{AAC, Scratch, corpus, encode, video};

#[test]
fn nobody_is_left_to_encode_for() {
    // Six minutes of it: far from done when its first words are heard.
    let scratch = Scratch::with(&corpus("video/six-minutes-1080p-lowbitrate.mp4"));
    let operation = video(encode(1920, 1080, Framing::Whole, (30, 1)), AAC);
    let outputs = vec![OutputRequest { name: "out".to_owned(), operation }];
    let request = RunRequest::new("source", outputs);
    let request = serde_json::to_vec(&Request::Run(request)).unwrap();
    let mut child = scratch.start(&["--require-jail"], &request);

    let mut heard = BufReader::new(child.stdout.take().unwrap()).lines();
    let progress = heard.find(|line| {
        let event: Event = serde_json::from_str(line.as_ref().unwrap()).unwrap();
        matches!(event, Event::Progress { .. })
    });
    assert!(progress.is_some());
    drop(heard);

    let limit = Instant::now() + Duration::from_secs(10);
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if Instant::now() > limit => {
                child.kill().unwrap();
                panic!("it goes on for nobody");
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    assert_eq!(status.code(), Some(3));
}
