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

// A LLaDA2 folder's configuration with 8 experts, and `more`.
std::string mixture(const std::string& more) {
  return tiny_config("LLaDA2MoeModelLM", "llada2_moe", R"(, "num_experts": 8, "moe_intermediate_size": 4, )" + more);
}

void add_tokens(GgufWriter& writer) {
  writer.set("tokenizer.ggml.tokens",
             std::vector<std::string>{"<|fim_prefix|>", "<|fim_middle|>", "<|endoftext|>", "<|fim_suffix|>",
                                      "<|im_end|>", "  ", "<tool_call>", "x"});
  writer.set("tokenizer.ggml.token_type", std::vector<std::int32_t>{3, 3, 3, 3, 3, 4, 4, 5});
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
  CHECK_THAT(gguf_spec("gemma3").message(), Contains("'gemma3'") && Contains("not supported") && Contains("qwen2"));
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
    writer.set("cinnabar.hole_end_token_id", std::uint32_t{5});
  });
  REQUIRE(spec.ok());
  CHECK(spec->logits_shift == 0);
  CHECK(spec->mask == 7);
  CHECK(spec->attention == Attention::full);
  CHECK(spec->infill == InfillLayout::in_place);
  CHECK(spec->block_length == 8);
  CHECK(spec->hole_end == 5);
}

