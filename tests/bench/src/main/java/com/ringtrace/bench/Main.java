package com.ringtrace.bench;

/** What every peer's {@code main} does. */
final class Main {
    interface Work {
        void run() throws Exception;
    }

    private Main() {}

    /** Runs it and ends the process: engines leave threads behind. */
    static void run(Work work) {
        try {
            work.run();
            System.exit(0);
        } catch (Throwable error) {
            error.printStackTrace();
            System.exit(1);
        }
    }
}
