package io.attune.engine.token;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.attune.engine.EngineException;
import io.attune.engine.EngineException.Reason;
import io.attune.engine.checkpoint.HubLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that end the process, take all memory or never return in the native library. */
class HostileTokenizerTest {
  private static final String WORDS =
      "{\"type\":\"WordLevel\",\"vocab\":{\"a\":0,\"[UNK]\":1},\"unk_token\":\"[UNK]\"}";

  @TempDir Path folder;

  private Tokenizer open(String part, String json) throws Exception {
    String model = part.equals("model") ? json : WORDS;
    String rest = part.equals("model") ? "" : ",\"" + part + "\":" + json;
    String added = part.equals("added_tokens") ? "" : ",\"added_tokens\":[]";
    Files.writeString(folder.resolve("config.json"), "{}");
    Files.writeString(
        folder.resolve("tokenizer.json"),
        "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"model\":"
            + model
            + added
            + rest
            + "}");
    return Tokenizer.open(HubLayout.of(folder));
  }

  private void assertRefused(String part, String json, String message) {
    assertThatThrownBy(() -> open(part, json).close())
        .isInstanceOfSatisfying(
            EngineException.class, e -> assertThat(e.reason()).isEqualTo(Reason.CORRUPT))
        .hasMessageContaining("tokenizer.json")
        .hasMessageContaining(message);
  }

