//! Telegram: messages, files, albums, and the server's own words for everything else.

use std::time::Duration;

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::harness::{World, answer};

pub struct Bot {
    pub token: String,
    pub chat: String,
    pub id: String,
}

pub async fn channel(world: &World, handle: &str) -> Bot {
    let account = world.account("telegram", handle).await;
    let text = |name: &str| account[name].as_str().unwrap().to_owned();
    Bot { token: text("botToken"), chat: text("chat"), id: text("externalId") }
}

impl Bot {
    pub async fn call(&self, world: &World, method: &str, body: Value) -> (u16, Value) {
        answer(world.post(&format!("/api.telegram.org/bot{}/{method}", self.token)).json(&body)).await
    }

    pub async fn form(&self, world: &World, method: &str, form: Form) -> (u16, Value) {
        let form = form.text("chat_id", self.chat.clone());
        answer(world.post(&format!("/api.telegram.org/bot{}/{method}", self.token)).multipart(form)).await
    }

    pub async fn say(&self, world: &World, text: &str) -> (u16, Value) {
        self.call(world, "sendMessage", json!({"chat_id": self.chat, "text": text})).await
    }
}

fn file(path: std::path::PathBuf) -> Part {
    Part::bytes(std::fs::read(&path).unwrap())
        .file_name(path.file_name().unwrap().to_str().unwrap().to_owned())
}

async fn unlimited() -> World {
    let world = World::new().await;
    world.control("/sandbox/limits", json!({"platform": "telegram", "lifted": true})).await;
    world
}

#[tokio::test]
async fn a_bot_connects_and_posts_a_photo() {
    let world = World::new().await;
    let bot = channel(&world, "news").await;
    let (_, me) = bot.call(&world, "getMe", json!({})).await;
    let (_, chat) = bot.call(&world, "getChat", json!({"chat_id": bot.chat})).await;
    assert_eq!(chat["result"]["id"].as_i64().unwrap().to_string(), bot.id);
    let member = json!({"chat_id": bot.id, "user_id": me["result"]["id"]});
    let (_, member) = bot.call(&world, "getChatMember", member).await;
    assert_eq!(
        (&member["result"]["status"], &member["result"]["can_post_messages"]),
        (&json!("administrator"), &json!(true))
    );

    let form = Form::new()
        .part("photo", file(world.photo()))
        .text("caption", "<b>Now</b> &amp; here")
        .text("parse_mode", "HTML");
    let (status, sent) = bot.form(&world, "sendPhoto", form).await;
    assert_eq!(status, 200, "{sent}");
    let message = &sent["result"];
    assert_eq!((&message["message_id"], &message["caption"]), (&json!(2), &json!("Now & here")));
    assert_eq!(message["caption_entities"], json!([{"type": "bold", "offset": 0, "length": 3}]));
    assert_eq!(message["photo"][0]["width"], 1080);
    let post = &world.ledger().await[0];
    assert_eq!(
        (&post["account"], &post["remoteId"], &post["kind"]),
        (&json!(bot.id), &json!("2"), &json!("photo"))
    );

    world.advance(Duration::from_secs(2)).await;
    let again = json!({"chat_id": bot.chat, "photo": message["photo"][0]["file_id"]});
    let (status, sent) = bot.call(&world, "sendPhoto", again).await;
    assert_eq!((status, &sent["result"]["message_id"]), (200, &json!(3)));
}

