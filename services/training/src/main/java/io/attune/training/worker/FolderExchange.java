package io.attune.training.worker;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.common.v1.ErrorCode;
import io.attune.engine.data.Row;
import io.attune.engine.online.RolloutExchange;
import io.attune.platform.error.PlatformException;
import io.attune.serving.v1.FinishReason;
import io.attune.serving.v1.Generation;
import io.attune.training.v1.TokenSequence;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Asks the service for the completions of a round, by the folder that both know, and waits. */
final class FolderExchange implements RolloutExchange {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long SECONDS_BETWEEN_CHECKS = 1;

  private final JobFolder folder;
  private final StopSignal stop;

  FolderExchange(JobFolder folder, StopSignal stop) {
    this.folder = folder;
    this.stop = stop;
  }

  @Override
  public List<Written> exchange(
      int iteration, List<Row.Prompt> prompts, int each, Consumer<Path> policy) {
    RoundFolder round = folder.round(iteration);
    try {
      if (!round.isAsked()) {
        Files.createDirectories(round.policy());
        policy.accept(round.policy());
        round.ask(
            new RoundQuestion(
                iteration, prompts.stream().map(FolderExchange::prompt).toList(), each));
      }
      awaitAnswers(round);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot wait for answers in " + round.root(), e);
    }
    List<Written> written = new ArrayList<>();
    for (RoundFolder.Chunk chunk : round.answers()) {
      written.addAll(written(chunk));
    }
    return written;
  }

  private static JsonNode prompt(Row.Prompt row) {
    return JSON.valueToTree(row.fields().get("prompt"));
  }

  private void awaitAnswers(RoundFolder round) throws IOException {
    try (WatchService watch = round.root().getFileSystem().newWatchService()) {
      round.root().register(watch, StandardWatchEventKinds.ENTRY_CREATE);
      while (!round.isAnswered()) {
        stop.check();
        WatchKey key = watch.poll(SECONDS_BETWEEN_CHECKS, TimeUnit.SECONDS);
        if (key != null) {
          key.pollEvents();
          key.reset();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      stop.ask();
      stop.check();
    }
  }

  private static List<Written> written(RoundFolder.Chunk chunk) {
    List<Generation> generations = chunk.scored().getGenerationsList();
    List<TokenSequence> sequences = chunk.tokens().getSequencesList();
    if (sequences.size() != generations.size()) {
      throw new PlatformException(
          ErrorCode.ERROR_CODE_INTERNAL,
          "Rollout %s has %d answers and the tokens of %d."
              .formatted(chunk.scored().getRolloutId(), generations.size(), sequences.size()));
    }
    List<Written> written = new ArrayList<>();
    for (int i = 0; i < sequences.size(); i++) {
      Generation generation = generations.get(i);
      TokenSequence tokens = sequences.get(i);
      written.add(
          new Written(
              ids(tokens.getPromptTokenIdsList()),
              ids(tokens.getCompletionTokenIdsList()),
              tokens.getLogProbabilitiesList().stream().mapToDouble(Float::doubleValue).toArray(),
              generation.getCompletion(),
              generation.getFinishReason() == FinishReason.FINISH_REASON_STOP,
              chunk.scored().getScores(i)));
    }
    return written;
  }

  private static int[] ids(List<Integer> ids) {
    return ids.stream().mapToInt(Integer::intValue).toArray();
  }
}
