#include <catch2/catch.hpp>
#include <functional>

#include "engine/model/weights.h"
#include "tests/support/model_files.h"

using namespace cinnabar::engine;
using namespace cinnabar::test;
using Catch::Contains;

namespace {

constexpr std::int64_t kRank = 2, kQuery = 16, kWidth = 12;

ModelSpec tiny_spec() {
  const ModelFolder folder;
  return load_model(folder.write("m.gguf", tiny_gguf("qwen2", false)))->spec;
}

GgufWriter adapter_config() {
  GgufWriter writer;
  writer.set("general.type", "adapter");
  writer.set("adapter.type", "lora");
  writer.set("adapter.lora.alpha", 4.0f);
  return writer;
}

void add_pair(GgufWriter& writer, const std::string& name = "blk.1.attn_q") {
  writer.tensor(name + ".weight.lora_a", {kRank, kWidth}, counted(kRank * kWidth, 1));
  writer.tensor(name + ".weight.lora_b", {kQuery, kRank}, counted(kQuery * kRank, 100));
}

}  // namespace

TEST_CASE("a GGUF adapter: scale in B, settings, absent products absent") {
  const ModelFolder folder;
  GgufWriter writer = adapter_config();
  writer.set("cinnabar.adapter.gated", true);
  writer.set("cinnabar.hole_end_token_id", std::uint32_t{3});
  writer.set("cinnabar.block_length", std::uint32_t{8});
  add_pair(writer);
  const auto adapter = load_adapter(folder.write("a.gguf", writer.bytes()), tiny_spec());
  REQUIRE(adapter.ok());
  CHECK(adapter->gated);
  CHECK(adapter->hole_end == 3);
  CHECK(adapter->block_length == 8);
  REQUIRE(adapter->layers.size() == 2);
  CHECK(!adapter->layers[0][Product::query]);
  CHECK(!adapter->layers[1][Product::key]);
  const LowRank& query = *adapter->layers[1][Product::query];
  CHECK(query.rank == kRank);
  CHECK(query.inputs == kWidth);
  CHECK(query.outputs == kQuery);
  CHECK(query.a == counted(kRank * kWidth, 1));
  CHECK(query.b[0] == 25.0f * 4 / kRank);
}

TEST_CASE("a PEFT folder gives the same adapter") {
  const ModelFolder folder;
  folder.write("adapter_config.json", R"({"peft_type": "LORA", "r": 2, "lora_alpha": 4, "cinnabar_gated": true})");
  SafetensorsWriter writer;
  const std::string name = "base_model.model.model.layers.1.self_attn.q_proj.";
  writer.tensor(name + "lora_A.weight", {kRank, kWidth}, counted(kRank * kWidth, 1));
  writer.tensor(name + "lora_B.weight", {kQuery, kRank}, counted(kQuery * kRank, 100));
  folder.write("adapter_model.safetensors", writer.bytes());
  const auto adapter = load_adapter(folder.path(), tiny_spec());
  REQUIRE(adapter.ok());
  CHECK(adapter->gated);
  CHECK(adapter->layers[1][Product::query]->b[0] == 50);
}

TEST_CASE("merging adds B A to the weights, once, in f32") {
  const ModelFolder folder;
  auto model = load_model(folder.write("m.gguf", tiny_gguf("qwen2", false)));
  REQUIRE(model.ok());
  GgufWriter writer = adapter_config();
  add_pair(writer);
  const auto adapter = load_adapter(folder.write("a.gguf", writer.bytes()), model->spec);
  REQUIRE(adapter.ok());
  const auto before = model->weights.layers[1].matrices[Product::query];
  std::vector<float> stored(kQuery * kWidth);
  cinnabar::kernels::dequantize(before.dtype, before.data, stored.data(), kQuery * kWidth);
  REQUIRE(merge_adapter(*adapter, model->weights).ok());
  const auto after = model->weights.layers[1].matrices[Product::query];
  CHECK(after.dtype == cinnabar::kernels::DType::f32);
  CHECK(model->weights.layers[1].matrices[Product::key].data != nullptr);
  const LowRank& part = *adapter->layers[1][Product::query];
  for (std::size_t n = 0; n < kQuery; ++n)
    for (std::size_t k = 0; k < kWidth; ++k) {
      double expected = stored[n * kWidth + k];
      for (std::size_t r = 0; r < kRank; ++r) expected += double{part.b[n * kRank + r]} * part.a[r * kWidth + k];
      float found = 0;
      std::memcpy(&found, after.data + (n * kWidth + k) * sizeof(float), sizeof(found));
      REQUIRE(found == Approx(expected));
    }
}

