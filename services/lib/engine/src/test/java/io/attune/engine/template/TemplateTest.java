package io.attune.engine.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.InputStream;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TemplateTest {
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-03-05T17:04:09Z"), ZoneOffset.UTC);
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Rendered by Jinja 3.1 as transformers 5.18 sets it up. */
  @TestFactory
  Stream<DynamicTest> rendersAsTransformersDoes() throws Exception {
    JsonNode cases;
    try (InputStream in = TemplateTest.class.getResourceAsStream("/template/cases.json")) {
      cases = JSON.readTree(in);
    }
    return StreamSupport.stream(cases.spliterator(), false)
        .map(c -> DynamicTest.dynamicTest(c.get("template").asText(), () -> check(c)));
  }

  private static void check(JsonNode c) {
    Map<?, ?> variables = JSON.convertValue(c.get("variables"), Map.class);
    if (c.has("expected")) {
      assertThat(render(c.get("template").asText(), variables))
          .isEqualTo(c.get("expected").asText());
    } else {
      assertThatThrownBy(() -> render(c.get("template").asText(), variables))
          .isInstanceOf(TemplateException.class);
    }
  }

  @SuppressWarnings("unchecked")
  private static String render(String template, Map<?, ?> variables) {
    return Template.parse(template).render((Map<String, ?>) variables, CLOCK);
  }

  @Test
  void tellsTheTime() {
    assertThat(render("{{ strftime_now('%d %b %Y, %A %B %H:%M:%S %%') }}", Map.of()))
        .isEqualTo("05 Mar 2026, Thursday March 17:04:09 %");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% for a in range(99999) %}{{ 'x' * 99999 }}{% endfor %}",
        "{{ 'x' * 999999999999 }}",
        "{{ range(999999999999) }}",
        "{% set ns = namespace(s='xxxxxxxxxx') %}{% for a in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(l=[1]) %}{% for a in range(99) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
        "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}",
        "{{ ('x' * 99999).replace('x', 'y' * 99999) }}",
        "{% set ns = namespace() %}{% set ns.a = [ns] %}{{ ns.a }}",
        "{{ 9223372036854775807 + 1 }}",
        "{{ 99999999999999999999 }}",
        "{{ ''.getClass() }}",
        "{{ messages.getClass().forName('java.lang.Runtime') }}",
        "{{ ''.class.forName('java.lang.Runtime') }}",
        "{% import '/etc/passwd' as p %}",
        "{% extends '/etc/passwd' %}",
        "{{ [1][0].x.y }}",
        "{% break %}",
        "{{ 'unclosed }}",
        "{{ unclosed",
        "{{ 'a'.strip(1) }}",
        "{{ 'a'.startswith() }}",
        "{{ 'a' is divisibleby }}",
      })
  void refusesWhatIsEndlessForeignOrMalformed(String template) {
    assertThatThrownBy(() -> render(template, Map.of("messages", List.of())))
        .isInstanceOf(TemplateException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"(", "[", "{% if 1 %}", "{{ not ", "{{ -", "{{ {1:"})
  void refusesDeepNesting(String part) {
    String template = part.startsWith("{%") ? part.repeat(5000) : "{{" + part.repeat(50_000);

    assertThatThrownBy(() -> render(template, Map.of())).isInstanceOf(TemplateException.class);
  }

  @Test
  void namesTheLineOfWhatItRefuses() {
    assertThatThrownBy(() -> render("a\nb\n{{ 1 | frobnicate }}", Map.of()))
        .hasMessage("line 3: filter 'frobnicate' is not supported");
  }

  @Test
  void refusesJavaObjects() {
    assertThatThrownBy(() -> render("{{ x }}", Map.of("x", new Object())))
        .isInstanceOf(TemplateException.class);
  }
}
