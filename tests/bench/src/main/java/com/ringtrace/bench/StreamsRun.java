package com.ringtrace.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/** Runs a topology until it has read all events, and its output, its changelog and its offsets are committed. */
final class StreamsRun {
    /** One thread per core that the benchmark's machine has. */
    private static final int THREADS = 2;
    /** As often as Flink makes a checkpoint. The default for exactly once, 100 ms, would mostly measure transactions. */
    private static final int COMMIT_INTERVAL_MS = 10_000;
    private static final int CACHE_BYTES = 128 << 20;
    private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(60);

    private StreamsRun() {}

    static void run(Topology topology, Options options) throws Exception {
        try (KafkaStreams streams = new KafkaStreams(topology, settings(options))) {
            streams.setUncaughtExceptionHandler(error -> {
                Progress.fail(error);
                return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
            });
            streams.start();
            Progress.await(options.events());
            if (!streams.close(CLOSE_PATIENCE)) {
                throw new IllegalStateException("Kafka Streams did not close in " + CLOSE_PATIENCE.toSeconds() + " s");
            }
        }
        Progress.check();
        checkCommitted(options);
        Progress.print();
    }

    private static Properties settings(Options options) {
        Properties settings = new Properties();
        settings.putAll(Map.of(
                StreamsConfig.APPLICATION_ID_CONFIG, options.group(),
                StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, options.brokers(),
                StreamsConfig.STATE_DIR_CONFIG, Path.of(options.state()).toAbsolutePath().toString(),
                StreamsConfig.NUM_STREAM_THREADS_CONFIG, THREADS,
                StreamsConfig.PROCESSING_GUARANTEE_CONFIG, options.guarantee(),
                StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, COMMIT_INTERVAL_MS,
                StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, CACHE_BYTES,
                StreamsConfig.REPLICATION_FACTOR_CONFIG, 1));
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
        Batching.CONSUMER.forEach((name, value) -> settings.put(StreamsConfig.consumerPrefix(name), value));
        Batching.PRODUCER.forEach((name, value) -> settings.put(StreamsConfig.producerPrefix(name), value));
        return settings;
    }

    private static void checkCommitted(Options options) throws Exception {
        Map<String, Object> settings = Map.of("bootstrap.servers", options.brokers());
        try (Admin admin = Admin.create(settings)) {
            Map<TopicPartition, OffsetAndMetadata> offsets =
                    admin.listConsumerGroupOffsets(options.group()).partitionsToOffsetAndMetadata().get();
            long committed = offsets.values().stream().mapToLong(OffsetAndMetadata::offset).sum();
            if (committed < options.events()) {
                throw new IllegalStateException(committed + " of " + options.events() + " events are committed");
            }
        }
    }
}
