package io.attune.acceptance.chaos;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/** What passes on one connection, and which of the server's bytes are an acknowledgement. */
interface Protocol {

  /** Sees what the client sends. */
  void sent(byte[] bytes, int n);

  /** Sees what the server answers: how many of the bytes get through before the connection ends. */
  int answered(byte[] bytes, int n);

  /** Kafka: the answer to a produce request, by the client's id. */
  final class Kafka implements Protocol {
    private static final int PRODUCE = 0;
    private static final int SHOWN = 2 + 2 + 4 + 2 + 60;

    private final Set<Integer> lost = ConcurrentHashMap.newKeySet();
    private final Frames requests;
    private final Frames answers =
        new Frames(0, false, Integer.BYTES, head -> !lost.remove(head.getInt(Integer.BYTES)));

    Kafka(Function<String, Lossy> byClient) {
      this.requests =
          new Frames(
              0,
              false,
              SHOWN,
              head -> {
                head.position(Integer.BYTES);
                int request = head.getShort();
                head.getShort();
                int correlation = head.getInt();
                if (request == PRODUCE && byClient.apply(client(head)).loses()) {
                  lost.add(correlation);
                }
                return true;
              });
    }

    private static String client(ByteBuffer head) {
      byte[] name = new byte[Math.min(Math.max(head.getShort(), 0), head.remaining())];
      head.get(name);
      return new String(name, UTF_8);
    }

    @Override
    public void sent(byte[] bytes, int n) {
      requests.accept(bytes, n);
    }

    @Override
    public int answered(byte[] bytes, int n) {
      return answers.accept(bytes, n);
    }
  }

  /** PostgreSQL, in the clear: that a transaction has been committed. */
  final class Postgres implements Protocol {
    private static final byte[] COMMITTED = "COMMIT\0".getBytes(US_ASCII);

    private final Frames answers;

    Postgres(Lossy lossy) {
      this.answers =
          new Frames(
              1, true, COMMITTED.length, head -> !(isCommitted(head.array()) && lossy.loses()));
    }

    private static boolean isCommitted(byte[] head) {
      int text = 1 + Integer.BYTES;
      return head[0] == 'C'
          && Arrays.equals(head, text, text + COMMITTED.length, COMMITTED, 0, COMMITTED.length);
    }

    @Override
    public void sent(byte[] bytes, int n) {
      // Only answers matter.
    }

    @Override
    public int answered(byte[] bytes, int n) {
      return answers.accept(bytes, n);
    }
  }

  /** HTTP/1.1, a request after the other: the answer to a request. */
  final class Http implements Protocol {
    private final Lossy lossy;
    private volatile boolean asked;

    Http(Lossy lossy) {
      this.lossy = lossy;
    }

    @Override
    public void sent(byte[] bytes, int n) {
      asked = true;
    }

    @Override
    public int answered(byte[] bytes, int n) {
      if (!asked) {
        return n;
      }
      asked = false;
      return lossy.loses() ? 0 : n;
    }
  }
}
