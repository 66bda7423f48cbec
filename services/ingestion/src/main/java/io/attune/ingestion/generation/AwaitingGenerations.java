package io.attune.ingestion.generation;

import java.util.Collection;
import org.jdbi.v3.core.Handle;

/** What waits for generations to arrive. */
public interface AwaitingGenerations {

  /** Comes before the first write of a transaction that stores generations. */
  void lock(Handle transaction);

  /** Settles what waited for these generations, which the same transaction has stored. */
  void generationsArrived(Handle transaction, Collection<String> ids);
}
