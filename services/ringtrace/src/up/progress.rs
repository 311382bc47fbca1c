//! How many of the sent records the linker in this process has committed, as its own metrics say.
//!
//! The in-process broker does not keep the offsets that transactions commit, so that its group can't be asked.

use metrics_exporter_prometheus::PrometheusHandle;

use crate::simulate::Progress;

/// Reads the metrics.
pub fn of(metrics: PrometheusHandle) -> Progress {
    Box::new(move || linked(&metrics.render()))
}

/// Records read and committed, without the copies that the linker sends to itself.
fn linked(metrics: &str) -> u64 {
    let counter = |name: &str| {
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.trim().parse::<u64>().ok()).unwrap_or_default()
    };
    counter("ringtrace_records_total").saturating_sub(counter("ringtrace_reroutes_total"))
}

#[cfg(test)]
mod tests {
    use super::linked;

    #[test]
    fn reroutes_count_once() {
        let metrics = "# HELP ringtrace_records_total x\nringtrace_records_total 120\nringtrace_reroutes_total 20\n";
        assert_eq!(linked(metrics), 100);
        assert_eq!(linked(""), 0);
    }
}
