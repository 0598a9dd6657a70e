import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.ListShareGroupOffsetsSpec;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.ShareGroupDescription;
import org.apache.kafka.clients.admin.SharePartitionOffsetInfo;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.GroupState;
import org.apache.kafka.common.GroupType;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Share groups with Java's KafkaShareConsumer and Admin: `ShareChecks BOOTSTRAP`. With
 * `ShareChecks hold TOPIC GROUP BOOTSTRAP` it takes records, prints how many, and never says
 * anything of them, until it is killed.
 */
public final class ShareChecks {
    private static String bootstrap;
    private static Admin admin;

    private interface Body {
        void run() throws Exception;
    }

    public static void main(String[] args) throws Exception {
        bootstrap = args[args.length - 1];
        if (args.length == 4) hold(args[1], args[2]);
        admin = Admin.create(props());
        try {
            check("implicit-acknowledgement", ShareChecks::implicit);
            check("starts-at-the-end-by-default", ShareChecks::latest);
            check("two-consumers-share-a-partition", ShareChecks::shared);
            check("explicit-release-and-reject", ShareChecks::explicit);
            check("delivery-count-limit", ShareChecks::limit);
            check("exact-record-limit", ShareChecks::exact);
            check("lock-timeout-redelivers", ShareChecks::timeout);
            check("renewed-lock-holds", ShareChecks::renewed);
            check("killed-consumer-redelivers", ShareChecks::killed);
            check("acknowledgements-are-kept", ShareChecks::kept);
            check("large-backlog-of-several-partitions", ShareChecks::backlog);
            check("admin-describes", ShareChecks::described);
            check("admin-alters-and-deletes", ShareChecks::altered);
        } finally {
            admin.close(Duration.ofSeconds(2));
        }
    }

    private static void implicit() throws Exception {
        topic("implicit", 1);
        fromStart("implicit");
        produce("implicit", 0, 100);
        try (KafkaShareConsumer<String, String> consumer = consumer("implicit", "implicit", null)) {
            List<ConsumerRecord<String, String>> records = take(consumer, 100);
            expect(records.get(99).value().equals("99"), "the last is " + records.get(99).value());
            expect(deliveries(records).equals(Map.of(1, 100)), deliveries(records).toString());
            // The next poll acknowledges what the last one gave.
            consumer.poll(Duration.ofMillis(300));
        }
        try (KafkaShareConsumer<String, String> consumer = consumer("implicit", "implicit", null)) {
            produce("implicit", 100, 1);
            List<ConsumerRecord<String, String>> records = take(consumer, 1);
            expect(records.get(0).offset() == 100, "offset " + records.get(0).offset() + " came again");
        }
    }

    private static void latest() throws Exception {
        topic("latest", 1);
        produce("latest", 0, 10);
        try (KafkaShareConsumer<String, String> consumer = consumer("latest", "latest", null)) {
            // Until it reads for the first time, the group is nowhere.
            List<ConsumerRecord<String, String>> records = new ArrayList<>();
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(40);
            for (int next = 10; records.isEmpty() && System.nanoTime() < deadline; next++) {
                produce("latest", next, 1);
                consumer.poll(Duration.ofMillis(500)).forEach(records::add);
            }
            expect(!records.isEmpty(), "it reads nothing");
            expect(records.get(0).offset() >= 10, "it began at " + records.get(0).offset());
        }
    }

    private static void shared() throws Exception {
        topic("shared", 1);
        fromStart("shared");
        Map<Long, Integer> seen = new TreeMap<>();
        try (KafkaShareConsumer<String, String> a = consumer("shared", "shared", null);
                KafkaShareConsumer<String, String> b = consumer("shared", "shared", null)) {
            int ofA = 0;
            int ofB = 0;
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(40);
            for (int sent = 0; (ofA < 20 || ofB < 20 || seen.size() < sent) && System.nanoTime() < deadline;) {
                if (ofA < 20 || ofB < 20) {
                    for (int i = 0; i < 10; i++) produce("shared", sent + i, 1);
                    sent += 10;
                }
                for (ConsumerRecord<String, String> record : a.poll(Duration.ofMillis(100))) {
                    seen.merge(record.offset(), 1, Integer::sum);
                    ofA++;
                }
                for (ConsumerRecord<String, String> record : b.poll(Duration.ofMillis(100))) {
                    seen.merge(record.offset(), 1, Integer::sum);
                    ofB++;
                }
            }
            expect(ofA >= 20 && ofB >= 20, "one took " + ofA + ", the other " + ofB);
            expect(seen.size() == ofA + ofB, "some came twice: " + (ofA + ofB) + " of " + seen.size());
        }
    }

