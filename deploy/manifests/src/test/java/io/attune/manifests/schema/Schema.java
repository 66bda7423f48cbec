package io.attune.manifests.schema;

import io.attune.manifests.Manifest;
import java.util.List;

/** A library that knows what a document may hold. */
interface Schema {
  /** Whether it knows the document's kind. */
  boolean knows(Manifest manifest);

  /** What is wrong with it, in the library's words; empty where nothing is. */
  List<String> problems(Manifest manifest);
}
