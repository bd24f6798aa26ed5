// Java's HttpClient as it comes: its default is HTTP/2, so it asks to upgrade to h2c.
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;

/** Reads a request from each line and answers with a line: fields between tabs, texts in Base64. */
public class Client {
  public static void main(String[] args) throws Exception {
    var client = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(20)).build();
    var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = lines.readLine()) != null; ) {
      var fields = line.split("\t", -1);
      System.out.println(fields[0] + "\t" + answer(client, fields));
    }
    // Threads of what never came go with the process.
    System.exit(0);
  }

  private static String answer(HttpClient client, String[] fields) {
    try {
      var request = HttpRequest.newBuilder(URI.create(fields[2])).timeout(Duration.ofSeconds(20));
      request.method(fields[1], body(fields[4], decoded(fields[5])));
      for (var header : new String(decoded(fields[3]), StandardCharsets.UTF_8).split("\n")) {
        var colon = header.indexOf(':');
        if (colon > 0) request.header(header.substring(0, colon), header.substring(colon + 2));
      }
      if (fields[6].contains("expects")) request.expectContinue(true);
      if (fields[6].contains("gzip")) request.header("accept-encoding", "gzip");
      // The request's own timeout does not hold where the client waits for 100 (Continue).
      var sent = client.sendAsync(request.build(), BodyHandlers.ofByteArray());
      HttpResponse<byte[]> response = sent.get(25, TimeUnit.SECONDS);
      var headers = new StringBuilder();
      response.headers().map().forEach((name, values) -> values.forEach(it -> headers.append(name + ": " + it + "\n")));
      var gzip = response.headers().firstValue("content-encoding").orElse("").equals("gzip");
      var content = response.body();
      if (gzip) content = new GZIPInputStream(new ByteArrayInputStream(content)).readAllBytes();
      return response.statusCode() + "\t" + encoded(headers.toString().getBytes(StandardCharsets.UTF_8)) + "\t" + encoded(content);
    } catch (Exception failure) {
      return "failed\t" + encoded(failure.toString().getBytes(StandardCharsets.UTF_8)) + "\t";
    }
  }

  private static BodyPublisher body(String kind, byte[] content) {
    return switch (kind) {
      case "zero" -> BodyPublishers.ofString("");
      case "text" -> BodyPublishers.ofByteArray(content);
      case "chunked" -> BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(content));
      default -> BodyPublishers.noBody();
    };
  }

  private static byte[] decoded(String text) {
    return Base64.getDecoder().decode(text);
  }

  private static String encoded(byte[] bytes) {
    return Base64.getEncoder().encodeToString(bytes);
  }
}
