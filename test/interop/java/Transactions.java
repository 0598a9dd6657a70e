import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * Transactions with the Java clients of 2.8, 3.9 and 4.3: the first two add partitions in so many
 * words, the last one leaves that to the broker.
 */
public final class Transactions {
    private static final int PARTITIONS = 3;
    private static String bootstrap;
    private static Admin admin;

    private interface Body {
        void run() throws Exception;
    }

    public static void main(String[] args) throws Exception {
        bootstrap = args[0];
        admin = Admin.create(config());
        check("commit", Transactions::commit);
        check("abort", Transactions::abort);
        check("many-transactions", Transactions::many);
        check("send-offsets", Transactions::sendOffsets);
        check("fencing", Transactions::fencing);
        check("timeout", Transactions::timeout);
        check("exactly-once", Transactions::exactlyOnce);
        admin.close(Duration.ofSeconds(5));
    }

    private static void commit() throws Exception {
        String topic = topic("commit");
        try (KafkaProducer<String, String> producer = producer("commit", 60_000)) {
            producer.initTransactions();
            producer.beginTransaction();
            send(producer, topic, 30, "a");
            producer.flush();
            expect(read(topic, "read_committed", 0).isEmpty(), "an open transaction is seen");
            expect(read(topic, "read_uncommitted", 30).size() == 30, "nothing is there");
            producer.commitTransaction();
        }
        expect(read(topic, "read_committed", 30).size() == 30, "not all is seen");
    }

    private static void abort() throws Exception {
        String topic = topic("abort");
        try (KafkaProducer<String, String> producer = producer("abort", 60_000)) {
            producer.initTransactions();
            producer.beginTransaction();
            send(producer, topic, 10, "dropped");
            producer.flush();
            producer.abortTransaction();
            producer.beginTransaction();
            send(producer, topic, 10, "kept");
            producer.commitTransaction();
            producer.beginTransaction();
            producer.abortTransaction();
            producer.beginTransaction();
            producer.commitTransaction();
        }
        List<String> values = read(topic, "read_committed", 10);
        expect(values.size() == 10 && values.get(0).startsWith("kept"), values.toString());
        expect(read(topic, "read_uncommitted", 20).size() == 20, "what was aborted is gone");
    }

    private static void many() throws Exception {
        String topic = topic("many");
        int committed = 0;
        try (KafkaProducer<String, String> producer = producer("many", 60_000)) {
            producer.initTransactions();
            for (int i = 0; i < 200; i++) {
                producer.beginTransaction();
                send(producer, topic, 5, "t" + i);
                if (i % 5 == 4) {
                    producer.flush();
                    producer.abortTransaction();
                } else {
                    producer.commitTransaction();
                    committed += 5;
                }
            }
        }
        List<String> values = read(topic, "read_committed", committed);
        expect(values.size() == committed, values.size() + " of " + committed);
        expect(new TreeSet<>(values).size() == committed, "something is there twice");
    }

    private static void sendOffsets() throws Exception {
        String topic = topic("offsets");
        TopicPartition place = new TopicPartition(topic, 0);
        try (KafkaProducer<String, String> producer = producer("offsets", 60_000);
            KafkaConsumer<String, String> consumer = consumer("read_committed", "offsets-group")) {
            consumer.assign(Collections.singletonList(place));
            producer.initTransactions();
            producer.beginTransaction();
            send(producer, topic, 3, "x");
            producer.sendOffsetsToTransaction(offsets(place, 7), consumer.groupMetadata());
            producer.abortTransaction();
            expect(committed(consumer, place) == -1, "offsets of an aborted transaction hold");
            producer.beginTransaction();
            producer.sendOffsetsToTransaction(offsets(place, 8), consumer.groupMetadata());
            producer.commitTransaction();
            expect(committed(consumer, place) == 8, "committed: " + committed(consumer, place));
        }
    }

    private static void fencing() throws Exception {
        String topic = topic("fencing");
        try (KafkaProducer<String, String> first = producer("fenced", 60_000);
            KafkaProducer<String, String> second = producer("fenced", 60_000)) {
            first.initTransactions();
            first.beginTransaction();
            send(first, topic, 3, "first");
            first.flush();
            second.initTransactions();
            second.beginTransaction();
            send(second, topic, 3, "second");
            second.commitTransaction();
            boolean fenced = false;
            try {
                send(first, topic, 3, "late");
                first.commitTransaction();
            } catch (KafkaException error) {
                fenced = true;
            }
            expect(fenced, "the first producer goes on");
        }
        List<String> values = read(topic, "read_committed", 3);
        expect(values.size() == 3 && values.get(0).startsWith("second"), values.toString());
    }

    private static void timeout() throws Exception {
        String topic = topic("timeout");
        try (KafkaProducer<String, String> slow = producer("slow", 1000);
            KafkaProducer<String, String> other = producer("other", 60_000)) {
            slow.initTransactions();
            slow.beginTransaction();
            send(slow, topic, 3, "slow");
            slow.flush();
            other.initTransactions();
            other.beginTransaction();
            send(other, topic, 3, "other");
            other.commitTransaction();
            // It is behind the transaction that takes too long.
            List<String> values = read(topic, "read_committed", 3);
            expect(values.size() == 3 && values.get(0).startsWith("other"), values.toString());
            boolean failed = false;
            try {
                slow.commitTransaction();
            } catch (KafkaException error) {
                failed = true;
            }
            expect(failed, "what was aborted can be committed");
        }
    }

