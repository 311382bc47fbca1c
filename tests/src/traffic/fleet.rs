//! Users and their devices.

use super::models::{ANDROIDS, APPS, App, CHINA, IOS, IPHONES, MEET, PLACES, TALK};
use super::rng::Rng;

/// A device with an app.
#[derive(Clone, Debug)]
pub(super) struct Device {
    pub(super) id: String,
    pub(super) app: &'static App,
    pub(super) platform: &'static str,
    pub(super) os_version: &'static str,
    pub(super) app_version: &'static str,
    pub(super) model: &'static str,
    pub(super) country: &'static str,
    pub(super) carrier: &'static str,
    pub(super) network: &'static str,
    pub(super) build_channel: &'static str,
    /// Server clock minus device clock, in milliseconds.
    pub(super) offset_ms: i64,
    /// Whether the collector estimated the offset: where it did not, latencies between clocks come out wrong.
    pub(super) knows_offset: bool,
    pub(super) boot_id: String,
    /// Its monotonic clock at the start of the traffic, in milliseconds.
    pub(super) mono_start: i64,
    /// Whether it writes UUIDs in upper case, as Swift does.
    pub(super) writes_upper_case: bool,
}

impl Device {
    pub(super) fn is_ios(&self) -> bool {
        self.platform == "ios"
    }

    pub(super) fn is_in_china(&self) -> bool {
        CHINA.contains(&self.country)
    }

    pub(super) fn os_major(&self) -> u32 {
        self.os_version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or(0)
    }

    /// Whether pushes tell it if a report is a must (iOS 26.4).
    pub(super) fn knows_must_report(&self) -> bool {
        self.is_ios() && self.os_version.starts_with("26.4")
    }
}

/// What a story asks of the callee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Any,
    /// An iPhone that must report its pushes.
    Ios,
    /// One whose pushes say whether a report is a must.
    Ios264,
    /// One whose pushes don't.
    IosBefore264,
    /// An iPhone from before the duty to report.
    Ios12,
    /// A device from before CallKit.
    Ios9,
    China,
    Android,
    Desktop,
    /// Three devices, the first of them an iPhone.
    Several,
}

/// Everybody's devices.
pub(super) struct Fleet {
    users: Vec<Vec<Device>>,
}

impl Fleet {
    const USERS: usize = 360;

    pub(super) fn new(rng: &mut Rng) -> Self {
        let mut users: Vec<Vec<Device>> = (0..Self::USERS).map(|user| new_user(user, rng)).collect();
        for (user, os_version) in [(0, "12.5.7"), (1, "12.5.7"), (2, "9.3.5"), (3, "9.3.6")] {
            let device = Device {
                os_version,
                app: &TALK,
                app_version: "4.9.9",
                model: "iPhone6,2",
                ..iphone(user, 0, &TALK, rng)
            };
            users[user] = vec![device];
        }
        Fleet { users }
    }

    /// A user's devices, such that the first is as asked for.
    pub(super) fn user(&self, need: Need, rng: &mut Rng) -> &[Device] {
        let fitting: Vec<&Vec<Device>> = self.users.iter().filter(|user| fits(user, need)).collect();
        fitting[rng.below(fitting.len())]
    }

    /// A user of an app.
    pub(super) fn user_of(&self, app: &App, rng: &mut Rng) -> &[Device] {
        let fitting: Vec<&Vec<Device>> =
            self.users.iter().filter(|user| user[0].app == app && user[0].os_major() > 12).collect();
        fitting[rng.below(fitting.len())]
    }

    pub(super) fn device(&self, rng: &mut Rng) -> &Device {
        &self.users[rng.below(self.users.len())][0]
    }
}

fn fits(user: &[Device], need: Need) -> bool {
    let first = &user[0];
    let is_recent = first.is_ios() && first.os_major() >= 15;
    match need {
        Need::Any => first.os_major() > 12 || !first.is_ios(),
        Need::Ios => is_recent,
        Need::Ios264 => first.knows_must_report(),
        Need::IosBefore264 => is_recent && !first.knows_must_report(),
        Need::Ios12 => first.is_ios() && first.os_major() == 12,
        Need::Ios9 => first.is_ios() && first.os_major() == 9,
        Need::China => first.is_in_china(),
        Need::Android => first.platform == "android",
        Need::Desktop => first.platform == "desktop",
        Need::Several => is_recent && user.len() == 3,
    }
}

fn new_user(user: usize, rng: &mut Rng) -> Vec<Device> {
    let app = rng.weighted(APPS);
    let first = match rng.below(100) {
        0..62 => iphone(user, 0, app, rng),
        62..94 => android(user, 0, app, rng),
        _ => desktop(user, 0, app, rng),
    };
    let mut devices = vec![first];
    if rng.in_thousand(90) {
        devices.push(android(user, 1, app, rng));
        devices.push(desktop(user, 2, app, rng));
    } else if rng.in_thousand(50) {
        devices.push(iphone(user, 1, app, rng));
    }
    devices
}

fn iphone(user: usize, nth: usize, app: &'static App, rng: &mut Rng) -> Device {
    let in_china = app == &MEET && rng.in_thousand(400);
    let place = if in_china { (rng.pick(CHINA), &["Longwave"][..]) } else { rng.weighted(PLACES) };
    let channel = rng.weighted(&[(93, "app_store"), (6, "testflight"), (1, "dev")]);
    Device {
        os_version: rng.weighted(IOS),
        model: rng.pick(IPHONES),
        build_channel: channel,
        writes_upper_case: rng.in_thousand(300),
        ..device(("ios", "iphone"), user, nth, app, place, rng)
    }
}

fn android(user: usize, nth: usize, app: &'static App, rng: &mut Rng) -> Device {
    let (model, os_version) = rng.weighted(ANDROIDS);
    let place = rng.weighted(PLACES);
    Device { os_version, model, ..device(("android", "android"), user, nth, app, place, rng) }
}

fn desktop(user: usize, nth: usize, app: &'static App, rng: &mut Rng) -> Device {
    let place = (rng.weighted(PLACES).0, &[""][..]);
    let device = device(("desktop", "desktop"), user, nth, app, place, rng);
    Device { os_version: "15.6", model: "Mac15,12", network: "wifi", build_channel: "enterprise", ..device }
}

fn device(
    (platform, name): (&'static str, &'static str),
    user: usize,
    nth: usize,
    app: &'static App,
    (country, carriers): (&'static str, &[&'static str]),
    rng: &mut Rng,
) -> Device {
    let knows_offset = rng.in_thousand(980);
    Device {
        id: format!("{name}-{user:04}{}", char::from(b'a' + nth as u8)),
        app,
        platform,
        os_version: "",
        app_version: rng.weighted(app.versions),
        model: "",
        country,
        carrier: rng.pick(carriers),
        network: rng.weighted(&[(55, "cellular"), (45, "wifi")]),
        build_channel: "app_store",
        offset_ms: match rng.in_thousand(700) {
            _ if !knows_offset => 3_000,
            true => 0,
            false => rng.log_normal(180, 1.2) - 200,
        },
        knows_offset,
        boot_id: format!("boot-{:06x}", rng.next() & 0xff_ffff),
        mono_start: rng.between(3_600_000, 900_000_000),
        writes_upper_case: false,
    }
}
