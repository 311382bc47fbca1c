package com.ringtrace.bench;

/** What is said of a leg: the contract's words, as far as the six milestones decide them. */
public enum Verdict {
    NOT_APPLICABLE, PENDING, REPORTED, REPORTED_LATE, UNREPORTED, NO_RECEIPT;

    static final Verdict[] ALL = values();
}
