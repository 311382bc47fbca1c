//! The story of one call, for whoever is on call: what happened when, how it was judged and why, and what to do.

use std::collections::BTreeSet;

use ringtrace_model::{Diagnoses, Diagnosis, EndReason, Evaluation, LegRow, Outcome, Role};

use super::notes::{CallNotes, Note};
use super::table::table;
use super::text::{duration, labelled, plain, utc};

/// Tells a call as it looks at log time `now`, in milliseconds since the Unix epoch.
pub fn tell(evaluation: &Evaluation<'_>, notes: Option<&CallNotes>, now: i64) -> String {
    let all: Vec<&Note> = notes.into_iter().flat_map(CallNotes::iter).collect();
    let mut story = header(evaluation, now);
    for leg in &evaluation.legs {
        let of_leg = |note: &&&Note| note.device_id.as_deref().is_none_or(|device| device == leg.device_id);
        let notes: Vec<&Note> = all.iter().filter(of_leg).copied().collect();
        story += &leg_story(leg, &notes);
    }
    let legs: BTreeSet<&str> = evaluation.legs.iter().map(|leg| leg.device_id).collect();
    let of_no_leg = |note: &&Note| note.device_id.as_deref().map_or(legs.is_empty(), |device| !legs.contains(device));
    let rest: Vec<&Note> = all.into_iter().filter(of_no_leg).collect();
    if !rest.is_empty() {
        story += &format!("\nEvents of no leg\n\n{}", table(&rest));
    }
    match notes.map_or(0, |notes| notes.left_out) {
        0 => story,
        left_out => story + &format!("\n{left_out} later events are not shown.\n"),
    }
}

fn header(evaluation: &Evaluation<'_>, now: i64) -> String {
    let call = &evaluation.call;
    let callers = evaluation.legs.iter().filter(|leg| leg.role == Role::Caller).count();
    let legs = format!("{} of callees ({} violating), {callers} of callers", call.legs, call.legs_violating);
    let judged_at = match now {
        i64::MAX => "the end of time, when nothing is pending (--until MS judges earlier)".to_owned(),
        now => format!("{} UTC", utc(now)),
    };
    let next_change = match evaluation.next_change_at {
        Some(at) => format!("{} UTC, unless an event comes first", utc(at)),
        None => "none, unless an event comes".to_owned(),
    };
    let lines = [
        ("tenant", plain(call.tenant_id)),
        ("app", plain(call.app_id)),
        ("outcome", outcome(call.outcome, call.end_reason)),
        ("legs", legs),
        ("started", format!("{} UTC", utc(call.started_at))),
        ("diagnoses", codes(call.diagnoses)),
        ("judged at", judged_at),
        ("next change", next_change),
    ];
    let lines: String = lines.iter().map(|(label, text)| labelled(2, label, text)).collect();
    format!("Call {}\n\n{lines}", call.call_uuid)
}

fn leg_story(leg: &LegRow<'_>, notes: &[&Note]) -> String {
    let mut story = format!("\nLeg {} ({})\n\n", plain(leg.device_id), leg.role);
    story += &labelled(2, "device", &device(leg));
    story += &labelled(2, "pushes", &pushes(leg));
    story += &format!("\n{}\n", table(notes));
    let evidence = leg.evidence.map_or_else(String::new, |evidence| format!(" ({evidence})"));
    let line = format!("line {} of 14", leg.decision.line);
    story += &labelled(2, "verdict", &format!("{}{evidence}, by {line}: {}", leg.verdict, leg.decision.reason()));
    if let Some(until) = leg.decision.until {
        story += &labelled(2, "changes at", &format!("{} UTC, unless an event comes first", utc(until)));
    }
    story += &labelled(2, "outcome", &outcome(leg.outcome, leg.end_reason));
    story += &labelled(2, "latencies", &latencies(leg));
    story += &labelled(2, "diagnoses", &codes(leg.diagnoses));
    leg.diagnoses.iter().for_each(|diagnosis| story += &advice(diagnosis));
    story
}

fn advice(diagnosis: Diagnosis) -> String {
    let advice = diagnosis.advice();
    let mut text = format!("\n  {diagnosis}\n");
    text += &labelled(4, "cause", advice.cause);
    text += &labelled(4, "remedy", advice.remedy);
    if let Some(document) = advice.document {
        text += &labelled(4, "document", document.title);
        text += &labelled(4, "", document.url);
    }
    text
}

fn outcome(outcome: Outcome, end_reason: Option<EndReason>) -> String {
    end_reason.map_or_else(|| outcome.to_string(), |reason| format!("{outcome} (end reason {reason})"))
}

fn codes(diagnoses: Diagnoses) -> String {
    let codes: Vec<&str> = diagnoses.iter().map(Diagnosis::as_str).collect();
    if codes.is_empty() { "none".to_owned() } else { codes.join(", ") }
}

fn device(leg: &LegRow<'_>) -> String {
    let platform = leg.platform.map(|platform| platform.to_string());
    let system = [platform.as_deref(), leg.os_version].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let app = leg.app_version.map(|version| format!("{} {version}", leg.app_id));
    let sdk = leg.sdk_version.map(|version| format!("SDK {version}"));
    let rest =
        [leg.device_model, app.as_deref(), sdk.as_deref(), leg.build_channel, leg.country, leg.carrier, leg.network];
    let known = [Some(system.as_str())].into_iter().chain(rest).flatten().filter(|text| !text.is_empty());
    let known = known.map(plain).collect::<Vec<_>>().join(", ");
    if known.is_empty() { "unknown".to_owned() } else { known }
}

fn pushes(leg: &LegRow<'_>) -> String {
    let channel = leg.channel.map_or("channel unknown", |channel| channel.as_str());
    let environment = leg.environment.map_or_else(String::new, |environment| format!(" ({environment})"));
    let refused = leg.push_reject_reason.map_or_else(String::new, |reason| format!(", refused: {}", plain(reason)));
    format!("{} sent, {channel}{environment}{refused}", leg.push_attempts)
}

fn latencies(leg: &LegRow<'_>) -> String {
    let l = &leg.latencies;
    let all = [
        ("sent to accepted", l.sent_to_accepted_ms),
        ("accepted to received", l.accepted_to_received_ms),
        ("sent to received", l.sent_to_received_ms),
        ("received to reported", l.received_to_reported_ms),
        ("initiated to reported", l.initiated_to_reported_ms),
        ("reported to answered", l.reported_to_answered_ms),
        ("answered to audio", l.answered_to_audio_ms),
        ("talk", l.talk_ms),
    ];
    let known = all.iter().filter_map(|(name, ms)| ms.map(|ms| format!("{name} {}", duration(ms))));
    let known = known.collect::<Vec<_>>().join(", ");
    if known.is_empty() { "none known".to_owned() } else { known }
}
