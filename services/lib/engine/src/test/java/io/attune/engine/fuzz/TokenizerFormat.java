package io.attune.engine.fuzz;

import io.attune.engine.Golden;
import io.attune.engine.checkpoint.HubLayout;
import io.attune.engine.token.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** {@code tokenizer.json}: loaded by native code, then used on texts that are hard on it. */
public final class TokenizerFormat implements Format {
  private static final List<String> TEXTS =
      List.of(
          "Hello, world! 1234 \u00e9\u4e2d\ud83d\ude00 [CLS] <s> don't\n\n",
          " ".repeat(3000),
          "a".repeat(3000) + "b");

  /** Every kind of model and most parts, small. */
  private static final List<String> SMALL =
      List.of(
          """
          {"version":"1.0","truncation":{"direction":"Right","max_length":8,"strategy":"LongestFirst","stride":0},
          "padding":{"strategy":"BatchLongest","direction":"Right","pad_to_multiple_of":null,"pad_id":0,"pad_type_id":0,"pad_token":"[PAD]"},
          "added_tokens":[{"id":0,"content":"[PAD]","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
          {"id":2,"content":"[CLS]","single_word":false,"lstrip":true,"rstrip":true,"normalized":true,"special":true}],
          "normalizer":{"type":"Sequence","normalizers":[{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},
          {"type":"NFKC"},{"type":"Strip","strip_left":true,"strip_right":true},{"type":"Replace","pattern":{"Regex":" {2,}"},"content":"_"},{"type":"Prepend","prepend":"_"}]},
          "pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"BertPreTokenizer"},{"type":"Digits","individual_digits":true},{"type":"FixedLength","length":5}]},
          "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
          "pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],"special_tokens":{"[CLS]":{"id":"[CLS]","ids":[2],"tokens":["[CLS]"]}}},
          "decoder":{"type":"WordPiece","prefix":"##","cleanup":true},
          "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,
          "vocab":{"[PAD]":0,"[UNK]":1,"[CLS]":2,"a":3,"##a":4,"hello":5,"_":6}}}""",
          """
          {"version":"1.0","truncation":null,"padding":null,"added_tokens":[],
          "normalizer":{"type":"Lowercase"},
          "pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"},"behavior":"Isolated","invert":false},
          {"type":"Metaspace","replacement":"\u2581","prepend_scheme":"always","split":true}]},
          "post_processor":{"type":"RobertaProcessing","sep":["b",1],"cls":["a",0],"trim_offsets":true,"add_prefix_space":false},
          "decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"\u2581"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},
          "model":{"type":"Unigram","unk_id":0,"byte_fallback":false,"vocab":[["<unk>",0.0],["\u2581",-1.5],["a",-2.0],["aa",-2.5],["hello",-3.0]]}}""",
          """
          {"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,
          "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},
          "post_processor":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":false,"use_regex":true},
          "decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},
          "model":{"type":"BPE","dropout":null,"unk_token":"u","continuing_subword_prefix":"#","end_of_word_suffix":null,"fuse_unk":true,"byte_fallback":false,"ignore_merges":false,
          "vocab":{"a":0,"#a":1,"aa":2,"u":3,"#b":4,"aab":5},"merges":[["a","#a"],["aa","#b"]]}}""",
          """
          {"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,
          "pre_tokenizer":{"type":"Whitespace"},"post_processor":null,"decoder":{"type":"CTC","pad_token":"a","word_delimiter_token":"|","cleanup":true},
          "model":{"type":"WordLevel","vocab":{"a":0,"[UNK]":1},"unk_token":"[UNK]"}}""");

  @Override
  public String name() {
    return "tokenizer";
  }

  @Override
  public List<byte[]> seeds() throws IOException {
    return java.util.stream.Stream.concat(
            SMALL.stream().map(text -> text.getBytes(StandardCharsets.UTF_8)),
            java.util.stream.Stream.of(
                Files.readAllBytes(Golden.path("models/llama/tokenizer.json"))))
        .toList();
  }

  @Override
  public void read(byte[] file, Path folder) throws IOException {
    Files.writeString(folder.resolve("config.json"), "{}");
    Files.write(folder.resolve("tokenizer.json"), file);
    try (Tokenizer tokenizer = Tokenizer.open(HubLayout.of(folder))) {
      for (String text : TEXTS) {
        int[] ids = tokenizer.encode(text, true);
        tokenizer.decode(ids, false);
      }
      tokenizer.decode(new int[] {0, 1, 2, 3, 99_999, -1}, true);
    }
  }
}