#[tokio::test]
async fn an_album_is_one_post_of_several_messages() {
    let world = unlimited().await;
    let bot = channel(&world, "news").await;
    let media = json!([
        {"type": "photo", "media": "attach://a", "caption": "Both"},
        {"type": "video", "media": "attach://b"},
    ]);
    let form = Form::new()
        .text("media", media.to_string())
        .part("a", file(world.photo()))
        .part("b", file(world.reel()));
    let (status, sent) = bot.form(&world, "sendMediaGroup", form).await;
    assert_eq!(status, 200, "{sent}");
    let messages = sent["result"].as_array().unwrap();
    assert_eq!(messages.len(), 2);
    assert_eq!(messages[0]["media_group_id"], messages[1]["media_group_id"]);
    assert_eq!(messages[1]["video"]["duration"], 4);
    let ledger = world.ledger().await;
    assert_eq!((ledger.len(), ledger[0]["media"].as_array().unwrap().len()), (1, 2));
    assert_eq!((&ledger[0]["remoteId"], &ledger[0]["caption"]), (&json!("2"), &json!("Both")));

    let reply = json!({"chat_id": bot.chat, "text": "More", "reply_parameters": {"message_id": 3}});
    let (_, reply) = bot.call(&world, "sendMessage", reply).await;
    assert_eq!(
        (&reply["result"]["message_id"], &world.ledger().await[1]["replyTo"]),
        (&json!(4), &json!("3"))
    );
}

#[tokio::test]
async fn refusals_have_the_words_of_the_server() {
    let world = unlimited().await;
    let bot = channel(&world, "news").await;
    let chat = &bot.chat;
    let cases = [
        ("sendMessage", json!({"chat_id": "@nobody", "text": "x"}), 400, "Bad Request: chat not found"),
        ("sendMessage", json!({"chat_id": chat, "text": "  "}), 400, "Bad Request: message text is empty"),
        (
            "sendMessage",
            json!({"chat_id": chat, "text": "😀".repeat(2049)}),
            400,
            "Bad Request: message is too long",
        ),
        (
            "sendMessage",
            json!({"chat_id": chat, "text": "<x>a</x>", "parse_mode": "HTML"}),
            400,
            "Bad Request: can't parse entities: Unsupported start tag \"x\" at byte offset 0",
        ),
        (
            "sendMessage",
            json!({"chat_id": chat, "text": "1.", "parse_mode": "MarkdownV2"}),
            400,
            "Bad Request: can't parse entities: Character '.' is reserved and must be escaped with the preceding '\\'",
        ),
        ("sendPhoto", json!({"chat_id": chat}), 400, "Bad Request: there is no photo in the request"),
        (
            "sendPhoto",
            json!({"chat_id": chat, "photo": "AgAC"}),
            400,
            "Bad Request: wrong file_id or the file is temporarily unavailable",
        ),
        (
            "sendMediaGroup",
            json!({"chat_id": chat, "media": []}),
            400,
            "Bad Request: there are no messages to send",
        ),
        (
            "deleteMessage",
            json!({"chat_id": chat, "message_id": 99}),
            400,
            "Bad Request: message to delete not found",
        ),
        ("sendDice", json!({"chat_id": chat}), 404, "Not Found: method not found"),
    ];
    for (method, body, code, description) in cases {
        let (status, refused) = bot.call(&world, method, body).await;
        let expected = json!({"ok": false, "error_code": code, "description": description});
        assert_eq!((status, &refused), (code, &expected), "{method}");
    }
    let fits = json!({"chat_id": chat, "text": format!("<b>{}</b>", "x".repeat(4096)), "parse_mode": "HTML"});
    assert_eq!(bot.call(&world, "sendMessage", fits).await.0, 200, "tags do not count");
    let tall = world.made("tall.png", "-f lavfi -i color=s=100x2100 -frames:v 1");
    let (_, refused) = bot.form(&world, "sendPhoto", Form::new().part("photo", file(tall))).await;
    assert_eq!(refused["description"], "Bad Request: PHOTO_INVALID_DIMENSIONS");
    let (_, refused) = bot.form(&world, "sendPhoto", Form::new().part("photo", file(world.reel()))).await;
    assert_eq!(refused["description"], "Bad Request: IMAGE_PROCESS_FAILED");
    let caption = Form::new().part("photo", file(world.photo())).text("caption", "x".repeat(1025));
    let (_, refused) = bot.form(&world, "sendPhoto", caption).await;
    assert_eq!(refused["description"], "Bad Request: message caption is too long");
    assert_eq!(world.ledger().await.len(), 1);
}