  private static String split(String regex) {
    return "{\"type\":\"Split\",\"pattern\":{\"Regex\":\""
        + regex.replace("\\", "\\\\").replace("\"", "\\\"")
        + "\"},\"behavior\":\"Isolated\",\"invert\":false}";
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(x+x+)+y",
        "(x*)*",
        "(x|x)*y",
        "(?:a?){30}b",
        "x*x*[yz]",
        "(?>x*)*y",
        "x{0,1000}x{0,1000}y",
        "(x{1,1000}){1,1000}",
        "(?=(x+)+y)",
        "\\s+(?=\\s*x)",
        "(x+){2,}+y",
        "(a)\\1",
        "\\k<n>",
        "(?<n>a)\\g<n>",
        "(*FAIL)",
        "(?~abc)",
        "x{99999}",
        "[",
        "(",
        ")",
        "\\",
      })
  void refusesExpressionsThatBacktrack(String regex) {
    assertRefused("pre_tokenizer", split(regex), "pre_tokenizer: the expression");
  }

  @Test
  void refusesDeepAndLongExpressions() {
    assertRefused("pre_tokenizer", split("(".repeat(500) + ")".repeat(500)), "deep");
    assertRefused("pre_tokenizer", split("a".repeat(5000)), "4096 characters");
  }

  /** GPT-2, Llama 3, Qwen 2, GPT-4o, DeepSeek, Bloom, T5, digits by threes from the right. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
        "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
        " ?[^(\\s|[.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c])]+",
        " {2,}",
        "\\p{N}{1,3}(?=(?:\\p{N}{3})*(?!\\p{N}))",
      })
  void acceptsTheExpressionsOfPublishedFamilies(String regex) throws Exception {
    try (Tokenizer tokenizer = open("pre_tokenizer", split(regex))) {
      assertThat(tokenizer.encode(" ".repeat(20_000) + "a 1234567 \n\n b's", false)).isNotEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "post_processor; {'type':'TemplateProcessing','single':[{'SpecialToken':{'id':'[X]','type_id':0}}],'pair':[],'special_tokens':{}}; special_tokens lacks",
        "post_processor; {'type':'TemplateProcessing','single':[{'Sequence':{'id':'B','type_id':0}}],'pair':[],'special_tokens':{}}; a second text",
        "post_processor; {'type':'BertProcessing','sep':['a',4294967295],'cls':['b',1]}; token id",
        "decoder; {'type':'Strip','content':'a','start':1,'stop':1}; ends of tokens",
        "decoder; {'type':'Replace','pattern':{'Regex':'(a+)+b'},'content':''}; decoder: the expression",
        "pre_tokenizer; {'type':'FixedLength','length':0}; at least 1",
        "pre_tokenizer; {'type':'Frobnicate'}; not supported",
        "normalizer; {'type':'Precompiled','precompiled_charsmap':'AAAA'}; charsmap",
        "normalizer; {'type':'Precompiled','precompiled_charsmap':'BAAAAP////8='}; leads out",
        "model; {'type':'BPE','continuing_subword_prefix':'####','vocab':{'a':0,'b':1,'ab':2},'merges':['a b']}; begin with '####'",
        "model; {'type':'BPE','vocab':{'a':0,'b':1,'ab':2},'merges':[['a','b']],'continuing_subword_prefix':'####'}; after 'merges'",
        "model; {'type':'BPE','dropout':0.5,'vocab':{'a':0},'merges':[]}; random",
        "model; {'type':'WordPiece','unk_token':'a','continuing_subword_prefix':'','max_input_chars_per_word':100000000,'vocab':{'a':0}}; max_input_chars_per_word",
        "model; {'type':'WordLevel','unk_token':'a','vocab':{'a':4294967295}}; the id 4294967295",
        "model; {'type':'WordLevel','unk_token':'a','vocab':{'a':0,'a':1}}; Duplicate",
        "added_tokens; [{'id':-1,'content':'<x>'}]; the id -1",
        "added_tokens; [{'id':1,'content':5}]; holds",
        "added_tokens; {}; 'added_tokens' is no list",
        "model; []; 'model' is no object",
        "model; {'type':'WordLevel','vocab':1}; neither an object nor a list",
        "model; {'type':'BPE','vocab':{'a':0},'merges':{}}; 'merges' is no list",
        "model; {'type':'BPE','vocab':{'a':0},'merges':[1]}; something else than texts",
        "model; {'type':'BPE','vocab':{'a':0},'merges':[['a',1]]}; something else than texts",
        "model; {'type':'BPE','end_of_word_suffix':1,'vocab':{'a':0},'merges':[]}; is no text",
        "model; {'type':'WordPiece','max_input_chars_per_word':0,'vocab':{'a':0}}; from 1 to 512",
        "post_processor; {'type':'BertProcessing','sep':['a'],'cls':['b',1]}; has a token",
        "post_processor; {'type':'TemplateProcessing','single':{},'pair':[],'special_tokens':{}}; no list",
        "post_processor; {'type':'TemplateProcessing','single':[],'pair':[],'special_tokens':{'x':{'ids':[],'tokens':[]}}}; 0 ids",
        "post_processor; {'type':'TemplateProcessing','single':[],'pair':[],'special_tokens':{'x':{'ids':[1,2],'tokens':['a']}}}; 2 ids",
        "pre_tokenizer; {'type':'Split','behavior':'Isolated','invert':false}; has no pattern",
        "pre_tokenizer; {'type':'Sequence'}; no list",
      })
  void refusesWhatTheNativeLibraryCannotBear(String part, String json, String message) {
    assertRefused(part, json.replace('\'', '"'), message.replace("\"", ""));
  }

  @Test
  void refusesTextsThatGrowWithoutBound() {
    String doubling = "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"aaaa\"}";
    String bytes = "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true}";

    assertRefused(
        "normalizer",
        "{\"type\":\"Sequence\",\"normalizers\":[" + repeated(doubling, 40) + "]}",
        "times as long");
    assertRefused(
        "pre_tokenizer",
        "{\"type\":\"Sequence\",\"pretokenizers\":[" + repeated(bytes, 40) + "]}",
        "times as long");
    assertRefused(
        "decoder",
        "{\"type\":\"Sequence\",\"decoders\":[" + repeated("{\"type\":\"Fuse\"}", 100) + "]}",
        "more than 64 parts");
  }

  private static String repeated(String item, int count) {
    return IntStream.range(0, count).mapToObj(i -> item).collect(Collectors.joining(","));
  }

  /** Java reads these; the native library ended the process at them. */
  @ParameterizedTest
  @ValueSource(strings = {"\\ud83d", "\\ude00", "\\ud83d\\ud83d", "\\ud83dx", "\\uD83D\\n"})
  void refusesHalvesOfCharacters(String text) {
    assertRefused(
        "decoder", "{\"type\":\"WordPiece\",\"prefix\":\"" + text + "\",\"cleanup\":true}", "half");
  }

  @Test
  void refusesNumbersBeyondAllBounds() {
    assertRefused(
        "decoder",
        "{\"type\":\"WordPiece\",\"prefix\":\"\\ud83d\\ude00\",\"cleanup\":true,\"x\":1e999}",
        "number beyond");
  }

  @Test
  void refusesMillionsOfAddedTokens() {
    String tokens =
        IntStream.range(0, 10_001)
            .mapToObj(i -> "{\"id\":" + (i + 2) + ",\"content\":\"<" + i + ">\"}")
            .collect(Collectors.joining(",", "[", "]"));

    assertRefused("added_tokens", tokens, "more than 10000");
  }

  @Test
  void refusesTextsAndListsThatNoTokenizerHas() {
    String many = "x".repeat(1025);
    assertRefused("decoder", "{\"type\":\"Fuse\",\"x\":\"" + many + "\"}", "more than 1024");
    assertRefused(
        "normalizer",
        "{\"type\":\"Prepend\",\"prepend\":\"" + "x".repeat(65) + "\"}",
        "prepends more than 64");
    assertRefused(
        "model",
        "{\"type\":\"BPE\",\"end_of_word_suffix\":\""
            + "x".repeat(65)
            + "\",\"vocab\":{\"a\":0},\"merges\":[]}",
        "more than 64 characters");
    assertRefused(
        "post_processor",
        "{\"type\":\"TemplateProcessing\",\"single\":["
            + repeated("{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}", 65)
            + "],\"pair\":[],\"special_tokens\":{}}",
        "more than 64 pieces");
    assertRefused("decoder", "{\"x\":[" + repeated("0", 200_000) + "]}", "a part has more than");
  }

  @Test
  void refusesMoreTokensThanAnyVocabularyHas() {
    String pairs = repeated("[\"a\",0]", (1 << 20) + 1);
    assertRefused(
        "model", "{\"type\":\"Unigram\",\"vocab\":[" + pairs + "]}", "more than 1048576 tokens");
    String merges = repeated("\"a a\"", (1 << 21) + 1);
    assertRefused(
        "model",
        "{\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[" + merges + "]}",
        "more than 2097152 entries");
  }

  private void assertFileRefused(String json, String message) throws Exception {
    Files.writeString(folder.resolve("config.json"), "{}");
    Files.writeString(folder.resolve("tokenizer.json"), json);
    assertThatThrownBy(() -> Tokenizer.open(HubLayout.of(folder)).close())
        .isInstanceOfSatisfying(
            EngineException.class, e -> assertThat(e.reason()).isEqualTo(Reason.CORRUPT))
        .hasMessageContaining("tokenizer.json")
        .hasMessageContaining(message);
  }

  @Test
  void refusesFilesThatAreCutOffDeepOrDoubled() throws Exception {
    String whole = "{\"added_tokens\":[],\"model\":" + WORDS + "}";
    for (int length = 0; length < whole.length(); length++) {
      assertFileRefused(whole.substring(0, length), "");
    }
    assertFileRefused(whole + "{}", "goes on after the closing brace");
    assertFileRefused("[" + whole + "]", "does not hold a JSON object");
    assertFileRefused("{\"model\":" + WORDS + ",\"model\":" + WORDS + "}", "Duplicate");
    assertFileRefused("{\"x\":" + "[".repeat(100_000), "nesting");
    assertFileRefused("{\"normalizer\":" + "{\"a\":".repeat(100_000), "nesting");
    assertFileRefused(" ".repeat((40 << 20) + 1), "at most 41943040 are read");
  }

  @Test
  void saysWhichFileCannotWriteAText() throws Exception {
    try (Tokenizer tokenizer =
        open("model", "{\"type\":\"WordLevel\",\"vocab\":{\"a\":0},\"unk_token\":\"?\"}")) {
      assertThatThrownBy(() -> tokenizer.encode("b", false))
          .isInstanceOf(EngineException.class)
          .hasMessageContaining("tokenizer.json");
    }
  }

  @Test
  void refusesTextsBeyondWhatItsExpressionsBear() throws Exception {
    try (Tokenizer tokenizer = open("pre_tokenizer", split("\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"))) {
      assertThatThrownBy(() -> tokenizer.encode(" ".repeat(4_000_000), false))
          .isInstanceOfSatisfying(
              EngineException.class, e -> assertThat(e.reason()).isEqualTo(Reason.TOO_LONG));
      assertThat(tokenizer.encode(" ".repeat(2_400_000), false)).isNotEmpty();
    }
  }

  /** A trie with one key, "a", replaced by the text at an offset. */
  private static String charsmap(int offset, String texts) {
    int[] units = new int[512];
    Arrays.fill(units, 1 << 31); // the label of no byte
    units[0] = 256 << 10;
    units[256 ^ 'a'] = 'a' | 1 << 8 | 'a' << 10; // its leaf is at 256
    units[256] = 1 << 31 | offset;
    byte[] text = texts.getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes =
        ByteBuffer.allocate(4 + 4 * units.length + text.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(4 * units.length);
    for (int unit : units) {
      bytes.putInt(unit);
    }
    return Base64.getEncoder().encodeToString(bytes.put(text).array());
  }

  private static String precompiled(String charsmap) {
    return "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"" + charsmap + "\"}";
  }

  @Test
  void acceptsACharsmapThatStaysWithinItself() throws Exception {
    String model =
        "{\"type\":\"WordLevel\",\"vocab\":{\"bb\":7,\"[UNK]\":1},\"unk_token\":\"[UNK]\"}";
    Files.writeString(folder.resolve("config.json"), "{}");
    Files.writeString(
        folder.resolve("tokenizer.json"),
        "{\"added_tokens\":[],\"normalizer\":"
            + precompiled(charsmap(0, "bb\0"))
            + ",\"model\":"
            + model
            + "}");
    try (Tokenizer tokenizer = Tokenizer.open(HubLayout.of(folder))) {
      assertThat(tokenizer.encode("a", false)).containsExactly(7);
    }
  }

  @Test
  void refusesACharsmapThatIsNone() {
    assertRefused("normalizer", precompiled("?"), "precompiled_charsmap");
    assertRefused("normalizer", precompiled("AAA="), "has 2 bytes");
    assertRefused("normalizer", precompiled("AwAAAAAAAAA="), "trie has 3 bytes");
    assertRefused("normalizer", precompiled("/////wAAAAA="), "trie has -1 bytes");
    assertRefused("normalizer", precompiled("CAAAAAAAAAA="), "trie has 8 bytes");
    byte[] broken = Base64.getDecoder().decode(charsmap(0, "bb\0"));
    broken[broken.length - 2] = (byte) 0xFF;
    assertRefused(
        "normalizer", precompiled(Base64.getEncoder().encodeToString(broken)), "not UTF-8");
  }

  @Test
  void refusesACharsmapThatLeavesItsTexts() {
    assertRefused("normalizer", precompiled(charsmap(4, "bb\0")), "leads out");
    assertRefused("normalizer", precompiled(charsmap(1, "\u20ac\0")), "leads out");
    assertRefused("normalizer", precompiled(charsmap(0, "b".repeat(200))), "128 bytes");
  }
}
