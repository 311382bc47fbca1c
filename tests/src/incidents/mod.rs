//! The shipped rules on simulated incidents whose truth is known: what is found, by which rule, how soon, and what is not true.

mod score;
mod table;

use ringtrace_alerter::memory::Memory;
use ringtrace_alerter::replay::{Fired, Player};
use ringtrace_alerter::rules::Rules;
use ringtrace_model::Event;
use ringtrace_simulator::{IncidentSpec, IncidentTruth, Plan, Simulator, Truth, World};

pub use score::{Found, Score, score};
pub use table::print;

/// The world of the incidents (TOML over the default one): nothing but noise is wrong in it.
pub const SOUND: &str = include_str!("week.toml");

/// A week with incidents of every kind, after a day and a half without any.
pub const WEEK: [&str; 12] = [
    "expired-certificate@36h,app=com.acme.talk,for=45m",
    "broken-release@44h,app=com.globex.care,size=0.25,for=8h",
    "apns-slow@60h,country=DE,size=0.7,for=1h",
    "carrier-outage@77h,carrier=Funknetz,size=0.9,for=40m",
    "telemetry-outage@86h,size=0.5,for=40m",
    "clock-bug@98h,app=com.acme.talk,version=5.4.0,for=6h",
    "token-mix-up@109h,app=com.acme.talk,size=0.3,for=1h",
    "cancel-by-voip-push@121h,app=net.initech.meet,for=2h",
    "apns-slow@130h,country=US,size=0.4,for=40m",
    "carrier-outage@138h,carrier=Albion,size=0.9,for=40m",
    "broken-release@145h,app=net.initech.meet,size=0.05,for=8h",
    "expired-certificate@162h,app=com.globex.care,for=20m",
];

/// How long a call is folded after it last changed, in milliseconds: what comes later is not seen.
const SETTLED_MS: i64 = 26 * 3_600_000;

/// What came of a simulation.
pub struct Played {
    /// Every alert.
    pub fired: Vec<Fired>,
    /// Every incident.
    pub incidents: Vec<IncidentTruth>,
    /// Events that were read.
    pub events: u64,
    /// Calls that were simulated, seen by their truth.
    pub calls: u64,
}

/// A plan of so many milliseconds with incidents.
///
/// # Panics
/// When an incident is not accepted.
pub fn plan(incidents: &[&str], length_ms: i64, calls_per_second: f64, seed: u64) -> Plan {
    let parse = |text: &&str| IncidentSpec::parse(text).expect("an incident");
    let incidents = incidents.iter().map(parse).collect();
    Plan { seed, length_ms: Some(length_ms), calls_per_second, incidents, ..Plan::default() }
}

/// Simulates a plan in a world (TOML over the default one), and evaluates rules every so many milliseconds.
///
/// # Panics
/// When the world or the plan is not accepted, or an event is not valid.
pub fn play(world: &str, plan: Plan, rules: &Rules, every_ms: i64) -> Played {
    let mut simulator = Simulator::new(World::with(world).expect("a world"), plan).expect("a plan");
    let mut player = Player::new(rules, every_ms, Memory::settling(SETTLED_MS));
    let (mut events, mut calls) = (0, 0);
    while let Some(second) = simulator.next_second() {
        for record in second.records() {
            let event = Event::parse(record.value, record.log_at).expect("a simulated event is valid");
            player.take(&event, record.log_at);
            events += 1;
        }
        calls += second.truths.iter().filter(|truth| matches!(truth, Truth::Call(_))).count() as u64;
    }
    let truths = simulator.finish().into_iter();
    let incidents = truths.filter_map(|truth| match truth {
        Truth::Incident(incident) => Some(incident),
        _ => None,
    });
    Played { incidents: incidents.collect(), fired: player.finish(), events, calls }
}
