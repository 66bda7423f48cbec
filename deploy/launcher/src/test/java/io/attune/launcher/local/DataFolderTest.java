package io.attune.launcher.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataFolderTest {
  @TempDir Path folder;

  @Test
  void aSecondLauncherIsRefusedUntilTheFirstLetsGo() {
    try (DataFolder first = DataFolder.open(folder)) {
      assertThatThrownBy(() -> DataFolder.open(folder))
          .isInstanceOf(LauncherException.class)
          .hasMessageContaining("another launcher uses")
          .hasMessageContaining("--data DIR");
      assertThat(first.root()).exists();
    }
    DataFolder.open(folder).close();
  }

  @Test
  void clearingLeavesTheLockAlone() throws IOException {
    try (DataFolder data = DataFolder.open(folder)) {
      Files.writeString(data.folder("storage").resolve("old"), "x");
      data.clear();
      assertThat(folder)
          .isDirectoryContaining("glob:**lock")
          .isDirectoryNotContaining("glob:**storage");
      assertThatThrownBy(() -> DataFolder.open(folder)).isInstanceOf(LauncherException.class);
    }
  }
}
