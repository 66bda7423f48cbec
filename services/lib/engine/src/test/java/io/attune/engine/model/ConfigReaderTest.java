package io.attune.engine.model;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.attune.engine.EngineException;
import org.junit.jupiter.api.Test;

class ConfigReaderTest {

  @Test
  void whatTransformersKeepsForItselfIsNoSetting() throws Exception {
    assertThatCode(() -> finish("{'_model_name_or_path': 'SmolLM2', '_commit_hash': 'ab'}"))
        .doesNotThrowAnyException();
  }

  @Test
  void aSettingThatNobodyReadIsRefusedByName() {
    assertThatThrownBy(() -> finish("{'final_logit_softcapping': 30.0}"))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("config.json: 'final_logit_softcapping' is 30.0");
  }

  private static void finish(String json) throws Exception {
    JsonNode tree = new ObjectMapper().readTree(json.replace('\'', '"'));
    new ConfigReader(tree, "config.json").finish();
  }
}
