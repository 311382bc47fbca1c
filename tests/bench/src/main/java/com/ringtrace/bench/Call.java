package com.ringtrace.bench;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * The state of a call: a pure fold over its events, in any order. One class for all peers, so that they differ in their engines
 * alone.
 */
public final class Call {
    /** A call that has said nothing for so long leaves the state. */
    private static final long RETENTION_MS = 3_600_000;

    private static final long SLACK_MS = 60_000;

    public String tenant;
    public String callUuid;
    public long events;
    public long startedAt = Long.MAX_VALUE;
    public long lastAt;
    /** The server's word that it ended, 0 where there is none. */
    public long endedAt;
    public List<Leg> legs = new ArrayList<>(2);
    /** When the engine's timer for this call is due, 0 where none is set. */
    @JsonIgnore
    public long wakeAt;

    Call apply(Event event) {
        tenant = event.tenant;
        callUuid = event.callUuid;
        events++;
        startedAt = Math.min(startedAt, event.at);
        lastAt = Math.max(lastAt, event.at);
        if (event.device != null) {
            leg(event.device).apply(event);
        } else if (event.milestone == Milestone.ENDED) {
            endedAt = endedAt == 0 ? event.at : Math.min(endedAt, event.at);
        }
        return this;
    }

    /** Judges every leg as of {@code now}, and gives those to {@code publish} whose row has to be published. */
    Call judge(long now, Consumer<Leg> publish) {
        for (Leg leg : legs) {
            if (leg.judge(now)) {
                publish.accept(leg);
            }
        }
        return this;
    }

    /**
     * When the call's one timer has to come: {@link #wakeAt}, which stays as it is while the next thing to do lies less than
     * {@link #SLACK_MS} behind it. To move the timer with every event would cost more.
     */
    long moveTimer() {
        long next = nextAt();
        boolean stays = wakeAt <= next && next < wakeAt + SLACK_MS;
        wakeAt = stays ? wakeAt : next;
        return wakeAt;
    }

    boolean isExpired(long now) {
        return lastAt + RETENTION_MS - SLACK_MS <= now;
    }

    private long nextAt() {
        long next = lastAt + RETENTION_MS;
        for (Leg leg : legs) {
            if (leg.verdict == Verdict.PENDING) {
                next = Math.min(next, leg.dueAt());
            }
        }
        return next;
    }

    private Leg leg(String device) {
        for (Leg leg : legs) {
            if (leg.device.equals(device)) {
                return leg;
            }
        }
        Leg leg = new Leg(device);
        legs.add(leg);
        return leg;
    }
}
