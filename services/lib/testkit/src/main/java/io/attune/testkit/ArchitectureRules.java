package io.attune.testkit;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.conditions.ArchConditions.beFinal;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.codeUnits;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchCondition;
import java.time.Clock;
import java.time.Instant;
import java.util.Random;

/**
 * Which way imports point, and what the name of a class promises. Each module runs this in one
 * small test. Change a rule only together with a decision record in docs/adr.
 */
public final class ArchitectureRules {

  private static final String ROOT = "io.attune.";

  private ArchitectureRules() {}

  /**
   * Checks a module.
   *
   * @param module its package below io.attune, for example "ingestion"
   */
  public static void check(String module) {
    JavaClasses all =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            // The generated contracts lie beneath the names of their services.
            .withImportOption(location -> !location.contains("/v1/"))
            .importPackages(ROOT + module);
    noCycles(module, all);
    edgesByName(all);
    noHiddenState(all);
    if (!module.equals("engine") && !module.equals("launcher")) {
      exceptionsAreLoggedWithoutText(all);
    }
    switch (module) {
      case "engine" -> engineKnowsNoPlatform(all);
      case "platform" -> knowsNone(all, "platform", "engine", "ingestion", "serving", "reward");
      default -> servicesStandAlone(module, all);
    }
  }

  private static void noCycles(String module, JavaClasses all) {
    slices()
        .matching(ROOT + module + ".(*)..")
        .should()
        .beFreeOfCycles()
        .allowEmptyShould(true)
        .check(all);
  }

  private static void engineKnowsNoPlatform(JavaClasses all) {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "io.quarkus..",
            "jakarta..",
            "org.eclipse.microprofile..",
            "io.smallrye..",
            "org.apache.kafka..",
            "io.grpc..",
            "com.google.protobuf..",
            "io.attune.platform..",
            "io.attune.common.v1..")
        .because("the engine is plain Java, which an offline command runs as well as a service")
        .check(all);
  }

  private static void servicesStandAlone(String module, JavaClasses all) {
    String[] services = {"ingestion", "serving", "reward", "training", "launcher"};
    knowsNone(
        all,
        module,
        java.util.Arrays.stream(services)
            .filter(other -> !other.equals(module))
            .toArray(String[]::new));
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("ai.djl..")
        .because("tensors stay inside the engine")
        .check(all);
    noClasses()
        .should()
        .dependOnClassesThat()
        .haveFullyQualifiedName("org.jdbi.v3.core.Jdbi")
        .because("TenantTransactions is the one door to the database")
        .check(all);
  }

  private static void knowsNone(JavaClasses all, String module, String... others) {
    for (String other : others) {
      // Not "<other>..": the contracts of a service, <other>.v1, are there for everybody.
      noClasses()
          .should()
          .dependOnClassesThat(
              describe(
                  "belong to " + other,
                  type ->
                      (type.getPackageName() + ".").startsWith(ROOT + other + ".")
                          && !(type.getPackageName() + ".").startsWith(ROOT + other + ".v1.")))
          .because(module + " and " + other + " meet only in contracts")
          .check(all);
    }
  }

  private static void edgesByName(JavaClasses all) {
    classes()
        .that()
        .areAnnotatedWith("io.quarkus.grpc.GrpcService")
        .should()
        .haveSimpleNameEndingWith("Grpc")
        .allowEmptyShould(true)
        .check(all);
    classes()
        .that()
        .areAnnotatedWith("jakarta.ws.rs.Path")
        .should()
        .haveSimpleNameEndingWith("Resource")
        .allowEmptyShould(true)
        .check(all);
    classes()
        .that()
        .areAnnotatedWith("io.smallrye.config.ConfigMapping")
        .should()
        .haveSimpleNameEndingWith("Config")
        .andShould()
        .beInterfaces()
        .allowEmptyShould(true)
        .check(all);
    classes()
        .that()
        .containAnyMethodsThat(
            describe(
                "consume a channel",
                method ->
                    method.isAnnotatedWith("org.eclipse.microprofile.reactive.messaging.Incoming")))
        .should()
        .haveSimpleNameEndingWith("Consumer")
        .allowEmptyShould(true)
        .check(all);
  }

  /** Messages of exceptions quote what people wrote, and stack traces begin with them. */
  private static void exceptionsAreLoggedWithoutText(JavaClasses all) {
    codeUnits()
        .that(describe("log an exception", ArchitectureRules::logsException))
        .should(
            ArchCondition.from(
                describe(
                    "pass it through Loggable.of",
                    (JavaCodeUnit unit) ->
                        unit.getMethodCallsFromSelf().stream()
                            .anyMatch(
                                call -> call.getTargetOwner().getSimpleName().equals("Loggable")))))
        .because("logs never hold user text")
        .allowEmptyShould(true)
        .check(all);
  }

  private static boolean logsException(JavaCodeUnit unit) {
    return unit.getMethodCallsFromSelf().stream()
        .map(JavaMethodCall::getTarget)
        .anyMatch(
            target ->
                target.getOwner().getName().equals("org.jboss.logging.Logger")
                    && target.getRawParameterTypes().stream()
                        .anyMatch(type -> type.isAssignableTo(Throwable.class)));
  }

  private static void noHiddenState(JavaClasses all) {
    fields().that().areStatic().should(beFinal()).allowEmptyShould(true).check(all);
    noClasses()
        .should()
        .callMethod(Instant.class, "now")
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .orShould()
        .callMethod(Math.class, "random")
        .orShould()
        .callConstructor(Random.class)
        .because("time and chance come from outside, so that tests can set them")
        .check(all);
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName("io.attune.platform.time.TimeBeans")
        .should()
        .callMethod(Clock.class, "systemUTC")
        .check(all);
  }
}
