package io.attune.ingestion;

import io.attune.testkit.EveryDoorIsLocked;
import io.attune.testkit.Infrastructure;
import io.quarkus.test.common.WithTestResource;
import io.quarkus.test.junit.QuarkusTest;

@QuarkusTest
@WithTestResource(Infrastructure.class)
class DoorsIT extends EveryDoorIsLocked {}
