//! Files that no tool should choke on: each is refused with a reason that a person understands, and leaves nothing.

use std::{path::PathBuf, time::Duration};

use serde_json::json;
use tests::{Brand, World, eventually, files, upload::content_type};
use tokio::net::TcpListener;

/// Name, code of the refusal.
fn refused() -> Vec<(PathBuf, &'static str)> {
    let text = files::written("text.mp4", "Just words.\n".repeat(50).as_bytes());
    let clip = std::fs::read(files::clip()).unwrap();
    let cut = files::written("cut.mp4", &clip[..clip.len() / 2]);
    let sound = files::made("sound.mp4", "-f lavfi -i sine=d=2 -c:a aac");
    let long = files::made(
        "long.mp4",
        "-f lavfi -i color=s=64x64:r=1:d=18000 -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 3600",
    );
    let mut bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x01\0\0\0\x01\0\0\x08\x02\0\0\0".to_vec();
    bomb.extend([0x4d, 0x99, 0x6e, 0x47, 0, 0, 0, 0]);
    let mut heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec();
    heic.resize(4096, 0);
    vec![
        (text, "media.unsupported_format"),
        (cut, "media."),
        (sound, "media.no_video"),
        (long, "media.too_long"),
        (files::written("bomb.png", &bomb), "media."),
        (files::written("empty.heic", &heic), "media.unreadable"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_cannot_be_used_are_refused_with_a_reason() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Bad").await;
    for (file, code) in refused() {
        let asset = settle(&brand, &file).await;
        assert_eq!(asset["state"], "REJECTED", "{}: {asset}", file.display());
        let problem = &asset["problem"];
        assert!(problem["code"].as_str().unwrap().starts_with(code), "{}: {problem}", file.display());
        assert!(problem["message"].as_str().unwrap().len() > 30, "{problem}");
        assert_eq!(problem["remedy"], "CHANGE_MEDIA", "{problem}");
    }
    // Sizes and types that are not what was announced.
    let photo = files::photo(1);
    let bytes = std::fs::metadata(&photo).unwrap().len();
    for (filename, declared, kind) in [
        ("zero.mp4", 0, "video/mp4"),
        ("huge.mp4", 5 << 30, "video/mp4"),
        ("a.exe", bytes, "application/x-msdownload"),
    ] {
        let described = json!({ "filename": filename, "contentType": kind, "bytes": declared });
        let input = json!({ "brandId": brand.id, "files": [described] });
        let answer = brand.api.try_mutate("createUploads", input, "uploads { id }").await;
        assert_eq!(answer.refusals.len(), 1, "{filename}: {answer:?}");
        assert_eq!(answer.data["createUploads"]["uploads"], json!([null]), "{filename}");
    }
    let described = json!({ "filename": "one.jpg", "contentType": "image/jpeg", "bytes": bytes + 1 });
    let input = json!({ "brandId": brand.id, "files": [described] });
    let made =
        brand.api.mutate("createUploads", input, "uploads { id missingParts(first: 1) { url } }").await;
    let url = made["uploads"][0]["missingParts"][0]["url"].as_str().unwrap();
    tests::networks::http().put(url).body(std::fs::read(&photo).unwrap()).send().await.unwrap();
    let input = json!({ "uploads": [{ "uploadId": made["uploads"][0]["id"] }] });
    brand.api.try_mutate("completeUploads", input, "assets { id }").await.refused("INVALID");
    nothing_left(&world).await;
    world.finish().await;
}

/// A file is what was announced, or says what it is instead; and a clip may be fine and still too short for a network.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_another_type_and_too_short_a_clip_are_told_of() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Odd").await;
    let photo = std::fs::read(files::photo(2)).unwrap();
    let misnamed = brand.upload(&files::written("photo.mp4", &photo), "").await;
    let asset = brand.probed(&misnamed).await;
    assert_eq!(asset["state"], "REJECTED", "{asset}");
    assert_eq!(asset["problem"]["code"], "media.other_type", "{asset}");

    let blink = files::made(
        "blink.mp4",
        "-f lavfi -i testsrc2=s=720x1280:r=30:d=0.2 -c:v libx264 -preset ultrafast -pix_fmt yuv420p",
    );
    let blink = brand.ready(&blink, "Blink").await;
    let instagram = brand.connect("INSTAGRAM", "odd").await;
    let input = brand.job_input(&[&blink], &[&instagram]);
    let answer = brand.api.try_mutate("createPublishJob", input, "job { id }").await;
    let refusal = answer.refused("UNSUPPORTED_MEDIA");
    assert!(refusal.message.contains('3'), "it says how long a reel has to be: {refusal:?}");
    assert_eq!(world.database.count("select count(*) from publish_jobs").await, 0);
    world.finish().await;
}

/// Playlists that name other files and addresses: nobody is called, nothing is read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_playlist_in_disguise_calls_nobody() {
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Sly").await;
    let canary = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = canary.local_addr().unwrap();
    let called = tokio::spawn(async move { canary.accept().await.is_ok() });
    for (name, content) in [
        (
            "list.mp4",
            format!(
                "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://{at}/a.ts\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
            ),
        ),
        ("concat.mp4", format!("ffconcat version 1.0\nfile /etc/passwd\nfile http://{at}/b.mp4\n")),
        (
            "vector.svg",
            format!("<svg xmlns='http://www.w3.org/2000/svg'><image href='http://{at}/c.png'/></svg>"),
        ),
    ] {
        let file = files::written(name, content.as_bytes());
        let asset = settle(&brand, &file).await;
        assert_eq!(asset["state"], "REJECTED", "{name}: {asset}");
    }
    assert!(!called.is_finished(), "somebody followed an address of the file");
    called.abort();
    nothing_left(&world).await;
    world.finish().await;
}

/// The shared corpus of hostile files: each ends READY or REJECTED with a reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_files_crash_nothing() {
    let corpus = files::shared("media/nasty");
    let world = World::start().await;
    let brand = world.agency("Northwind").await.brand("Hostile").await;
    let mut names: Vec<_> = std::fs::read_dir(corpus).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    for file in names.iter().filter(|file| std::fs::metadata(file).unwrap().len() > 0) {
        let asset = settle(&brand, file).await;
        if asset["state"] == "REJECTED" {
            assert_eq!(asset["problem"]["remedy"], "CHANGE_MEDIA", "{}: {asset}", file.display());
        }
    }
    assert!(!world.logs().contains("panicked at"), "a process panicked");
    nothing_left(&world).await;
    world.finish().await;
}

async fn settle(brand: &Brand<'_>, file: &std::path::Path) -> serde_json::Value {
    assert!(!content_type(file).is_empty());
    let id = brand.upload(file, "").await;
    brand.probed(&id).await
}

/// No scratch folder, no job and no file of a refused asset stays behind.
async fn nothing_left(world: &World) {
    eventually("everything is cleared away", Duration::from_secs(30), async || {
        // Beside the folders lie the locks of the users that engines run as.
        let is_folder = |entry: &std::io::Result<std::fs::DirEntry>| entry.as_ref().is_ok_and(|entry| entry.path().is_dir());
        let scratch =
            std::fs::read_dir(world.path("scratch")).map_or(0, |entries| entries.filter(is_folder).count());
        let jobs = "select count(*) from jobs where state in ('ready', 'running') and kind in ('probe', 'transcode')";
        (scratch == 0 && world.database.count(jobs).await == 0).then_some(())
    })
    .await;
}
