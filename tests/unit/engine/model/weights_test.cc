#include "engine/model/weights.h"

#include <catch2/catch.hpp>

#include "engine/model/gguf.h"
#include "engine/model/row_order.h"
#include "tests/support/model_files.h"

using namespace cinnabar::engine;
using namespace cinnabar::test;
using Catch::Contains;
using cinnabar::kernels::StoredMatrix;

namespace {

std::vector<float> values(const StoredMatrix& matrix) {
  std::vector<float> out(static_cast<std::size_t>(matrix.rows * matrix.cols));
  cinnabar::kernels::dequantize(matrix.dtype, matrix.data, out.data(), matrix.rows * matrix.cols);
  return out;
}

const TinyTensor& named(const std::vector<TinyTensor>& tensors, const std::string& name) {
  for (const auto& tensor : tensors)
    if (tensor.name == name) return tensor;
  throw std::runtime_error(name);
}

// What binding the tiny model says after `change` of its tensors.
std::string message_of(const std::function<void(std::vector<TinyTensor>&)>& change) {
  auto tensors = tiny_tensors(true, true);
  change(tensors);
  GgufWriter writer = tiny_gguf_config("qwen2");
  add_tensors(writer, tensors);
  const auto bytes = writer.bytes();
  const auto checkpoint = parse_gguf(bytes);
  const auto spec = read_spec(*checkpoint);
  REQUIRE(spec.ok());
  const auto weights = bind_weights(*checkpoint, *spec);
  return weights.ok() ? "no error" : weights.message();
}

}  // namespace

TEST_CASE("a GGUF model's tensors come to their places") {
  const ModelFolder folder;
  const auto model = load_model(folder.write("m.gguf", tiny_gguf("qwen2", true)));
  REQUIRE(model.ok());
  const auto tensors = tiny_tensors(true, true);
  const Weights& weights = model->weights;
  REQUIRE(weights.layers.size() == 2);
  const LayerWeights& layer = weights.layers[1];
  const std::pair<const StoredMatrix*, const char*> matrices[] = {
      {&weights.embedding, "token_embd.weight"},
      {&weights.head, "token_embd.weight"},
      {&layer.matrices[Product::query], "blk.1.attn_q.weight"},
      {&layer.matrices[Product::key], "blk.1.attn_k.weight"},
      {&layer.matrices[Product::value], "blk.1.attn_v.weight"},
      {&layer.matrices[Product::attention_output], "blk.1.attn_output.weight"},
      {&layer.matrices[Product::gate], "blk.1.ffn_gate.weight"},
      {&layer.matrices[Product::up], "blk.1.ffn_up.weight"},
      {&layer.matrices[Product::down], "blk.1.ffn_down.weight"}};
  for (const auto& [matrix, name] : matrices) {
    CAPTURE(name);
    CHECK(values(*matrix) == named(tensors, name).values);
    CHECK(std::vector<std::int64_t>{matrix->rows, matrix->cols} == named(tensors, name).shape);
  }
  CHECK(layer.attention_norm == named(tensors, "blk.1.attn_norm.weight").values);
  CHECK(layer.ffn_norm == named(tensors, "blk.1.ffn_norm.weight").values);
  CHECK(layer.biases[Product::query] == named(tensors, "blk.1.attn_q.bias").values);
  CHECK(layer.biases[Product::value] == named(tensors, "blk.1.attn_v.bias").values);
  CHECK(weights.final_norm == named(tensors, "output_norm.weight").values);
  CHECK(weights.owned.empty());
}

TEST_CASE("a folder's model equals the GGUF's, whatever its names begin with") {
  for (const std::string prefix : {"model.", "decoder.", ""}) {
    const ModelFolder folder;
    folder.write("config.json", tiny_config("Qwen2ForCausalLM", "qwen2"));
    SafetensorsWriter writer;
    for (const auto& tensor : tiny_tensors(false, true))
      writer.tensor(prefix + tensor.name.substr(6), tensor.shape, tensor.values);
    folder.write("model.safetensors", writer.bytes());
    const auto model = load_model(folder.path());
    CAPTURE(prefix);
    REQUIRE(model.ok());
    CHECK(values(model->weights.layers[1].matrices[Product::down]) ==
          named(tiny_tensors(true, true), "blk.1.ffn_down.weight").values);
    CHECK(model->weights.layers[0].biases[Product::key] == named(tiny_tensors(true, true), "blk.0.attn_k.bias").values);
  }
}