    /** Each record of one topic gets into another one once, whatever is aborted on the way. */
    private static void exactlyOnce() throws Exception {
        String in = topic("in");
        String out = topic("out");
        try (KafkaProducer<String, String> source = producer("source", 60_000)) {
            source.initTransactions();
            source.beginTransaction();
            send(source, in, 300, "v");
            source.commitTransaction();
        }
        for (int round = 0; round < 3; round++) {
            try (KafkaProducer<String, String> producer = producer("transform", 60_000);
                KafkaConsumer<String, String> consumer = consumer("read_committed", "transform")) {
                consumer.subscribe(Collections.singletonList(in));
                producer.initTransactions();
                long endMs = System.currentTimeMillis() + (round < 2 ? 3000 : 6000);
                for (int i = 0; System.currentTimeMillis() < endMs; i++) {
                    Map<TopicPartition, OffsetAndMetadata> next = new HashMap<>();
                    producer.beginTransaction();
                    for (ConsumerRecord<String, String> one : consumer.poll(Duration.ofMillis(200))) {
                        producer.send(new ProducerRecord<>(out, one.value()));
                        TopicPartition place = new TopicPartition(one.topic(), one.partition());
                        next.put(place, new OffsetAndMetadata(one.offset() + 1));
                    }
                    if (!next.isEmpty()) {
                        producer.sendOffsetsToTransaction(next, consumer.groupMetadata());
                    }
                    if (round < 2 && i % 3 == 1 && !next.isEmpty()) {
                        producer.abortTransaction();
                        break;
                    }
                    producer.commitTransaction();
                }
            }
        }
        List<String> values = read(out, "read_committed", 300);
        expect(values.size() == 300, values.size() + " records");
        expect(new TreeSet<>(values).size() == 300, "something is there twice");
    }

    private static Map<TopicPartition, OffsetAndMetadata> offsets(TopicPartition place, long offset) {
        return Collections.singletonMap(place, new OffsetAndMetadata(offset));
    }

    private static long committed(KafkaConsumer<String, String> consumer, TopicPartition place) {
        OffsetAndMetadata offset = consumer.committed(Collections.singleton(place)).get(place);
        return offset == null ? -1 : offset.offset();
    }

    private static void send(KafkaProducer<String, String> producer, String topic, int count, String value) {
        for (int i = 0; i < count; i++) {
            producer.send(new ProducerRecord<>(topic, i % PARTITIONS, "k" + i, value + "-" + i));
        }
    }

    /** Reads until there are `wanted`, and a little longer, for what should not be there. */
    private static List<String> read(String topic, String isolation, int wanted) {
        List<String> values = new ArrayList<>();
        List<TopicPartition> places = new ArrayList<>();
        for (int i = 0; i < PARTITIONS; i++) places.add(new TopicPartition(topic, i));
        try (KafkaConsumer<String, String> consumer = consumer(isolation, null)) {
            consumer.assign(places);
            consumer.seekToBeginning(places);
            long endMs = System.currentTimeMillis() + (wanted == 0 ? 1000 : 15_000);
            while (System.currentTimeMillis() < endMs && (wanted == 0 || values.size() < wanted)) {
                for (ConsumerRecord<String, String> one : consumer.poll(Duration.ofMillis(100))) {
                    values.add(one.value());
                }
            }
            for (ConsumerRecord<String, String> one : consumer.poll(Duration.ofMillis(300))) {
                values.add(one.value());
            }
        }
        return values;
    }

    private static KafkaProducer<String, String> producer(String id, int timeoutMs) {
        Properties config = config();
        config.put("transactional.id", id);
        config.put("transaction.timeout.ms", timeoutMs);
        config.put("linger.ms", "5");
        return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
    }

    private static KafkaConsumer<String, String> consumer(String isolation, String group) {
        Properties config = config();
        config.put("isolation.level", isolation);
        config.put("enable.auto.commit", "false");
        config.put("auto.offset.reset", "earliest");
        if (group != null) config.put("group.id", group);
        return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
    }

    private static String topic(String name) throws Exception {
        NewTopic topic = new NewTopic("txn-" + name, PARTITIONS, (short) 1);
        admin.createTopics(Collections.singleton(topic)).all().get(10, TimeUnit.SECONDS);
        return topic.name();
    }

    private static Properties config() {
        Properties config = new Properties();
        config.put("bootstrap.servers", bootstrap);
        return config;
    }

    private static void expect(boolean condition, String why) {
        if (!condition) throw new IllegalStateException(why);
    }

    private static void check(String name, Body body) {
        String detail = "";
        try {
            body.run();
        } catch (Throwable error) {
            detail = error.toString();
        }
        String text = new String(detail.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8)
            .replace("\\", "\\\\").replace("\"", "'").replace("\n", " ");
        System.out.println("{\"check\":\"" + name + "\",\"ok\":" + detail.isEmpty() + ",\"detail\":\"" + text + "\"}");
    }
}
