#include "engine/model/model_spec.h"

#include <catch2/catch.hpp>
#include <functional>

#include "engine/model/gguf.h"
#include "engine/model/weights.h"
#include "tests/support/model_files.h"

using namespace cinnabar::engine;
using namespace cinnabar::test;
using Catch::Contains;

namespace {

// Reads the spec of a tiny GGUF of that architecture after `change`.
cinnabar::Result<ModelSpec> gguf_spec(
    const std::string& architecture, const std::function<void(GgufWriter&)>& change = [](GgufWriter&) {}) {
  GgufWriter writer = tiny_gguf_config(architecture);
  change(writer);
  add_tensors(writer, tiny_tensors(true, true));
  const auto bytes = writer.bytes();
  const auto checkpoint = parse_gguf(bytes);
  REQUIRE(checkpoint.ok());
  return read_spec(*checkpoint);
}

// Reads the spec of a folder that holds these texts and no tensors.
cinnabar::Result<ModelSpec> folder_spec(const std::string& config,
                                        const std::map<std::string, std::string>& texts = {}) {
  Checkpoint checkpoint;
  checkpoint.source = "folder";
  checkpoint.kind = Checkpoint::Kind::hugging_face;
  checkpoint.texts.insert(texts.begin(), texts.end());
  checkpoint.texts["config.json"] = config;
  return read_spec(checkpoint);
}

void add_tokens(GgufWriter& writer) {
  writer.set("tokenizer.ggml.tokens", std::vector<std::string>{"a", "b", "<|endoftext|>", "<|fim_suffix|>",
                                                               "<|im_end|>", "  ", "<tool_call>", "x"});
  writer.set("tokenizer.ggml.token_type", std::vector<std::int32_t>{1, 1, 3, 3, 3, 4, 4, 5});
}

}  // namespace

TEST_CASE("a GGUF file's keys become the spec") {
  const auto spec = gguf_spec("qwen2");
  REQUIRE(spec.ok());
  CHECK(spec->family == "qwen2");
  CHECK(spec->layers == 2);
  CHECK(spec->width == 12);
  CHECK(spec->heads == 4);
  CHECK(spec->kv_heads == 2);
  CHECK(spec->head_size == 4);
  CHECK(spec->ffn == 20);
  CHECK(spec->vocabulary == 8);
  CHECK(spec->context == 64);
  CHECK(spec->norm_epsilon == 1e-5f);
  CHECK(spec->rope_theta == 5e5f);
  CHECK(spec->qkv_bias);
  CHECK(!spec->qk_norm);
  CHECK(spec->tied_head);
  CHECK(!spec->rope_interleaved);
  CHECK(spec->attention == Attention::block_causal);
  CHECK(spec->logits_shift == 1);
  CHECK(spec->mask == -1);
}

TEST_CASE("families in GGUF differ by their row") {
  CHECK(gguf_spec("llama")->rope_interleaved);
  CHECK(gguf_spec("dream")->attention == Attention::full);
  CHECK(gguf_spec("dream")->logits_shift == 1);
  CHECK(gguf_spec("llada")->logits_shift == 0);
  CHECK(gguf_spec("llada")->rope_interleaved);
  CHECK_THAT(gguf_spec("llada-moe").message(),
             Contains("'llada-moe'") && Contains("not supported") && Contains("qwen2"));
}

TEST_CASE("keys of diffusion and of ours override the row") {
  const auto spec = gguf_spec("qwen2", [](GgufWriter& writer) {
    add_tokens(writer);
    writer.set("diffusion.shift_logits", false);
    writer.set("tokenizer.ggml.mask_token_id", std::uint32_t{7});
    writer.set("tokenizer.ggml.eos_token_id", std::uint32_t{4});
    writer.set("cinnabar.attention", "full");
    writer.set("cinnabar.infill_layout", "in_place");
    writer.set("cinnabar.block_length", std::uint32_t{8});
    writer.set("cinnabar.hole_end_token_id", std::uint32_t{1});
  });
  REQUIRE(spec.ok());
  CHECK(spec->logits_shift == 0);
  CHECK(spec->mask == 7);
  CHECK(spec->attention == Attention::full);
  CHECK(spec->infill == InfillLayout::in_place);
  CHECK(spec->block_length == 8);
  CHECK(spec->hole_end == 1);
}

TEST_CASE("tokens give ids, layout and what is never generated") {
  const auto spec = gguf_spec("qwen2", [](GgufWriter& writer) {
    add_tokens(writer);
    writer.set("tokenizer.ggml.eos_token_id", std::uint32_t{4});
  });
  REQUIRE(spec.ok());
  CHECK(spec->fim_suffix == 3);
  CHECK(spec->infill == InfillLayout::suffix_then_prefix);
  // A hole ends with the end of text, not with the end of a chat turn.
  CHECK(spec->end_of_text == 2);
  // Runs of spaces are text though the vocabulary calls them user-defined.
  CHECK(spec->never_generated == std::vector<std::int32_t>{3, 4, 6, 7});
}

