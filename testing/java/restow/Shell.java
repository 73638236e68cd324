package restow;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.protocol.Errors;

/**
 * Many administrative actions in one JVM: one JSON object a line in, one JSON object a line out, until the end of the
 * input. An answer is {"ok": value} or {"error": name of the protocol error, "message": text}.
 */
public final class Shell {
    static final ObjectMapper JSON = new ObjectMapper();

    private Shell() {}

    public static void main(String[] args) throws Exception {
        PrintStream answers = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        System.setOut(System.err); // what Kafka's classes print must not land between the answers
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Topics topics = new Topics();
        Records records = new Records();
        String line;
        while ((line = requests.readLine()) != null) {
            ObjectNode answer = JSON.createObjectNode();
            try {
                JsonNode request = JSON.readTree(line);
                Object value = run(topics, records, request);
                answer.set("ok", JSON.valueToTree(value));
            } catch (Throwable error) {
                answer = describe(error);
            }
            answers.println(JSON.writeValueAsString(answer));
            answers.flush();
        }
        Runtime.getRuntime().halt(0);
    }

    private static Object run(Topics topics, Records records, JsonNode request) throws Exception {
        String verb = request.path("do").asText();
        switch (verb) {
            case "format":
                return Format.run(request);
            case "connect":
                topics.connect(request.path("bootstrap").asText());
                records.connect(request.path("bootstrap").asText());
                return true;
            case "produce":
                return records.produce(request);
            case "read":
                return records.read(request);
            default:
                return topics.run(verb, request);
        }
    }

    /** An error as JSON: the name that the protocol gives it, and what it says. */
    static ObjectNode describe(Throwable error) {
        Throwable cause = error;
        while ((cause instanceof ExecutionException || cause instanceof CompletionException)
                && cause.getCause() != null) {
            cause = cause.getCause();
        }
        Errors known = Errors.forException(cause);
        String name = known == Errors.UNKNOWN_SERVER_ERROR ? cause.getClass().getSimpleName() : known.name();
        ObjectNode node = JSON.createObjectNode();
        node.put("error", name);
        node.put("message", String.valueOf(cause.getMessage()));
        return node;
    }
}
