//! Which story each call tells: mostly ordinary ones, and every special one in turn.

use serde_json::json;

use super::endings::Ending;
use super::fleet::{Device, Fleet, Need};
use super::models::{APPS, AT_RISK_VERSION, CARE, LOWERED_MODEL};
use super::reach::Reach;
use super::record::Record;
use super::rng::Rng;
use super::scene::Scene;

/// Every how many calls a special story is told.
const SPECIAL_EVERY: u64 = 10;

/// Which call is the storm of pushes.
const STORM_CALL: u64 = 1_500;

/// Stories that must be told, each about four times: what the push does, what people do, and who it happens to.
const SPECIAL: &[(Reach, Ending, Need)] = &[
    (Reach::Refused(410, "Unregistered"), Ending::Vanishes, Need::Ios),
    (Reach::Refused(410, "ExpiredToken"), Ending::Fails, Need::Ios),
    (Reach::Refused(400, "BadDeviceToken"), Ending::TimesOut, Need::Ios),
    (Reach::Refused(400, "DeviceTokenNotForTopic"), Ending::Vanishes, Need::Ios),
    (Reach::Refused(403, "InvalidProviderToken"), Ending::Fails, Need::Ios),
    (Reach::Refused(400, "TopicDisallowed"), Ending::Vanishes, Need::Ios),
    (Reach::Refused(429, "TooManyRequests"), Ending::TimesOut, Need::Ios),
    (Reach::Refused(404, "UNREGISTERED"), Ending::Vanishes, Need::Android),
    (Reach::Refused(401, "THIRD_PARTY_AUTH_ERROR"), Ending::TimesOut, Need::Android),
    (Reach::Refused(403, "SENDER_ID_MISMATCH"), Ending::Vanishes, Need::Android),
    (Reach::Retried(Some((429, "TooManyRequests"))), Ending::Answered, Need::Ios),
    (Reach::Retried(Some((503, "ServiceUnavailable"))), Ending::Answered, Need::Ios),
    (Reach::Retried(None), Ending::RingsOut, Need::Android),
    (Reach::Unsent("timeout"), Ending::TimesOut, Need::Ios),
    (Reach::Lost, Ending::Vanishes, Need::Ios),
    (Reach::Lost, Ending::Cancelled, Need::Android),
    (Reach::Unanswered, Ending::TimesOut, Need::Ios),
    (Reach::Suppressed("no_voip_token"), Ending::TimesOut, Need::Ios),
    (Reach::Alert, Ending::TimesOut, Need::China),
    (Reach::Foreground, Ending::Answered, Need::IosBefore264),
    (Reach::Foreground, Ending::Declined, Need::Ios264),
    (Reach::OnCall, Ending::Busy, Need::IosBefore264),
    (Reach::NotAsked, Ending::TimesOut, Need::Ios264),
    (Reach::Rings, Ending::Answered, Need::Ios12),
    (Reach::Forgotten, Ending::TimesOut, Need::Ios12),
    (Reach::Rings, Ending::RingsOut, Need::Ios9),
    (Reach::Late, Ending::Answered, Need::Ios),
    (Reach::Late, Ending::RingsOut, Need::Android),
    (Reach::Expired, Ending::RingsOut, Need::Ios),
    (Reach::Twice, Ending::Answered, Need::Ios),
    (Reach::ReportedLate, Ending::Answered, Need::Ios),
    (Reach::Failed("incoming_call", 0), Ending::TimesOut, Need::Ios),
    (Reach::Failed("incoming_call", 1), Ending::Vanishes, Need::Ios),
    (Reach::Failed("incoming_call", 2), Ending::TimesOut, Need::Ios),
    (Reach::Failed("incoming_call", 3), Ending::Vanishes, Need::Ios),
    (Reach::Failed("incoming_call", 4), Ending::TimesOut, Need::Ios),
    (Reach::Failed("incoming_call", 5), Ending::TimesOut, Need::Ios),
    (Reach::Failed("incoming_call", 6), Ending::TimesOut, Need::Ios),
    (Reach::Failed("incoming_call", 7), Ending::TimesOut, Need::Ios),
    (Reach::Failed("foreground_service", -1), Ending::TimesOut, Need::Android),
    (Reach::EventMissing, Ending::Answered, Need::Ios),
    (Reach::Stalled, Ending::Answered, Need::Ios264),
    (Reach::WrongUuid, Ending::Answered, Need::Ios),
    (Reach::Forgotten, Ending::TimesOut, Need::Ios264),
    (Reach::Silent, Ending::Vanishes, Need::Ios264),
    (Reach::Killed, Ending::Vanishes, Need::Ios),
    (Reach::Watchdog, Ending::TimesOut, Need::Ios),
    (Reach::KillInferred, Ending::Vanishes, Need::Ios),
    (Reach::Lowered, Ending::Answered, Need::Android),
    (Reach::Data, Ending::Vanishes, Need::Ios),
    (Reach::Rings, Ending::CancelledByPush, Need::Ios),
    (Reach::Rings, Ending::NoAudio, Need::Ios),
    (Reach::Rings, Ending::AnsweredTooLate, Need::Ios),
    (Reach::Rings, Ending::ActionTimesOut, Need::Ios),
    (Reach::Rings, Ending::Fails, Need::Ios),
    (Reach::Rings, Ending::Busy, Need::Any),
    (Reach::Rings, Ending::Vanishes, Need::Any),
    (Reach::Rings, Ending::Answered, Need::Several),
    (Reach::Rings, Ending::Declined, Need::Several),
    (Reach::Rings, Ending::Answered, Need::China),
    (Reach::Rings, Ending::Answered, Need::Desktop),
];