TEST_CASE("a gated adapter is not merged") {
  const ModelFolder folder;
  auto model = load_model(folder.write("m.gguf", tiny_gguf("qwen2", false)));
  Adapter adapter;
  adapter.gated = true;
  adapter.layers.resize(2);
  CHECK_THAT(merge_adapter(adapter, model->weights).message(), Contains("gated"));
  adapter.gated = false;
  adapter.layers.resize(1);
  CHECK_THAT(merge_adapter(adapter, model->weights).message(), Contains("expected 2 layers, found 1"));
}

TEST_CASE("an interleaved GGUF adapter follows its base's rows") {
  const ModelFolder folder;
  ModelSpec spec = tiny_spec();
  spec.rope_interleaved = true;
  GgufWriter writer = adapter_config();
  add_pair(writer);
  const auto adapter = load_adapter(folder.write("a.gguf", writer.bytes()), spec);
  REQUIRE(adapter.ok());
  const auto stored = counted(kQuery * kRank, 100);
  CHECK(adapter->layers[1][Product::query]->b[1 * kRank] == stored[2 * kRank] * 2);
}

TEST_CASE("adapters that do not fit are refused and named") {
  struct Case {
    std::function<void(GgufWriter&)> change;
    std::vector<std::string> expected;
  };
  const std::vector<float> few = counted(24, 0);
  const std::vector<Case> cases = {
      {[](auto&) {}, {"no low-rank tensors"}},
      {[](auto& w) { add_pair(w, "blk.2.attn_q"); }, {"'blk.2.attn_q.weight.lora_a'", "2 layers"}},
      {[](auto& w) { add_pair(w, "blk.0.ffn_norm"); }, {"'blk.0.ffn_norm.weight.lora_a'"}},
      {[&](auto& w) {
         w.tensor("blk.0.attn_q.weight.lora_a", {2, 12}, few);
       },
       {"lora_a'", "other half"}},
      {[&](auto& w) {
         w.tensor("blk.0.attn_q.weight.lora_a", {2, 12}, few);
         w.tensor("blk.0.attn_q.weight.lora_b", {12, 2}, few);
       },
       {"lora_b'", "expected shape [16, 2]", "found [12, 2]"}},
      {[&](auto& w) {
         w.tensor("blk.0.attn_q.weight.lora_a", {24}, few);
         w.tensor("blk.0.attn_q.weight.lora_b", {12, 2}, few);
       },
       {"lora_a'", "found [24]"}},
      {[](auto& w) { add_pair(w), w.set("cinnabar.hole_end_token_id", std::uint32_t{8}); }, {"hole end", "found 8"}},
      {[](auto& w) { add_pair(w), w.set("cinnabar.block_length", std::uint32_t{0}); }, {"block length"}},
  };
  const ModelFolder folder;
  for (const auto& test : cases) {
    GgufWriter writer = adapter_config();
    test.change(writer);
    const auto adapter = load_adapter(folder.write("a.gguf", writer.bytes()), tiny_spec());
    const std::string message = adapter.ok() ? "no error" : adapter.message();
    CAPTURE(message);
    for (const auto& part : test.expected) CHECK_THAT(message, Contains(part));
  }
  CHECK_THAT(load_adapter(folder.write("m.gguf", tiny_gguf("qwen2", false)), tiny_spec()).message(),
             Contains("general.type") && Contains("'adapter'"));
}