TEST_CASE("LLaDA's names") {
  constexpr std::int64_t kWidth = 16, kFfn = 20, kRows = 8;
  const ModelFolder folder;
  folder.write("config.json",
               R"({"architectures": ["LLaDAModelLM"], "model_type": "llada", "n_layers": 1, "d_model": 16, "n_heads": 4,
                   "n_kv_heads": 4, "mlp_hidden_size": 20, "vocab_size": 8, "max_sequence_length": 64,
                   "weight_tying": false, "mask_token_id": 6})");
  SafetensorsWriter writer;
  const auto add = [&](const std::string& name, std::int64_t rows, std::int64_t cols, int start) {
    writer.tensor("model.transformer." + name + ".weight", {rows, cols}, counted(rows * cols, start));
  };
  add("wte", kRows, kWidth, 0);
  add("ff_out", kRows, kWidth, 7000);
  writer.tensor("model.transformer.ln_f.weight", {kWidth}, counted(kWidth, 1));
  for (const char* norm : {"attn_norm", "ff_norm"})
    writer.tensor(std::string("model.transformer.blocks.0.") + norm + ".weight", {kWidth}, counted(kWidth, 2));
  for (const char* name : {"q_proj", "k_proj", "v_proj", "attn_out"})
    add(std::string("blocks.0.") + name, kWidth, kWidth, 1000);
  add("blocks.0.ff_proj", kFfn, kWidth, 2000);
  add("blocks.0.up_proj", kFfn, kWidth, 3000);
  add("blocks.0.ff_out", kWidth, kFfn, 4000);
  folder.write("model.safetensors", writer.bytes());
  const auto model = load_model(folder.path());
  REQUIRE(model.ok());
  CHECK(values(model->weights.head)[0] == 1750);
  CHECK(values(model->weights.layers[0].matrices[Product::gate])[0] == 500);
  CHECK(values(model->weights.layers[0].matrices[Product::down])[0] == 1000);
}

TEST_CASE("wrong, missing and unknown tensors are named with both shapes") {
  CHECK(message_of([](auto&) {}) == "no error");
  CHECK_THAT(message_of([](auto& t) { t.erase(t.begin() + 2); }),
             Contains("'blk.0.attn_q.weight'") && Contains("expected shape [16, 12]") && Contains("found none"));
  CHECK_THAT(message_of([](auto& t) {
               t[2].shape = {12, 16};
             }),
             Contains("'blk.0.attn_q.weight'") && Contains("[16, 12]") && Contains("found [12, 16]"));
  CHECK_THAT(message_of([](auto& t) { t[1].shape = {1, 12}; }), Contains("'blk.0.attn_norm.weight'"));
  CHECK_THAT(message_of([](auto& t) {
               t.push_back({"blk.0.attn_sinks.bias", {12}, counted(12, 0)});
             }),
             Contains("'blk.0.attn_sinks.bias'") && Contains("not expected"));
  CHECK_THAT(message_of([](auto& t) {
               t.push_back({"blk.2.attn_q.weight", {16, 12}, counted(192, 0)});
             }),
             Contains("'blk.2.attn_q.weight'"));
}

TEST_CASE("a llama-type GGUF's query and key rows go back to rotate-half order") {
  const ModelFolder folder;
  const auto model = load_model(folder.write("m.gguf", tiny_gguf("llama", true)));
  REQUIRE(model.ok());
  const auto tensors = tiny_tensors(true, true);
  const auto stored = named(tensors, "blk.0.attn_k.weight").values;
  const auto bound = values(model->weights.layers[0].matrices[Product::key]);
  // Heads of 4: stored order of a head is (half 0, pair 0), (half 1, pair 0), (half 0, pair 1), (half 1, pair 1).
  const int from[] = {0, 2, 1, 3, 4, 6, 5, 7};
  for (std::size_t row = 0; row < 8; ++row)
    for (std::size_t col = 0; col < 12; ++col)
      REQUIRE(bound[row * 12 + col] == stored[static_cast<std::size_t>(from[row]) * 12 + col]);
  const auto bias = named(tensors, "blk.0.attn_q.bias").values;
  CHECK(model->weights.layers[0].biases[Product::query][1] == bias[2]);
  CHECK(values(model->weights.layers[0].matrices[Product::value]) == named(tensors, "blk.0.attn_v.weight").values);
}

TEST_CASE("the default model's parts") {
  const std::string folder = CINNABAR_SOURCE_DIR "/models/default";
  const auto model = load_model(folder);
  REQUIRE(model.ok());
  CHECK(model->spec.vocabulary == 40960);
  CHECK(model->spec.mask == 40918);
  CHECK(model->spec.end_of_text == 40896);
  CHECK(model->spec.fim_middle == 40913);
  CHECK(model->spec.attention == Attention::block_causal);
  CHECK(model->spec.infill == InfillLayout::suffix_then_prefix);
  CHECK(model->spec.logits_shift == 1);
  CHECK(model->spec.hole_end == -1);
  CHECK(model->weights.layers.size() == 24);
  CHECK(model->weights.head.dtype == cinnabar::kernels::DType::q8_0);
}
