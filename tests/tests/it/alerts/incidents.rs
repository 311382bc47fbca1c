//! The shipped rules on a simulated day with known incidents: each is found, and nothing else is said.

use ringtrace_alerter::rules::Rules;
use ringtrace_tests::incidents::{SOUND, plan, play, score};

/// Each with the rule that must find it, and within how many minutes.
const INCIDENTS: [(&str, &str, i64); 7] = [
    ("expired-certificate@3h,app=com.acme.talk,for=30m", "credential-errors", 10),
    ("apns-slow@6h,country=DE,size=0.8,for=40m", "delivery-slow", 20),
    ("carrier-outage@9h,carrier=Funknetz,size=0.9,for=40m", "carrier-outage", 30),
    ("telemetry-outage@12h,for=40m", "telemetry-coverage", 15),
    ("token-mix-up@15h,app=com.acme.talk,for=40m", "token-errors", 15),
    ("clock-bug@17h,app=net.initech.meet,for=40m", "early-events", 20),
    // In the first hour one device in a hundred has it, in the second one in twenty.
    ("broken-release@18h,app=com.globex.care,size=0.3,for=4h", "push-without-call-new-version", 150),
];

#[test]
fn every_incident_of_a_day_is_found_and_nothing_else_is_said() {
    let rules = Rules::parse("").unwrap();
    let incidents = INCIDENTS.map(|(incident, ..)| incident);
    let played = play(SOUND, plan(&incidents, 86_400_000, 0.5, 1), &rules, 300_000);
    let score = score(&played.incidents, &played.fired);
    for (found, (name, rule, minutes)) in score.found.iter().zip(INCIDENTS) {
        assert_eq!(found.by.map(|fired| fired.alert.rule.as_str()), Some(rule), "{name}");
        let after_ms = found.after_ms().unwrap();
        assert!(after_ms <= minutes * 60_000, "{name} is found {} min after its start", after_ms / 60_000);
    }
    let untrue: Vec<String> = score.untrue.iter().map(ToString::to_string).collect();
    assert_eq!(untrue, [""; 0]);
}
