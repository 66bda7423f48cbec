package io.attune.platform.event;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.attune.common.v1.EventOptions;
import io.attune.common.v1.EventOptionsOuterClass;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What an event message says about itself: its topic, its key and its type. */
public final class Events {

  private static final Map<Descriptor, List<FieldDescriptor>> KEY_PATHS = new ConcurrentHashMap<>();

  private Events() {}

  /** The CloudEvents type: the message's full protobuf name. */
  public static String type(Message event) {
    return event.getDescriptorForType().getFullName();
  }

  /**
   * The topic that carries the event.
   *
   * @throws IllegalArgumentException if the message has no event option
   */
  public static String topic(Descriptor type) {
    return options(type).getTopic();
  }

  /**
   * The record's key, from the field that the message's option names.
   *
   * @throws IllegalArgumentException if that field is empty: events without a key have no order
   */
  public static String key(Message event) {
    Message at = event;
    List<FieldDescriptor> path =
        KEY_PATHS.computeIfAbsent(event.getDescriptorForType(), Events::keyPath);
    for (FieldDescriptor step : path.subList(0, path.size() - 1)) {
      at = (Message) at.getField(step);
    }
    String key = String.valueOf(at.getField(path.get(path.size() - 1)));
    if (key.isEmpty()) {
      throw new IllegalArgumentException(
          type(event)
              + ": key field "
              + options(event.getDescriptorForType()).getKey()
              + " is empty");
    }
    return key;
  }

  private static List<FieldDescriptor> keyPath(Descriptor type) {
    List<FieldDescriptor> path = new ArrayList<>();
    Descriptor at = type;
    for (String name : options(type).getKey().split("\\.", -1)) {
      FieldDescriptor field = at == null ? null : at.findFieldByName(name);
      if (field == null) {
        throw new IllegalArgumentException(
            type.getFullName() + ": no field for the event key " + options(type).getKey());
      }
      path.add(field);
      at = field.getJavaType() == FieldDescriptor.JavaType.MESSAGE ? field.getMessageType() : null;
    }
    return path;
  }

  private static EventOptions options(Descriptor type) {
    if (!type.getOptions().hasExtension(EventOptionsOuterClass.event)) {
      throw new IllegalArgumentException(
          type.getFullName() + " is not an event: it has no (attune.common.v1.event) option");
    }
    return type.getOptions().getExtension(EventOptionsOuterClass.event);
  }
}