    private static void explicit() throws Exception {
        topic("explicit", 1);
        fromStart("explicit");
        produce("explicit", 0, 10);
        try (KafkaShareConsumer<String, String> consumer = consumer("explicit", "explicit", "explicit")) {
            for (ConsumerRecord<String, String> record : take(consumer, 10)) {
                long kind = record.offset() % 3;
                consumer.acknowledge(record, kind == 0 ? AcknowledgeType.ACCEPT
                    : kind == 1 ? AcknowledgeType.RELEASE : AcknowledgeType.REJECT);
            }
            committed(consumer);
            List<ConsumerRecord<String, String>> again = take(consumer, 3);
            expect(offsets(again).equals(List.of(1L, 4L, 7L)), "again came " + offsets(again));
            expect(deliveries(again).equals(Map.of(2, 3)), deliveries(again).toString());
            for (ConsumerRecord<String, String> record : again) consumer.acknowledge(record);
            committed(consumer);
        }
        expect(lag("explicit", "explicit", 0) == 0, "the lag is " + lag("explicit", "explicit", 0));
    }

    private static void limit() throws Exception {
        topic("limit", 1);
        fromStart("limit");
        config("limit", "share.delivery.count.limit", "3");
        produce("limit", 0, 1);
        try (KafkaShareConsumer<String, String> consumer = consumer("limit", "limit", "explicit")) {
            for (int delivery = 1; delivery <= 3; delivery++) {
                ConsumerRecord<String, String> record = take(consumer, 1).get(0);
                expect(record.deliveryCount().get() == delivery, "delivery " + record.deliveryCount());
                consumer.acknowledge(record, AcknowledgeType.RELEASE);
                committed(consumer);
            }
            produce("limit", 1, 1);
            ConsumerRecord<String, String> next = take(consumer, 1).get(0);
            expect(next.offset() == 1, "offset " + next.offset() + " came once more");
            consumer.acknowledge(next);
        }
    }

    /** One batch of 50, of which each poll may take 7. */
    private static void exact() throws Exception {
        topic("exact", 1);
        fromStart("exact");
        produce("exact", 0, 50);
        Properties props = props("exact", null);
        props.put("share.acquire.mode", "record_limit");
        props.put("max.poll.records", "7");
        try (KafkaShareConsumer<String, String> consumer = consumer(props, "exact")) {
            List<Long> offsets = new ArrayList<>();
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
            while (offsets.size() < 50 && System.nanoTime() < deadline) {
                int before = offsets.size();
                consumer.poll(Duration.ofMillis(300)).forEach(record -> offsets.add(record.offset()));
                expect(offsets.size() - before <= 7, (offsets.size() - before) + " at once");
            }
            expect(offsets.size() == 50 && offsets.get(49) == 49, offsets.toString());
        }
    }

    private static void timeout() throws Exception {
        topic("timeout", 1);
        fromStart("timeout");
        config("timeout", "share.record.lock.duration.ms", "1500");
        produce("timeout", 0, 5);
        try (KafkaShareConsumer<String, String> slow = consumer("timeout", "timeout", "explicit");
                KafkaShareConsumer<String, String> other = consumer("timeout", "timeout", null)) {
            expect(offsets(take(slow, 5)).size() == 5, "not all came");
            expect(slow.acquisitionLockTimeoutMs().get() == 1500, "lock " + slow.acquisitionLockTimeoutMs());
            // On a busy machine a lock may end twice before the records are handed over.
            List<ConsumerRecord<String, String>> again = take(other, 5);
            expect(again.stream().allMatch(r -> r.deliveryCount().get() >= 2), deliveries(again).toString());
        }
    }

    private static void renewed() throws Exception {
        topic("renewed", 1);
        fromStart("renewed");
        config("renewed", "share.record.lock.duration.ms", "6000");
        produce("renewed", 0, 1);
        try (KafkaShareConsumer<String, String> keeper = consumer("renewed", "renewed", "explicit");
                KafkaShareConsumer<String, String> other = consumer("renewed", "renewed", null)) {
            ConsumerRecord<String, String> record = take(keeper, 1).get(0);
            long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(13);
            int stolen = 0;
            while (System.nanoTime() < until) {
                keeper.acknowledge(record, AcknowledgeType.RENEW);
                committed(keeper);
                keeper.poll(Duration.ofMillis(100));
                stolen += other.poll(Duration.ofMillis(400)).count();
            }
            expect(stolen == 0, "a renewed record was given to another");
            keeper.acknowledge(record, AcknowledgeType.ACCEPT);
            committed(keeper);
        }
        expect(lag("renewed", "renewed", 0) == 0, "the lag is " + lag("renewed", "renewed", 0));
    }

