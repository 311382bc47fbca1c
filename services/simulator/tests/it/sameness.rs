//! The same seed gives the same bytes, and a longer simulation goes on where a shorter one ends.

use ringtrace_simulator::{Plan, Simulator, World};

use crate::folding::{HOUR_MS, plan};

/// Everything that is written: events as lines, and truths.
fn written(plan: Plan) -> (Vec<u8>, String) {
    let mut simulator = Simulator::new(World::with("").unwrap(), plan).unwrap();
    let (mut events, mut truths) = (Vec::new(), Vec::new());
    while let Some(second) = simulator.next_second() {
        for record in second.records() {
            record.write_line(&mut events);
            events.push(b'\n');
        }
        truths.extend_from_slice(second.truths);
    }
    truths.extend(simulator.finish());
    let truths = truths.iter().map(|truth| format!("{truth:?}\n")).collect();
    (events, truths)
}

const INCIDENTS: &[&str] = &["telemetry-outage@10m,for=10m", "lost-wake-ups@5m"];

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_others() {
    let first = written(plan(7, 1, 2.0, INCIDENTS));
    assert!(first.0.len() > 1_000_000);
    assert!(first == written(plan(7, 1, 2.0, INCIDENTS)));
    let other = written(plan(8, 1, 2.0, INCIDENTS));
    assert!(first.0 != other.0 && first.1 != other.1);
}

#[test]
fn bytes_are_those_of_every_platform() {
    // FNV-1a of ten minutes. A change of the world or of the model changes it, a machine never does.
    let plan = Plan { length_ms: Some(600_000), ..plan(1, 1, 1.0, &[]) };
    let (events, _) = written(plan);
    let hash = events
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    assert_eq!(format!("{hash:016x}"), "fe468ce57ba295e1", "write the new one here if the change was meant");
}

#[test]
fn a_longer_simulation_begins_with_a_shorter_one() {
    let (short, _) = written(plan(9, 1, 1.0, INCIDENTS));
    let (long, _) = written(plan(9, 3, 1.0, INCIDENTS));
    assert!(long.len() > short.len() * 2 && long.starts_with(&short));
}

#[test]
fn it_goes_on_for_days_with_bounded_memory() {
    let plan = plan(10, 72, 0.1, &[]);
    let mut simulator = Simulator::new(World::with("").unwrap(), plan).unwrap();
    let mut of_day = [0_u64; 3];
    while let Some(second) = simulator.next_second() {
        let day = ((second.from - Plan::START) / (24 * HOUR_MS)) as usize;
        of_day[day] += second.records().count() as u64;
    }
    let [first, _, last] = of_day;
    assert!(first > 20_000 && last * 10 > first * 8 && last * 10 < first * 12, "{of_day:?}");
}
