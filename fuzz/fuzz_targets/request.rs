//! The first thing that the engine reads: whatever the bytes, they are refused or understood, and
//! what was understood is said again in the same words.
#![no_main]

use domain::engine::Request;
use domain::names;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(request) = serde_json::from_slice::<Request>(bytes) else { return };
    let names: Vec<&str> = match &request {
        Request::Probe(probe) => vec![&probe.source, &probe.thumbnail],
        Request::Run(run) => {
            let outputs = run.outputs.iter().map(|output| {
                assert_eq!(output.operation.key(), output.operation.clone().key());
                output.name.as_str()
            });
            outputs
                .chain([run.source.as_str()])
                .chain(run.overlays.iter().map(|logo| logo.name.as_str()))
                .collect()
        }
    };
    for name in names {
        // What passes is one plain component of a path.
        let passes = names::check(name).is_ok();
        assert!(!passes || !(name.contains(['/', '\0', ':']) || name.starts_with(['.', '-'])), "{name:?}");
    }
    let again = serde_json::to_vec(&request).expect("a request is written");
    assert_eq!(serde_json::from_slice::<Request>(&again).expect("and read again"), request);
});
