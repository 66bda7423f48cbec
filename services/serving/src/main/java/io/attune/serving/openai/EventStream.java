package io.attune.serving.openai;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

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

  private final List<String> backlog = new ArrayList<>();
  private final Runnable whenGone;
  private Client client;
  private boolean ended;

  /**
   * @param whenGone called when the client has gone away
   */
  EventStream(Runnable whenGone) {
    this.whenGone = whenGone;
  }

  void send(JsonNode data) {
    send(data.toString());
  }

  synchronized void send(String data) {
    if (ended) {
      return;
    }
    String event = "data: " + data + "\n\n";
    if (client == null) {
      backlog.add(event);
    } else {
      client.write(event);
    }
  }

  synchronized void end() {
    if (ended) {
      return;
    }
    ended = true;
    if (client != null) {
      client.end();
    }
  }

  synchronized void attach(Client attached) {
    client = attached;
    backlog.forEach(client::write);
    backlog.clear();
    if (ended) {
      client.end();
    }
  }

  void gone() {
    whenGone.run();
  }
}