/// Plays a call to its end.
pub(super) fn play(call: u64, fleet: &Fleet, mut scene: Scene) -> Vec<Record> {
    let special = call.is_multiple_of(SPECIAL_EVERY).then_some((call / SPECIAL_EVERY) as usize % (SPECIAL.len() + 2));
    match special {
        _ if call == STORM_CALL => {
            let user = fleet.user(Need::Several, &mut scene.rng);
            scene.play_storm(user);
        }
        Some(nth) if nth < SPECIAL.len() => {
            let (reach, ending, need) = SPECIAL[nth];
            let user = fleet.user(need, &mut scene.rng);
            play_call(fleet, &mut scene, user, reach, ending);
        }
        Some(nth) => {
            let user = fleet.user(Need::Ios, &mut scene.rng);
            if nth == SPECIAL.len() { scene.play_ghost(&user[0]) } else { scene.play_orphan(&user[0]) }
        }
        None => {
            let app = scene.rng.weighted(APPS);
            let user = fleet.user_of(app, &mut scene.rng);
            let reach = ordinary_reach(&user[0], &mut scene.rng);
            let ending = ordinary_ending(&mut scene.rng);
            play_call(fleet, &mut scene, user, reach, ending);
        }
    }
    scene.into_records()
}

fn play_call(fleet: &Fleet, scene: &mut Scene, user: &[Device], reach: Reach, ending: Ending) {
    let (app, start) = (user[0].app, scene.start);
    let caller = scene.rng.in_thousand(100).then(|| fleet.user_of(app, &mut scene.rng)[0].clone());
    let caller = caller.filter(|caller| user.iter().all(|device| device.id != caller.id));
    scene.server(app, "call.initiated", start, json!({}));
    if let Some(caller) = &caller {
        scene.on(caller, "call.outgoing_started", start - 90, json!({}));
        scene.on(caller, "call.outgoing_connecting", start + 160, json!({}));
    }
    if scene.rng.in_thousand(25) {
        let until = start + scene.rng.log_normal(150_000, 0.6);
        scene.take_offline(&user[0], until);
    }
    let mut rang = Vec::new();
    for (nth, device) in user.iter().enumerate() {
        let reach = if nth == 0 { reach } else { Reach::Rings };
        let rung_at = scene.reach(device, reach, start + 20 + 3 * nth as i64);
        rang.extend(rung_at.map(|at| (device, at)));
    }
    // Where the story is about a device that doesn't ring, the others stay silent too.
    let first_rang = rang.first().is_some_and(|(device, _)| device.id == user[0].id);
    scene.end(app, if first_rang { &rang } else { &[] }, ending);
    if let Some(caller) = caller.filter(|_| ending == Ending::Answered && first_rang) {
        scene.on(&caller, "call.outgoing_connected", rang[0].1 + 7_000, json!({}));
    }
}

/// What pushes do in daily life, by who gets them.
fn ordinary_reach(device: &Device, rng: &mut Rng) -> Reach {
    match device.platform {
        "ios" if device.app_version == AT_RISK_VERSION => rng.weighted(&[
            (820, Reach::Rings),
            (40, Reach::Foreground),
            (45, Reach::Forgotten),
            (20, Reach::Silent),
            (30, Reach::Killed),
            (10, Reach::Watchdog),
            (35, Reach::ReportedLate),
        ]),
        "ios" if device.app == &CARE => rng.weighted(&[
            (690, Reach::Rings),
            (260, Reach::Failed("incoming_call", 3)),
            (30, Reach::Foreground),
            (20, Reach::Lost),
        ]),
        "ios" => rng.weighted(&[
            (905, Reach::Rings),
            (40, Reach::Foreground),
            (18, Reach::Lost),
            (12, Reach::Failed("incoming_call", 3)),
            (10, Reach::Refused(410, "Unregistered")),
            (8, Reach::Late),
            (4, Reach::Twice),
            (4, Reach::Stalled),
            (3, Reach::EventMissing),
        ]),
        "android" if device.model == LOWERED_MODEL => {
            rng.weighted(&[(600, Reach::Rings), (300, Reach::Lowered), (60, Reach::Late), (40, Reach::Lost)])
        }
        "android" => rng.weighted(&[(950, Reach::Rings), (30, Reach::Lost), (20, Reach::Refused(404, "UNREGISTERED"))]),
        _ => Reach::Rings,
    }
}

fn ordinary_ending(rng: &mut Rng) -> Ending {
    rng.weighted(&[
        (520, Ending::Answered),
        (120, Ending::Declined),
        (190, Ending::RingsOut),
        (110, Ending::Cancelled),
        (15, Ending::TimesOut),
        (12, Ending::Busy),
        (8, Ending::Fails),
        (8, Ending::Vanishes),
        (6, Ending::NoAudio),
    ])
}