TEST_CASE("tokens give ids, layout and what is never generated") {
  const auto spec = gguf_spec("qwen2", [](GgufWriter& writer) {
    add_tokens(writer);
    writer.set("tokenizer.ggml.eos_token_id", std::uint32_t{4});
  });
  REQUIRE(spec.ok());
  CHECK(spec->fim_suffix == 3);
  CHECK(spec->infill == InfillLayout::prefix_then_suffix);
  // A hole ends with the end of text, not with the end of a chat turn.
  CHECK(spec->end_of_text == 2);
  // Runs of spaces are text though the vocabulary calls them user-defined.
  CHECK(spec->never_generated == std::vector<std::int32_t>{0, 1, 3, 4, 6, 7});
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
      {[](auto& w) { w.set("qwen2.rope.scaling.type", "longrope"); }, {"rope.scaling.type", "not supported"}},
      {[](auto& w) { w.set("qwen2.rope.scaling.type", "yarn"); }, {"rope.scaling.type", "factor"}},
      {[](auto& w) { w.set("qwen2.final_logit_softcapping", 30.0f); }, {"final_logit_softcapping", "30"}},
      {[](auto& w) { w.set("qwen2.logit_scale", 2.0f); }, {"logit_scale"}},
      {[](auto& w) { w.set("qwen2.attention.sliding_window", std::uint32_t{32}); }, {"sliding_window"}},
      {[](auto& w) {
         w.tensor("rope_freqs.weight", {3}, {1, 1, 1});
       },
       {"rope_freqs.weight"}},
      {[](auto& w) { w.set("qwen2.rope.dimension_count", std::uint32_t{6}); }, {"rotary", "found 6"}},
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
      {"Fast_dLLM_QwenForCausalLM", "Fast_dLLM_Qwen", "fast-dllm", Attention::blocks, 1, 32},
      {"A2DQwen2LMHeadModel", "a2d-qwen2", "a2d-qwen2", Attention::full, 0, 32},
      {"A2DQwen3LMHeadModel", "a2d-qwen3", "a2d-qwen3", Attention::full, 0, 32},
      {"SDARForCausalLM", "sdar", "sdar", Attention::blocks, 0, 4},
      {"StableDiffcoderForCausalLM", "llama", "stable-diffcoder", Attention::blocks, 0, 4},
      {"MistralForCausalLM", "mistral", "mistral", Attention::block_causal, 1, 32},
      {"CoDALanguageModel", "CoDA", "coda", Attention::full, 1, 32},
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
  CHECK_THAT(folder_spec(R"({"architectures": ["LLaDAOtherMoEModelLM"], )" + sizes).message(),
             Contains("'LLaDAOtherMoEModelLM'"));
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
      {qwen(R"(, "rope_scaling": {"type": "dynamic", "factor": 2})"), {"rope_scaling", "'dynamic'"}},
      {qwen(R"(, "rope_scaling": {"type": "yarn"})"), {"rope_scaling", "factor"}},
      {qwen(R"(, "partial_rotary_factor": 2)"), {"partial_rotary_factor", "2"}},
      {qwen(R"(, "activation_type": "gelu")"), {"activation_type", "'gelu'"}},
      {qwen(R"(, "num_experts": 8)"), {"num_experts", "mixture of experts"}},
      {tiny_config("LLaDA2MoeModelLM", "llada2_moe"), {"'num_experts'", "1 or more"}},
      {mixture(R"("num_experts_per_tok": 9)"), {"experts used", "1 to 8", "found 9"}},
      {mixture(R"("num_experts_per_tok": 2, "n_group": 3)"), {"groups of experts", "divisor of 8", "found 3"}},
      {mixture(R"("num_experts_per_tok": 5, "n_group": 2, "topk_group": 1)"), {"at most the 4", "found 5"}},
      {mixture(R"("num_experts_per_tok": 2, "n_group": 2, "topk_group": 3)"), {"groups of experts used", "found 3"}},
      {mixture(R"("num_experts_per_tok": 2, "score_function": "tanh")"), {"score_function", "'tanh'"}},
      {mixture(R"("num_experts_per_tok": 2, "routed_scaling_factor": -1)"), {"scale of experts"}},
      {mixture(R"("num_experts_per_tok": 2, "moe_layer_freq": [1, 0])"), {"moe_layer_freq", "dense layers behind"}},
      {mixture(R"("num_experts_per_tok": 2, "first_k_dense_replace": 3)"), {"dense layers", "found 3"}},
      {mixture(R"("num_experts_per_tok": 2, "decoder_sparse_step": 2)"), {"decoder_sparse_step"}},
      {tiny_config("MixtralForCausalLM", "mixtral"), {"mixture of experts"}},
      {R"({"architectures": ["MDLM"], "n_blocks": 1, "hidden_dim": 8, "n_heads": 2, "vocab_size": 8, "model_length": 16,
           "time_conditioning": true})",
       {"time_conditioning", "false"}},
      {R"({"graph": {"type": "absorb"}, "noise": {}, "model": {"type": "ddit"}})", {"SEDD"}},
      {R"({"hidden_size": 8})", {"neither 'architectures' nor 'model_type'"}},
      {qwen(R"(, "final_logit_softcapping": 30.0)"), {"final_logit_softcapping", "30"}},
      {qwen(R"(, "logits_scaling": 8)"), {"logits_scaling", "8"}},
      {qwen(R"(, "embedding_multiplier": 12)"), {"embedding_multiplier"}},
      {qwen(R"(, "residual_multiplier": 0.22)"), {"residual_multiplier"}},
      {qwen(R"(, "scale_logits": true)"), {"scale_logits"}},
      {qwen(R"(, "input_emb_norm": true)"), {"input_emb_norm"}},
      {qwen(R"(, "alibi": true)"), {"alibi"}},
      {qwen(R"(, "rope": false)"), {"rope"}},
      {qwen(R"(, "attention_layer_norm": true)"), {"attention_layer_norm"}},
      {qwen(R"(, "layer_norm_type": "default")"), {"layer_norm_type", "default"}},
      {qwen(R"(, "clip_qkv": 8)"), {"clip_qkv"}},
      {qwen(R"(, "quantization_config": {"quant_method": "gptq"})"), {"quantization_config"}},
      {tiny_config("MistralForCausalLM", "mistral", R"(, "sliding_window": 0)"), {"sliding_window", "0"}},
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

