package io.attune.platform.event;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import io.attune.common.v1.EventOptions;
import io.attune.common.v1.EventOptionsOuterClass;
import io.attune.feedback.v1.FeedbackEvents;
import io.attune.platform.identity.Tenant;
import io.attune.serving.v1.ServingEvents;
import io.attune.training.v1.RolloutEvents;
import io.attune.training.v1.TrainingEvents;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** Every topic there is, read from the contract. */
public final class Topics {

  /** The public input, which carries plain ratings and therefore has no event message. */
  public static final String RATINGS = "feedback.ratings.v1";

  private static final String OF_TENANT = RATINGS + ".";

  private static final List<FileDescriptor> EVENT_FILES =
      List.of(
          FeedbackEvents.getDescriptor(),
          ServingEvents.getDescriptor(),
          RolloutEvents.getDescriptor(),
          TrainingEvents.getDescriptor());

  private static final Map<String, Descriptor> EVENTS = eventTypes();
  private static final List<Topic> ALL = allTopics();

  private Topics() {}

  /**
   * A topic.
   *
   * @param compacted whether it keeps only the newest record of each key
   */
  public record Topic(String name, boolean compacted) {}

  /** All topics, the input first. */
  public static List<Topic> all() {
    return ALL;
  }

  /**
   * The topic into which a tenant's ratings go. Each has one of its own, so that the broker's
   * access rules tell whose ratings they are.
   */
  public static String ratingsOf(Tenant tenant) {
    return tenant.isDefault() ? RATINGS : OF_TENANT + tenant.name();
  }

  /** The names of all topics into which ratings go. */
  public static Pattern allRatings() {
    return Pattern.compile(Pattern.quote(RATINGS) + "(\\.[a-z0-9-]+)?");
  }

  static boolean isRatings(String topic) {
    return topic.equals(RATINGS) || topic.startsWith(OF_TENANT);
  }

  /**
   * Whose ratings a topic carries.
   *
   * @throws io.attune.platform.error.PlatformException INVALID_ARGUMENT if it ends in no tenant's
   *     name
   */
  public static Tenant tenantOfRatings(String topic) {
    return topic.equals(RATINGS) ? Tenant.DEFAULT : new Tenant(topic.substring(OF_TENANT.length()));
  }

  /** The event messages by their full protobuf names. */
  static Map<String, Descriptor> events() {
    return EVENTS;
  }

  private static Map<String, Descriptor> eventTypes() {
    Map<String, Descriptor> types = new LinkedHashMap<>();
    for (FileDescriptor file : EVENT_FILES) {
      for (Descriptor type : file.getMessageTypes()) {
        if (type.getOptions().hasExtension(EventOptionsOuterClass.event)) {
          types.put(type.getFullName(), type);
        }
      }
    }
    return Collections.unmodifiableMap(types);
  }

  private static List<Topic> allTopics() {
    Map<String, Topic> topics = new LinkedHashMap<>();
    topics.put(RATINGS, new Topic(RATINGS, false));
    for (Descriptor type : EVENTS.values()) {
      EventOptions options = type.getOptions().getExtension(EventOptionsOuterClass.event);
      topics.put(options.getTopic(), new Topic(options.getTopic(), options.getCompacted()));
    }
    return List.copyOf(new ArrayList<>(topics.values()));
  }
}
