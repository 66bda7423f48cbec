package io.attune.platform.event;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import io.attune.common.v1.ErrorCode;
import io.attune.platform.error.PlatformException;
import io.attune.platform.identity.Tenant;
import io.attune.platform.telemetry.TraceParent;
import java.lang.reflect.InvocationTargetException;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;

/** Events as Kafka records: protobuf value, CloudEvents 1.0 attributes as headers (binary mode). */
public final class EventRecords {

  /** Header with the event's id: equal ids are one event, however often it is delivered. */
  public static final String ID = "ce_id";

  /** Header with the protobuf full name of the value. */
  public static final String TYPE = "ce_type";

  /** Header with the tenant whose event it is; absent for the default one's. */
  public static final String TENANT = "ce_tenant";

  /** Header with the format of the value. */
  public static final String CONTENT_TYPE = "content-type";

  /** The format of every event's value. */
  public static final String PROTOBUF = "application/protobuf";

  /** Header of a refused record, with the reason. */
  public static final String ERROR_CODE = "attune-error-code";

  private static final Map<Class<?>, Parser<?>> PARSERS = new ConcurrentHashMap<>();

  private EventRecords() {}

  /**
   * Makes the record of an event, which continues the trace under way.
   *
   * @param tenant whose event it is; part of id and key, since names are only theirs
   * @param id unique for ever; derive it from the cause where the event can be made twice
   * @param source the service that makes it, for example "ingestion"
   */
  public static ProducerRecord<String, byte[]> encode(
      Tenant tenant, Message event, String id, String source, Instant time) {
    var kafka =
        new ProducerRecord<String, byte[]>(
            Events.topic(event.getDescriptorForType()),
            tenant.qualify(Events.key(event)),
            event.toByteArray());
    addHeaders(kafka.headers(), tenant, id, Events.type(event), source, time);
    RecordSpans.write(kafka.headers(), TraceParent.current());
    return kafka;
  }

  static void addHeaders(
      Headers headers, Tenant tenant, String id, String type, String source, Instant time) {
    add(headers, "ce_specversion", "1.0");
    add(headers, TENANT, tenant.name());
    add(headers, ID, tenant.qualify(id));
    add(headers, TYPE, type);
    add(headers, "ce_source", "/attune/" + source);
    add(headers, "ce_time", time.toString());
    add(headers, CONTENT_TYPE, PROTOBUF);
  }

  /**
   * Reads an event of a known type.
   *
   * @throws PlatformException MALFORMED if the record is of another type or cannot be parsed
   */
  public static <M extends Message> M decode(ConsumerRecord<String, byte[]> kafka, Class<M> type) {
    String declared = header(kafka.headers(), TYPE);
    String expected = descriptor(type).getFullName();
    if (!expected.equals(declared)) {
      throw malformed(kafka, "its " + TYPE + " is not " + expected);
    }
    if (kafka.value() == null) {
      throw malformed(kafka, "it has no value");
    }
    try {
      return type.cast(parser(type).parseFrom(kafka.value()));
    } catch (InvalidProtocolBufferException broken) {
      throw malformed(kafka, "its value is not a " + expected);
    }
  }

  /** The type that a record declares; null where it declares none or one that is not an event. */
  public static String knownType(ConsumerRecord<String, byte[]> kafka) {
    String declared = header(kafka.headers(), TYPE);
    return declared != null && Topics.events().containsKey(declared) ? declared : null;
  }

  /**
   * The event's id.
   *
   * @throws PlatformException MALFORMED if it has none
   */
  public static String id(ConsumerRecord<String, byte[]> kafka) {
    String id = header(kafka.headers(), ID);
    if (id == null) {
      throw malformed(kafka, "it has no " + ID);
    }
    return id;
  }

  /**
   * Whose event it is: the tenant that the record names, which on the public input its topic's must
   * be.
   *
   * @throws PlatformException MALFORMED if it names none that can be, or another than its topic
   */
  public static Tenant tenant(ConsumerRecord<String, byte[]> kafka) {
    Tenant ofTopic = Topics.isRatings(kafka.topic()) ? Topics.tenantOfRatings(kafka.topic()) : null;
    String named = header(kafka.headers(), TENANT);
    if (named == null) {
      return ofTopic == null ? Tenant.DEFAULT : ofTopic;
    }
    if (ofTopic != null && !ofTopic.name().equals(named)) {
      throw malformed(kafka, "its " + TENANT + " is not the one whose topic it is");
    }
    try {
      return new Tenant(named);
    } catch (PlatformException noTenant) {
      throw malformed(kafka, "its " + TENANT + " is no tenant's name");
    }
  }

  /** A header's text, or null where the record lacks it. */
  public static String header(Headers headers, String name) {
    Header header = headers.lastHeader(name);
    return header == null || header.value() == null ? null : new String(header.value(), UTF_8);
  }

  private static void add(Headers headers, String name, String value) {
    headers.add(name, value.getBytes(UTF_8));
  }

  private static PlatformException malformed(ConsumerRecord<?, ?> kafka, String why) {
    return new PlatformException(
        ErrorCode.ERROR_CODE_MALFORMED,
        "The record at %s-%d offset %d cannot be read: %s."
            .formatted(kafka.topic(), kafka.partition(), kafka.offset(), why));
  }

  private static Descriptor descriptor(Class<? extends Message> type) {
    return prototype(type).getDescriptorForType();
  }

  private static Parser<?> parser(Class<? extends Message> type) {
    return PARSERS.computeIfAbsent(type, t -> prototype(type).getParserForType());
  }

  private static Message prototype(Class<? extends Message> type) {
    if (type == DynamicMessage.class) {
      throw new IllegalArgumentException("a generated message class is needed");
    }
    try {
      return (Message) type.getMethod("getDefaultInstance").invoke(null);
    } catch (NoSuchMethodException | IllegalAccessException | InvocationTargetException wrong) {
      throw new IllegalArgumentException(type + " is not a generated message class", wrong);
    }
  }
}
