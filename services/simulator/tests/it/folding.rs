//! Simulations folded by the model.

use std::collections::{BTreeMap, HashMap};

use ringtrace_model::{Call, CallKey, CallRow, Event, Evidence, LegRow, Rules, Scope, Uuid, Verdict};
use ringtrace_simulator::{
    CallTruth, DeviceTruth, IncidentSpec, IncidentTruth, LegTruth, Plan, Simulator, Truth, World,
};

/// An hour.
pub const HOUR_MS: i64 = 3_600_000;

/// Seeds to try, from one on. `RINGTRACE_LONG` asks for a hundred times as many.
pub fn seeds(first: u64) -> std::ops::Range<u64> {
    let factor = if std::env::var_os("RINGTRACE_LONG").is_some() { 100 } else { 1 };
    first..first + 4 * factor
}

/// A plan of some hours.
pub fn plan(seed: u64, hours: i64, rate: f64, incidents: &[&str]) -> Plan {
    println!("seed of the simulation: {seed}");
    Plan {
        seed,
        length_ms: Some(hours * HOUR_MS),
        calls_per_second: rate,
        devices: Some((rate * 5_000.0) as usize),
        incidents: incidents.iter().map(|text| IncidentSpec::parse(text).unwrap()).collect(),
        ..Plan::default()
    }
}

/// Everything that came of a simulation.
#[derive(Default)]
pub struct Folded {
    pub calls: BTreeMap<CallKey, Call>,
    pub events: u64,
    pub kinds: BTreeMap<String, u64>,
    /// Log time of the last event.
    pub until: i64,
    pub legs: Vec<LegTruth>,
    pub call_truths: HashMap<Uuid, CallTruth>,
    pub devices: Vec<DeviceTruth>,
    pub incidents: Vec<IncidentTruth>,
    /// Legs that were ever, while the log ran, held for violating for certain, with their app's device.
    pub ever_confirmed: Vec<(Uuid, String)>,
}

impl Folded {
    pub fn of(world: &str, plan: Plan) -> Self {
        let mut simulator = Simulator::new(World::with(world).unwrap(), plan).unwrap();
        let mut folded = Folded::default();
        while let Some(second) = simulator.next_second() {
            for record in second.records() {
                let event = Event::parse(record.value, record.log_at)
                    .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(record.value)));
                assert_eq!(event.kind.as_str(), record.kind);
                folded.take(&event, record.log_at);
            }
            second.truths.iter().for_each(|truth| folded.learn(truth.clone()));
        }
        simulator.finish().into_iter().for_each(|truth| folded.learn(truth));
        folded
    }

    fn take(&mut self, event: &Event<'_>, log_at: i64) {
        assert!(log_at >= self.until, "records come in order of log time");
        self.until = log_at;
        self.events += 1;
        *self.kinds.entry(event.kind.as_str().to_owned()).or_default() += 1;
        let Some(call_uuid) = event.call_uuid else { return };
        if event.scope() == Scope::History {
            return;
        }
        let key = CallKey { tenant_id: event.tenant_id.as_ref().into(), call_uuid };
        let call = self.calls.entry(key.clone()).or_default();
        call.apply(event, log_at);
        if matches!(event.kind.as_str(), "app.terminated" | "push.handler_returned") {
            let evaluation = call.evaluate(&key, &Rules::default(), log_at).unwrap();
            let confirmed = evaluation.legs.iter().filter(|leg| leg.evidence == Some(Evidence::Confirmed));
            self.ever_confirmed.extend(confirmed.map(|leg| (call_uuid, leg.device_id.to_owned())));
        }
    }

    fn learn(&mut self, truth: Truth) {
        match truth {
            Truth::Leg(leg) => self.legs.push(*leg),
            Truth::Call(call) => drop(self.call_truths.insert(Uuid::from_u128(call.call_uuid), *call)),
            Truth::Device(device) => self.devices.push(device),
            Truth::Incident(incident) => self.incidents.push(incident),
        }
    }

    /// Judges every call for good, and gives each leg with its truth, where there is one.
    pub fn each_leg(&self, mut take: impl FnMut(&LegRow<'_>, Option<&LegTruth>)) {
        let truths: HashMap<(Uuid, &str), &LegTruth> =
            self.legs.iter().map(|leg| ((Uuid::from_u128(leg.call_uuid), leg.device_id.as_str()), leg)).collect();
        for (key, call) in &self.calls {
            let Some(evaluation) = call.evaluate(key, &Rules::default(), i64::MAX) else { continue };
            for leg in &evaluation.legs {
                take(leg, truths.get(&(key.call_uuid, leg.device_id)).copied());
            }
        }
    }

    /// The same of calls.
    pub fn each_call(&self, mut take: impl FnMut(&CallRow<'_>, Option<&CallTruth>)) {
        for (key, call) in &self.calls {
            let Some(evaluation) = call.evaluate(key, &Rules::default(), i64::MAX) else { continue };
            take(&evaluation.call, self.call_truths.get(&key.call_uuid));
        }
    }

    /// Whether the log has everything about a leg.
    pub fn has_all_of(&self, truth: &LegTruth) -> bool {
        truth.complete_at.is_some_and(|at| at <= self.until) && !truth.beyond_limits
    }

    pub fn count(&self, holds: impl Fn(&LegRow<'_>) -> bool) -> usize {
        let mut count = 0;
        self.each_leg(|leg, _| count += usize::from(holds(leg)));
        count
    }

    /// Share of the legs that required a report for which something holds.
    pub fn rate(&self, of: impl Fn(&LegRow<'_>) -> bool, holds: impl Fn(&LegRow<'_>) -> bool) -> f64 {
        let all = self.count(&of).max(1);
        self.count(|leg| of(leg) && holds(leg)) as f64 / all as f64
    }
}

/// Whether a verdict is of a leg that required a report (contract section 7).
pub fn required(verdict: Verdict) -> bool {
    use Verdict::{Filtered, ReportError, Reported, ReportedLate, Unreported};
    matches!(verdict, Reported | ReportedLate | Filtered | ReportError | Unreported)
}
