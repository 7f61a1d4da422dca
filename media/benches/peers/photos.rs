//! A photo of 12 megapixels for every network that takes photos.

use std::path::Path;
use std::process::Command;

use domain::operation::{ImageOutput, Operation};
use domain::plan::{Want, fit};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::engine::{Scratch, files, plan_for_all, works};
use crate::measure::{Taken, in_turns, ratio, run};
use crate::{rivals, sources};

/// Against `vipsthumbnail` and ImageMagick, each once for every target: they leave borders and byte limits out.
pub fn measure() -> Value {
    let measured = sources::photos().map(|(name, source)| (name.to_owned(), one(&source)));
    Value::Object(measured.into_iter().collect())
}

fn one(source: &Path) -> Value {
    let scratch = Scratch::with(source);
    let (_, info) = scratch.probe();
    let (plan, rows) = plan_for_all(&info);
    let (operations, served) = works(&plan);
    let looks: Vec<ImageOutput> = rows
        .iter()
        .filter_map(|row| match fit(&info, &Want::new(row)).ok()?.operation {
            Operation::Image(look) => Some(look),
            _ => None,
        })
        .collect();
    let folder = rivals::folder();
    let each = |command: fn(&Path, &ImageOutput, &TempDir) -> Command| {
        looks.iter().map(|look| run(&mut command(source, look, &folder), &[]).0).reduce(Taken::then).unwrap()
    };
    let [ours, vips, magick] =
        in_turns([&mut || scratch.make(&operations).0, &mut || each(vipsthumbnail), &mut || each(convert)]);
    let fastest = if vips.wall < magick.wall { vips } else { magick };
    json!({
        "source": format!("{}x{}", info.width, info.height),
        "targets": rows.len(),
        "served": served,
        "files_made": operations.len(),
        "files": files(&plan, &rows),
        "ours": ours.told(),
        "vipsthumbnail_each": vips.told(),
        "imagemagick_each": magick.told(),
        "ratio_to_faster": ratio(ours, fastest),
    })
}

fn vipsthumbnail(source: &Path, look: &ImageOutput, folder: &TempDir) -> Command {
    let to = folder.path().join(format!("vips.{}", look.format.as_str()));
    let mut command = Command::new("vipsthumbnail");
    command.arg(source).args(["--size", &format!("{}x{}", look.width, look.height), "--eprofile", "srgb"]);
    command.arg("-o").arg(format!("{}[Q={},strip]", to.display(), look.quality));
    command
}

fn convert(source: &Path, look: &ImageOutput, folder: &TempDir) -> Command {
    let to = folder.path().join(format!("magick.{}", look.format.as_str()));
    let mut command = Command::new("convert");
    command.arg(source).args(["-auto-orient", "-resize", &format!("{}x{}", look.width, look.height)]);
    command.args(["-strip", "-quality", &look.quality.to_string()]).arg(to);
    command
}
