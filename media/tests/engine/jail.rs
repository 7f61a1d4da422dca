//! The jail, from inside and from outside.

use std::fs;

use serde_json::Value;

use crate::harness::{Scratch, is_root};

#[test]
fn nothing_leaves_the_jail() {
    let scratch = Scratch::new();
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("escaped");
    // World-writable, so that only the jail can stop the write.
    fs::set_permissions(outside.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();

    let output = scratch.spawn(&["--self-test", target.to_str().unwrap()], b"");

    let attempts: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert!(attempts.len() >= 10, "{attempts:?}");
    for attempt in attempts {
        assert_eq!(attempt["stopped"], attempt["forbidden"], "{attempt}");
    }
    assert!(!target.exists());
    assert_eq!(scratch.names(), [""; 0]);
}

#[test]
fn the_layers_are_told() {
    let output = Scratch::new().spawn(&["--layers"], b"");
    let layers: Vec<String> = serde_json::from_slice(&output.stdout).unwrap();
    for layer in ["no_new_privs", "not_dumpable", "rlimits", "seccomp"] {
        assert!(layers.iter().any(|held| held == layer), "{layer}: {layers:?}");
    }
    let confined = layers.iter().any(|held| held == "landlock" || held == "chroot");
    assert!(confined, "{layers:?}");
    assert_eq!(layers.iter().any(|held| held == "own_uid"), is_root(), "{layers:?}");
}

#[test]
fn nonsense_is_refused_without_an_event() {
    let scratch = Scratch::new();
    for request in [&b"not json"[..], b"{}", b"", br#"{"request":"probe","source":"a"}"#, &[b' '; 2 << 20]] {
        let output = scratch.spawn(&["--require-jail"], request);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("the request is not valid"), "{output:?}");
    }
}

#[test]
fn files_outside_the_scratch_directory_cannot_be_named() {
    use domain::engine::{Event, InputLimits, ProbeRequest, Request};
    let scratch = Scratch::new();
    for source in ["../secret", "/etc/passwd", "a/b", "http:x", "-i", ""] {
        let limits = InputLimits::default();
        let request = ProbeRequest { source: source.into(), thumbnail: "thumbnail.jpg".into(), limits };
        match scratch.ask(&Request::Probe(request)).pop() {
            Some(Event::Rejected { problem }) => assert_eq!(problem.code, "media.bad_request", "{source}"),
            other => panic!("{source}: {other:?}"),
        }
    }
}
