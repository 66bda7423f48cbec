package io.attune.serving.openai;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * Server-sent events on their way to one client. What is sent before the client is attached waits;
 * it is at most an answer's tokens, and so is what a slow client leaves unread.
 */
final class EventStream {

  /** Where the events go. */
  interface Client {
    void write(String event);

    void end();
  }

  private final Queue<String> backlog = new ArrayDeque<>();
  private final Runnable whenGone;
  private Client client;
  private boolean writing;
  private boolean ended;
  private boolean closed;

  /**
   * @param whenGone called when the client has gone away
   */
  EventStream(Runnable whenGone) {
    this.whenGone = whenGone;
  }

  void send(JsonNode data) {
    send(data.toString());
  }

  void send(String data) {
    synchronized (this) {
      if (ended) {
        return;
      }
      backlog.add("data: " + data + "\n\n");
    }
    write();
  }

  void end() {
    synchronized (this) {
      ended = true;
    }
    write();
  }

  void attach(Client attached) {
    synchronized (this) {
      client = attached;
    }
    write();
  }

  /**
   * One thread at a time, and without the lock: the connection has one of its own, under which it
   * tells that the client has gone.
   */
  private void write() {
    while (true) {
      String event;
      synchronized (this) {
        if (client == null || writing || closed) {
          return;
        }
        event = backlog.poll();
        if (event == null && !ended) {
          return;
        }
        closed = event == null;
        writing = true;
      }
      try {
        if (event == null) {
          client.end();
        } else {
          client.write(event);
        }
      } finally {
        synchronized (this) {
          writing = false;
        }
      }
    }
  }

  void gone() {
    synchronized (this) {
      ended = true;
      closed = true;
      backlog.clear();
    }
    whenGone.run();
  }
}
