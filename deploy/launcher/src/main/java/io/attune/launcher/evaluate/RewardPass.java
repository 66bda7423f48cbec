package io.attune.launcher.evaluate;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.RewardEnsemble.Score;
import io.attune.engine.RewardModel.Answer;
import io.attune.engine.data.Content;
import io.attune.engine.data.Row;
import io.attune.engine.evaluate.Correlation;
import io.attune.engine.evaluate.Metric;
import io.attune.engine.evaluate.Reliability;
import io.attune.engine.evaluate.Statistics;
import io.attune.launcher.local.Progress;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** How well a reward model says what people find good. */
final class RewardPass {
  private final ReadingSettings settings;
  private final Progress progress;

  RewardPass(ReadingSettings settings, Progress progress) {
    this.settings = settings;
    this.progress = progress;
  }

  /** The mean of a number of each row. */
  private record Mean(String name) implements Metric {
    static Statistics statistics(double[] values) {
      List<double[]> rows = new ArrayList<>();
      for (double value : values) {
        rows.add(new double[] {value, 1});
      }
      return Statistics.of(rows);
    }

    @Override
    public double score(double[] sums) {
      return sums[0] / sums[1];
    }
  }

  /** The root of {@link Mean}, of squares. */
  private record RootMean(String name) implements Metric {
    @Override
    public double score(double[] sums) {
      return Math.sqrt(sums[0] / sums[1]);
    }
  }

  /**
   * Measures; of pairs or of scores, as the first row says.
   *
   * @param disagreement whether to say what an ensemble's is worth
   */
  List<Measurement> measure(RewardSubject subject, EvaluationData data, boolean disagreement) {
    return data.rows().get(0) instanceof Row.Preference
        ? pairs(subject, data)
        : scores(subject, data, disagreement && subject.members() > 1);
  }

  private List<Measurement> pairs(RewardSubject subject, EvaluationData data) {
    List<Answer> answers = new ArrayList<>();
    for (int i = 0; i < data.rows().size(); i++) {
      Row row = data.rows().get(i);
      Row.Preference pair =
          data.with(i, () -> row instanceof Row.Preference preference ? preference : refuse(row));
      answers.add(new Answer(pair.prompt(), pair.chosen()));
      answers.add(new Answer(pair.prompt(), pair.rejected()));
    }
    List<Score> scores = score(subject, answers);
    List<double[]> bins = new ArrayList<>();
    double[] order = new double[scores.size() / 2];
    for (int i = 0; i < order.length; i++) {
      double chosen = scores.get(2 * i).mean();
      double rejected = scores.get(2 * i + 1).mean();
      order[i] = Reliability.order(chosen, rejected);
      bins.add(Reliability.statistics(chosen, rejected));
    }
    Statistics reliability = Statistics.of(bins);
    List<Measurement> measurements = new ArrayList<>();
    measurements.add(new Measurement(new Mean("accuracy"), Mean.statistics(order), "", "pairs"));
    measurements.add(new Measurement(Reliability.ERROR, reliability, "", "pairs"));
    double[] sums = new double[reliability.width()];
    IntStream.range(0, order.length).forEach(i -> reliability.addTo(sums, i));
    for (Reliability.Bin bin : Reliability.bins(sums)) {
      int index = (int) Math.round((bin.low() - 0.5) * 20);
      String signature = "confidence:%.3f|pairs:%d".formatted(bin.confidence(), bin.pairs());
      measurements.add(
          new Measurement(new Reliability.Accuracy(index), reliability, signature, "pairs"));
    }
    return measurements;
  }

  private List<Measurement> scores(
      RewardSubject subject, EvaluationData data, boolean disagreement) {
    List<Answer> answers = new ArrayList<>();
    double[] given = new double[data.rows().size()];
    for (int i = 0; i < given.length; i++) {
      Row row = data.rows().get(i);
      int index = i;
      answers.add(
          data.with(
              i,
              () -> {
                if (row instanceof Row.RatedText text) {
                  given[index] = text.score();
                  return new Answer(null, new Content.Text(text.text()));
                }
                if (row instanceof Row.Scored scored) {
                  given[index] = scored.score();
                  return new Answer(scored.prompt(), scored.completion());
                }
                return refuse(row);
              }));
    }
    List<Score> scores = score(subject, answers);
    double[] predicted = scores.stream().mapToDouble(Score::mean).toArray();
    double[] squares =
        IntStream.range(0, given.length)
            .mapToDouble(i -> (predicted[i] - given[i]) * (predicted[i] - given[i]))
            .toArray();
    Statistics values = Correlation.statistics(predicted, given);
    Statistics ranks =
        Correlation.statistics(Correlation.ranks(predicted), Correlation.ranks(given));
    List<Measurement> measurements = new ArrayList<>();
    measurements.add(new Measurement(new Correlation("pearson"), values, "", "rows"));
    measurements.add(new Measurement(new Correlation("spearman"), ranks, "", "rows"));
    measurements.add(new Measurement(new RootMean("rmse"), Mean.statistics(squares), "", "rows"));
    if (disagreement) {
      double[] spread = scores.stream().mapToDouble(Score::std).toArray();
      measurements.add(
          new Measurement(
              new Correlation("disagreement and error (spearman)"),
              Correlation.statistics(Correlation.ranks(spread), Correlation.ranks(squares)),
              "members:" + subject.members(),
              "rows"));
    }
    return measurements;
  }

  private List<Score> score(RewardSubject subject, List<Answer> answers) {
    List<Score> scores = new ArrayList<>();
    while (scores.size() < answers.size()) {
      int end = Math.min(answers.size(), scores.size() + settings.batchSize());
      scores.addAll(subject.score(answers.subList(scores.size(), end)));
      progress.step(scores.size(), answers.size(), "");
    }
    return scores;
  }

  private static <T> T refuse(Row row) {
    throw new EngineException(
        Reason.INVALID_ARGUMENT,
        "a row of shape "
            + row.getClass().getSimpleName()
            + " says nothing of rewards; {prompt, chosen, rejected}, {prompt, completion, score} and"
            + " {text, score} do, one kind in a file");
  }
}
