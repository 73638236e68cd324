package restow;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Writes records fast and reads whole topics back. Every value starts with WRITER.SEQUENCE, as the values of Kafka's
 * VerifiableProducer do; the shell is writer 0 and counts for each partition, a space and filling follow.
 */
final class Records {
    private String bootstrap;
    private KafkaProducer<byte[], byte[]> producer;
    private final Map<TopicPartition, Long> next = new HashMap<>();

    void connect(String addresses) {
        bootstrap = addresses;
    }

    static Properties producerProperties(String bootstrap) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("key.serializer", ByteArraySerializer.class.getName());
        properties.put("value.serializer", ByteArraySerializer.class.getName());
        properties.put("acks", "all");
        properties.put("enable.idempotence", "true");
        properties.put("request.timeout.ms", "10000");
        properties.put("delivery.timeout.ms", "120000");
        properties.put("retry.backoff.ms", "50");
        properties.put("metadata.max.age.ms", "5000");
        return properties;
    }

    /** Offsets and sequences that grew together: one line for any number of records. */
    private static final class Runs {
        final List<long[]> runs = new ArrayList<>();

        void add(long offset, long sequence) {
            long[] last = runs.isEmpty() ? null : runs.get(runs.size() - 1);
            if (last != null && last[0] + last[2] == offset && last[1] + last[2] == sequence) {
                last[2]++;
            } else {
                runs.add(new long[] {offset, sequence, 1});
            }
        }
    }

    /** Spreads `records` of `bytes` each evenly over the partitions, and answers when all are acknowledged. */
    Object produce(JsonNode request) throws Exception {
        if (producer == null) {
            Properties properties = producerProperties(bootstrap);
            properties.put("batch.size", "262144");
            properties.put("linger.ms", "5");
            producer = new KafkaProducer<>(properties);
        }
        String topic = request.path("topic").asText();
        int partitions = producer.partitionsFor(topic).size();
        long records = request.path("records").asLong();
        byte[] filling = new byte[Math.max(request.path("bytes").asInt(), 24)];
        new Random(1).nextBytes(filling); // does not compress
        Map<Integer, Runs> acked = new HashMap<>();
        for (int partition = 0; partition < partitions; partition++) {
            acked.put(partition, new Runs());
        }
        AtomicReference<Exception> failure = new AtomicReference<>();
        for (long i = 0; i < records; i++) {
            int partition = (int) (i % partitions);
            long sequence = next.merge(new TopicPartition(topic, partition), 1L, Long::sum) - 1;
            byte[] value = filling.clone();
            byte[] head = ("0." + sequence + " ").getBytes(StandardCharsets.US_ASCII);
            System.arraycopy(head, 0, value, 0, head.length);
            producer.send(new ProducerRecord<>(topic, partition, java.util.Arrays.copyOf(value, 24), value), (metadata, error) -> {
                if (error != null) {
                    failure.compareAndSet(null, error);
                } else {
                    acked.get(metadata.partition()).add(metadata.offset(), sequence);
                }
            });
        }
        producer.flush();
        if (failure.get() != null) {
            throw failure.get();
        }
        Map<Integer, List<long[]>> answer = new HashMap<>();
        acked.forEach((partition, runs) -> answer.put(partition, runs.runs));
        return answer;
    }

    /** Writes "partition offset writer sequence" of every record of a topic to a file; unknown values have writer -1. */
    Object read(JsonNode request) throws Exception {
        String topic = request.path("topic").asText();
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("key.deserializer", ByteArrayDeserializer.class.getName());
        properties.put("value.deserializer", ByteArrayDeserializer.class.getName());
        properties.put("auto.offset.reset", "none");
        properties.put("max.poll.records", "5000");
        properties.put("fetch.max.bytes", "8388608");
        properties.put("retry.backoff.ms", "50");
        long total = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(properties);
                BufferedWriter file = Files.newBufferedWriter(Path.of(request.path("file").asText()))) {
            List<TopicPartition> partitions = new ArrayList<>();
            consumer.partitionsFor(topic).forEach(info -> partitions.add(new TopicPartition(topic, info.partition())));
            consumer.assign(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            consumer.beginningOffsets(partitions).forEach(consumer::seek);
            long deadline = System.nanoTime() + Duration.ofMinutes(5).toNanos();
            while (partitions.stream().anyMatch(key -> consumer.position(key) < ends.get(key))) {
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException("the topic could not be read to its end in 5 minutes");
                }
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(500))) {
                    file.write(record.partition() + " " + record.offset() + " " + mark(record.value()) + "\n");
                    total++;
                }
            }
        }
        return total;
    }

    /** "writer sequence" of a value that reads "writer.sequence" or "writer.sequence filling". */
    private static String mark(byte[] value) {
        int dot = -1;
        int at = 0;
        while (value != null && at < value.length && at < 40) {
            byte letter = value[at];
            if (letter == '.' && dot < 0 && at > 0) {
                dot = at;
            } else if (letter < '0' || letter > '9') {
                break;
            }
            at++;
        }
        if (dot < 0 || at <= dot + 1) {
            return "-1 -1";
        }
        return new String(value, 0, dot, StandardCharsets.US_ASCII) + " "
                + new String(value, dot + 1, at - dot - 1, StandardCharsets.US_ASCII);
    }
}
