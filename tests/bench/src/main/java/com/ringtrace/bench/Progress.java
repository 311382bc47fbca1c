package com.ringtrace.bench;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;

/** What a run has done so far. Static, since Flink makes its functions from serialized copies that share nothing else. */
final class Progress {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration POLL = Duration.ofMillis(20);

    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    private static final LongAdder EVENTS = new LongAdder();
    private static final LongAdder ROWS = new LongAdder();
    private static volatile long cpuBeforeMs = -1;
    private static volatile Throwable failure;
    private static long halfEvents;
    private static long halfCpuMs;

    private Progress() {}

    /** An event has been read. */
    static void event() {
        if (cpuBeforeMs < 0) {
            cpuBeforeMs = cpuMs();
        }
        EVENTS.increment();
    }

    /** A row has been given to the engine's sink. */
    static void row() {
        ROWS.increment();
    }

    static void fail(Throwable error) {
        failure = error;
    }

    /** Waits until {@code events} have been read. */
    static void await(long events) throws Exception {
        long seen = -1;
        long deadline = 0;
        while (seen < events) {
            check();
            long now = EVENTS.sum();
            if (now != seen) {
                seen = now;
                deadline = System.nanoTime() + PATIENCE.toNanos();
            } else if (System.nanoTime() > deadline) {
                throw new TimeoutException(
                        "nothing was read for " + PATIENCE.toSeconds() + " s, after " + seen + " of " + events + " events");
            }
            if (halfEvents == 0 && seen >= events / 2) {
                halfEvents = seen;
                halfCpuMs = cpuMs();
            }
            Thread.sleep(POLL.toMillis());
        }
    }

    /** Throws when the engine has failed. */
    static void check() {
        if (failure != null) {
            throw new IllegalStateException("the engine has failed", failure);
        }
    }

    /**
     * Prints what the run has done, and the process's CPU time: at its first event, when the engine had started; after half of the
     * events, when most of the code was compiled; and now.
     */
    static void print() {
        System.out.printf(
                "{\"events\":%d,\"rows\":%d,\"cpu_before_ms\":%d,\"half_events\":%d,\"cpu_half_ms\":%d,\"cpu_ms\":%d}%n",
                EVENTS.sum(), ROWS.sum(), cpuBeforeMs, halfEvents, halfCpuMs, cpuMs());
    }

    private static long cpuMs() {
        return Duration.ofNanos(SYSTEM.getProcessCpuTime()).toMillis();
    }
}