TEST_CASE("switches with the value that is understood are no hindrance") {
  CHECK(folder_spec(tiny_config("Qwen2ForCausalLM", "qwen2",
                                R"(, "final_logit_softcapping": null, "logits_scaling": 1.0, "alibi": false,
                                    "layer_norm_type": "rms", "clip_qkv": null, "use_sliding_window": false,
                                    "sliding_window": 32)"))
            .ok());
  CHECK(folder_spec(tiny_config("MistralForCausalLM", "mistral", R"(, "sliding_window": null)")).ok());
}

TEST_CASE("tags in the tokenizer give the order that their models were trained with") {
  struct Case {
    std::string architecture, prefix, suffix, middle;
    InfillLayout layout;
    std::string more = "";
  };
  using enum InfillLayout;
  const std::vector<Case> cases = {
      {"Qwen2ForCausalLM", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", prefix_then_suffix},
      {"LlamaForCausalLM", "<fim_prefix>", "<fim_suffix>", "<fim_middle>", suffix_tag_first},   // Mellum
      {"LlamaForCausalLM", "<fim_prefix>", "<fim_suffix>", "<fim_middle>", prefix_then_suffix,  // Granite
       R"(, "mlp_bias": true)"},
      {"LlamaForCausalLM", "<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>", suffix_tag_first},    // Seed-Coder
      {"LlamaForCausalLM", "<｜fim▁begin｜>", "<｜fim▁hole｜>", "<｜fim▁end｜>", prefix_then_suffix},  // DeepSeek-Coder
      {"LlamaForCausalLM", "▁<PRE>", "▁<SUF>", "▁<MID>", prefix_then_suffix},                          // Code Llama
      {"MistralForCausalLM", "[PREFIX]", "[SUFFIX]", "", suffix_tag_first},                            // Codestral
      {"LlamaForCausalLM", "<fim_prefix>", "", "", prefix_only},  // one tag alone says nothing
      {"LlamaForCausalLM", "<x>", "<y>", "<z>", prefix_only},
      {"DreamModel", "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", in_place, R"(, "mask_token_id": 7)"},
  };
  for (const auto& test : cases) {
    CAPTURE(test.architecture, test.prefix);
    std::string added = R"({"added_tokens": [{"id": 3, "content": ")" + test.prefix + R"("})";
    if (!test.suffix.empty()) added += R"(, {"id": 4, "content": ")" + test.suffix + R"("})";
    if (!test.middle.empty()) added += R"(, {"id": 5, "content": ")" + test.middle + R"("})";
    const auto spec = folder_spec(tiny_config(test.architecture, "x", test.more), {{"tokenizer.json", added + "]}"}});
    REQUIRE(spec.ok());
    CHECK(spec->infill == test.layout);
    if (test.layout == prefix_only) continue;
    CHECK(spec->fim_prefix == 3);
    CHECK(spec->fim_suffix == 4);
    CHECK(spec->fim_middle == (test.middle.empty() ? -1 : 5));
    CHECK(check_tokens(*spec).ok());
    CHECK(spec->spaced_prefix == (test.prefix == "▁<PRE>"));
  }
}

TEST_CASE("GGUF files name tags by id, and Mellum's order by its pre-tokenizer") {
  const auto layout = [](const char* pre) {
    return gguf_spec("llama",
                     [&](GgufWriter& writer) {
                       writer.set("tokenizer.ggml.tokens",
                                  std::vector<std::string>{"a", "<fim_prefix>", "<fim_middle>", "<fim_suffix>", "b",
                                                           "c", "d", "e"});
                       writer.set("tokenizer.ggml.token_type", std::vector<std::int32_t>{1, 3, 3, 3, 1, 1, 1, 1});
                       writer.set("tokenizer.ggml.pre", pre);
                     })
        ->infill;
  };
  CHECK(layout("mellum") == InfillLayout::suffix_tag_first);
  CHECK(layout("refact") == InfillLayout::prefix_then_suffix);
  const auto by_id = gguf_spec("llama", [](GgufWriter& writer) {
    writer.set("tokenizer.ggml.fim_pre_token_id", std::uint32_t{1});
    writer.set("tokenizer.ggml.fim_mid_token_id", std::uint32_t{2});
    writer.set("tokenizer.ggml.fim_suf_token_id", std::uint32_t{3});
  });
  CHECK(by_id->infill == InfillLayout::prefix_then_suffix);
  CHECK(by_id->fim_suffix == 3);
}

TEST_CASE("the tokenizer's own first token wins over the configuration's") {
  const auto spec = [](const std::string& architecture, const std::string& tokenizer) {
    return folder_spec(
        tiny_config(architecture, "x", R"(, "bos_token_id": 2, "mask_token_id": 7)"),
        {{"added_tokens.json", R"({"<|beginoftext|>": 6, "<s>": 5})"}, {"tokenizer_config.json", tokenizer}});
  };
  CHECK(spec("DreamModel", "{}")->bos == 6);
  CHECK(spec("LlamaForCausalLM", "{}")->bos == 2);
  const auto own = spec("LlamaForCausalLM", R"({"bos_token": {"content": "<s>"}, "add_bos_token": true})");
  CHECK(own->bos == 5);
  CHECK(own->bos_first);
  CHECK_FALSE(spec("LlamaForCausalLM", R"({"bos_token": "<s>", "add_bos_token": false})")->bos_first);
}

TEST_CASE("the class tells Stable-DiffCoder from Seed-Coder, whose vocabulary has the mask, too") {
  const std::map<std::string, std::string> texts = {{"added_tokens.json", R"({"<[MASK_TOKEN]>": 5})"}};
  const auto diffusion = folder_spec(tiny_config("StableDiffcoderForCausalLM", "llama"), texts);
  REQUIRE(diffusion.ok());
  CHECK(diffusion->family == "stable-diffcoder");
  CHECK(diffusion->mask == 5);
  CHECK(diffusion->logits_shift == 0);
  CHECK(diffusion->block_length == 4);
  const auto plain = folder_spec(tiny_config("LlamaForCausalLM", "llama"), texts);
  CHECK(plain->mask == -1);
  CHECK(plain->logits_shift == 1);
}

TEST_CASE("a model that denoises needs a mask") {
  const auto spec = folder_spec(tiny_config("X", "a2d-qwen3"));
  REQUIRE(spec.ok());
  CHECK(spec->mask == -1);
  CHECK_THAT(check_tokens(*spec).message(), Contains("mask_token_id") && Contains("no mask token"));
  ModelFolder folder;
  folder.write("config.json", tiny_config("X", "a2d-qwen3"));
  folder.write("model.safetensors", tiny_safetensors(false));
  CHECK_THAT(load_model(folder.path()).message(), Contains("no mask token"));
}

TEST_CASE("a sliding window is the context, in which it changes nothing") {
  const auto windowed = folder_spec(tiny_config("MistralForCausalLM", "mistral", R"(, "sliding_window": 32)"));
  CHECK(windowed->context == 32);
  CHECK(windowed->context_is_limit);
  CHECK(folder_spec(tiny_config("MistralForCausalLM", "mistral", R"(, "sliding_window": 100)"))->context == 64);
}

TEST_CASE("DiT folders: sizes under their own names, no key of theirs says the mask") {
  const auto spec =
      folder_spec(R"({"architectures": ["BD3LM"], "model_type": "bd3lm", "n_blocks": 2, "hidden_dim": 64,
      "n_heads": 4, "cond_dim": 8, "vocab_size": 50258, "model_length": 1024, "time_conditioning": false, "block_size": 4,
      "causal": false, "adaln": false})",
                  {{"tokenizer.json", R"({"added_tokens": [{"id": 50256, "content": "<|endoftext|>"}]})"}});
  REQUIRE(spec.ok());
  CHECK(spec->ffn == 256);
  CHECK(spec->kv_heads == 4);
  CHECK(spec->context == 1024);
  CHECK(spec->block_length == 4);
  CHECK(spec->mask == 50257);
  CHECK(spec->bos == 50256);
  CHECK(spec->bos_first);
  CHECK(spec->attention == Attention::blocks);
  CHECK(spec->infill == InfillLayout::prefix_only);
}

