package restow;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.utils.Exit;

/**
 * Lets a JVM load what brokers, tools and our programs need, and ends. Run with -XX:ArchiveClassesAtExit it leaves an
 * archive that halves the start of every later JVM. Arguments: an empty directory, two free ports.
 */
public final class Train {
    private Train() {}

    public static void main(String[] args) throws Exception {
        System.setOut(System.err);
        String bootstrap = "127.0.0.1:" + args[1];
        Path config = Path.of(args[0], "server.properties");
        Files.writeString(config, String.join("\n", List.of(
                "process.roles=broker,controller", "node.id=1", "controller.listener.names=CONTROLLER",
                "controller.quorum.voters=1@127.0.0.1:" + args[2],
                "listeners=PLAINTEXT://" + bootstrap + ",CONTROLLER://127.0.0.1:" + args[2],
                "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
                "log.dirs=" + args[0] + "/a", "log.cleaner.dedupe.buffer.size=4194304",
                "offsets.topic.num.partitions=1", "offsets.topic.replication.factor=1", "")));
        Format.run(Shell.JSON.readTree(
                "{\"cluster\":\"cmVzdG93LXRlc3RpbmctMQ\",\"configs\":[\"" + config + "\"]}"));
        Thread broker = new Thread(() -> tool("kafka.Kafka", config.toString()));
        broker.setDaemon(true);
        broker.start();
        Topics topics = new Topics();
        topics.connect(bootstrap);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!ready(topics) && System.nanoTime() < deadline) {
            Thread.sleep(50);
        }
        ask(topics, "createTopic", "\"topic\":\"t\",\"assignment\":[[1]]");
        Exit.setExitProcedure((status, message) -> {
            throw new Error("exit " + status);
        });
        Exit.setHaltProcedure((status, message) -> { });
        Records records = new Records();
        records.connect(bootstrap);
        String read = "{\"topic\":\"t\",\"records\":10,\"bytes\":100,\"file\":\"" + args[0] + "/read\"}";
        records.produce(Shell.JSON.readTree(read));
        records.read(Shell.JSON.readTree(read));
        ask(topics, "describe", "\"topics\":[\"t\"]");
        ask(topics, "configs", "\"kind\":\"topic\",\"names\":[\"t\"]");
        ask(topics, "configs", "\"kind\":\"broker\",\"names\":[\"1\"]");
        ask(topics, "reassignments", "\"x\":1");
        ask(topics, "offsets", "\"topics\":[\"t\"]");
        ask(topics, "logDirs", "\"brokers\":[1]");
        tool("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", bootstrap, "--describe");
        tool("org.apache.kafka.tools.reassign.ReassignPartitionsCommand", "--bootstrap-server", bootstrap, "--list");
        tool("kafka.admin.ConfigCommand", "--bootstrap-server", bootstrap, "--describe", "--entity-type", "brokers");
        tool("org.apache.kafka.tools.LeaderElectionCommand", "--bootstrap-server", bootstrap,
                "--election-type", "preferred", "--all-topic-partitions");
        tool("org.apache.kafka.tools.VerifiableProducer", "--bootstrap-server", bootstrap, "--topic", "t",
                "--max-messages", "3");
        Exit.resetExitProcedure();
        System.exit(0);
    }

    private static boolean ready(Topics topics) throws InterruptedException {
        try {
            return String.valueOf(topics.run("cluster", Shell.JSON.createObjectNode())).contains("id=1");
        } catch (Exception notYet) {
            return false;
        }
    }

    private static void ask(Topics topics, String verb, String members) throws Exception {
        topics.run(verb, Shell.JSON.readTree("{" + members + "}"));
    }

    /** Its outcome does not matter: its classes have been loaded. */
    private static void tool(String name, String... args) {
        try {
            Method main = Class.forName(name).getMethod("main", String[].class);
            main.invoke(null, (Object) args);
        } catch (InvocationTargetException ended) {
            System.err.println(name + ": " + ended.getCause());
        } catch (ReflectiveOperationException absent) {
            System.err.println(absent);
        }
    }
}
