package io.attune.engine.report;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * An event file of TensorBoard: records of TFRecord's format, each an {@code Event} of TensorFlow's
 * {@code event.proto} and {@code summary.proto}.
 *
 * <p>Each event is handed to the system as soon as it is written, so it outlives a killed process;
 * a record that was cut short ends the file for a reader.
 */
final class EventFile implements AutoCloseable {
  private static final String PREFIX = "events.out.tfevents.";
  private static final Pattern NAME = Pattern.compile(Pattern.quote(PREFIX) + "(\\d{10})\\..*");
  private static final int MASK_DELTA = 0xa282ead8;

  private final FileChannel channel;
  private final InstantSource clock;

  private EventFile(FileChannel channel, InstantSource clock) {
    this.channel = channel;
    this.clock = clock;
  }

  /**
   * Starts a file that readers take after all others of its folder.
   *
   * @param purgeStep readers forget what the others say of this step and of later ones
   */
  static EventFile create(Path folder, long purgeStep, InstantSource clock) throws IOException {
    Files.createDirectories(folder);
    String name =
        String.format(
            "%s%010d.attune.%d",
            PREFIX,
            Math.max(clock.instant().getEpochSecond(), newest(folder) + 1),
            ProcessHandle.current().pid());
    FileChannel channel =
        FileChannel.open(
            folder.resolve(name), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    EventFile file = new EventFile(channel, clock);
    try {
      file.write(file.event(0).text(3, "brain.Event:2")); // file_version
      ProtoWriter start = new ProtoWriter().integer(1, 1); // SessionLog.status = START
      file.write(file.event(purgeStep).message(7, start)); // session_log
    } catch (IOException e) {
      file.close();
      throw e;
    }
    return file;
  }

  /** Seconds in the name of the file that readers take last; names sort as their seconds do. */
  private static long newest(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .map(path -> NAME.matcher(path.getFileName().toString()))
          .filter(Matcher::matches)
          .mapToLong(matcher -> Long.parseLong(matcher.group(1)))
          .max()
          .orElse(0);
    }
  }

  /**
   * Values of a step by their tags, such as {@code train/loss}; in float32, as the format has it.
   */
  void scalars(long step, Map<String, Double> values) throws IOException {
    ProtoWriter summary = new ProtoWriter();
    values.forEach(
        (tag, value) ->
            summary.message(
                1, new ProtoWriter().text(1, tag).real(2, value.floatValue()))); // simple_value
    write(event(step).message(5, summary));
  }

  /** Text for the page of texts, understood as Markdown. */
  void text(long step, String tag, String text) throws IOException {
    ProtoWriter plugin = new ProtoWriter().text(1, "text"); // plugin_name
    ProtoWriter shape = new ProtoWriter().message(2, new ProtoWriter().integer(1, 1)); // dim.size
    ProtoWriter tensor =
        new ProtoWriter().integer(1, 7).message(2, shape).text(8, text); // DT_STRING, string_val
    ProtoWriter value =
        new ProtoWriter()
            .text(1, tag + "/text_summary")
            .message(8, tensor)
            .message(9, new ProtoWriter().message(1, plugin)); // metadata.plugin_data
    write(event(step).message(5, new ProtoWriter().message(1, value)));
  }

  private ProtoWriter event(long step) {
    Instant now = clock.instant();
    double wallTime = now.getEpochSecond() + now.getNano() / 1e9;
    return new ProtoWriter().real(1, wallTime).integer(2, step);
  }

  private void write(ProtoWriter event) throws IOException {
    byte[] data = event.toBytes();
    ByteBuffer record = ByteBuffer.allocate(data.length + 16).order(ByteOrder.LITTLE_ENDIAN);
    record.putLong(data.length);
    record.putInt(maskedCrc(record.array(), 8));
    record.put(data);
    record.putInt(maskedCrc(data, data.length));
    record.flip();
    while (record.hasRemaining()) {
      channel.write(record);
    }
  }

  private static int maskedCrc(byte[] data, int length) {
    CRC32C crc = new CRC32C();
    crc.update(data, 0, length);
    return Integer.rotateRight((int) crc.getValue(), 15) + MASK_DELTA;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
