package com.ringtrace.bench;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The arguments of a run: {@code --name value}, all required but those with a default. */
record Options(
        String brokers, String group, List<String> topics, String output, long events, String state, String store, String guarantee) {
    private static final Set<String> NAMES =
            Set.of("brokers", "group", "topics", "output", "events", "state", "store", "guarantee");

    static Options parse(String[] args) {
        Map<String, String> given = new HashMap<>(Map.of("store", "memory", "guarantee", "at_least_once"));
        for (int at = 0; at < args.length; at += 2) {
            String name = args[at].replaceFirst("^--", "");
            if (!NAMES.contains(name) || at + 1 == args.length) {
                throw new IllegalArgumentException(args[at] + ": unknown, or without a value");
            }
            given.put(name, args[at + 1]);
        }
        return new Options(
                required(given, "brokers"),
                required(given, "group"),
                List.of(required(given, "topics").split(",")),
                required(given, "output"),
                Long.parseLong(required(given, "events")),
                required(given, "state"),
                oneOf(given, "store", "memory", "rocksdb"),
                oneOf(given, "guarantee", "at_least_once", "exactly_once_v2"));
    }

    boolean isOnDisk() {
        return store.equals("rocksdb");
    }

    boolean isExactlyOnce() {
        return guarantee.equals("exactly_once_v2");
    }

    private static String required(Map<String, String> given, String name) {
        String value = given.get(name);
        if (value == null) {
            throw new IllegalArgumentException("--" + name + " is missing");
        }
        return value;
    }

    private static String oneOf(Map<String, String> given, String name, String... accepted) {
        String value = given.get(name);
        if (!List.of(accepted).contains(value)) {
            throw new IllegalArgumentException("--" + name + " " + value + ": accepted are " + String.join(", ", accepted));
        }
        return value;
    }
}
