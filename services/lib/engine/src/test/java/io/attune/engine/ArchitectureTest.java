package io.attune.engine;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/**
 * Directions of import inside the engine. Changing them is a decision to be recorded in docs/adr.
 */
@AnalyzeClasses(packages = "io.attune.engine", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String ENGINE = "io.attune.engine.";

  @ArchTest
  static final ArchRule packagesHaveNoCycles =
      slices().matching("io.attune.engine.(*)..").should().beFreeOfCycles();

  @ArchTest
  static final ArchRule onlyTensorKnowsTheNativeEngine =
      noClasses()
          .that()
          .resideOutsideOfPackage(ENGINE + "tensor")
          .should()
          .dependOnClassesThat()
          .resideInAPackage("ai.djl.pytorch..");

  @ArchTest
  static final ArchRule theEngineKnowsNoServer =
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
              "io.attune.platform..");

  @ArchTest
  static final ArchRule objectivesSeeNoModel =
      noClasses()
          .that()
          .resideInAnyPackage(ENGINE + "objective", ENGINE + "rollout")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              ENGINE + "model", ENGINE + "nn", ENGINE + "adapter", ENGINE + "train", "ai.djl..");

  @ArchTest
  static final ArchRule modelsAndAdaptersMeetAtTheSeamOnly =
      noClasses()
          .that()
          .resideInAPackage(ENGINE + "model")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(ENGINE + "adapter", ENGINE + "train", ENGINE + "objective");

  @ArchTest
  static final ArchRule adaptersKnowNoModel =
      noClasses()
          .that()
          .resideInAPackage(ENGINE + "adapter")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(ENGINE + "model", ENGINE + "train", ENGINE + "objective");

  @ArchTest
  static final ArchRule tensorsAndPartsStandBelowEverything =
      noClasses()
          .that()
          .resideInAnyPackage(ENGINE + "tensor", ENGINE + "nn", ENGINE + "optim")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              ENGINE + "model",
              ENGINE + "adapter",
              ENGINE + "train",
              ENGINE + "data",
              ENGINE + "checkpoint",
              ENGINE + "objective",
              ENGINE + "evaluate");
}
