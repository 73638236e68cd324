package restow;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * A member of a consumer group over many topics, until its standard input ends; commits after every poll. Prints the same
 * lines as Kafka's VerifiableConsumer, which knows one topic only. Arguments: bootstrap, topics (a,b,c), group.
 */
public final class Reader {
    private static volatile boolean ended;

    private Reader() {}

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        System.setOut(System.err);
        Properties properties = new Properties();
        properties.put("bootstrap.servers", args[0]);
        properties.put("group.id", args[2]);
        properties.put("key.deserializer", ByteArrayDeserializer.class.getName());
        properties.put("value.deserializer", ByteArrayDeserializer.class.getName());
        properties.put("auto.offset.reset", "earliest");
        properties.put("enable.auto.commit", "false");
        properties.put("metadata.max.age.ms", "5000");
        Thread input = new Thread(Reader::waitForEnd);
        input.setDaemon(true);
        input.start();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(properties)) {
            consumer.subscribe(Arrays.asList(args[1].split(",")));
            while (!ended) {
                ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(200));
                if (records.isEmpty()) {
                    continue;
                }
                ObjectNode line = Shell.JSON.createObjectNode();
                line.put("name", "records_consumed");
                line.put("count", records.count());
                ArrayNode partitions = line.putArray("partitions");
                for (TopicPartition key : records.partitions()) {
                    List<ConsumerRecord<byte[], byte[]>> of = records.records(key);
                    ObjectNode item = partitions.addObject();
                    item.put("topic", key.topic());
                    item.put("partition", key.partition());
                    item.put("count", of.size());
                    item.put("minOffset", of.get(0).offset());
                    item.put("maxOffset", of.get(of.size() - 1).offset());
                }
                out.println(line);
                ObjectNode commit = Shell.JSON.createObjectNode();
                commit.put("name", "offsets_committed");
                try {
                    consumer.commitSync();
                    commit.put("success", true);
                } catch (KafkaException error) {
                    commit.put("success", false);
                    commit.put("error", String.valueOf(error));
                }
                out.println(commit);
                out.flush();
            }
        }
        out.println("{\"name\":\"shutdown_complete\"}");
        out.flush();
        Runtime.getRuntime().halt(0);
    }

    private static void waitForEnd() {
        try {
            while (System.in.read() >= 0) {
                continue;
            }
        } catch (IOException gone) {
            System.err.println(gone);
        }
        ended = true;
    }
}
