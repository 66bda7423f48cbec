package io.attune.launcher.display;

import io.attune.launcher.local.Endpoints;
import io.attune.launcher.local.Platform;
import io.attune.launcher.local.Settings;
import java.util.List;

/** Where everything listens, and commands that can be pasted as they stand. */
public final class Welcome {
  private Welcome() {}

  /** The lines to print once the platform runs. */
  public static List<String> lines(Platform platform, Settings settings) {
    Endpoints at = platform.endpoints();
    String token = "./attune token --data " + settings.data();
    return List.of(
        "inference   http://127.0.0.1:" + at.serving() + "   gRPC and OpenAI-compatible HTTP",
        "ingestion   http://127.0.0.1:" + at.ingestion(),
        "reward      http://127.0.0.1:" + at.reward(),
        "training    http://127.0.0.1:" + at.training(),
        "issuer      " + platform.tokens().issuer(),
        "Kafka       " + at.bootstrap() + "   PostgreSQL 127.0.0.1:" + at.postgres(),
        "data, logs  " + settings.data() + ", " + settings.data().resolve("logs"),
        "",
        "# A token, for this shell (in the checkout " + settings.home() + "):",
        "TOKEN=$(" + token + " --role rater --role viewer)",
        "",
        "# Ask, over HTTP and over gRPC:",
        "curl -s http://127.0.0.1:"
            + at.serving()
            + "/v1/chat/completions -H \"Authorization: Bearer $TOKEN\""
            + " -H 'Content-Type: application/json'"
            + " -d '{\"model\":\"assistant\",\"messages\":[{\"role\":\"user\",\"content\":\"My kettle arrived broken.\"}]}'",
        "grpcurl -plaintext -import-path proto -proto attune/serving/v1/serving_service.proto"
            + " -H \"Authorization: Bearer $TOKEN\""
            + " -d '{\"model\":\"assistant\",\"prompt\":{\"conversation\":{\"messages\":[{\"role\":\"user\",\"content\":\"Where is my lamp?\"}]}}}'"
            + " 127.0.0.1:"
            + at.serving()
            + " attune.serving.v1.InferenceService/Generate",
        "",
        "# Rate the answer whose id you put in place of ID, over Kafka or over HTTP:",
        "echo '{\"generation_id\":\"ID\",\"rater\":\"me\",\"score\":0.9}' | kcat -P -b "
            + at.bootstrap()
            + " -t feedback.ratings.v1",
        "curl -s http://127.0.0.1:"
            + at.ingestion()
            + "/v1/feedback -H \"Authorization: Bearer $TOKEN\""
            + " -H 'Content-Type: application/json' -d '{\"generation_id\":\"ID\",\"score\":0.9}'",
        "",
        "# Watch ratings come in, and what was refused, with the reason:",
        "kcat -C -b " + at.bootstrap() + " -t feedback.rejected.v1 -o beginning -e -f '%h %o\\n'",
        "",
        "# Jobs and, once a version is released, where it comes from:",
        "grpcurl -plaintext -import-path proto -proto attune/training/v1/training_service.proto"
            + " -H \"Authorization: Bearer $TOKEN\" -d '{}' 127.0.0.1:"
            + at.training()
            + " attune.training.v1.TrainingService/ListTrainingJobs",
        "grpcurl -plaintext -import-path proto -proto attune/training/v1/training_service.proto"
            + " -H \"Authorization: Bearer $TOKEN\" -d '{\"line\":\"assistant\",\"version\":1}' 127.0.0.1:"
            + at.training()
            + " attune.training.v1.AdapterService/GetLineage");
  }
}
