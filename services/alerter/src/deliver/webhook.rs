//! A POST in the shape of Alertmanager's webhook, version 4 (Alertmanager, Configuration, `<webhook_config>`), signed.
//!
//! The header `x-ringtrace-signature: t=SECONDS,v1=HEX` holds HMAC-SHA256 over `SECONDS.BODY`; a receiver that checks the time
//! as well can't be sent an old request again.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use super::exchange::Outgoing;
use super::notice::{Notice, rfc3339};
use crate::judge::State;

/// One alert, in a group of its own.
pub(super) fn request(url: &str, secret: Option<&str>, receiver: &str, notice: &Notice, wall: i64) -> Outgoing {
    let status = notice.state.as_str();
    // The zero time of Go, as Alertmanager writes it.
    let ends_at = match notice.state {
        State::Resolved => rfc3339(notice.resolved_at.unwrap_or(wall)),
        _ => "0001-01-01T00:00:00Z".to_owned(),
    };
    let body = json!({
        "version": "4",
        "groupKey": format!("{{}}:{{fingerprint=\"{}\"}}", notice.fingerprint),
        "truncatedAlerts": 0,
        "status": status,
        "receiver": receiver,
        "groupLabels": { "alertname": notice.labels.get("alertname") },
        "commonLabels": notice.labels,
        "commonAnnotations": notice.annotations,
        "externalURL": notice.link,
        "alerts": [{
            "status": status,
            "labels": notice.labels,
            "annotations": notice.annotations,
            "startsAt": rfc3339(notice.fired_at),
            "endsAt": ends_at,
            "generatorURL": notice.link,
            "fingerprint": notice.fingerprint,
        }],
    })
    .to_string();
    let headers = secret.map(|secret| ("x-ringtrace-signature", signature(secret, &body, wall / 1_000)));
    Outgoing { url: url.to_owned(), headers: headers.into_iter().collect(), body }
}

/// The value of the signature's header.
fn signature(secret: &str, body: &str, seconds: i64) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(format!("{seconds}.{body}").as_bytes());
    format!("t={seconds},v1={}", HEXLOWER.encode(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::signature;

    #[test]
    fn the_signature_is_what_openssl_says() {
        // printf '1.{}' | openssl dgst -sha256 -hmac key
        let expected = "t=1,v1=1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224";
        assert_eq!(signature("key", "{}", 1), expected);
    }
}
