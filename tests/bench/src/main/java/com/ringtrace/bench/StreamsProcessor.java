package com.ringtrace.bench;

import java.time.Duration;
import java.util.Comparator;
import java.util.TreeSet;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes.StringSerde;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** The join on the Processor API: binary state, and a row for each verdict that changes, by an event or by stream time. */
public final class StreamsProcessor implements Processor<byte[], Event, byte[], byte[]> {
    private static final String STORE = "calls";
    private static final Duration TICK = Duration.ofSeconds(1);

    /** A call to look at, once stream time has come to {@code at}. */
    private record Timer(long at, String key) {}

    /** {@link Call#wakeAt} of all calls in the store, in order: a scan of the store at each tick would cost far more. */
    private final TreeSet<Timer> timers = new TreeSet<>(Comparator.comparingLong(Timer::at).thenComparing(Timer::key));
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<String, Call> calls;

    public static void main(String[] args) {
        Main.run(() -> {
            Options options = Options.parse(args);
            StreamsRun.run(topology(options), options);
        });
    }

    private static Topology topology(Options options) {
        KeyValueBytesStoreSupplier supplier =
                options.isOnDisk() ? Stores.persistentKeyValueStore(STORE) : Stores.inMemoryKeyValueStore(STORE);
        StoreBuilder<KeyValueStore<String, Call>> store =
                Stores.keyValueStoreBuilder(supplier, new StringSerde(), Serdes.binary()).withCachingEnabled();
        String[] topics = options.topics().toArray(String[]::new);
        return new Topology()
                .addSource("events", new ByteArrayDeserializer(), Serdes.event().deserializer(), topics)
                .addProcessor("join", StreamsProcessor::new, "events")
                .addStateStore(store, "join")
                .addSink("rows", options.output(), new ByteArraySerializer(), new ByteArraySerializer(), "join");
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
        this.context = context;
        calls = context.getStateStore(STORE);
        try (KeyValueIterator<String, Call> all = calls.all()) {
            all.forEachRemaining(entry -> timers.add(new Timer(entry.value.wakeAt, entry.key)));
        }
        context.schedule(TICK, PunctuationType.STREAM_TIME, this::tick);
    }

    @Override
    public void process(Record<byte[], Event> record) {
        Progress.event();
        Event event = record.value();
        String key = event.key();
        Call known = calls.get(key);
        Call call = (known == null ? new Call() : known).apply(event);
        judge(key, call, context.currentStreamTimeMs());
    }

    private void tick(long now) {
        while (!timers.isEmpty() && timers.first().at() <= now) {
            String key = timers.pollFirst().key();
            Call call = calls.get(key);
            call.wakeAt = 0;
            if (call.isExpired(now)) {
                calls.delete(key);
            } else {
                judge(key, call, now);
            }
        }
    }

    private void judge(String key, Call call, long now) {
        call.judge(now, leg -> publish(call, leg, now));
        long before = call.wakeAt;
        long at = call.moveTimer();
        if (at != before) {
            timers.remove(new Timer(before, key));
            timers.add(new Timer(at, key));
        }
        calls.put(key, call);
    }

    private void publish(Call call, Leg leg, long now) {
        Progress.row();
        Row row = Row.of(call, leg);
        context.forward(new Record<>(row.key(), row.json(), now));
    }
}