TEST_CASE("bad GGUF configurations are refused and named") {
  struct Case {
    std::function<void(GgufWriter&)> change;
    std::vector<std::string> expected;
  };
  const std::vector<Case> cases = {
      {[](auto& w) { w.set("cinnabar.attention", "sideways"); }, {"cinnabar.attention", "'sideways'"}},
      {[](auto& w) { w.set("cinnabar.infill_layout", "x"); }, {"cinnabar.infill_layout", "'x'"}},
      {[](auto& w) { w.set("diffusion.shift_logits", "yes"); }, {"diffusion.shift_logits", "boolean"}},
      {[](auto& w) { w.set("qwen2.expert_count", std::uint32_t{8}); }, {"expert_count", "not supported"}},
      {[](auto& w) { w.set("qwen2.rope.scaling.type", "yarn"); }, {"rope.scaling.type", "not supported"}},
      {[](auto& w) { w.set("qwen2.rope.dimension_count", std::uint32_t{2}); }, {"rope.dimension_count", "4"}},
      {[](auto& w) { w.set("tokenizer.ggml.mask_token_id", std::uint32_t{8}); }, {"mask", "-1 to 7", "found 8"}},
      {[](auto& w) { w.set("tokenizer.ggml.mask_token_id", std::uint32_t{0xffffffff}); }, {"mask_token_id", "32 bits"}},
      {[](auto& w) { w.set("cinnabar.block_length", std::uint32_t{0}); }, {"block_length", "found 0"}},
      {[](auto& w) {
         w.set("tokenizer.ggml.tokens", std::vector<std::string>{"a"});
         w.set("tokenizer.ggml.token_type", std::vector<std::int32_t>{1, 1});
       },
       {"token_type", "expected 1", "found 2"}},
  };
  for (const auto& test : cases) {
    const auto spec = gguf_spec("qwen2", test.change);
    const std::string message = spec.ok() ? "no error" : spec.message();
    CAPTURE(message);
    for (const auto& part : test.expected) CHECK_THAT(message, Contains(part));
  }
  GgufWriter writer;
  writer.set("general.architecture", "qwen2");
  const auto bytes = writer.bytes();
  CHECK_THAT(read_spec(*parse_gguf(bytes)).message(), Contains("qwen2.block_count") && Contains("missing"));
}

TEST_CASE("classes of Hugging Face folders") {
  struct Case {
    std::string architecture, model_type, family;
    Attention attention;
    int shift, block;
  };
  const std::vector<Case> cases = {
      {"Qwen2ForCausalLM", "qwen2", "qwen2", Attention::block_causal, 1, 32},
      {"Qwen3ForCausalLM", "qwen3", "qwen3", Attention::block_causal, 1, 32},
      {"LlamaForCausalLM", "llama", "llama", Attention::block_causal, 1, 32},
      {"DreamModel", "Dream", "dream", Attention::full, 1, 32},
      {"Fast_dLLM_QwenForCausalLM", "Fast_dLLM_Qwen", "fast-dllm", Attention::block_causal, 1, 32},
      {"A2DQwen2LMHeadModel", "a2d-qwen2", "a2d-qwen2", Attention::full, 0, 32},
      {"A2DQwen3LMHeadModel", "a2d-qwen3", "a2d-qwen3", Attention::full, 0, 32},
      {"SDARForCausalLM", "sdar", "sdar", Attention::block_causal, 0, 4},
  };
  for (const auto& test : cases) {
    const auto spec = folder_spec(tiny_config(test.architecture, test.model_type));
    CAPTURE(test.architecture);
    REQUIRE(spec.ok());
    CHECK(spec->family == test.family);
    CHECK(spec->attention == test.attention);
    CHECK(spec->logits_shift == test.shift);
    CHECK(spec->block_length == test.block);
    CHECK(spec->head_size == 4);
    CHECK(spec->tied_head);
    CHECK(!spec->rope_interleaved);
  }
}

TEST_CASE("a LLaDA configuration has names of its own") {
  const std::string sizes =
      R"("model_type": "llada", "n_layers": 2, "d_model": 16, "n_heads": 4, "n_kv_heads": 4, "mlp_hidden_size": 20,
         "vocab_size": 7, "embedding_size": 8, "max_sequence_length": 64, "weight_tying": false, "mask_token_id": 6,
         "rope_theta": 500000.0, "eos_token_id": 5})";
  const auto spec = folder_spec(R"({"architectures": ["LLaDAModelLM"], )" + sizes);
  REQUIRE(spec.ok());
  CHECK(spec->family == "llada");
  CHECK(spec->head_size == 4);
  CHECK(spec->vocabulary == 8);
  CHECK(spec->mask == 6);
  // A mixture-of-experts class shares the dense one's model_type.
  CHECK_THAT(folder_spec(R"({"architectures": ["LLaDAMoEModelLM"], )" + sizes).message(),
             Contains("'LLaDAMoEModelLM'"));
}

