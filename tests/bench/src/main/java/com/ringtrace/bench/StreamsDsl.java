package com.ringtrace.bench;

import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes.StringSerde;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;
import org.apache.kafka.streams.state.DslStoreSuppliers;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * The join as the DSL has it: an aggregate by key, with JSON as its state, and the table's updates as output. Records are keyed by
 * call already, so nothing is repartitioned.
 */
public final class StreamsDsl {
    private StreamsDsl() {}

    public static void main(String[] args) {
        Main.run(() -> {
            Options options = Options.parse(args);
            StreamsRun.run(topology(options), options);
        });
    }

    private static Topology topology(Options options) {
        Serde<String> key = new StringSerde();
        Serde<Event> event = Serdes.event();
        Serde<Call> call = Serdes.json();
        DslStoreSuppliers suppliers = options.isOnDisk()
                ? new BuiltInDslStoreSuppliers.RocksDBDslStoreSuppliers()
                : new BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers();
        Materialized<String, Call, KeyValueStore<Bytes, byte[]>> store =
                Materialized.<String, Call, KeyValueStore<Bytes, byte[]>>as("calls")
                        .withStoreType(suppliers)
                        .withKeySerde(key)
                        .withValueSerde(call)
                        .withCachingEnabled();
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(options.topics(), Consumed.with(key, event))
                .groupByKey(Grouped.with(key, event))
                .aggregate(Call::new, (uuid, next, known) -> fold(known, next), store)
                .toStream()
                .peek((uuid, state) -> Progress.row())
                .to(options.output(), Produced.with(key, call));
        return builder.build();
    }

    /** The DSL has no timers: a leg is judged as of the latest event of its call, whatever changed. */
    private static Call fold(Call call, Event event) {
        Progress.event();
        call.apply(event).judge(call.lastAt, leg -> {});
        return call;
    }
}
