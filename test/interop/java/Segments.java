import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.time.Duration;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Fills partition 0 of a topic with every kind of batch over several small segments, and prints what
 * a consumer reads and where the files are: one line of JSON. With "transactions" some of it is
 * committed and some aborted.
 */
public final class Segments {
    private static final long T0 = 1_700_000_000_000L;
    private static final String[] CODECS = {"none", "gzip", "snappy", "lz4", "zstd"};
    private static String bootstrap;
    private static String topic;
    private static Admin admin;
    private static int sent;

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        topic = args[1];
        boolean transactions = args.length > 2 && args[2].equals("transactions");
        admin = Admin.create(with());
        try {
            Map<String, String> configs = new HashMap<>();
            configs.put("internal.segment.bytes", "3000");
            configs.put("retention.ms", "-1");
            admin.createTopics(Collections.singleton(new NewTopic(topic, 1, (short) 1).configs(configs))).all().get();
            fill(transactions);
            System.out.println("{\"logDirectory\": \"" + logDirectory() + "\", \"records\": [" + read("read_uncommitted")
                + "], \"committed\": [" + read("read_committed") + "]}");
        } finally {
            admin.close(Duration.ofSeconds(2));
        }
    }

    private static void fill(boolean transactions) throws Exception {
        for (String codec : CODECS) {
            produce(12, "enable.idempotence", "false", "compression.type", codec);
            produce(12, "enable.idempotence", "true", "compression.type", codec);
        }
        timestampType("LogAppendTime");
        for (String codec : CODECS) produce(3, "compression.type", codec);
        timestampType("CreateTime");
        if (transactions) transactions();
        try (KafkaProducer<byte[], byte[]> producer = producer("enable.idempotence", "true")) {
            for (int i = 0; i < 7; i++) send(producer, 2);
        }
    }

    /** Aborted and committed ones that lie in each other, over several segments. */
    private static void transactions() throws Exception {
        try (KafkaProducer<byte[], byte[]> first = producer("transactional.id", topic + "-1", "compression.type", "lz4");
                KafkaProducer<byte[], byte[]> second = producer("transactional.id", topic + "-2")) {
            first.initTransactions();
            second.initTransactions();
            for (int i = 0; i < 3; i++) {
                first.beginTransaction();
                send(first, 3);
                second.beginTransaction();
                send(second, 20);
                first.abortTransaction();
                produce(2, "enable.idempotence", "false");
                send(second, 4);
                if (i == 1) second.abortTransaction();
                else second.commitTransaction();
            }
            first.beginTransaction();
            send(first, 1);
            first.commitTransaction();
        }
    }

    private static void produce(int count, String... settings) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = producer(settings)) {
            send(producer, count);
        }
    }

    /** One batch. */
    private static void send(KafkaProducer<byte[], byte[]> producer, int count) throws Exception {
        List<java.util.concurrent.Future<?>> futures = new ArrayList<>();
        for (int i = 0; i < count; i++) futures.add(producer.send(next()));
        producer.flush();
        for (java.util.concurrent.Future<?> future : futures) future.get(20, TimeUnit.SECONDS);
    }

    private static ProducerRecord<byte[], byte[]> next() {
        int n = sent++;
        byte[] key = n % 5 == 1 ? null : bytes("key-" + n);
        byte[] value = n % 7 == 3 ? null : bytes("value-" + n + "-" + "abc".repeat(n % 11));
        List<Header> headers = n % 4 != 0 ? Collections.emptyList()
            : Arrays.asList(new RecordHeader("number", bytes("" + n)), new RecordHeader("number", bytes("again")),
                new RecordHeader("nothing", null));
        return new ProducerRecord<>(topic, 0, T0 + n * 1000L, key, value, headers);
    }

    private static void timestampType(String type) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        Collection<AlterConfigOp> ops = Collections.singleton(
            new AlterConfigOp(new ConfigEntry("message.timestamp.type", type), AlterConfigOp.OpType.SET));
        admin.incrementalAlterConfigs(Collections.singletonMap(resource, ops)).all().get();
        // Kafka answers before the log follows.
        Thread.sleep(1000);
    }

    private static String read(String isolation) throws Exception {
        TopicPartition partition = new TopicPartition(topic, 0);
        Properties props = with("isolation.level", isolation, "enable.auto.commit", "false");
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(props, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(Collections.singleton(partition));
            consumer.seekToBeginning(Collections.singleton(partition));
            long end = consumer.endOffsets(Collections.singleton(partition)).get(partition);
            List<String> found = new ArrayList<>();
            long deadline = System.currentTimeMillis() + 20_000;
            while (consumer.position(partition) < end && System.currentTimeMillis() < deadline) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                    found.add(isolation.equals("read_committed") ? "" + record.offset() : json(record));
                }
            }
            return String.join(", ", found);
        }
    }

    private static String json(ConsumerRecord<byte[], byte[]> record) {
        List<String> headers = new ArrayList<>();
        for (Header header : record.headers()) headers.add("[\"" + header.key() + "\", " + text(header.value()) + "]");
        return "{\"offset\": " + record.offset() + ", \"timestamp\": " + record.timestamp()
            + ", \"appendTime\": " + (record.timestampType() == TimestampType.LOG_APPEND_TIME)
            + ", \"key\": " + text(record.key()) + ", \"value\": " + text(record.value())
            + ", \"headers\": [" + String.join(", ", headers) + "]}";
    }

    private static String logDirectory() throws Exception {
        int broker = admin.describeCluster().nodes().get().iterator().next().id();
        return admin.describeLogDirs(Collections.singleton(broker)).allDescriptions().get().get(broker).keySet().iterator().next();
    }

    private static KafkaProducer<byte[], byte[]> producer(String... settings) {
        Properties props = with(settings);
        props.put("linger.ms", "500");
        return new KafkaProducer<>(props, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static Properties with(String... settings) {
        Properties props = new Properties();
        props.put("bootstrap.servers", bootstrap);
        props.put("request.timeout.ms", "15000");
        for (int i = 0; i < settings.length; i += 2) props.put(settings[i], settings[i + 1]);
        return props;
    }

    private static String text(byte[] bytes) {
        return bytes == null ? "null" : "\"" + new String(bytes, StandardCharsets.UTF_8) + "\"";
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
