package restow;

import com.fasterxml.jackson.databind.JsonNode;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.utils.Exit;

/** Formats the directories of many nodes with the stock StorageTool, in this JVM instead of one JVM for each node. */
final class Format {
    private Format() {}

    /** What is thrown in the place of an exit of the JVM. */
    private static final class Exited extends Error {
        private static final long serialVersionUID = 1L;
        final int status;

        Exited(int status) {
            super("exit " + status, null, false, false);
            this.status = status;
        }
    }

    static Object run(JsonNode request) throws Exception {
        Method main = Class.forName("kafka.tools.StorageTool").getMethod("main", String[].class);
        Exit.setExitProcedure((status, message) -> {
            throw new Exited(status);
        });
        try {
            for (JsonNode config : request.path("configs")) {
                List<String> args = new ArrayList<>();
                args.add("format");
                args.add("-t");
                args.add(request.path("cluster").asText());
                args.add("-c");
                args.add(config.asText());
                request.path("extra").forEach(extra -> args.add(extra.asText()));
                int status = status(main, args);
                if (status != 0) {
                    throw new IllegalStateException("StorageTool " + args + " ended with " + status);
                }
            }
        } finally {
            Exit.resetExitProcedure();
        }
        return true;
    }

    private static int status(Method main, List<String> args) throws Exception {
        try {
            main.invoke(null, (Object) args.toArray(new String[0]));
            return 0;
        } catch (InvocationTargetException wrapped) {
            if (wrapped.getCause() instanceof Exited) {
                return ((Exited) wrapped.getCause()).status;
            }
            throw wrapped;
        }
    }
}