#[tokio::test]
async fn rights_and_tokens_are_checked() {
    let world = unlimited().await;
    let (news, other) = (channel(&world, "news").await, channel(&world, "other").await);
    let stranger = Bot { token: other.token.clone(), chat: news.chat.clone(), id: news.id.clone() };
    let (status, refused) = stranger.say(&world, "x").await;
    let description = "Forbidden: bot is not a member of the channel chat";
    assert_eq!((status, &refused["description"]), (403, &json!(description)));
    let change = |field: &str| json!({"platform": "telegram", "handle": "news", field: false});
    world.control("/sandbox/accounts", change("canPost")).await;
    assert_eq!(
        news.say(&world, "x").await.1["description"],
        "Bad Request: not enough rights to send text messages to the chat"
    );
    world.control("/sandbox/accounts", change("member")).await;
    let (status, refused) = news.say(&world, "x").await;
    assert_eq!(
        (status, &refused["description"]),
        (403, &json!("Forbidden: bot was kicked from the channel chat"))
    );
    let forged = Bot { token: format!("{}x", other.token), ..other };
    assert_eq!(
        forged.say(&world, "x").await,
        (401, json!({"ok": false, "error_code": 401, "description": "Unauthorized"}))
    );
}

#[tokio::test]
async fn a_chat_takes_one_message_a_second_and_twenty_a_minute() {
    let world = World::new().await;
    let bot = channel(&world, "news").await;
    assert_eq!(bot.say(&world, "1").await.0, 200);
    let response = world.post(&format!("/api.telegram.org/bot{}/sendMessage", bot.token));
    let response = response.json(&json!({"chat_id": bot.chat, "text": "2"})).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (429, &"1".parse().unwrap())
    );
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["description"], "Too Many Requests: retry after 1");
    assert_eq!(body["parameters"], json!({"retry_after": 1}));
    for index in 2..=20 {
        world.advance(Duration::from_millis(1000)).await;
        assert_eq!(bot.say(&world, "n").await.0, 200, "{index}");
    }
    world.advance(Duration::from_millis(1000)).await;
    let (status, refused) = bot.say(&world, "21").await;
    assert_eq!(status, 429);
    let wait = refused["parameters"]["retry_after"].as_u64().unwrap();
    assert!((35..=41).contains(&wait), "{wait}");
    world.advance(Duration::from_secs(wait)).await;
    assert_eq!(bot.say(&world, "21").await.0, 200);
    assert_eq!(world.ledger().await.len(), 21);
}

#[tokio::test]
async fn what_is_no_mp4_arrives_as_a_document_and_messages_can_be_deleted() {
    let world = unlimited().await;
    let bot = channel(&world, "news").await;
    let webm = world.made("clip.webm", "-f lavfi -i testsrc2=s=320x240:d=1 -c:v libvpx -deadline realtime");
    let (_, sent) = bot.form(&world, "sendVideo", Form::new().part("video", file(webm))).await;
    assert!(sent["result"]["video"].is_null() && sent["result"]["document"].is_object(), "{sent}");
    assert_eq!(world.ledger().await[0]["kind"], "document");
    let delete = json!({"chat_id": bot.chat, "message_id": 2});
    assert_eq!(bot.call(&world, "deleteMessage", delete.clone()).await.1["result"], true);
    assert_eq!(bot.call(&world, "deleteMessage", delete).await.0, 400);
    bot.say(&world, "old").await;
    world.advance(Duration::from_secs(49 * 3600)).await;
    let late = json!({"chat_id": bot.chat, "message_id": 3});
    assert_eq!(
        bot.call(&world, "deleteMessage", late).await.1["description"],
        "Bad Request: message can't be deleted"
    );
}
