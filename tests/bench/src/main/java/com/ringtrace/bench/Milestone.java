package com.ringtrace.bench;

/** What a leg keeps the first time of. */
public enum Milestone {
    SENT, ACCEPTED, RECEIVED, REPORTED, ANSWERED, ENDED;

    /** Kept once, since {@code values()} copies. */
    static final Milestone[] ALL = values();

    /** The milestone that an event's kind is, or null. A report that failed is an attempt to report. */
    static Milestone of(String kind) {
        return switch (kind) {
            case "push.sent" -> SENT;
            case "push.accepted" -> ACCEPTED;
            case "push.received" -> RECEIVED;
            case "call.reported", "call.report_failed" -> REPORTED;
            case "call.answered" -> ANSWERED;
            case "call.ended" -> ENDED;
            default -> null;
        };
    }
}
