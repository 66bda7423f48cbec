package io.attune.engine.token;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.template.Rendering;
import io.attune.engine.template.Template;
import io.attune.engine.template.TemplateException;
import java.time.Clock;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Writes a conversation as the text that the model was trained on. Immutable and thread-safe. */
public final class ChatTemplate {
  private static final String TOOL_CALLS = "tool_calls";

  private final String source;
  private final String origin;
  private final Template template;
  private final SpecialTokens special;
  private final Clock clock;

  private ChatTemplate(String source, String origin, SpecialTokens special, Clock clock) {
    this.source = source;
    this.origin = origin;
    this.special = special;
    this.clock = clock;
    try {
      this.template = Template.parse(source);
    } catch (TemplateException e) {
      throw refused(e, Reason.UNSUPPORTED);
    }
  }

  /** The folder's template, or nothing where it has none. */
  public static Optional<ChatTemplate> open(HubLayout layout) {
    return open(layout, Clock.systemDefaultZone());
  }

  /**
   * @param clock what a template that asks for the date is told
   */
  public static Optional<ChatTemplate> open(HubLayout layout, Clock clock) {
    return layout
        .chatTemplate()
        .map(t -> new ChatTemplate(t, layout.folder().toString(), SpecialTokens.of(layout), clock));
  }

  /**
   * Tokenise the result without adding special tokens: the template writes them.
   *
   * @param addGenerationPrompt whether to end with what introduces the assistant's answer
   */
  public String render(List<ChatMessage> messages, boolean addGenerationPrompt) {
    return render(messages, List.of(), addGenerationPrompt).text();
  }

  /** Whether the template marks what the assistant says, by blocks {@code generation}. */
  public boolean marksGeneration() {
    return template.marksGeneration();
  }

  /**
   * As {@link #render(List, boolean)}, with tools that the assistant may call.
   *
   * @param tools JSON schemas of functions, as plain maps; the template decides how it shows them
   */
  public Rendering render(
      List<ChatMessage> messages, List<Map<String, Object>> tools, boolean addGenerationPrompt) {
    refuseUnread("tools", !tools.isEmpty());
    refuseUnread(TOOL_CALLS, messages.stream().anyMatch(m -> m.fields().containsKey(TOOL_CALLS)));
    Map<String, Object> variables = new HashMap<>();
    variables.put("messages", messages.stream().map(ChatTemplate::variables).toList());
    if (!tools.isEmpty()) {
      variables.put("tools", tools);
    }
    variables.put("add_generation_prompt", addGenerationPrompt);
    special.bos().ifPresent(token -> variables.put("bos_token", token));
    special.eos().ifPresent(token -> variables.put("eos_token", token));
    special.pad().ifPresent(token -> variables.put("pad_token", token));
    special.unk().ifPresent(token -> variables.put("unk_token", token));
    try {
      return template.run(variables, clock);
    } catch (TemplateException e) {
      throw refused(e, Reason.INVALID_ARGUMENT);
    }
  }

  private static Map<String, Object> variables(ChatMessage message) {
    Map<String, Object> variables = new LinkedHashMap<>(message.fields());
    variables.put("role", message.role());
    variables.put("content", message.content());
    return variables;
  }

  /** What a template never names it would drop without a word. */
  private void refuseUnread(String variable, boolean given) {
    if (given && !source.contains(variable)) {
      throw new EngineException(
          Reason.INCOMPATIBLE,
          "chat template of " + origin + " has no place for '" + variable + "'");
    }
  }

  private EngineException refused(TemplateException e, Reason reason) {
    return new EngineException(reason, "chat template of " + origin + ": " + e.getMessage(), e);
  }

  /** The template's text, part of the contract. */
  public String source() {
    return source;
  }
}