    private static void killed() throws Exception {
        topic("killed", 1);
        fromStart("killed");
        produce("killed", 0, 7);
        List<String> argv = new ArrayList<>(List.of(System.getProperty("java.home") + "/bin/java", "-Xmx128m",
            "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"),
            System.getProperty("share.source"), "hold", "killed", "killed", bootstrap));
        Process holder = new ProcessBuilder(argv).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try {
            String line = holder.inputReader().readLine();
            expect("7".equals(line), "the other took " + line);
        } finally {
            holder.destroyForcibly().waitFor();
        }
        try (KafkaShareConsumer<String, String> consumer = consumer("killed", "killed", null)) {
            List<ConsumerRecord<String, String>> again = take(consumer, 7);
            expect(deliveries(again).equals(Map.of(2, 7)), deliveries(again).toString());
        }
    }

    private static void hold(String topic, String group) throws Exception {
        KafkaShareConsumer<String, String> consumer = consumer(group, topic, "explicit");
        System.out.println(take(consumer, 7).size());
        Thread.sleep(60_000);
        Runtime.getRuntime().halt(1);
    }

    /** What was not acknowledged comes again when the consumer is closed; the rest does not. */
    private static void kept() throws Exception {
        topic("kept", 1);
        fromStart("kept");
        produce("kept", 0, 20);
        try (KafkaShareConsumer<String, String> consumer = consumer("kept", "kept", "explicit")) {
            for (ConsumerRecord<String, String> record : take(consumer, 20)) {
                if (record.offset() % 2 == 0) consumer.acknowledge(record);
            }
            committed(consumer);
        }
        try (KafkaShareConsumer<String, String> consumer = consumer("kept", "kept", null)) {
            List<ConsumerRecord<String, String>> again = take(consumer, 10);
            expect(again.stream().allMatch(r -> r.offset() % 2 == 1), "again came " + offsets(again));
        }
    }

    private static void backlog() throws Exception {
        topic("backlog", 3);
        fromStart("backlog");
        for (int partition = 0; partition < 3; partition++) {
            try (KafkaProducer<String, String> producer = producer()) {
                for (int i = 0; i < 5000; i++) {
                    producer.send(new ProducerRecord<>("backlog", partition, null, "x".repeat(100) + i));
                }
            }
        }
        try (KafkaShareConsumer<String, String> consumer = consumer("backlog", "backlog", null)) {
            Map<String, Integer> seen = new HashMap<>();
            for (ConsumerRecord<String, String> record : take(consumer, 15_000)) {
                seen.merge(record.partition() + "/" + record.offset(), 1, Integer::sum);
            }
            expect(seen.size() == 15_000, seen.size() + " different ones");
        }
    }

    private static void described() throws Exception {
        GroupListing listed = admin.listGroups().all().get().stream()
            .filter(group -> group.groupId().equals("explicit")).findFirst().get();
        expect(listed.type().get() == GroupType.SHARE, listed.toString());
        expect(listed.groupState().get() == GroupState.EMPTY, listed.toString());
        expect(listed.protocol().equals("share"), listed.toString());
        try (KafkaShareConsumer<String, String> consumer = consumer("explicit", "explicit", null)) {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
            ShareGroupDescription group;
            do {
                consumer.poll(Duration.ofMillis(200));
                group = admin.describeShareGroups(List.of("explicit")).all().get().get("explicit");
            } while (group.members().isEmpty() && System.nanoTime() < deadline);
            expect(group.groupState() == GroupState.STABLE, group.toString());
            expect(group.members().iterator().next().assignment().topicPartitions()
                .contains(new TopicPartition("explicit", 0)), group.toString());
        }
    }

    private static void altered() throws Exception {
        TopicPartition partition = new TopicPartition("explicit", 0);
        admin.alterShareGroupOffsets("explicit", Map.of(partition, 6L)).all().get();
        expect(offset("explicit", partition).startOffset() == 6, offset("explicit", partition).toString());
        expect(offset("explicit", partition).lag().get() == 4, offset("explicit", partition).toString());
        try (KafkaShareConsumer<String, String> consumer = consumer("explicit", "explicit", null)) {
            expect(take(consumer, 4).get(0).offset() == 6, "it did not begin at 6");
        }
        admin.deleteShareGroupOffsets("explicit", java.util.Set.of("explicit")).all().get();
        admin.deleteShareGroups(List.of("explicit")).all().get();
        expect(admin.listGroups().all().get().stream().noneMatch(g -> g.groupId().equals("explicit")), "still there");
    }

    private static long lag(String group, String topic, int partition) throws Exception {
        return offset(group, new TopicPartition(topic, partition)).lag().get();
    }

    private static SharePartitionOffsetInfo offset(String group, TopicPartition partition) throws Exception {
        return admin.listShareGroupOffsets(Map.of(group, new ListShareGroupOffsetsSpec()))
            .partitionsToOffsetInfo(group).get().get(partition);
    }

    private static Properties props() {
        Properties props = new Properties();
        props.put("bootstrap.servers", bootstrap);
        props.put("default.api.timeout.ms", "20000");
        props.put("request.timeout.ms", "15000");
        return props;
    }

    private static KafkaShareConsumer<String, String> consumer(String group, String topic, String mode) {
        return consumer(props(group, mode), topic);
    }

    private static Properties props(String group, String mode) {
        Properties props = props();
        props.put("group.id", group);
        props.put("metadata.max.age.ms", "1000");
        if (mode != null) props.put("share.acknowledgement.mode", mode);
        return props;
    }

    private static KafkaShareConsumer<String, String> consumer(Properties props, String topic) {
        KafkaShareConsumer<String, String> consumer =
            new KafkaShareConsumer<>(props, new StringDeserializer(), new StringDeserializer());
        consumer.subscribe(Collections.singletonList(topic));
        return consumer;
    }

    private static KafkaProducer<String, String> producer() {
        return new KafkaProducer<>(props(), new StringSerializer(), new StringSerializer());
    }

    private static void produce(String topic, int from, int count) throws Exception {
        try (KafkaProducer<String, String> producer = producer()) {
            for (int i = 0; i < count; i++) {
                producer.send(new ProducerRecord<>(topic, 0, null, String.valueOf(from + i)));
            }
        }
    }

    private static void topic(String name, int partitions) throws Exception {
        admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1))).all().get();
    }

    private static void fromStart(String group) throws Exception {
        config(group, "share.auto.offset.reset", "earliest");
    }

    private static void config(String group, String name, String value) throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.GROUP, group);
        AlterConfigOp set = new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET);
        admin.incrementalAlterConfigs(Map.of(resource, List.of(set))).all().get();
    }

    /** Polls until there are so many records. */
    private static List<ConsumerRecord<String, String>> take(KafkaShareConsumer<String, String> consumer, int count) {
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(40);
        while (records.size() < count && System.nanoTime() < deadline) {
            consumer.poll(Duration.ofMillis(200)).forEach(records::add);
        }
        if (records.size() != count) throw new IllegalStateException(records.size() + " records, not " + count);
        return records;
    }

    private static void committed(KafkaShareConsumer<String, String> consumer) {
        consumer.commitSync().forEach((partition, problem) -> {
            if (problem.isPresent()) throw problem.get();
        });
    }

    private static List<Long> offsets(List<ConsumerRecord<String, String>> records) {
        List<Long> offsets = new ArrayList<>();
        records.forEach(record -> offsets.add(record.offset()));
        return offsets;
    }

    /** How many records were delivered how often. */
    private static Map<Integer, Integer> deliveries(List<ConsumerRecord<String, String>> records) {
        Map<Integer, Integer> counts = new HashMap<>();
        records.forEach(record -> counts.merge((int) record.deliveryCount().get().shortValue(), 1, Integer::sum));
        return counts;
    }

    private static void expect(boolean holds, String why) {
        if (!holds) throw new IllegalStateException(why);
    }

    private static void check(String name, Body body) {
        String detail = "";
        try {
            body.run();
        } catch (Throwable problem) {
            detail = String.valueOf(problem) + Arrays.toString(Arrays.copyOf(problem.getStackTrace(), 4));
        }
        String text = detail.replace("\\", "\\\\").replace("\"", "'").replace("\n", " ");
        System.out.println("{\"check\": \"" + name + "\", \"ok\": " + detail.isEmpty() + ", \"detail\": \"" + text + "\"}");
    }
}
