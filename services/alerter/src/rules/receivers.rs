//! Reads `[[receiver]]` and `[[mute]]`: who is told, and what is kept quiet.

use std::path::PathBuf;

use ringtrace_model::parse_rfc3339;

use super::reader::Section;
use super::rule::{SEVERITIES, Severity};

/// How a receiver is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiverKind {
    /// Alertmanager's API, version 2: `url` is its address, without a path.
    Alertmanager,
    /// A POST in the shape of Alertmanager's webhook, version 4.
    Webhook,
    /// An incoming webhook of Slack: its address is the secret.
    Slack,
    /// PagerDuty's Events API, version 2.
    PagerDuty,
}

const RECEIVERS: [(&str, ReceiverKind); 4] = [
    ("alertmanager", ReceiverKind::Alertmanager),
    ("webhook", ReceiverKind::Webhook),
    ("slack", ReceiverKind::Slack),
    ("pagerduty", ReceiverKind::PagerDuty),
];

/// Where PagerDuty takes events (PagerDuty, Events API v2).
const PAGERDUTY_URL: &str = "https://events.pagerduty.com/v2/enqueue";

/// A text that may stand in a file of its own, so that it need not stand with the rules.
#[derive(Clone, PartialEq, Eq)]
pub enum Hidden {
    /// The text itself.
    Text(String),
    /// A file that holds nothing else.
    File(PathBuf),
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("(secret)")
    }
}

impl Hidden {
    /// The text, without white space around it.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn read(&self) -> std::io::Result<String> {
        match self {
            Hidden::Text(text) => Ok(text.trim().to_owned()),
            Hidden::File(path) => Ok(std::fs::read_to_string(path)?.trim().to_owned()),
        }
    }
}

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// Its name, unique in the file.
    pub name: String,
    /// How it is spoken to.
    pub kind: ReceiverKind,
    /// Its address.
    pub url: Hidden,
    /// Key of a webhook's signature, or PagerDuty's routing key.
    pub secret: Option<Hidden>,
    /// Which alerts it is told; all where empty.
    pub severities: Vec<Severity>,
}

impl Receiver {
    /// Whether it is told alerts of a severity.
    pub fn is_for(&self, severity: Severity) -> bool {
        self.severities.is_empty() || self.severities.contains(&severity)
    }

    /// Whether it is written down what it was told: Alertmanager is told everything all the time.
    pub fn has_account(&self) -> bool {
        self.kind != ReceiverKind::Alertmanager
    }
}

/// Alerts that are kept quiet where there is no Alertmanager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mute {
    /// Labels that an alert must all have, with their values.
    pub labels: Vec<(String, String)>,
    /// Until when, in milliseconds since the Unix epoch; `None` for ever.
    pub until: Option<i64>,
}

impl Mute {
    /// Whether an alert with these labels is kept quiet at a time.
    pub fn holds<'l>(&self, label: impl Fn(&str) -> Option<&'l str>, now: i64) -> bool {
        self.until.is_none_or(|until| now < until)
            && self.labels.iter().all(|(name, value)| label(name) == Some(value.as_str()))
    }
}

/// Reads a receiver; `None` where something that it needs is missing.
pub(super) fn read_receiver(mut section: Section<'_, '_, '_>) -> Option<Receiver> {
    let name = section.name("name");
    let kind = section.word("kind", &RECEIVERS);
    if kind.is_none() && !section.has_own("kind") {
        section.refuse(section.at, "kind", "is missing: expected one of alertmanager, webhook, slack, pagerduty");
    }
    let url = hidden(&mut section, "url", "url_file");
    let secret = hidden(&mut section, "secret", "secret_file");
    let mut severities = Vec::new();
    for (at, word) in section.list("severities").unwrap_or_default() {
        match SEVERITIES.iter().find(|(known, _)| *known == word) {
            Some((_, severity)) => severities.push(*severity),
            None => section.refuse(at, "severities", format!("\"{word}\" is not accepted: expected ticket or page")),
        }
    }
    let kind = kind?;
    if kind == ReceiverKind::PagerDuty && secret.is_none() {
        section.refuse(section.at, "secret", "is missing: PagerDuty needs the routing key, here or in secret_file");
    }
    let url = url.or((kind == ReceiverKind::PagerDuty).then(|| Hidden::Text(PAGERDUTY_URL.to_owned())));
    if url.is_none() {
        section.refuse(section.at, "url", "is missing: expected an address, here or in url_file");
    }
    if let Some(Hidden::Text(text)) = &url
        && !text.starts_with("http://")
        && !text.starts_with("https://")
    {
        section.refuse(section.at, "url", "is not accepted: expected an address that starts with http:// or https://");
    }
    section.finish();
    Some(Receiver { name: name?, kind, url: url?, secret, severities })
}

fn hidden(section: &mut Section<'_, '_, '_>, key: &'static str, file: &'static str) -> Option<Hidden> {
    let (text, path) = (section.text(key), section.text(file));
    match (text.is_empty(), path.is_empty()) {
        (false, false) => {
            section.refuse(section.at, file, format!("stands beside {key}: expected one of the two"));
            None
        }
        (false, true) => Some(Hidden::Text(text)),
        (true, false) => Some(Hidden::File(path.into())),
        (true, true) => None,
    }
}

/// Reads a mute.
pub(super) fn read_mute(mut section: Section<'_, '_, '_>) -> Mute {
    let labels = section.pairs("labels");
    if labels.is_empty() {
        section.refuse(section.at, "labels", "is missing or empty: it would keep every alert quiet");
    }
    let text = section.text("until");
    // For people only.
    section.text("reason");
    let until = parse_rfc3339(&text);
    if !text.is_empty() && until.is_none() {
        section.refuse(section.at, "until", format!("\"{text}\" is not accepted: expected 2026-12-01T08:00:00Z or so"));
    }
    section.finish();
    Mute { labels, until }
}
