package com.ringtrace.bench;

import static com.ringtrace.bench.Milestone.ACCEPTED;
import static com.ringtrace.bench.Milestone.ANSWERED;
import static com.ringtrace.bench.Milestone.ENDED;
import static com.ringtrace.bench.Milestone.RECEIVED;
import static com.ringtrace.bench.Milestone.REPORTED;
import static com.ringtrace.bench.Milestone.SENT;

/** A call on one device. */
public final class Leg {
    private static final long REPORT_DEADLINE_MS = 7_000;
    private static final long REPORT_PATIENCE_MS = 30_000;
    private static final long RECEIPT_TIMEOUT_MS = 60_000;

    public String device;
    public boolean voip;
    /** First time of each milestone, 0 where there is none. */
    public long[] first = new long[Milestone.ALL.length];
    public Verdict verdict = Verdict.NOT_APPLICABLE;

    public Leg() {}

    Leg(String device) {
        this.device = device;
    }

    void apply(Event event) {
        voip |= event.voip;
        if (event.milestone != null) {
            long known = at(event.milestone);
            first[event.milestone.ordinal()] = known == 0 ? event.at : Math.min(known, event.at);
        }
    }

    /** Judges it as of {@code now}; true when its row has to be published: at every change but the first to pending. */
    boolean judge(long now) {
        Verdict before = verdict;
        verdict = verdict(now);
        return verdict != before && !(before == Verdict.NOT_APPLICABLE && verdict == Verdict.PENDING);
    }

    /** When a leg that is pending stops to be. */
    long dueAt() {
        return has(RECEIVED) ? at(RECEIVED) + REPORT_PATIENCE_MS : Math.max(at(SENT), at(ACCEPTED)) + RECEIPT_TIMEOUT_MS;
    }

    long at(Milestone milestone) {
        return first[milestone.ordinal()];
    }

    boolean has(Milestone milestone) {
        return at(milestone) != 0;
    }

    private Verdict verdict(long now) {
        if (!voip) {
            return Verdict.NOT_APPLICABLE;
        }
        if (has(REPORTED)) {
            boolean isLate = has(RECEIVED) && at(REPORTED) - at(RECEIVED) > REPORT_DEADLINE_MS;
            return isLate ? Verdict.REPORTED_LATE : Verdict.REPORTED;
        }
        if (has(ANSWERED) || has(ENDED)) {
            return Verdict.REPORTED;
        }
        if (now < dueAt()) {
            return Verdict.PENDING;
        }
        return has(RECEIVED) ? Verdict.UNREPORTED : Verdict.NO_RECEIPT;
    }
}
