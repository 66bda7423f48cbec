package io.attune.platform.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.context.Context;
import org.junit.jupiter.api.Test;

class TraceParentTest {
  private static final String RECORDED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  private static final String NOT_RECORDED =
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

  @Test
  void textAndContextAreTheSame() {
    assertThat(TraceParent.of(TraceParent.context(RECORDED))).isEqualTo(RECORDED);
    assertThat(TraceParent.of(TraceParent.context(NOT_RECORDED))).isEqualTo(NOT_RECORDED);
  }

  @Test
  void whatIsNoneBeginsANewTrace() {
    for (String none : new String[] {null, "", "canary", "00-0-0-01", RECORDED + "é"}) {
      assertThat(Span.fromContext(TraceParent.context(none)).getSpanContext().isValid()).isFalse();
    }
    assertThat(TraceParent.of(Context.root())).isNull();
  }

  @Test
  void theFlagSaysWhetherItIsRecorded() {
    assertThat(TraceParent.isSampled(RECORDED)).isTrue();
    assertThat(TraceParent.isSampled(NOT_RECORDED)).isFalse();
    assertThat(TraceParent.isSampled(null)).isFalse();
  }

  @Test
  void workContinuesAndTheThreadIsLeftAsItWas() {
    String[] within = new String[1];

    Spans.continuing(RECORDED, () -> within[0] = TraceParent.current());

    assertThat(within[0]).isEqualTo(RECORDED);
    assertThat(TraceParent.current()).isNull();
  }
}