TEST_CASE("the mask comes from the configuration, else from the tokenizer's files") {
  const std::string plain = tiny_config("Qwen2ForCausalLM", "qwen2");
  const std::string added =
      R"({"added_tokens": [{"id": 5, "content": "<M>", "special": true}], "model": {"vocab": {"a": 0}}})";
  CHECK(folder_spec(tiny_config("DreamModel", "Dream", R"(, "mask_token_id": 3)"))->mask == 3);
  const auto dcoder = folder_spec(plain, {{"tokenizer.json", added}});
  REQUIRE(dcoder.ok());
  CHECK(dcoder->mask == 5);
  CHECK(dcoder->attention == Attention::full);  // Open-dCoder: Qwen2 with the causal mask off
  CHECK(dcoder->never_generated == std::vector<std::int32_t>{5});
  const auto a2d = folder_spec(tiny_config("X", "a2d-qwen2"), {{"added_tokens.json", R"({"<|mask|>": 6})"}});
  CHECK(a2d->mask == 6);
  const auto named = folder_spec(
      tiny_config("X", "a2d-qwen2"),
      {{"tokenizer_config.json", R"({"mask_token": "<?>", "added_tokens_decoder": {"4": {"content": "<?>"}}})"}});
  CHECK(named->mask == 4);
}

TEST_CASE("DreamOn's expand counts for Dream models alone") {
  const std::map<std::string, std::string> texts = {
      {"added_tokens.json", R"({"<|expand|>": 6, "<|endoftext|>": 2, "<|mask|>": 5})"}};
  const auto dream = folder_spec(tiny_config("DreamModel", "Dream"), texts);
  CHECK(dream->expand == 6);
  CHECK(dream->erase == 2);
  CHECK(folder_spec(tiny_config("Qwen2ForCausalLM", "qwen2"), texts)->expand == -1);
}

TEST_CASE("bad configurations of folders are refused and named") {
  struct Case {
    std::string config;
    std::vector<std::string> expected;
  };
  const auto qwen = [](const std::string& more) { return tiny_config("Qwen2ForCausalLM", "qwen2", more); };
  const std::vector<Case> cases = {
      {"{", {"config.json", "JSON"}},
      {"[]", {"config.json"}},
      {"{}", {"config.json", "not supported"}},
      {R"({"architectures": ["Qwen2ForCausalLM"]})", {"config.json", "'num_hidden_layers' is missing"}},
      {R"({"architectures": ["Qwen2ForCausalLM"], "num_hidden_layers": "2"})", {"'num_hidden_layers'", "integer"}},
      {R"({"architectures": ["Qwen2ForCausalLM"], "num_hidden_layers": 99999999999})", {"out of range"}},
      {tiny_config("Qwen2MoeForCausalLM", "qwen2_moe"), {"'Qwen2MoeForCausalLM'", "not supported"}},
      {qwen(R"(, "rope_scaling": {"type": "yarn"})"), {"rope_scaling", "'yarn'"}},
      {qwen(R"(, "activation_type": "gelu")"), {"activation_type", "'gelu'"}},
      {qwen(R"(, "num_experts": 8)"), {"num_experts"}},
      {qwen(R"(, "use_sliding_window": true)"), {"use_sliding_window"}},
      {qwen(R"(, "mask_token_id": 8)"), {"mask", "found 8"}},
      {qwen(R"(, "cinnabar_attention": "x")"), {"attention", "'x'"}},
  };
  for (const auto& test : cases) {
    const auto spec = folder_spec(test.config);
    const std::string message = spec.ok() ? "no error" : spec.message();
    CAPTURE(message);
    for (const auto& part : test.expected) CHECK_THAT(message, Contains(part));
  }
}

TEST_CASE("validate names the field, the range and the value") {
  ModelSpec good;
  good.layers = good.heads = good.kv_heads = 1;
  good.width = good.ffn = good.vocabulary = good.context = 8;
  good.head_size = 4;
  REQUIRE(validate(good).ok());
  struct Case {
    std::function<void(ModelSpec&)> change;
    const char* field;
  };
  const std::vector<Case> cases = {{[](auto& s) { s.layers = 0; }, "layers"},
                                   {[](auto& s) { s.width = -1; }, "width"},
                                   {[](auto& s) { s.heads = 3, s.kv_heads = 2; }, "kv_heads"},
                                   {[](auto& s) { s.head_size = 5; }, "head_size"},
                                   {[](auto& s) { s.head_size = 512; }, "head_size"},
                                   {[](auto& s) { s.vocabulary = 1 << 30; }, "vocabulary"},
                                   {[](auto& s) { s.logits_shift = 2; }, "logits_shift"},
                                   {[](auto& s) { s.norm_epsilon = 0; }, "norm_epsilon"},
                                   {[](auto& s) { s.rope_theta = NAN; }, "rope_theta"},
                                   {[](auto& s) { s.mask = 8; }, "mask"},
                                   {[](auto& s) { s.bos = -2; }, "bos"},
                                   {[](auto& s) { s.never_generated = {8}; }, "never_generated"}};
  for (const auto& test : cases) {
    ModelSpec bad = good;
    test.change(bad);
    CHECK_THAT(validate(bad).message(), Contains(test.field));
  }
}
