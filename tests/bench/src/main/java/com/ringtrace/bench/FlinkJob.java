package com.ringtrace.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.state.rocksdb.EmbeddedRocksDBStateBackend;
import org.apache.flink.state.rocksdb.RocksDBOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * The join on Flink, all of it in this process: one keyed function with a timer for each call. The input is bounded by what the
 * topics hold, so the job ends by itself, after a last checkpoint.
 */
public final class FlinkJob {
    /** One subtask of each operator per core that the benchmark's machine has. */
    private static final int PARALLELISM = 2;
    private static final Duration CHECKPOINT_INTERVAL = Duration.ofSeconds(10);
    /** How far a record's timestamp may lie behind those before it in its partition. */
    private static final Duration DISORDER = Duration.ofSeconds(1);
    private static final int ROCKSDB_MEMORY_MIB = 256;
    private static final Duration END_PATIENCE = Duration.ofSeconds(60);

    private FlinkJob() {}

    public static void main(String[] args) {
        Main.run(() -> {
            Options options = Options.parse(args);
            StreamExecutionEnvironment environment =
                    StreamExecutionEnvironment.createLocalEnvironment(PARALLELISM, settings(options));
            build(environment, options);
            JobClient job = environment.executeAsync(options.group());
            job.getJobExecutionResult().whenComplete((result, error) -> {
                if (error != null) {
                    Progress.fail(error);
                }
            });
            Progress.await(options.events());
            job.getJobExecutionResult().get(END_PATIENCE.toSeconds(), TimeUnit.SECONDS);
            Progress.print();
        });
    }

    private static Configuration settings(Options options) {
        Path state = Path.of(options.state()).toAbsolutePath();
        Configuration settings = new Configuration();
        settings.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, CHECKPOINT_INTERVAL);
        settings.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, state.toUri().toString());
        settings.set(CoreOptions.TMP_DIRS, state.toString());
        settings.set(CheckpointingOptions.INCREMENTAL_CHECKPOINTS, true);
        settings.set(StateBackendOptions.STATE_BACKEND, options.isOnDisk() ? "rocksdb" : "hashmap");
        // RocksDB keeps calls alone: its timers would be written and read one by one, and they fit on the heap.
        settings.set(RocksDBOptions.TIMER_SERVICE_FACTORY, EmbeddedRocksDBStateBackend.PriorityQueueStateType.HEAP);
        // A failure ends the run; by default the job would start again without end.
        settings.set(RestartStrategyOptions.RESTART_STRATEGY, "disable");
        settings.set(PipelineOptions.OBJECT_REUSE, true);
        settings.set(PipelineOptions.GENERIC_TYPES, false);
        settings.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(ROCKSDB_MEMORY_MIB));
        return settings;
    }

    private static void build(StreamExecutionEnvironment environment, Options options) {
        KafkaSource<Event> source = KafkaSource.<Event>builder()
                .setBootstrapServers(options.brokers())
                .setGroupId(options.group())
                .setTopics(options.topics())
                .setStartingOffsets(OffsetsInitializer.earliest())
                .setBounded(OffsetsInitializer.latest())
                .setProperties(properties(Batching.CONSUMER))
                .setDeserializer(new EventReader())
                .build();
        KafkaSink<Row> sink = KafkaSink.<Row>builder()
                .setBootstrapServers(options.brokers())
                .setDeliveryGuarantee(options.isExactlyOnce() ? DeliveryGuarantee.EXACTLY_ONCE : DeliveryGuarantee.AT_LEAST_ONCE)
                .setTransactionalIdPrefix(options.group())
                .setKafkaProducerConfig(properties(Batching.PRODUCER))
                .setRecordSerializer(new RowWriter(options.output()))
                .build();
        environment
                .fromSource(source, WatermarkStrategy.forBoundedOutOfOrderness(DISORDER), "events")
                .keyBy(Event::key)
                .process(new FlinkJoin())
                .sinkTo(sink);
    }

    private static Properties properties(Map<String, String> settings) {
        Properties properties = new Properties();
        properties.putAll(settings);
        return properties;
    }

    /** Parses before the shuffle: the parsed event is a quarter of the JSON. */
    private static final class EventReader implements KafkaRecordDeserializationSchema<Event> {
        @Override
        public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<Event> out) {
            Progress.event();
            out.collect(Event.parse(record.value()));
        }

        @Override
        public TypeInformation<Event> getProducedType() {
            return TypeInformation.of(Event.class);
        }
    }

    private record RowWriter(String topic) implements KafkaRecordSerializationSchema<Row> {
        @Override
        public ProducerRecord<byte[], byte[]> serialize(Row row, KafkaSinkContext context, Long timestamp) {
            return new ProducerRecord<>(topic, null, timestamp, row.key(), row.json());
        }
    }
}
