package io.attune.engine.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.fuzz.Watchdog;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates that take all memory or time where their work is not counted. */
class HostileTemplateTest {
  private static String render(String template) throws Throwable {
    StringBuilder text = new StringBuilder();
    try (Watchdog watchdog = new Watchdog(5000)) {
      watchdog.run(
          () ->
              text.append(
                  Template.parse(template)
                      .render(
                          Map.of("messages", List.of(Map.of("content", "hi"))),
                          Clock.systemUTC())));
    }
    return text.toString();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% set x = range(99999) %}{% set n = namespace(l=[]) %}{% for i in range(9999) %}{% set n.l = [n.l, x | list] %}{% endfor %}",
        "{% set s = 'a' * 8000000 %}{% for i in range(99) %}{{ s[i] }}{% endfor %}{% for c in s %}{% endfor %}",
        "{{ ('a' * 8000000).split('a') | length }}",
        "{{ ('\\n' * 8000000).splitlines() | length }}",
        "{{ ('\\n' * 8000000) | indent(64) | length }}",
        "{% set s = '\u20ac' * 8000000 %}{% set n = namespace(l=[]) %}{% for i in range(50) %}{% set n.l = n.l + [s + 'b'] %}{% endfor %}",
        "{{ ('a' * 4000000 + 'b') in ('a' * 8000000) }}",
        "{{ ('a' * 8000000).count('a' * 4000 + 'b') }}",
        "{% set s = 'a' * 8000000 %}{% for i in range(9999) %}{% if s | upper %}{% endif %}{% endfor %}",
        "{{ range(99999) | unique | length }}",
        "{% set a = range(99999) %}{% for i in a %}{% if -1 in a %}{% endif %}{% endfor %}",
        "{% set n = namespace(a=[1]) %}{% for i in range(50) %}{% set n.a = [n.a, n.a] %}{% endfor %}{{ n.a }}",
        "{% set n = namespace(a=[1]) %}{% for i in range(50) %}{% set n.a = [n.a, n.a] %}{% endfor %}{{ n.a | tojson }}",
        "{% set n = namespace(a=[1], b=[1]) %}{% for i in range(50) %}{% set n.a = [n.a, n.a] %}{% set n.b = [n.b, n.b] %}{% endfor %}{{ n.a == n.b }}",
        "{% set n = namespace(a={'x':1}, b={'x':1}) %}{% for i in range(50) %}{% set n.a = {'x':n.a,'y':n.a} %}{% set n.b = {'x':n.b,'y':n.b} %}{% endfor %}{{ n.a == n.b }}",
        "{% set n = namespace(a=[1]) %}{% for i in range(50) %}{% set n.a = [n.a, n.a] %}{% endfor %}{{ {n.a: 1} }}",
        "{{ {} in {} }}",
        "{{ strftime_now('%Y' * 4000000) | length }}",
        "{{ ['\u0001' * 8000000] | tojson | length }}",
        "{{ 'a'.startswith(none) }}",
        "{{ messages | batch(0) }}",
        "{{ 1 is divisibleby(0) }}",
        "{{ 1 is divisibleby 'a' }}",
        "{% for i in [1] %}{{ loop.cycle() }}{% endfor %}",
        "{{ '\u0661.\u0662' }}{{ \u0661.\u0662 }}",
        "{{ x.1.5 }}",
        "{{ [1, none] | max }}",
        "{{ namespace() == 1 + namespace() }}",
        "{% set a = namespace() %}{% set a.b = a %}{{ a | tojson }}",
      })
  void refusesWhatIsEndless(String template) {
    assertThatThrownBy(() -> render(template)).isInstanceOf(TemplateException.class);
  }

  @ParameterizedTest
  @ValueSource(ints = {10, 100_000})
  void countsEveryPartOfAnExpression(int terms) throws Throwable {
    String template =
        "{% for i in range(99999) %}{% if 1"
            + " and 1".repeat(terms)
            + " %}{% endif %}{% endfor %}";

    if (terms == 10) {
      assertThat(render(template)).isEmpty();
    } else {
      assertThatThrownBy(() -> render(template)).isInstanceOf(TemplateException.class);
    }
  }

  @Test
  void parsesManySegmentsInTime() throws Throwable {
    assertThat(render("\n{{1}}".repeat(150_000))).hasSize(300_000);
  }

  @Test
  void writesLongConversations() {
    String content = "word ".repeat(200_000);
    String template =
        "{% for m in messages %}{{ '<|' + m.role + '|>' + (m.content | trim) + '</s>' }}{% endfor %}";

    assertThat(
            Template.parse(template)
                .render(
                    Map.of("messages", List.of(Map.of("role", "user", "content", content))),
                    Clock.systemUTC()))
        .hasSize(content.length() + 11);
  }

  @Test
  void comparesAndSearchesAsBefore() throws Throwable {
    assertThat(
            render(
                "{{ 'b' in 'abc' }} {{ 'ab' in ['ab'] }} {{ {'a':[1]} == {'a':[1]} }}"
                    + " {{ 'a,b,,c'.split(',', 2) }} {{ ' a  b '.split() }} {{ 'aXbX'.count('X') }}"
                    + " {{ 'h\u00e9llo'[1] }} {{ 'abc' | last }} {{ [3, 1] | min }}"
                    + " {{ 'a' | indent(-3) }} {{ 'a\\nb'.splitlines() }}"))
        .isEqualTo(
            "True True True ['a', 'b', ',c'] ['a', 'b'] 2 h\u00e9".replace("h\u00e9", "\u00e9")
                + " c 1 a ['a', 'b']");
  }
}
