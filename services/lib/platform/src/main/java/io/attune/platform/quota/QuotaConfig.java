package io.attune.platform.quota;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithParentName;
import java.util.Map;
import java.util.OptionalLong;

/** What tenants may have. What is not set is not bounded. */
@ConfigMapping(prefix = "attune.quota")
public interface QuotaConfig {

  /** For every tenant that has no numbers of its own. */
  @WithParentName
  Limits everybody();

  /** For a tenant by its name; numbers that are missing are everybody's. */
  Map<String, Limits> tenants();

  /** The numbers. */
  interface Limits {

    /** Ratings in a minute, at each replica of ingestion. */
    OptionalLong ratingsPerMinute();

    /** Accepted ratings that are kept. */
    OptionalLong storedRatings();

    /** Training jobs that have not ended. */
    OptionalLong openJobs();

    /** Versions of adapters that are kept, of all lines together. */
    OptionalLong adapters();

    /** Answers that are written or waited for at once, at each replica of serving. */
    OptionalLong concurrentAnswers();

    /** Tokens of prompts and answers in a minute, at each replica of serving. */
    OptionalLong tokensPerMinute();
  }
}
