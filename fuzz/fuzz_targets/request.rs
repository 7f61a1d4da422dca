//! The first thing that the engine reads: whatever the bytes, they are refused or understood, and
//! what was understood is said again in the same words.
#![no_main]

use std::slice;

use domain::engine::{OutputRequest, Request};
use domain::names;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(request) = serde_json::from_slice::<Request>(bytes) else { return };
    let (names, outputs): (Vec<&str>, &[OutputRequest]) = match &request {
        Request::Probe(probe) => (vec![&probe.source, &probe.thumbnail], &[]),
        Request::Run(run) => {
            let logos = run.overlays.iter().map(|logo| logo.name.as_str());
            (logos.chain([run.source.as_str()]).collect(), &run.outputs)
        }
        Request::Join(join) => {
            let parts = join.parts.iter().map(String::as_str);
            (parts.chain([join.source.as_str()]).collect(), slice::from_ref(&join.output))
        }
    };
    for output in outputs {
        assert_eq!(output.operation.key(), output.operation.clone().key());
    }
    for name in names.into_iter().chain(outputs.iter().map(|output| output.name.as_str())) {
        // What passes is one plain component of a path.
        let passes = names::check(name).is_ok();
        assert!(!passes || !(name.contains(['/', '\0', ':']) || name.starts_with(['.', '-'])), "{name:?}");
    }
    let again = serde_json::to_vec(&request).expect("a request is written");
    assert_eq!(serde_json::from_slice::<Request>(&again).expect("and read again"), request);
});
