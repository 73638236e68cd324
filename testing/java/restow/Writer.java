package restow;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * Writes to all partitions of many topics in turn, at a steady rate, until its standard input ends. Prints the same lines
 * as Kafka's VerifiableProducer, which knows one topic only. Arguments: bootstrap, topics (a,b,c), records per second,
 * writer number, bytes per value.
 */
public final class Writer {
    private static volatile boolean ended;

    private Writer() {}

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        System.setOut(System.err);
        Properties properties = Records.producerProperties(args[0]);
        properties.put("linger.ms", "5");
        KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties);
        List<TopicPartition> partitions = new ArrayList<>();
        for (String topic : Arrays.asList(args[1].split(","))) {
            producer.partitionsFor(topic).forEach(info -> partitions.add(new TopicPartition(topic, info.partition())));
        }
        double rate = Double.parseDouble(args[2]);
        String writer = args[3];
        byte[] filling = new byte[Math.max(24, Integer.parseInt(args[4]))];
        Arrays.fill(filling, (byte) 'x');
        Thread input = new Thread(Writer::waitForEnd);
        input.setDaemon(true);
        input.start();
        long[] next = new long[partitions.size()];
        long start = System.nanoTime();
        for (long sent = 0; !ended; sent++) {
            long due = start + (long) (sent / rate * 1e9);
            while (!ended && due > System.nanoTime()) {
                out.flush();
                LockSupport.parkNanos(Math.min(due - System.nanoTime(), 50_000_000L));
            }
            int at = (int) (sent % partitions.size());
            TopicPartition key = partitions.get(at);
            String mark = writer + "." + next[at]++;
            byte[] value = filling.clone();
            byte[] head = (mark + " ").getBytes(StandardCharsets.US_ASCII);
            System.arraycopy(head, 0, value, 0, head.length);
            producer.send(new ProducerRecord<>(key.topic(), key.partition(), null, value), (metadata, error) -> {
                ObjectNode line = Shell.JSON.createObjectNode();
                line.put("name", error == null ? "producer_send_success" : "producer_send_error");
                line.put("topic", key.topic());
                line.put("partition", key.partition());
                line.put("value", mark);
                if (error == null) {
                    line.put("offset", metadata.offset());
                } else {
                    line.put("message", String.valueOf(error));
                }
                out.println(line);
            });
            if (sent % 1000 == 0) {
                out.flush();
            }
        }
        producer.close();
        out.println("{\"name\":\"shutdown_complete\"}");
        out.flush();
        Runtime.getRuntime().halt(0);
    }

    private static void waitForEnd() {
        try {
            while (System.in.read() >= 0) {
                continue;
            }
        } catch (java.io.IOException gone) {
            System.err.println(gone);
        }
        ended = true;
    }
}
