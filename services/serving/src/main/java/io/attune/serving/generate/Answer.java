package io.attune.serving.generate;

import java.time.Instant;
import java.util.List;

/**
 * A whole answer.
 *
 * @param promptIds the prompt's token ids, as the model saw them
 * @param tokens the answer's tokens, the one that ended it included where there is one
 * @param completion the text, which may be shorter than the tokens': a stop text is not part of it
 */
public record Answer(
    Head head,
    Prompt prompt,
    int[] promptIds,
    List<Token> tokens,
    String completion,
    Finish finish,
    Instant completed) {}
