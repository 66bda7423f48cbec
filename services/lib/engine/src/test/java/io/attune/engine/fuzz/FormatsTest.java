package io.attune.engine.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class FormatsTest {
  private static Set<JavaClass> concrete(Class<?> type) {
    return new ClassFileImporter()
        .importPackages("io.attune.engine").stream()
            .filter(c -> c.isAssignableTo(type))
            .filter(c -> !c.getModifiers().contains(JavaModifier.ABSTRACT))
            .filter(c -> !c.isAnonymousClass())
            .collect(Collectors.toSet());
  }

  /** So that none is forgotten, neither in the list nor under Jazzer. */
  @Test
  void everyFormatIsListedAndFuzzed() {
    Set<String> listed =
        Formats.all().stream().map(f -> f.getClass().getSimpleName()).collect(Collectors.toSet());

    assertThat(concrete(Format.class))
        .extracting(JavaClass::getSimpleName)
        .hasSameElementsAs(listed);
    assertThat(concrete(FuzzTarget.class))
        .extracting(c -> c.getSimpleName().replace("FuzzTest", "Format"))
        .hasSameElementsAs(listed);
    assertThat(Formats.all()).extracting(Format::name).doesNotHaveDuplicates();
  }
}
