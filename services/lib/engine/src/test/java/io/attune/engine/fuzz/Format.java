package io.attune.engine.fuzz;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/**
 * A file format whose reader is attacked. To add one: this, a line in {@link Formats} and a {@link
 * FuzzTarget}.
 */
public interface Format {

  /** Names the format in reports and folders. */
  String name();

  /** Well-formed files that mutants are made from; the reader must accept each. */
  List<byte[]> seeds() throws IOException;

  /**
   * Reads a file with everything that loading it does. Ends with an {@link
   * io.attune.engine.EngineException} where the file is refused; anything else that is thrown is a
   * defect.
   *
   * @param folder empty at first, and the same for all files: where the file is to be put
   */
  void read(byte[] file, Path folder) throws IOException;

  /** A mutant that keeps the format's outer form, so that it gets past the first checks. */
  default byte[] edit(byte[] file, Random random) {
    return JsonEdits.edit(file, random);
  }
}
