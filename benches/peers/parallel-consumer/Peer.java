import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import io.confluent.parallelconsumer.ParallelConsumerOptions;
import io.confluent.parallelconsumer.ParallelConsumerOptions.CommitMode;
import io.confluent.parallelconsumer.ParallelConsumerOptions.ProcessingOrder;
import io.confluent.parallelconsumer.reactor.ReactorProcessor;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import reactor.core.publisher.Mono;

/** The job of the benchmark with Confluent's Parallel Consumer: nothing but the job, at-least-once, in no order. */
public final class Peer {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final String sink;
  private final String deadLetters;
  private final KafkaProducer<byte[], byte[]> producer;
  private final HttpClient http;
  private final HttpRequest.Builder request;
  private final JsonNode responseFormat;
  private final JsonSchema schema;

  /** Arguments: brokers, base URL of the provider, group, source, sink, dead letters, calls in flight, schema file. */
  public static void main(String[] args) throws Exception {
    var peer = new Peer(args);
    var consumer = new KafkaConsumer<byte[], byte[]>(
        Map.of(
            "bootstrap.servers", args[0],
            "group.id", args[2],
            "auto.offset.reset", "earliest",
            "enable.auto.commit", "false"),
        new ByteArrayDeserializer(),
        new ByteArrayDeserializer());
    var options = ParallelConsumerOptions.<byte[], byte[]>builder()
        .ordering(ProcessingOrder.UNORDERED)
        .commitMode(CommitMode.PERIODIC_CONSUMER_ASYNCHRONOUS)
        .commitInterval(Duration.ofSeconds(1))
        .maxConcurrency(Integer.parseInt(args[6]))
        .consumer(consumer)
        .build();
    var processor = new ReactorProcessor<byte[], byte[]>(options);
    processor.subscribe(List.of(args[3]));
    processor.react(context -> Mono.fromFuture(peer.answer(context.getSingleConsumerRecord())));
    Runtime.getRuntime().addShutdownHook(new Thread(processor::close));
  }

  private Peer(String[] args) throws Exception {
    sink = args[4];
    deadLetters = args[5];
    producer = new KafkaProducer<>(
        Map.of("bootstrap.servers", args[0], "linger.ms", "5", "compression.type", "lz4"),
        new ByteArraySerializer(),
        new ByteArraySerializer());
    http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    request = HttpRequest.newBuilder(URI.create(args[1] + "/chat/completions"))
        .header("content-type", "application/json")
        .timeout(Duration.ofSeconds(60));
    var schemaNode = JSON.readTree(Path.of(args[7]).toFile());
    schema = JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012).getSchema(schemaNode);
    var format = JSON.createObjectNode().put("type", "json_schema");
    format.putObject("json_schema").put("name", "support-intent").set("schema", schemaNode);
    responseFormat = format;
  }

  /** Asks, checks and publishes; has a value, which the processor waits for, when the broker has the outcome. */
  private CompletableFuture<RecordMetadata> answer(ConsumerRecord<byte[], byte[]> event) {
    try {
      var body = JSON.readTree(event.value()).required("body").textValue();
      return http.sendAsync(requestFor("Sort this: " + body), HttpResponse.BodyHandlers.ofByteArray())
          .thenApply(response -> outcome(event, response))
          .thenCompose(this::publish);
    } catch (Exception error) {
      return publish(deadLetter(event, error.getMessage()));
    }
  }

  private HttpRequest requestFor(String prompt) throws Exception {
    ObjectNode body = JSON.createObjectNode().put("model", "stub-1");
    var messages = body.putArray("messages");
    messages.addObject().put("role", "system").put("content", "Answer with one JSON object that fits the schema.");
    messages.addObject().put("role", "user").put("content", prompt);
    body.set("response_format", responseFormat);
    return request.copy().POST(HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body))).build();
  }

  private ProducerRecord<byte[], byte[]> outcome(ConsumerRecord<byte[], byte[]> event, HttpResponse<byte[]> response) {
    try {
      if (response.statusCode() != 200) {
        return deadLetter(event, "status " + response.statusCode());
      }
      var content = JSON.readTree(response.body()).at("/choices/0/message/content").textValue();
      var answer = JSON.readTree(content);
      var errors = schema.validate(answer);
      return errors.isEmpty() ? result(event, answer) : deadLetter(event, errors.toString());
    } catch (Exception error) {
      return deadLetter(event, error.getMessage());
    }
  }

  private ProducerRecord<byte[], byte[]> result(ConsumerRecord<byte[], byte[]> event, JsonNode answer) throws Exception {
    var record = new ProducerRecord<>(sink, event.key(), JSON.writeValueAsBytes(answer));
    Header id = event.headers().lastHeader("ce_id");
    header(record, "ce_specversion", "1.0");
    header(record, "ce_id", UUID.nameUUIDFromBytes(id.value()).toString());
    header(record, "ce_source", "/peer");
    header(record, "ce_type", "com.example.result.v1");
    header(record, "content-type", "application/json");
    record.headers().add("ce_causationid", id.value());
    return record;
  }

  private ProducerRecord<byte[], byte[]> deadLetter(ConsumerRecord<byte[], byte[]> event, String problem) {
    var record = new ProducerRecord<>(deadLetters, event.key(), event.value());
    event.headers().forEach(record.headers()::add);
    header(record, "problem", String.valueOf(problem));
    return record;
  }

  private static void header(ProducerRecord<?, ?> record, String name, String value) {
    record.headers().add(name, value.getBytes(StandardCharsets.UTF_8));
  }

  private CompletableFuture<RecordMetadata> publish(ProducerRecord<byte[], byte[]> record) {
    var done = new CompletableFuture<RecordMetadata>();
    producer.send(record, (metadata, error) -> {
      if (error == null) {
        done.complete(metadata);
      } else {
        done.completeExceptionally(error);
      }
    });
    return done;
  }
}
