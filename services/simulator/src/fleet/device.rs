//! A device with an app: what it is, and the state that it keeps.

use crate::event::{Fields, write_hex};
use crate::rng::Rng;
use crate::truth::{Killed, LegTruth};
use crate::world::{Place, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Platform {
    Ios,
    Android,
    Desktop,
    Web,
}

impl Platform {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Platform::Ios => "ios",
            Platform::Android => "android",
            Platform::Desktop => "desktop",
            Platform::Web => "web",
        }
    }

    fn prefix(self) -> &'static str {
        match self {
            Platform::Ios => "iphone",
            other => other.name(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    AppStore,
    TestFlight,
    Dev,
}

impl Channel {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Channel::AppStore => "app_store",
            Channel::TestFlight => "testflight",
            Channel::Dev => "dev",
        }
    }
}

/// What the push service knows of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Valid,
    /// The push service has forgotten it, and the gateway does not know.
    Dead,
    /// The gateway has none.
    Missing,
}

/// What an SDK has written to disk and not sent, because the app was ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct Journal {
    /// When the app was ended.
    pub(crate) killed_at: i64,
    /// Kind, key and value.
    pub(crate) records: Vec<(&'static str, Vec<u8>, Vec<u8>)>,
    /// Legs that are complete once it was sent.
    pub(crate) legs: Vec<LegTruth>,
}

#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub(crate) person: u32,
    /// Which of the person's devices.
    pub(crate) nth: u8,
    pub(crate) platform: Platform,
    /// Place in the world's list of the platform, and of its models.
    pub(crate) kind: u8,
    pub(crate) model: u8,
    pub(crate) base_version: u8,
    pub(crate) channel: Channel,
    pub(crate) carrier: u8,
    pub(crate) upper_case: bool,
    pub(crate) opted_out: bool,
    /// Decides when a roll-out reaches it, and whether incidents do.
    pub(crate) rollout_bits: u32,
    pub(crate) hash: u64,
    pub(crate) rng: Rng,
    /// Server clock minus device clock, in milliseconds.
    pub(crate) offset_ms: i64,
    pub(crate) offset_is_estimated: bool,
    pub(crate) boot_at: i64,
    pub(crate) boots: u16,
    pub(crate) token: Token,
    pub(crate) tokens: u16,
    pub(crate) offline: (i64, i64),
    pub(crate) open_until: i64,
    pub(crate) on_call: (i64, i64),
    pub(crate) strikes: u32,
    pub(crate) kills: u32,
    /// Since when iOS does not wake the app; `i64::MAX` where it does.
    pub(crate) not_woken_since: i64,
    pub(crate) reinstalls: u16,
    /// Numbers its events beside calls.
    pub(crate) said: u32,
    pub(crate) journal: Option<Box<Journal>>,
}

impl Device {
    /// The installation's id: a new one after each installation.
    pub(crate) fn id(&self) -> String {
        let nth = char::from(b'a' + self.nth);
        let prefix = self.platform.prefix();
        match self.reinstalls {
            0 => format!("{prefix}-{:06}{nth}", self.person),
            again => format!("{prefix}-{:06}{nth}.{again}", self.person),
        }
    }

    pub(crate) fn os_version<'w>(&self, world: &'w World) -> &'w str {
        let kind = usize::from(self.kind);
        match self.platform {
            Platform::Ios => &world.devices.ios[kind].version,
            Platform::Android => &world.devices.android[kind].version,
            Platform::Desktop => &world.devices.desktop[kind].version,
            Platform::Web => &world.devices.web[kind].version,
        }
    }

    pub(crate) fn model<'w>(&self, world: &'w World) -> &'w str {
        let kind = usize::from(self.kind);
        match self.platform {
            Platform::Ios => &world.devices.ios[kind].models[usize::from(self.model)],
            Platform::Android => &world.devices.android[kind].model,
            Platform::Desktop => &world.devices.desktop[kind].model,
            Platform::Web => &world.devices.web[kind].model,
        }
    }

    /// The first two numbers of the system's version.
    pub(crate) fn os_numbers(&self, world: &World) -> (u32, u32) {
        let mut numbers = self.os_version(world).split('.').map(|part| part.parse().unwrap_or_default());
        (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
    }

    pub(crate) fn is_on_call(&self, at: i64) -> bool {
        self.on_call.0 <= at && at < self.on_call.1
    }

    /// When a device that is offline at `at` comes back; `at` where it is online.
    pub(crate) fn online_from(&self, at: i64) -> i64 {
        if self.offline.0 <= at { at.max(self.offline.1) } else { at }
    }

    pub(crate) fn is_woken(&self, at: i64) -> bool {
        at < self.not_woken_since
    }

    /// iOS ended the app: a strike, after some of which it wakes the app no more.
    pub(crate) fn strike(&mut self, killed: Killed, at: i64, limit: u32) {
        self.strikes += 1;
        self.kills += u32::from(killed != Killed::Crash);
        if self.strikes >= limit {
            self.not_woken_since = self.not_woken_since.min(at);
        }
    }

    /// Installed anew: another id and token, and a clean record. What was not sent is lost.
    pub(crate) fn reinstall(&mut self) -> Option<Box<Journal>> {
        self.reinstalls += 1;
        self.tokens += 1;
        self.token = Token::Valid;
        self.strikes = 0;
        self.not_woken_since = i64::MAX;
        self.journal.take()
    }

    /// Writes what every event of the device says of it. `clock_error` is what a bug adds to its times.
    pub(crate) fn write_dimensions<'o>(&self, fields: Fields<'o>, look: &Look<'_>) -> Fields<'o> {
        let fields = fields.text("device_id", look.id).text("platform", self.platform.name());
        let fields = fields.text("os_version", self.os_version(look.world)).text("app_version", look.version.0);
        let fields = fields.text("sdk_version", look.version.1).text("device_model", self.model(look.world));
        let fields = fields.text("country", &look.place.country).text("network", look.network);
        let is_mobile = matches!(self.platform, Platform::Ios | Platform::Android);
        let fields = fields.when(is_mobile, |fields| {
            fields.text("carrier", look.carrier(self)).text("build_channel", self.channel.name())
        });
        let says_offset = self.offset_ms != 0 && self.offset_is_estimated;
        let fields = fields.when(says_offset, |fields| fields.int("clock_offset_ms", self.offset_ms));
        let fields = fields.raw(b",\"boot_id\":\"boot-");
        write_hex(fields.0, self.hash >> 40 ^ u64::from(self.boots), 6);
        fields.raw(b"\"")
    }

    /// What its times show beyond the true time once they are corrected, in milliseconds.
    pub(crate) fn clock_error_ms(&self) -> i64 {
        if self.offset_is_estimated { 0 } else { -self.offset_ms }
    }
}

/// What a device looks like at the moment: what its events say of it.
#[derive(Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(crate) world: &'a World,
    pub(crate) place: &'a Place,
    pub(crate) id: &'a str,
    /// App and SDK.
    pub(crate) version: (&'a str, &'a str),
    pub(crate) network: &'static str,
    /// What a bug of the version adds to its times, in milliseconds.
    pub(crate) clock_bug_ms: i64,
}

impl<'a> Look<'a> {
    pub(crate) fn carrier(&self, device: &Device) -> &'a str {
        &self.place.carriers[usize::from(device.carrier)]
    }
}
