package io.attune.platform.storage;

import java.io.IOException;
import java.nio.file.Path;

/** Publishes one version after the other until it is killed, and says of each that it is there. */
final class PublishingMain {

  private PublishingMain() {}

  public static void main(String[] arguments) throws IOException {
    Publications publications = new Publications(new FolderStore(Path.of(arguments[0])));
    for (int version = Integer.parseInt(arguments[1]); ; version++) {
      publications.publish(version);
      System.out.println(version);
    }
  }
}
