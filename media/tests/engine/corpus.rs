//! Every file of the corpus becomes what every network's profile of its kind takes, in one run as a
//! worker asks for it; what comes out needs nothing more.

use std::fs;
use std::sync::Mutex;
use std::thread;

use domain::operation::Operation;
use domain::plan::{Want, plan};

use crate::harness::{Scratch, corpus, outcomes};
use crate::judge::{Finished, profiles_for};
use crate::nasty::NASTY;

#[test]
fn every_video_fits_every_profile() {
    all_fit("video");
}

#[test]
fn every_photo_fits_every_profile() {
    all_fit("images");
}

/// What looks nasty and is harmless.
#[test]
fn what_is_odd_but_whole_fits_every_profile() {
    let harmless = NASTY.iter().filter(|(_, code)| code.is_none());
    let faults: Vec<String> = harmless.flat_map(|(name, _)| faults_of(&format!("nasty/{name}"))).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Files of a folder, as many at once as there are cores.
fn all_fit(folder: &str) {
    let names = fs::read_dir(corpus(folder)).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    // The longest first, so that the others are done beside it.
    names.sort_by_key(|name| (!name.starts_with("six-minutes"), name.clone()));
    assert!(names.len() > 10, "{names:?}");
    let queue = Mutex::new(names.into_iter());
    let next = || queue.lock().unwrap().next();
    let faults = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _core in 0..thread::available_parallelism().unwrap().get() {
            scope.spawn(|| {
                while let Some(name) = next() {
                    let found = faults_of(&format!("{folder}/{name}"));
                    faults.lock().unwrap().extend(found);
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{faults:#?}");
}

fn faults_of(name: &str) -> Vec<String> {
    let scratch = Scratch::with(&corpus(name));
    let source = match scratch.probe() {
        Ok(probed) => probed.info,
        Err(problem) => return vec![format!("{name}: {problem:?}")],
    };
    let profiles = profiles_for(&source);
    let wants: Vec<_> = profiles.iter().map(|profile| Want::new(profile)).collect();
    let plan = plan(&source, &wants);
    let mut faults: Vec<String> = plan
        .fits
        .iter()
        .filter_map(|fit| fit.as_ref().err())
        .filter(|problem| !problem.code.starts_with("media.") || problem.message.is_empty())
        .map(|problem| format!("{name}: {problem:?} is no reason"))
        .collect();
    let named: Vec<_> = (0..plan.works.len()).map(|index| format!("out-{index}")).collect();
    let outputs = named.iter().zip(&plan.works).map(|(name, work)| (name.as_str(), work.operation.clone()));
    let made = outcomes(&scratch.run(outputs.collect()));
    assert_eq!(made.len(), plan.works.len(), "{name}");
    for (output, made) in made {
        let work = &plan.works[named.iter().position(|name| *name == output).unwrap()];
        let told = |fault: String| format!("{name}, {}: {fault}", describe(&work.operation));
        match made {
            Err(problem) => faults.push(told(format!("{problem:?}"))),
            Ok((info, _)) => {
                let same = work.operation == Operation::Passthrough;
                let finished = Finished {
                    path: &scratch.path(if same { "source" } else { &output }),
                    info: &info,
                    source: &source,
                    operation: &work.operation,
                    profiles: work.wants.iter().map(|want| profiles[*want]).collect(),
                };
                faults.extend(finished.faults().into_iter().map(told));
            }
        }
    }
    faults
}

fn describe(operation: &Operation) -> String {
    serde_json::to_string(operation).unwrap()
}
