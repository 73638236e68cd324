import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.JaasContext;

/** Reads escaped inputs, one a line, and prints each with what Java makes of it. Args: properties|jaas [random count seed]. */
public class Vectors {
    static String escape(String s) {
        StringBuilder b = new StringBuilder();
        for (char c : s.toCharArray()) switch (c) {
            case '\\': b.append("\\\\"); break;
            case '\n': b.append("\\n"); break;
            case '\r': b.append("\\r"); break;
            case '\t': b.append("\\t"); break;
            case '\f': b.append("\\f"); break;
            case ' ': b.append("\\s"); break;
            default: if (c > ' ' && c < 127) b.append(c); else b.append(String.format("\\u%04x", (int) c));
        }
        return b.toString();
    }
    static String unescape(String s) {
        StringBuilder b = new StringBuilder();
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            if (c != '\\') { b.append(c); continue; }
            switch (s.charAt(++i)) {
                case 'n': b.append('\n'); break; case 'r': b.append('\r'); break; case 't': b.append('\t'); break;
                case 'f': b.append('\f'); break; case 's': b.append(' '); break; case '\\': b.append('\\'); break;
                case 'u': b.append((char) Integer.parseInt(s.substring(i + 1, i + 5), 16)); i += 4; break;
                default: throw new IllegalArgumentException(s);
            }
        }
        return b.toString();
    }
    static String show(Map<String, String> m) {
        StringBuilder b = new StringBuilder();
        for (Map.Entry<String, String> e : new TreeMap<>(m).entrySet())
            b.append('\t').append(escape(e.getKey())).append('\t').append(escape(e.getValue()));
        return b.toString();
    }
    static String properties(String in) throws IOException {
        Properties p = new Properties();
        try { p.load(new ByteArrayInputStream(in.getBytes(StandardCharsets.ISO_8859_1))); }
        catch (IllegalArgumentException e) { return "error"; }
        Map<String, String> m = new HashMap<>();
        for (String k : p.stringPropertyNames()) m.put(k, p.getProperty(k));
        return "ok" + show(m);
    }
    @SuppressWarnings("unchecked")
    static String jaas(String in) {
        try {
            JaasContext c = JaasContext.loadClientContext(Map.of("sasl.jaas.config", new Password(in)));
            AppConfigurationEntry e = c.configurationEntries().get(0);
            for (Object k : e.getOptions().keySet()) if (k == null) return "error";
            return "ok\t" + escape(e.getLoginModuleName()) + show((Map<String, String>) e.getOptions());
        } catch (RuntimeException e) { return "error"; }
    }
    public static void main(String[] a) throws IOException {
        boolean jaas = a[0].equals("jaas");
        List<String> inputs = new ArrayList<>();
        if (a.length > 1) {
            Random r = new Random(Long.parseLong(a[2]));
            String[] pieces = jaas
                ? new String[]{"org.x.PlainLoginModule", " required", " ", "username", "password", "=", "\"", "'", "\\", ";", "/", "*", "\n", "\r", "a", "Z", "1", "0", "7", "377", ".", "-", "_", "$", "\u00e9", "\u0085", "\u4e2d", "n", "#", ",", " k=\"v\"", " k=v"}
                : new String[]{"a", "b", "=", ":", " ", "\t", "\f", "\n", "\r", "\r\n", "\\", "\\\\", "#", "!", "\\u0041", "\\u00e9", "\\ud83d\\ude00", "\\u", "12", "F", "t", "\u00e9", "\u0000", "\u000b", "\\\n", "\u0085"};
            for (int i = 0; i < Integer.parseInt(a[1]); i++) {
                StringBuilder b = new StringBuilder();
                if (jaas && r.nextInt(4) > 0) b.append("org.x.PlainLoginModule required ");
                for (int n = r.nextInt(jaas ? 6 : 10); n >= 0; n--) {
                    if (jaas && r.nextInt(4) > 0) {
                        b.append(" k").append(r.nextInt(9)).append(r.nextInt(9) > 0 ? "=" : " = ").append(r.nextBoolean() ? "\"" : "");
                        String q = b.charAt(b.length() - 1) == '"' ? "\"" : "";
                        for (int k = r.nextInt(4); k >= 0; k--) b.append(r.nextInt(3) > 0 ? "x" : pieces[r.nextInt(pieces.length)]);
                        b.append(q).append(" ");
                    } else b.append(pieces[r.nextInt(pieces.length)]);
                }
                if (jaas && r.nextInt(3) > 0) b.append(";");
                inputs.add(b.toString());
            }
        } else {
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String l; (l = in.readLine()) != null; ) if (!l.isEmpty()) inputs.add(unescape(l));
        }
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        for (String i : inputs) out.println(escape(i) + "\t" + (jaas ? jaas(i) : properties(i)));
    }
}
