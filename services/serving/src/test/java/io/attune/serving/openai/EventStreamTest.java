package io.attune.serving.openai;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class EventStreamTest {
  private final List<String> written = Collections.synchronizedList(new ArrayList<>());

  /** Notes what it gets. */
  private class Notes implements EventStream.Client {
    @Override
    public void write(String event) {
      written.add(event.strip());
    }

    @Override
    public void end() {
      written.add("end");
    }
  }

  @Test
  void whatComesBeforeTheClientWaitsForIt() {
    EventStream stream = new EventStream(() -> {});
    stream.send("a");
    stream.end();
    stream.send("after the end");

    stream.attach(new Notes());

    assertThat(written).containsExactly("data: a", "end");
  }

  @Test
  void eventsOfManyThreadsAllArriveEachThreadsInOrder() {
    EventStream stream = new EventStream(() -> {});
    stream.attach(new Notes());
    List<CompletableFuture<Void>> senders = new ArrayList<>();
    for (int thread = 0; thread < 4; thread++) {
      String name = thread + "-";
      senders.add(
          CompletableFuture.runAsync(
              () -> {
                for (int i = 0; i < 1000; i++) {
                  stream.send(name + i);
                }
              }));
    }
    senders.forEach(CompletableFuture::join);
    stream.end();

    assertThat(written).hasSize(4001).endsWith("end");
    for (int thread = 0; thread < 4; thread++) {
      String start = "data: " + thread + "-";
      assertThat(written.stream().filter(e -> e.startsWith(start)))
          .isSortedAccordingTo(
              (a, b) ->
                  Integer.compare(
                      Integer.parseInt(a.substring(start.length())),
                      Integer.parseInt(b.substring(start.length()))));
    }
  }

  @Test
  void aClientThatGoesWhileItIsWrittenToHoldsNobodyUp() throws Exception {
    List<String> heard = Collections.synchronizedList(new ArrayList<>());
    EventStream[] stream = new EventStream[1];
    stream[0] =
        new EventStream(
            () -> {
              heard.add("gone");
              stream[0].send("an answer that was cancelled");
            });
    stream[0].attach(
        new Notes() {
          @Override
          public void write(String event) {
            super.write(event);
            // As the connection does, on a thread that the writer's connection lock keeps waiting.
            CompletableFuture.runAsync(stream[0]::gone).orTimeout(10, TimeUnit.SECONDS).join();
          }
        });

    stream[0].send("a");

    assertThat(heard).containsExactly("gone");
    assertThat(written).containsExactly("data: a");
  }
}
