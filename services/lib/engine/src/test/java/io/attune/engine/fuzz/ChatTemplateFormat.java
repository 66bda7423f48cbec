package io.attune.engine.fuzz;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.template.Template;
import io.attune.engine.template.TemplateException;
import io.attune.engine.token.ChatMessage;
import io.attune.engine.token.ChatTemplate;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** {@code chat_template.jinja}: parsed, and rendered for a conversation. */
public final class ChatTemplateFormat implements Format {
  private static final List<String> PIECES =
      List.of(
          "{% for a in range(99999) %}",
          "{% for a in messages %}",
          "{% endfor %}",
          "{% if a %}",
          "{% endif %}",
          "{% set a = a ~ a %}",
          "{% set ns = namespace(a='x', l=[1]) %}",
          "{% set ns.l = [ns.l, ns.l] %}",
          "{% set ns.a = ns.a + ns.a %}",
          "{% macro f(a) %}{{ f(a) }}{% endmacro %}",
          "{{ f(1) }}",
          "{{ ns.l }}",
          "{{ ns.l | tojson(indent=4) }}",
          "{{ 'x' * 9999999 }}",
          "{{ ('x' * 99999).split('x') | join('y' * 999) }}",
          "{{ messages | map(attribute='content') | list | unique }}",
          "{{ messages[::-1][0].content.title()[1:3] }}",
          "{{ (a | int) // (a | length) % 0 }}",
          "{{ strftime_now('%d %b %Y') }}",
          "{%- raw -%}",
          "{% endraw %}",
          "{#",
          "}}",
          "' \" \\ ");

  @Override
  public String name() {
    return "chat-template";
  }

  @Override
  public List<byte[]> seeds() throws IOException {
    List<byte[]> seeds = new ArrayList<>();
    try (InputStream in = getClass().getResourceAsStream("/template/cases.json")) {
      for (JsonNode c : new ObjectMapper().readTree(in)) {
        String template = c.get("template").asText();
        if (c.has("expected") && renders(template)) {
          seeds.add(template.getBytes(StandardCharsets.UTF_8));
        }
      }
    }
    return seeds;
  }

  /** Some need variables that only their own test gives. */
  private static boolean renders(String template) {
    try {
      Template.parse(template)
          .render(
              Map.of(
                  "add_generation_prompt",
                  true,
                  "messages",
                  List.of(
                      Map.of("role", "user", "content", "Hi"),
                      Map.of("role", "assistant", "content", "Hello"))),
              Clock.systemUTC());
      return true;
    } catch (TemplateException e) {
      return false;
    }
  }

  @Override
  public void read(byte[] file, Path folder) throws IOException {
    Files.writeString(folder.resolve("config.json"), "{}");
    Files.write(folder.resolve("chat_template.jinja"), file);
    ChatTemplate template = ChatTemplate.open(HubLayout.of(folder)).orElseThrow();
    template.render(
        List.of(new ChatMessage("user", "Hi"), new ChatMessage("assistant", "Hello")), true);
  }

  /** Puts pieces of templates in, anywhere. */
  @Override
  public byte[] edit(byte[] file, Random random) {
    StringBuilder text = new StringBuilder(new String(file, StandardCharsets.UTF_8));
    int edits = 1 + random.nextInt(6);
    for (int i = 0; i < edits; i++) {
      text.insert(random.nextInt(text.length() + 1), PIECES.get(random.nextInt(PIECES.size())));
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }
}
