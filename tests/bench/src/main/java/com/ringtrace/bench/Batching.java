package com.ringtrace.bench;

import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;

/** How all peers talk to Kafka: in large requests, as suits a backlog. */
final class Batching {
    static final Map<String, String> CONSUMER = Map.of(
            ConsumerConfig.MAX_POLL_RECORDS_CONFIG, "4000",
            ConsumerConfig.FETCH_MIN_BYTES_CONFIG, String.valueOf(64 << 10),
            ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, "100");
    static final Map<String, String> PRODUCER = Map.of(
            ProducerConfig.LINGER_MS_CONFIG, "100",
            ProducerConfig.BATCH_SIZE_CONFIG, String.valueOf(256 << 10),
            ProducerConfig.BUFFER_MEMORY_CONFIG, String.valueOf(64 << 20),
            // Brokers take at most 15 minutes; Flink's own default is an hour.
            ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, "600000");

    private Batching() {}
}