TEST_CASE("the router of a mixture of experts, as the file and the family say") {
  const auto spec =
      folder_spec(mixture(R"("num_experts_per_tok": 2, "expert_intermediate_size": 6, "num_shared_experts": 2,
      "n_group": 4, "topk_group": 2, "first_k_dense_replace": 1, "routed_scaling_factor": 2.5)"));
  REQUIRE(spec.ok());
  const Experts& e = spec->experts;
  CHECK(e.count == 8);
  CHECK(e.used == 2);
  CHECK(e.ffn == 6);
  CHECK(e.shared_ffn == 12);
  CHECK(e.dense_layers == 1);
  CHECK(e.sigmoid);
  CHECK(e.renormalise);
  CHECK(e.groups == 4);
  CHECK(e.groups_used == 2);
  CHECK(e.scale == 2.5f);
  const auto gguf = gguf_spec("qwen3moe", [](GgufWriter& w) {
    w.set("qwen3moe.expert_count", std::uint32_t{8});
    w.set("qwen3moe.expert_used_count", std::uint32_t{2});
    w.set("qwen3moe.expert_feed_forward_length", std::uint32_t{6});
  });
  REQUIRE(gguf.ok());
  CHECK(gguf->experts.renormalise);
  CHECK(!gguf->experts.sigmoid);
  CHECK_THAT(gguf_spec("qwen3moe").message(), Contains("expert_count"));
}

TEST_CASE("families without Llama's layers") {
  std::string whole = tiny_config("Starcoder2ForCausalLM", "starcoder2",
                                  R"(, "norm_epsilon": 1e-4, "norm_type": "layer_norm", "mlp_type": "default")");
  CHECK_THAT(folder_spec(whole).message(), Contains("hidden_act") && Contains("gelu_pytorch_tanh"));
  const auto starcoder2 = folder_spec(whole.replace(whole.find("silu"), 4, "gelu_pytorch_tanh"));
  REQUIRE(starcoder2.ok());
  CHECK(starcoder2->layer_norm);
  CHECK(!starcoder2->gated_ffn);
  CHECK(starcoder2->norm_epsilon == 1e-4f);
  const std::string gpt2 = R"({"architectures": ["NAME"], "n_layer": 2, "n_embd": 16, "n_head": 4, "vocab_size": 8,
    "n_positions": 32, "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5 MORE})";
  const auto config = [&](const std::string& name, const std::string& more) {
    std::string text = gpt2;
    text.replace(text.find("NAME"), 4, name);
    return folder_spec(text.replace(text.find("MORE"), 4, more));
  };
  const auto plain = config("GPT2LMHeadModel", "");
  REQUIRE(plain.ok());
  CHECK(plain->learned_positions);
  CHECK(plain->context_is_limit);
  CHECK(plain->ffn == 64);
  CHECK(plain->kv_heads == 4);
  CHECK(plain->context == 32);
  CHECK(config("GPTBigCodeForCausalLM", R"(, "multi_query": true)")->kv_heads == 1);
  const std::pair<const char*, const char*> refused[] = {{R"(, "multi_query": false)", "multi_query"},
                                                         {R"(, "scale_attn_weights": false)", "scale_attn_weights"},
                                                         {R"(, "hidden_act": "gelu")", "gelu_pytorch_tanh"},
                                                         {R"(, "n_inner": 0)", "ffn"}};
  for (const auto& [more, name] : refused) CHECK_THAT(config("GPTBigCodeForCausalLM", more).message(), Contains(name));
  CHECK_THAT(gguf_spec("gpt2", [](GgufWriter& w) { w.set("gpt2.attention.layer_norm_epsilon", "x"); }).message(),
             Contains("layer_norm_epsilon"));
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
