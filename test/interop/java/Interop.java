import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The Java clients of 2.8, 3.9 and 4.3 by one source. What a version renamed or lacks goes through
 * reflection. Reads with assigned partitions; no consumer group takes part.
 */
public final class Interop {
    private static final long T0 = 1_700_000_000_000L;
    private static String bootstrap;
    private static Admin admin;

    /** Answers a detail to print, or null when this client has nothing to check here. */
    private interface Body {
        String run() throws Exception;
    }

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        Properties props = new Properties();
        props.put("bootstrap.servers", bootstrap);
        props.put("default.api.timeout.ms", "20000");
        props.put("request.timeout.ms", "15000");
        admin = Admin.create(props);
        try {
            clusterAndTopics();
            codecs();
            acknowledgements();
            sizes();
            offsets();
            configs();
            ends();
        } finally {
            admin.close(Duration.ofSeconds(2));
        }
    }

    private static void clusterAndTopics() {
        check("describe-cluster", () -> {
            DescribeClusterResult cluster = admin.describeCluster();
            expect(cluster.nodes().get().size() == 1, "nodes " + cluster.nodes().get());
            expect(cluster.controller().get() != null, "no controller");
            expect(!cluster.clusterId().get().isEmpty(), "no cluster id");
            return "cluster " + cluster.clusterId().get();
        });
        check("create-topics", () -> {
            NewTopic plain = new NewTopic("plain", 3, (short) 1);
            NewTopic defaults = new NewTopic("defaults", Optional.empty(), Optional.empty());
            NewTopic configured = new NewTopic("configured", Collections.singletonMap(0, Collections.singletonList(
                admin.describeCluster().nodes().get().iterator().next().id())));
            configured.configs(Collections.singletonMap("retention.ms", "3600000"));
            admin.createTopics(Arrays.asList(plain, defaults, configured)).all().get();
            Set<String> names = admin.listTopics().names().get();
            expect(names.containsAll(Arrays.asList("plain", "defaults", "configured")), "listed " + names);
            return "";
        });
        check("create-topic-twice-refused", () ->
            refused(admin.createTopics(Collections.singleton(new NewTopic("plain", 1, (short) 1))).all(), TopicExistsException.class));
        check("describe-topics", () -> {
            Map<String, TopicDescription> topics = describe(Arrays.asList("plain", "configured"));
            expect(topics.get("plain").partitions().size() == 3, "plain " + topics.get("plain"));
            expect(topics.get("plain").partitions().get(2).leader() != null, "no leader");
            expect(topics.get("plain").partitions().get(2).isr().size() == 1, "isr");
            expect(topics.get("configured").partitions().size() == 1, "configured");
            expect(!topics.get("plain").isInternal(), "internal");
            return "";
        });
        check("describe-unknown-topic-refused", () -> {
            try {
                describe(Collections.singletonList("nowhere"));
            } catch (ExecutionException e) {
                expect(e.getCause() instanceof UnknownTopicOrPartitionException, "got " + e.getCause());
                return "";
            }
            throw new IllegalStateException("described");
        });
        check("describe-log-dirs", () -> {
            int node = admin.describeCluster().nodes().get().iterator().next().id();
            Map<?, ?> dirs = (Map<?, ?>) ((Map<?, ?>) get(invoke(
                invoke(admin, "describeLogDirs", Collection.class, Collections.singleton(node)), "allDescriptions"))).get(node);
            expect(dirs.size() >= 1, "dirs " + dirs);
            return "";
        });
    }

    private static void codecs() {
        for (String codec : Arrays.asList("none", "gzip", "snappy", "lz4", "zstd")) {
            check("codec-" + codec, () -> {
                String topic = "codec-" + codec;
                create(topic, 2, Collections.emptyMap());
                Properties props = producerProps("compression.type", codec, "linger.ms", "20",
                    "max.in.flight.requests.per.connection", "1"); // a retry must not change the order
                List<ProducerRecord<byte[], byte[]>> sent = new ArrayList<>();
                for (int p = 0; p < 2; p++) sent.addAll(variety(topic, p));
                produce(props, sent);
                for (int p = 0; p < 2; p++) {
                    List<ConsumerRecord<byte[], byte[]>> read = read(topic, p, 0, variety(topic, p).size());
                    compare(variety(topic, p), read);
                }
                return sent.size() + " records";
            });
        }
    }

    private static void acknowledgements() {
        for (String acks : Arrays.asList("0", "1", "all")) {
            check("acks-" + acks, () -> {
                String topic = "acks-" + acks;
                create(topic, 1, Collections.emptyMap());
                List<ProducerRecord<byte[], byte[]>> sent = numbered(topic, 100);
                produce(producerProps("acks", acks, "enable.idempotence", "false"), sent);
                compare(sent, read(topic, 0, 0, 100));
                return "";
            });
        }
        check("idempotent", () -> {
            create("idempotent", 1, Collections.emptyMap());
            List<ProducerRecord<byte[], byte[]>> sent = numbered("idempotent", 2000);
            List<RecordMetadata> acknowledged = produce(producerProps("enable.idempotence", "true", "acks", "all",
                "max.in.flight.requests.per.connection", "5", "batch.size", "500"), sent);
            for (int i = 0; i < 2000; i++) expect(acknowledged.get(i).offset() == i, i + " at " + acknowledged.get(i).offset());
            compare(sent, read("idempotent", 0, 0, 2000));
            return "";
        });
        check("auto-create-on-produce", () -> {
            List<ProducerRecord<byte[], byte[]>> sent = numbered("auto-created", 10);
            produce(producerProps(), sent);
            compare(sent, read("auto-created", 0, 0, 10));
            return "";
        });
    }

    private static void sizes() {
        check("record-of-almost-1-MiB", () -> {
            create("large", 1, Collections.emptyMap());
            // Kafka's limit is 1,048,588 bytes for the batch; header and record framing take under 100.
            List<ProducerRecord<byte[], byte[]>> sent = Arrays.asList(
                new ProducerRecord<>("large", 0, T0, null, random(1_048_476)), new ProducerRecord<>("large", 0, T0, null, random(1_000_000)));
            produce(producerProps("max.request.size", "2000000"), sent);
            compare(sent, read("large", 0, 0, 2));
            return "";
        });
        check("record-of-8-MiB-where-allowed", () -> {
            create("larger", 1, Collections.singletonMap("max.message.bytes", "10000000"));
            List<ProducerRecord<byte[], byte[]>> sent = Arrays.asList(new ProducerRecord<>("larger", 0, T0, null, random(8 << 20)),
                new ProducerRecord<>("larger", 0, T0, null, random(8 << 20)));
            produce(producerProps("max.request.size", "20000000", "buffer.memory", "40000000"), sent);
            compare(sent, read("larger", 0, 0, 2));
            return "";
        });
        check("too-large-refused", () -> {
            create("smaller", 1, Collections.singletonMap("max.message.bytes", "1000"));
            try {
                produce(producerProps(), Collections.singletonList(new ProducerRecord<>("smaller", 0, T0, null, random(5000))));
            } catch (ExecutionException e) {
                expect(e.getCause() instanceof RecordTooLargeException, "got " + e.getCause());
                return "";
            }
            throw new IllegalStateException("accepted");
        });
    }

    private static void offsets() {
        TopicPartition partition = new TopicPartition("timed", 0);
        check("offsets-by-time", () -> {
            create("timed", 1, Collections.emptyMap());
            produce(producerProps("linger.ms", "0"), numbered("timed", 100));
            expect(offset(partition, OffsetSpec.earliest()).offset() == 0, "earliest");
            expect(offset(partition, OffsetSpec.latest()).offset() == 100, "latest");
            ListOffsetsResultInfo middle = offset(partition, OffsetSpec.forTimestamp(T0 + 41_500));
            expect(middle.offset() == 42 && middle.timestamp() == T0 + 42_000, "middle " + middle);
            expect(offset(partition, OffsetSpec.forTimestamp(T0 - 5)).offset() == 0, "before");
            expect(offset(partition, OffsetSpec.forTimestamp(T0 + 99_001)).offset() == -1, "after");
            return "";
        });
        check("consumer-offsets-by-time", () -> {
            try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
                Map<TopicPartition, OffsetAndTimestamp> found = consumer.offsetsForTimes(Collections.singletonMap(partition, T0 + 10_000L));
                expect(found.get(partition).offset() == 10, "found " + found);
                expect(consumer.beginningOffsets(Collections.singleton(partition)).get(partition) == 0L, "beginning");
                expect(consumer.endOffsets(Collections.singleton(partition)).get(partition) == 100L, "end");
                return "";
            }
        });
        check("consumer-read-committed", () -> {
            compare(numbered("timed", 100), read("timed", 0, 0, 100, "isolation.level", "read_committed"));
            return "";
        });
        check("offset-of-max-timestamp", () -> {
            Object spec;
            try {
                spec = OffsetSpec.class.getMethod("maxTimestamp").invoke(null);
            } catch (NoSuchMethodException e) {
                return null;
            }
            expect(offset(partition, (OffsetSpec) spec).offset() == 99, "max timestamp");
            return "";
        });
        check("delete-records", () -> {
            long low = admin.deleteRecords(Collections.singletonMap(partition, RecordsToDelete.beforeOffset(30)))
                .lowWatermarks().get(partition).get().lowWatermark();
            expect(low == 30, "low watermark " + low);
            expect(offset(partition, OffsetSpec.earliest()).offset() == 30, "earliest");
            compare(numbered("timed", 100).subList(30, 100), read("timed", 0, 0, 70));
            long all = admin.deleteRecords(Collections.singletonMap(partition, RecordsToDelete.beforeOffset(-1)))
                .lowWatermarks().get(partition).get().lowWatermark();
            expect(all == 100, "low watermark " + all);
            return "";
        });
        check("delete-records-beyond-end-refused", () ->
            refused(admin.deleteRecords(Collections.singletonMap(partition, RecordsToDelete.beforeOffset(101))).all(),
                org.apache.kafka.common.errors.OffsetOutOfRangeException.class));
    }

    private static void configs() {
        ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, "configured");
        check("describe-topic-configs", () -> {
            Config config = admin.describeConfigs(Collections.singleton(topic)).all().get().get(topic);
            expect(config.get("retention.ms").value().equals("3600000"), "retention.ms " + config.get("retention.ms"));
            expect(config.get("retention.ms").source() == ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, "source");
            expect(config.get("cleanup.policy").value().equals("delete"), "cleanup.policy");
            expect(config.get("cleanup.policy").isDefault(), "cleanup.policy source");
            expect(config.entries().size() > 20, config.entries().size() + " entries");
            return config.entries().size() + " entries";
        });
        check("describe-broker-configs", () -> {
            ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER,
                String.valueOf(admin.describeCluster().nodes().get().iterator().next().id()));
            Config config = admin.describeConfigs(Collections.singleton(broker)).all().get().get(broker);
            expect(config.get("message.max.bytes").value().equals("1048588"), "message.max.bytes " + config.get("message.max.bytes"));
            return config.entries().size() + " entries";
        });
        check("incremental-alter-configs", () -> {
            alter(topic, AlterConfigOp.OpType.SET, "retention.ms", "7200000");
            alter(topic, AlterConfigOp.OpType.APPEND, "cleanup.policy", "compact");
            awaitConfig(topic, "retention.ms", "7200000");
            awaitConfig(topic, "cleanup.policy", "delete,compact");
            alter(topic, AlterConfigOp.OpType.SUBTRACT, "cleanup.policy", "delete");
            alter(topic, AlterConfigOp.OpType.DELETE, "retention.ms", "");
            awaitConfig(topic, "cleanup.policy", "compact");
            awaitConfig(topic, "retention.ms", "604800000");
            return "";
        });
        check("alter-broker-configs", () -> {
            ConfigResource defaults = new ConfigResource(ConfigResource.Type.BROKER, "");
            alter(defaults, AlterConfigOp.OpType.SET, "log.retention.ms", "86400000");
            awaitConfig(topic, "retention.ms", "86400000");
            alter(defaults, AlterConfigOp.OpType.DELETE, "log.retention.ms", "");
            awaitConfig(topic, "retention.ms", "604800000");
            return "";
        });
        check("legacy-alter-configs", () -> {
            Config config = new Config(Collections.singleton(new ConfigEntry("segment.bytes", "2097152")));
            Object result;
            try {
                result = invoke(admin, "alterConfigs", Map.class, Collections.singletonMap(topic, config));
            } catch (NoSuchMethodException e) {
                return null;
            }
            get(invoke(result, "all"));
            awaitConfig(topic, "segment.bytes", "2097152");
            awaitConfig(topic, "cleanup.policy", "delete");
            return "";
        });
        check("invalid-config-refused", () -> {
            ConfigEntry entry = new ConfigEntry("retention.ms", "soon");
            return refused(admin.incrementalAlterConfigs(Collections.singletonMap(topic,
                Collections.singleton(new AlterConfigOp(entry, AlterConfigOp.OpType.SET)))).all(), InvalidConfigurationException.class);
        });
    }

    private static void ends() {
        check("create-partitions", () -> {
            admin.createPartitions(Collections.singletonMap("plain", NewPartitions.increaseTo(5))).all().get();
            await("5 partitions", () -> describe(Collections.singletonList("plain")).get("plain").partitions().size() == 5);
            List<ProducerRecord<byte[], byte[]>> sent = Collections.singletonList(new ProducerRecord<>("plain", 4, T0, null, random(10)));
            produce(producerProps(), sent);
            compare(sent, read("plain", 4, 0, 1));
            return "";
        });
        check("delete-topics", () -> {
            admin.deleteTopics(Arrays.asList("plain", "defaults")).all().get();
            await("gone", () -> Collections.disjoint(admin.listTopics().names().get(), Arrays.asList("plain", "defaults")));
            return "";
        });
        check("delete-unknown-topic-refused", () ->
            refused(admin.deleteTopics(Collections.singleton("nowhere")).all(), UnknownTopicOrPartitionException.class));
    }

    /** Records with every shape that a record can have, all in partition `p`. */
    private static List<ProducerRecord<byte[], byte[]>> variety(String topic, int p) {
        List<ProducerRecord<byte[], byte[]>> list = new ArrayList<>();
        list.add(new ProducerRecord<>(topic, p, T0, bytes("key"), bytes("value")));
        list.add(new ProducerRecord<>(topic, p, T0 + 1, null, bytes("null key")));
        list.add(new ProducerRecord<>(topic, p, T0 + 2, bytes("null value"), (byte[]) null));
        list.add(new ProducerRecord<>(topic, p, T0 + 3, (byte[]) null, (byte[]) null));
        list.add(new ProducerRecord<>(topic, p, T0 + 4, new byte[0], new byte[0]));
        list.add(new ProducerRecord<>(topic, p, T0 + 5, bytes("headers"), bytes("with headers"), Arrays.<Header>asList(
            new RecordHeader("a", bytes("1")), new RecordHeader("a", bytes("2")), new RecordHeader("empty", new byte[0]),
            new RecordHeader("null", null), new RecordHeader("\u00e4\u4e2d", new byte[] {0, -1, 127, -128}))));
        Random random = new Random(p);
        for (int i = 0; i < 300; i++) {
            byte[] value = new byte[random.nextInt(2000)];
            random.nextBytes(value);
            Arrays.fill(value, 0, value.length / 2, (byte) 'x');
            list.add(new ProducerRecord<>(topic, p, T0 + 10 + i, bytes("k" + i), value));
        }
        return list;
    }

    private static List<ProducerRecord<byte[], byte[]>> numbered(String topic, int count) {
        List<ProducerRecord<byte[], byte[]>> list = new ArrayList<>();
        for (int i = 0; i < count; i++) list.add(new ProducerRecord<>(topic, 0, T0 + i * 1000L, null, bytes("record " + i)));
        return list;
    }

    private static List<RecordMetadata> produce(Properties props, List<ProducerRecord<byte[], byte[]>> records) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(props)) {
            List<Future<RecordMetadata>> futures = new ArrayList<>();
            for (ProducerRecord<byte[], byte[]> record : records) futures.add(producer.send(record));
            producer.flush();
            List<RecordMetadata> acknowledged = new ArrayList<>();
            for (Future<RecordMetadata> future : futures) acknowledged.add(future.get(20, TimeUnit.SECONDS));
            return acknowledged;
        }
    }

    private static List<ConsumerRecord<byte[], byte[]>> read(String topic, int p, long from, int count, String... more) {
        TopicPartition partition = new TopicPartition(topic, p);
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(more)) {
            consumer.assign(Collections.singleton(partition));
            if (from == 0) consumer.seekToBeginning(Collections.singleton(partition));
            else consumer.seek(partition, from);
            List<ConsumerRecord<byte[], byte[]>> read = new ArrayList<>();
            long deadline = System.currentTimeMillis() + 15_000;
            while (read.size() < count && System.currentTimeMillis() < deadline) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(500))) read.add(record);
            }
            return read;
        }
    }

    private static void compare(List<ProducerRecord<byte[], byte[]>> sent, List<ConsumerRecord<byte[], byte[]>> read) {
        expect(sent.size() == read.size(), "read " + read.size() + " of " + sent.size());
        for (int i = 0; i < sent.size(); i++) {
            ProducerRecord<byte[], byte[]> a = sent.get(i);
            ConsumerRecord<byte[], byte[]> b = read.get(i);
            expect(Arrays.equals(a.key(), b.key()), "key of " + i);
            expect(Arrays.equals(a.value(), b.value()), "value of " + i);
            expect(a.timestamp() == b.timestamp(), "timestamp of " + i + ": " + b.timestamp());
            expect(Arrays.equals(a.headers().toArray(), b.headers().toArray()), "headers of " + i + ": " + b.headers());
            if (i > 0) expect(b.offset() == read.get(i - 1).offset() + 1, "offset of " + i + ": " + b.offset());
        }
    }

    private static Properties producerProps(String... more) {
        Properties props = new Properties();
        props.put("bootstrap.servers", bootstrap);
        props.put("key.serializer", ByteArraySerializer.class.getName());
        props.put("value.serializer", ByteArraySerializer.class.getName());
        props.put("delivery.timeout.ms", "20000");
        props.put("request.timeout.ms", "10000");
        props.put("max.block.ms", "15000");
        for (int i = 0; i < more.length; i += 2) props.put(more[i], more[i + 1]);
        return props;
    }

    private static KafkaConsumer<byte[], byte[]> consumer(String... more) {
        Properties props = new Properties();
        props.put("bootstrap.servers", bootstrap);
        props.put("key.deserializer", ByteArrayDeserializer.class.getName());
        props.put("value.deserializer", ByteArrayDeserializer.class.getName());
        props.put("enable.auto.commit", "false");
        props.put("default.api.timeout.ms", "15000");
        for (int i = 0; i < more.length; i += 2) props.put(more[i], more[i + 1]);
        return new KafkaConsumer<>(props);
    }

    private static void create(String topic, int partitions, Map<String, String> configs) throws Exception {
        admin.createTopics(Collections.singleton(new NewTopic(topic, partitions, (short) 1).configs(configs))).all().get();
    }

    @SuppressWarnings("unchecked")
    private static Map<String, TopicDescription> describe(Collection<String> topics) throws Exception {
        Object result = admin.describeTopics(topics);
        try {
            return (Map<String, TopicDescription>) get(invoke(result, "allTopicNames"));
        } catch (NoSuchMethodException e) {
            return (Map<String, TopicDescription>) get(invoke(result, "all"));
        }
    }

    private static ListOffsetsResultInfo offset(TopicPartition partition, OffsetSpec spec) throws Exception {
        return admin.listOffsets(Collections.singletonMap(partition, spec)).partitionResult(partition).get();
    }

    private static void alter(ConfigResource resource, AlterConfigOp.OpType op, String key, String value) throws Exception {
        admin.incrementalAlterConfigs(Collections.singletonMap(resource,
            Collections.singleton(new AlterConfigOp(new ConfigEntry(key, value), op)))).all().get();
    }

    private static void awaitConfig(ConfigResource resource, String key, String value) throws Exception {
        await(key + " = " + value, () ->
            value.equals(admin.describeConfigs(Collections.singleton(resource)).all().get().get(resource).get(key).value()));
    }

    private interface Condition {
        boolean holds() throws Exception;
    }

    /** Kafka answers some changes before every read shows them. */
    private static void await(String what, Condition condition) throws Exception {
        long deadline = System.currentTimeMillis() + 5_000;
        while (!condition.holds()) {
            expect(System.currentTimeMillis() < deadline, "waited in vain for " + what);
            Thread.sleep(50);
        }
    }

    private static String refused(KafkaFuture<?> future, Class<? extends Exception> kind) throws Exception {
        try {
            future.get();
        } catch (ExecutionException e) {
            expect(kind.isInstance(e.getCause()), "got " + e.getCause());
            return "";
        }
        throw new IllegalStateException("accepted");
    }

    private static Object invoke(Object target, String name, Object... typeAndArgument) throws Exception {
        boolean bare = typeAndArgument.length == 0;
        Class<?> face = target instanceof Admin ? Admin.class : target.getClass();
        try {
            return bare ? face.getMethod(name).invoke(target) : face.getMethod(name, (Class<?>) typeAndArgument[0]).invoke(target, typeAndArgument[1]);
        } catch (java.lang.reflect.InvocationTargetException e) {
            throw (Exception) e.getCause();
        }
    }

    private static Object get(Object future) throws Exception {
        return ((KafkaFuture<?>) future).get();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] random(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    private static void expect(boolean condition, String why) {
        if (!condition) throw new IllegalStateException(why);
    }

    private static void check(String name, Body body) {
        String detail;
        boolean ok = true;
        try {
            detail = body.run();
            if (detail == null) return;
        } catch (Exception e) {
            ok = false;
            detail = String.valueOf(e.getCause() == null ? e : e + " <- " + e.getCause());
        }
        System.out.println("{\"check\": \"" + name + "\", \"ok\": " + ok + ", \"detail\": \"" + escape(detail) + "\"}");
        System.out.flush();
    }

    private static String escape(String text) {
        return text.replace("\\", "\\\\").replace("\"", "\\\"").replaceAll("\\p{Cntrl}", " ");
    }
}
