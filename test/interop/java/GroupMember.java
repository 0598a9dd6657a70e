import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Scanner;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** A member of a group: `GroupMember [protocol=consumer] BOOTSTRAP KEY=VALUE...` and commands on standard input. */
public class GroupMember {
    private static final ConcurrentLinkedQueue<String> commands = new ConcurrentLinkedQueue<>();
    private static KafkaConsumer<byte[], byte[]> consumer;

    public static void main(String[] args) throws Exception {
        Map<String, String> settings = new HashMap<>();
        for (String arg : args) {
            int at = arg.indexOf('=');
            settings.put(at < 0 ? "bootstrap" : arg.substring(0, at), arg.substring(at + 1));
        }
        boolean consumerProtocol = "consumer".equals(settings.get("protocol"));
        consumer = new KafkaConsumer<>(properties(settings, consumerProtocol));
        if (settings.containsKey("topics")) consumer.subscribe(Arrays.asList(settings.get("topics").split(",")), new Told());
        else if (consumerProtocol) subscribeOnServer(settings.get("regex"));
        else consumer.subscribe(Pattern.compile(settings.get("regex")), new Told());
        Thread reader = new Thread(() -> {
            Scanner lines = new Scanner(System.in);
            while (lines.hasNextLine()) commands.add(lines.nextLine());
        });
        reader.setDaemon(true);
        reader.start();
        for (;;) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                print("record", "\"partition\": \"" + record.topic() + ":" + record.partition() + "\", \"offset\": " + record.offset());
            }
            for (String line = commands.poll(); line != null; line = commands.poll()) {
                if (line.equals("close")) {
                    consumer.close();
                    return;
                }
                execute(line.split(" "));
            }
        }
    }

    private static Properties properties(Map<String, String> settings, boolean consumerProtocol) {
        Properties props = new Properties();
        props.put("bootstrap.servers", settings.get("bootstrap"));
        props.put("key.deserializer", ByteArrayDeserializer.class.getName());
        props.put("value.deserializer", ByteArrayDeserializer.class.getName());
        props.put("enable.auto.commit", "false");
        props.put("metadata.max.age.ms", "1000");
        props.put("group.id", settings.get("group"));
        props.put("auto.offset.reset", settings.getOrDefault("reset", "earliest"));
        if (settings.containsKey("instance")) props.put("group.instance.id", settings.get("instance"));
        if (consumerProtocol) {
            props.put("group.protocol", "consumer");
            return props;
        }
        props.put("session.timeout.ms", "6000");
        props.put("heartbeat.interval.ms", "500");
        if (settings.containsKey("cooperative")) {
            props.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
        }
        return props;
    }

    /** The broker matches the pattern (RE2), which clients before 4.0 have no type for. */
    private static void subscribeOnServer(String regex) throws Exception {
        Class<?> type = Class.forName("org.apache.kafka.clients.consumer.SubscriptionPattern");
        Method subscribe = KafkaConsumer.class.getMethod("subscribe", type, ConsumerRebalanceListener.class);
        subscribe.invoke(consumer, type.getConstructor(String.class).newInstance(regex), new Told());
    }

    private static void execute(String[] words) {
        try {
            switch (words[0]) {
                case "commit": consumer.commitSync(); break;
                case "commit-async":
                    consumer.commitAsync((offsets, error) -> done(words[0], error));
                    return;
                case "pause": consumer.pause(partition(words[1])); break;
                case "resume": consumer.resume(partition(words[1])); break;
                case "seek": consumer.seek(partition(words[1]).get(0), Long.parseLong(words[2])); break;
                default: throw new IllegalArgumentException(words[0]);
            }
            done(words[0], null);
        } catch (Exception e) {
            done(words[0], e);
        }
    }

    private static List<TopicPartition> partition(String name) {
        int at = name.indexOf(':');
        return Collections.singletonList(new TopicPartition(name.substring(0, at), Integer.parseInt(name.substring(at + 1))));
    }

    private static class Told implements ConsumerRebalanceListener {
        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            changed("assigned", partitions);
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            changed("revoked", partitions);
        }
    }

    private static void changed(String event, Collection<TopicPartition> partitions) {
        String list = partitions.stream().map(p -> "\"" + p.topic() + ":" + p.partition() + "\"").collect(Collectors.joining(", "));
        print(event, "\"partitions\": [" + list + "]");
    }

    private static void done(String command, Exception error) {
        String text = error == null ? "" : error.toString().replaceAll("[\"\\\\\\p{Cntrl}]", " ");
        print("done", "\"command\": \"" + command + "\", \"error\": \"" + text + "\"");
    }

    private static void print(String event, String rest) {
        System.out.println("{\"event\": \"" + event + "\", " + rest + "}");
        System.out.flush();
    }
}
