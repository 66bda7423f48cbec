package io.attune.engine.tensor;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * The zip that libtorch loads a program from: one module without state, and its methods as text.
 *
 * <p>The text is always ours, written by this engine; it never comes from a model folder.
 */
final class ProgramArchive {
  private static final String MODULE = "Program";

  /** Of the archive: operators mean what they mean today, not what they meant in an earlier one. */
  private static final String VERSION = "10\n";

  private static final byte[] EMPTY_TUPLE = {(byte) 0x80, 2, ')', '.'};

  private ProgramArchive() {}

  /**
   * @param methods method definitions indented by two spaces, with {@code self: SELF}
   */
  static byte[] write(String methods) {
    String self = "__torch__." + MODULE;
    String code =
        "class "
            + MODULE
            + "(Module):\n"
            + "  __parameters__ = []\n"
            + "  __buffers__ = []\n"
            + "  training : bool\n"
            + "  _is_full_backward_hook : Optional[bool]\n"
            + methods.replace("SELF", self);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      store(zip, "m/data.pkl", pickledModule());
      store(zip, "m/constants.pkl", EMPTY_TUPLE);
      store(zip, "m/code/__torch__.py", code.getBytes(StandardCharsets.UTF_8));
      store(zip, "m/version", VERSION.getBytes(StandardCharsets.US_ASCII));
      store(zip, "m/byteorder", "little".getBytes(StandardCharsets.US_ASCII));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** Pickle protocol 2: an instance of the module with its two attributes. */
  private static byte[] pickledModule() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(new byte[] {(byte) 0x80, 2});
    out.writeBytes(("c__torch__\n" + MODULE + "\n").getBytes(StandardCharsets.US_ASCII));
    out.writeBytes(new byte[] {')', (byte) 0x81, '}', '('});
    key(out, "training");
    out.write(0x89); // False
    key(out, "_is_full_backward_hook");
    out.write('N');
    out.writeBytes(new byte[] {'u', 'b', '.'});
    return out.toByteArray();
  }

  private static void key(ByteArrayOutputStream out, String name) {
    byte[] utf8 = name.getBytes(StandardCharsets.UTF_8);
    out.write('X');
    out.writeBytes(
        ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(utf8.length).array());
    out.writeBytes(utf8);
  }

  private static void store(ZipOutputStream zip, String name, byte[] content) throws IOException {
    CRC32 crc = new CRC32();
    crc.update(content);
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(content.length);
    entry.setCrc(crc.getValue());
    entry.setTime(0);
    zip.putNextEntry(entry);
    zip.write(content);
    zip.closeEntry();
  }
}
