package restow;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.FileInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.Signature;
import java.security.interfaces.RSAPublicKey;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/**
 * A token endpoint of OAuth 2 over TLS, for the client credentials grant (RFC 6749, section 4.4) with a JWT (RFC 7519)
 * signed with RS256. It uses the JDK alone.
 *
 * <p>Argument: a folder; it gets jwks.json (the public key) and secrets (the expected credential in base64, then
 * the signature of every token given out, one a line). Environment:
 * TLS_STORE and TLS_PASSWORD (a PKCS12 key store), CLIENT_ID, CLIENT_SECRET. Prints its port once it serves; ends with
 * its standard input.
 */
public final class TokenEndpoint {
    private static final String KEY_ID = "the-only-key";
    private static final int LIFETIME_SECONDS = 300;

    private final Path secrets;
    private final String credential;
    private final KeyPair key;
    private final String issuer;
    private final HttpsServer server;

    private TokenEndpoint(Path folder) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        key = generator.generateKeyPair();
        String client = System.getenv("CLIENT_ID") + ":" + System.getenv("CLIENT_SECRET");
        credential = Base64.getEncoder().encodeToString(client.getBytes(StandardCharsets.UTF_8));
        secrets = folder.resolve("secrets");
        Files.writeString(secrets, credential + "\n");
        RSAPublicKey open = (RSAPublicKey) key.getPublic();
        Files.writeString(folder.resolve("jwks.json"), String.format(
                "{\"keys\":[{\"kty\":\"RSA\",\"use\":\"sig\",\"alg\":\"RS256\",\"kid\":\"%s\",\"n\":\"%s\",\"e\":\"%s\"}]}",
                KEY_ID, encode(unsigned(open.getModulus())), encode(unsigned(open.getPublicExponent()))));
        server = HttpsServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(tls()));
        server.createContext("/token", this::answer);
        server.setExecutor(Executors.newFixedThreadPool(2));
        issuer = "https://localhost:" + server.getAddress().getPort();
    }

    public static void main(String[] args) throws Exception {
        TokenEndpoint endpoint = new TokenEndpoint(Path.of(args[0]));
        endpoint.server.start();
        System.out.println(endpoint.server.getAddress().getPort());
        System.out.flush();
        while (System.in.read() >= 0) {
            // Nothing is said to it.
        }
        Runtime.getRuntime().halt(0);
    }

    private static SSLContext tls() throws Exception {
        char[] password = System.getenv("TLS_PASSWORD").toCharArray();
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (FileInputStream file = new FileInputStream(System.getenv("TLS_STORE"))) {
            store.load(file, password);
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, password);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), null, null);
        return context;
    }

    private void answer(HttpExchange exchange) throws IOException {
        String form = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        if (!exchange.getRequestMethod().equals("POST")
                || !List.of(form.split("&")).contains("grant_type=client_credentials")) {
            send(exchange, 400, "{\"error\":\"unsupported_grant_type\"}");
        } else if (!("Basic " + credential).equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            send(exchange, 401, "{\"error\":\"invalid_client\",\"error_description\":\"no such client or secret\"}");
        } else {
            try {
                send(exchange, 200, String.format(
                        "{\"access_token\":\"%s\",\"token_type\":\"Bearer\",\"expires_in\":%d}", token(), LIFETIME_SECONDS));
            } catch (GeneralSecurityException impossible) {
                throw new IOException(impossible);
            }
        }
    }

    private synchronized String token() throws GeneralSecurityException, IOException {
        long now = Instant.now().getEpochSecond();
        String header = String.format("{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"%s\"}", KEY_ID);
        String claims = String.format(
                "{\"iss\":\"%s\",\"sub\":\"%s\",\"aud\":\"kafka\",\"scope\":\"kafka\",\"jti\":\"%s\",\"iat\":%d,\"exp\":%d}",
                issuer, System.getenv("CLIENT_ID"), UUID.randomUUID(), now, now + LIFETIME_SECONDS);
        String signed = encode(header.getBytes(StandardCharsets.UTF_8)) + "."
                + encode(claims.getBytes(StandardCharsets.UTF_8));
        Signature signature = Signature.getInstance("SHA256withRSA");
        signature.initSign(key.getPrivate());
        signature.update(signed.getBytes(StandardCharsets.US_ASCII));
        String proof = encode(signature.sign());
        Files.writeString(secrets, proof + "\n", StandardOpenOption.APPEND);
        return signed + "." + proof;
    }

    private static void send(HttpExchange exchange, int status, String json) throws IOException {
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    private static String encode(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /** Its bytes without the leading zero that only stands for the sign. */
    private static byte[] unsigned(BigInteger number) {
        byte[] bytes = number.toByteArray();
        return bytes[0] == 0 ? java.util.Arrays.copyOfRange(bytes, 1, bytes.length) : bytes;
    }
}
