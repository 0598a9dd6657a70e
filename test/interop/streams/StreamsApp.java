import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.TimeWindows;

/**
 * A Kafka Streams application with a repartition topic, changelogs, a window and a join.
 * StreamsApp APPLICATION_ID STATE_DIR PROTOCOL BOOTSTRAP runs until standard input ends, and prints
 * each state that it comes to; the protocol is classic or streams, and `,exactly_once_v2` may follow
 * it. StreamsApp topics BOOTSTRAP creates the topics it reads and writes.
 */
public class StreamsApp {
    private static final List<String> TOPICS = List.of("lines", "users", "counted", "windowed", "joined");

    public static void main(String[] args) throws Exception {
        if (args[0].equals("topics")) {
            createTopics(args[1]);
            return;
        }
        Properties settings = new Properties();
        settings.put("application.id", args[0]);
        settings.put("state.dir", args[1]);
        String[] protocol = args[2].split(",");
        settings.put("group.protocol", protocol[0]);
        if (protocol.length > 1) settings.put("processing.guarantee", protocol[1]);
        settings.put("bootstrap.servers", args[3]);
        settings.put("default.key.serde", Serdes.StringSerde.class);
        settings.put("default.value.serde", Serdes.StringSerde.class);
        settings.put("auto.offset.reset", "earliest");
        settings.put("num.stream.threads", 2);
        settings.put("commit.interval.ms", 200);
        if (protocol[0].equals("classic")) {
            // A member that was killed is to be missed soon. The other protocol asks the broker.
            settings.put("session.timeout.ms", 6000);
            settings.put("heartbeat.interval.ms", 500);
        }
        try (KafkaStreams streams = new KafkaStreams(topology().build(), settings)) {
            streams.setUncaughtExceptionHandler(error -> {
                error.printStackTrace();
                return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
            });
            streams.setStateListener((state, before) -> System.out.println(state));
            streams.start();
            while (System.in.read() >= 0) { }
            streams.close(Duration.ofSeconds(20));
        }
    }

    private static StreamsBuilder topology() {
        StreamsBuilder builder = new StreamsBuilder();
        KStream<String, String> lines = builder.stream("lines");
        lines.flatMapValues(line -> Arrays.asList(line.split(" ")))
            .groupBy((key, word) -> word)
            .count(Materialized.as("counts"))
            .toStream()
            .mapValues(String::valueOf)
            .to("counted");
        lines.groupByKey()
            .windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofDays(1000)))
            .count(Materialized.as("windows"))
            .toStream((window, count) -> window.key())
            .mapValues(String::valueOf)
            .to("windowed");
        lines.join(builder.table("users", Materialized.as("users")), (line, user) -> user + ": " + line)
            .to("joined");
        return builder;
    }

    private static void createTopics(String bootstrap) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
            List<NewTopic> wanted = new ArrayList<>();
            for (String topic : TOPICS) wanted.add(new NewTopic(topic, 4, (short) 1));
            admin.createTopics(wanted).all().get();
        }
    }
}
