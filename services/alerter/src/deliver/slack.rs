//! An incoming webhook of Slack (Slack, Sending messages using incoming webhooks).

use serde_json::json;

use super::exchange::{DeliveryError, Outgoing};
use super::notice::Notice;
use crate::judge::State;

/// A message with a plain text for notifications, and a block for people.
pub(super) fn request(url: &str, notice: &Notice) -> Outgoing {
    let (sign, word) = match notice.state {
        State::Resolved => (":white_check_mark:", "resolved"),
        _ => (":rotating_light:", notice.severity.as_str()),
    };
    let title = notice.title();
    let mut text = format!("{sign} *{}* ({word})\n{}", escaped(&title), escaped(notice.annotation("summary")));
    let late = notice.annotation("found_late");
    if !late.is_empty() {
        text += &format!("\n_{}_", escaped(late));
    }
    if notice.state == State::Firing {
        let runbook = notice.annotation("runbook");
        if !runbook.is_empty() {
            text += &format!("\n{}", escaped(runbook));
        }
        for (number, example) in (1..).zip(notice.examples()) {
            text += &match example.starts_with("http") {
                true => format!("\n<{}|call {number}>", escaped(example)),
                false => format!("\ncall `{}`", escaped(example)),
            };
        }
    }
    if !notice.link.is_empty() {
        text += &format!("\n<{}|dashboard>", escaped(&notice.link));
    }
    // A section takes 3,000 characters.
    let text: String = text.chars().take(2_900).collect();
    let body = json!({
        "text": format!("{title} ({word})"),
        "blocks": [{ "type": "section", "text": { "type": "mrkdwn", "text": text } }],
    });
    Outgoing { url: url.to_owned(), headers: Vec::new(), body: body.to_string() }
}

/// Slack answers a success with `ok`.
pub(super) fn check(body: &str) -> Result<(), DeliveryError> {
    if body.trim() == "ok" { Ok(()) } else { Err(DeliveryError::Rubbish) }
}

/// The three characters that Slack's markup asks to be escaped.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
