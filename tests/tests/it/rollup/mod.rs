//! What dashboards read, `leg_facts` and `leg_stats`, against plain SQL over `legs` and `calls`.

mod equal;
mod traffic;

use ringtrace_rollup::{Batch, Roller};
use ringtrace_tests::stack::{Case, wait_for};
use tokio::runtime::Runtime;

use equal::{differences, wait_until_equal};

/// Ten minutes of two legs of one call and of a call without legs, at the time that the server has.
const ROWS: [&str; 2] = [
    "INSERT INTO legs_rows (tenant_id, first_seen, call_uuid, device_id, app_id, role, verdict, outcome, push_attempts,
        accepted_at, received_at, sent_to_received_ms, started_at, updated_at, version)
     SELECT 'acme', toStartOfTenMinutes(now('UTC')), toUUID('7b003dde-5c1e-4b7a-9d3f-000000000001'), concat('phone-', toString(number)),
        'com.example.talk', 'callee', 'reported', 'unanswered', 1, now64(3), now64(3), 1500, now64(3) - 60, now64(3), 1
     FROM numbers(2)",
    "INSERT INTO calls_rows (tenant_id, first_seen, call_uuid, app_id, started_at, initiated_at, outcome, legs, updated_at, version)
     SELECT 'acme', toStartOfTenMinutes(now('UTC')), toUUID(concat('7b003dde-5c1e-4b7a-9d3f-00000000000', toString(number + 1))),
        'com.example.talk', now64(3) - 60, now64(3) - 60, 'unanswered', 2 - 2 * number, now64(3), 1
     FROM numbers(2)",
];

fn rolled(name: &str) -> (Case, Roller, Runtime) {
    let case = Case::new(name, 1);
    let roller = Roller::new(&case.config().clickhouse);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    ROWS.iter().for_each(|insert| case.execute(insert));
    (case, roller, runtime)
}

#[test]
fn a_call_counts_once_with_the_dimensions_of_its_leading_leg() {
    let (case, roller, runtime) = rolled("rolled-once");
    assert_eq!(runtime.block_on(roller.pass()).unwrap(), 1);
    wait_until_equal(&case);
    let leading =
        case.rows("SELECT device_id, role, call_legs FROM leg_facts WHERE leads_call ORDER BY role, device_id");
    let expected = serde_json::json!([
        {"device_id": "phone-0", "role": "callee", "call_legs": 2},
        {"device_id": "", "role": "none", "call_legs": 0},
    ]);
    assert_eq!(serde_json::Value::from(leading), expected);
    let sums = "SELECT sum(calls) * 100 + sum(legs) * 10 + sum(calls_reached) FROM leg_stats";
    assert_eq!(case.number(sums), 221, "two calls, two legs, one call reached");
}

#[test]
fn a_pass_that_does_not_come_to_its_pointers_changes_nothing_and_is_swept_away() {
    let (case, roller, runtime) = rolled("rolled-broken");
    runtime.block_on(roller.pass()).unwrap();
    wait_until_equal(&case);
    let slice = case.number("SELECT toUnixTimestamp(first_seen) FROM rolled_slices") as u32;
    let batch = Batch::new(7, 0, vec![slice]);
    for statement in [batch.facts(), batch.stats(), batch.latencies(), batch.sample(), batch.violations()] {
        case.execute(&statement);
        assert_eq!(differences(&case), Vec::<String>::new(), "rows without a pointer are not seen");
    }
    assert_eq!(case.number("SELECT count() FROM leg_facts_rows"), 6);
    // An older taking that comes to its end late does not win.
    case.execute(&batch.pointers());
    wait_for("the pointer to count", || {
        case.number("SELECT count() FROM rolled_slices_rows WHERE rolled_at < now64(3) - 2") == 2
    });
    assert_eq!(differences(&case), Vec::<String>::new());
    assert_eq!(case.number("SELECT count() FROM rolled_slices WHERE taken_at > toDateTime(0)"), 1);
    case.execute("ALTER TABLE rolled_slices_rows UPDATE rolled_at = rolled_at - toIntervalSecond(120) WHERE true SETTINGS mutations_sync = 1");
    runtime.block_on(roller.sweep()).unwrap();
    assert_eq!(case.number("SELECT count() FROM leg_facts_rows"), 3);
    assert_eq!(case.number("SELECT count() FROM rolled_slices_rows"), 1);
    assert_eq!(differences(&case), Vec::<String>::new());
}

#[test]
fn a_change_without_a_mark_is_found() {
    let (case, roller, runtime) = rolled("rolled-unmarked");
    runtime.block_on(roller.pass()).unwrap();
    wait_until_equal(&case);
    let change = "INSERT INTO calls_rows (tenant_id, first_seen, call_uuid, app_id, started_at, outcome, legs, updated_at, version)
        SELECT 'acme', first_seen, call_uuid, app_id, started_at, 'answered', legs, updated_at, 2 FROM calls_rows FINAL";
    case.execute(change);
    case.execute("TRUNCATE TABLE dirty_slices_rows");
    assert_ne!(differences(&case), Vec::<String>::new());
    assert_eq!(runtime.block_on(roller.pass()).unwrap(), 0, "nothing is marked");
    assert_eq!(runtime.block_on(roller.verify(1, 3)).unwrap(), 1);
    assert_eq!(runtime.block_on(roller.verify(1, 3)).unwrap(), 0, "a mark is on its way");
    wait_for("the slice to be due", || runtime.block_on(roller.pass()).unwrap() == 1);
    wait_until_equal(&case);
}
