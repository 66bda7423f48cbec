package io.attune.engine.train;

import io.attune.engine.quant.EightBit;
import io.attune.engine.quant.FourBit;
import io.attune.engine.quant.FourBitType;
import io.attune.engine.quant.Quantizer;
import org.jspecify.annotations.Nullable;

/**
 * From parameters under the names of transformers' {@code BitsAndBytesConfig} to how the frozen
 * weights are held. Where four bits are asked for and nothing else is said they are those of QLoRA:
 * NF4 with double quantization.
 */
public final class QuantizationSettings {
  private QuantizationSettings() {}

  /**
   * Method {@code qlora} quantizes by itself, other adapters where {@code load_in_4bit} or {@code
   * load_in_8bit} say so.
   *
   * @return null where weights stay as they are
   */
  public static @Nullable Quantizer parse(Parameters in, Method method) {
    boolean eight = in.flag("load_in_8bit", false);
    boolean four = in.flag("load_in_4bit", method == Method.QLORA && !eight);
    String type = in.text("bnb_4bit_quant_type", FourBitType.NF4.toString());
    boolean nested = in.flag("bnb_4bit_use_double_quant", true);
    String compute = in.text("bnb_4bit_compute_dtype", "float32");
    if (eight && four) {
      throw new IllegalArgumentException("'load_in_8bit' and 'load_in_4bit' exclude each other");
    }
    if (!compute.equals("float32")) {
      throw new IllegalArgumentException(
          "'bnb_4bit_compute_dtype' is " + compute + "; quantized models compute in float32");
    }
    if (method == Method.QLORA && !eight && !four) {
      throw new IllegalArgumentException(
          "method qlora needs 'load_in_4bit' or 'load_in_8bit'; without quantization it is lora");
    }
    if ((eight || four) && !method.isAdapter()) {
      throw new IllegalArgumentException("method " + method + " cannot train quantized weights");
    }
    FourBit fourBit = new FourBit(FourBitType.named(type), FourBit.BLOCK_SIZE, nested);
    return eight ? new EightBit() : four ? fourBit : null;
  }
}
