// Tiny models of every family against what tests/golden/make_golden.py computed in float64: files, families, the
// forward and all decoders together, over the plain reference backend. Logits are also compared on every instruction
// set of the CPU backend here, and on the CUDA backend as this machine's processor runs it; their keys and values are
// bfloat16, which in these models moves a logit by up to 0.4, more than the noise the recorded trajectories withstand
// (0.04), so they are not held to their tokens.
#include <catch2/catch.hpp>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "engine/decoding/block_diffusion.h"
#include "engine/decoding/in_place.h"
#include "engine/decoding/speculative.h"
#include "engine/engine.h"
#include "kernels/cpu/backend.h"
#include "kernels/cuda/backend.h"
#include "tests/support/byte_tokenizer.h"
#include "tests/support/decode_all.h"
#include "tests/support/reference_backend.h"

namespace cinnabar::engine {
namespace {

using nlohmann::json;
using Ids = std::vector<std::int32_t>;

const std::string kFolder = CINNABAR_SOURCE_DIR "/tests/golden/models/";
constexpr int kTokens = 264;  // of the models' tokenizers; their matrices have 288 rows
constexpr const char* kModels[] = {"qwen2_block", "qwen3_block",    "fast_dllm",      "llama_gguf",   "qwen2_gguf",
                                   "dream",       "llada",          "dreamon",        "qwen2_gated",  "rope_linear",
                                   "rope_llama3", "rope_yarn",      "rope_partial",   "starcoder2",   "starcoder2_gguf",
                                   "gpt2",        "starcoder_gguf", "granite_code",   "narrow_heads", "mdlm",
                                   "bd3lm",       "llada_moe",      "llada_moe_gguf", "llada2",       "qwen3_moe"};

struct Device {
  std::string name;
  std::unique_ptr<kernels::Backend> backend;
};

std::vector<Device> exact_devices() {
  std::vector<Device> all;
  all.push_back({"reference", tests::make_reference_backend()});
  return all;
}

std::vector<Device> devices() {
  std::vector<Device> all = exact_devices();
  auto cuda = kernels::cuda::make_backend();  // on this machine's processor
  REQUIRE(cuda);
  all.push_back({"cuda", std::move(cuda).value()});
  for (const kernels::cpu::Isa isa : kernels::cpu::available_isas()) {
    auto backend = kernels::cpu::make_backend({.threads = 2, .isa = isa});
    REQUIRE(backend);
    all.push_back({std::string(kernels::cpu::name(isa)), std::move(backend).value()});
  }
  return all;
}

json expected(const std::string& model) {
  std::ifstream file(kFolder + model + "/expected.json");
  REQUIRE(file);
  return json::parse(file);
}

std::unique_ptr<Network> open(const std::string& name, const json& golden, kernels::Backend& backend,
                              const std::string& adapter = "none", kernels::Compute compute = kernels::Compute::f32) {
  const std::string source = golden["model"];
  auto model = load_model(kFolder + name + "/" + source);
  INFO((model ? "" : model.message()));
  REQUIRE(model);
  std::optional<Adapter> gated;
  if (adapter != "none") {
    auto loaded = load_adapter(kFolder + name + "/" + std::string(golden["adapters"][adapter]), model->spec);
    INFO((loaded ? "" : loaded.message()));
    REQUIRE(loaded);
    CHECK(loaded->gated == (adapter == "gated"));
    if (loaded->gated)
      gated = std::move(loaded).value();
    else
      REQUIRE(merge_adapter(*loaded, model->weights));
  }
  auto network = Network::create(*model, gated ? &*gated : nullptr, backend, compute);
  INFO((network ? "" : network.message()));
  REQUIRE(network);
  return std::move(network).value();
}

KvCache cache_of(Network& network, std::int64_t capacity = 256) {
  auto cache = KvCache::create(network, capacity);
  REQUIRE(cache);
  return std::move(cache).value();
}

const Tokenizer& plain_tokenizer() {
  static const tests::ByteTokenizer tokenizer(kTokens, true);
  return tokenizer;
}

// An answer of just so many tokens, which no token and no text ends.
Answer answer_of(const ModelSpec& spec, int tokens) {
  return {plain_tokenizer(), spec, {describe_hole("", "", EndRule::hole), "", tokens}};
}

Ids run(Network& network, Decoding& decoding, DecodeStats* stats = nullptr) {
  Decoding* const all[] = {&decoding};
  const DecodeStats done = tests::decode_all(network, all);
  if (stats != nullptr) *stats = done;
  const auto tokens = decoding.answer().tokens();
  return {tokens.begin(), tokens.end()};
}

Choice choice_of(const json& commit) {
  const std::string rule = commit["rule"];
  if (rule == "threshold") return {Rule::threshold, Confidence::probability, commit["tau"]};
  if (rule == "factor") return {Rule::factor, Confidence::probability, commit["factor"]};
  if (rule == "entropy_bound") return {Rule::entropy_bound, Confidence::probability, commit["bound"]};
  if (rule == "topk_margin") return {Rule::quota, Confidence::margin};
  if (rule == "entropy") return {Rule::quota, Confidence::negative_entropy};
  REQUIRE((rule == "quota" || rule == "llada_quota" || rule == "maskgit_plus"));
  return {Rule::quota, Confidence::probability};
}

TEST_CASE("the files' spec is the family's") {
  for (const char* name : kModels) {
    const json golden = expected(name);
    auto model = load_model(kFolder + name + "/" + std::string(golden["model"]));
    INFO(name << ": " << (model ? "" : model.message()));
    REQUIRE(model);
    const ModelSpec& spec = model->spec;
    const json& want = golden["spec"];
    CHECK(spec.layers == want["layers"]);
    CHECK(spec.width == want["width"]);
    CHECK(spec.heads == want["heads"]);
    CHECK(spec.kv_heads == want["kv_heads"]);
    CHECK(spec.head_size == want["head_size"]);
    CHECK(spec.ffn == want["ffn"]);
    CHECK(spec.vocabulary == want["vocabulary"]);
    CHECK(spec.norm_epsilon == want["norm_epsilon"].get<float>());
    CHECK(spec.rope_theta == want["rope_theta"].get<float>());
    CHECK(spec.qkv_bias == want["qkv_bias"]);
    CHECK(spec.qk_norm == want["qk_norm"]);
    CHECK(spec.layer_norm == want.value("layer_norm", false));
    CHECK(spec.gated_ffn == want.value("gated_ffn", true));
    CHECK(spec.learned_positions == want.value("learned_positions", false));
    CHECK(spec.tied_head == want["tied_head"]);
    CHECK(cinnabar::engine::name(spec.attention) == want["attention"]);
    CHECK(cinnabar::engine::name(spec.infill) == want["infill"]);
    CHECK(spec.rotary == want.value("rotary", 0));
    CHECK(spec.logits_shift == want["logits_shift"]);
    CHECK(spec.mask == want["mask"]);
    CHECK(spec.expand == want["expand"]);
    CHECK(spec.erase == want["erase"]);
    Ids never = spec.never_generated, never_wanted = want["never_generated"];
    std::erase_if(never, [](std::int32_t token) { return token >= kTokens; });
    std::erase_if(never_wanted, [](std::int32_t token) { return token >= kTokens; });
    std::sort(never.begin(), never.end());
    CHECK(never == never_wanted);
  }
}

// Of the entry's judged rows, [rows, V].
std::vector<float> logits_of(const std::string& model, const json& golden, const json& entry, kernels::Backend& backend,
                             kernels::Compute compute) {
  const auto network = open(model, golden, backend, entry["adapter"], compute);
  KvCache cache = cache_of(*network);
  const Ids tokens = entry["tokens"];
  const auto count = static_cast<std::int32_t>(tokens.size());
  const std::int32_t clean = entry["clean"];
  const std::vector<std::int32_t> judged = entry["rows"];
  ForwardSegment segment{&cache.store(), {}};
  for (std::int32_t i = 0; i < count; ++i) {
    const bool wanted = std::find(judged.begin(), judged.end(), i) != judged.end();
    const int block = network->spec().block_length;
    const bool tiled = network->spec().attention == Attention::blocks;
    const std::int32_t limit = tiled ? std::min(count, (i / block + 1) * block) : i < clean ? i + 1 : count;
    segment.rows.push_back({tokens[static_cast<std::size_t>(i)], i, limit, i >= clean, wanted});
  }
  std::vector<float> logits;
  REQUIRE(network->forward_logits({&segment, 1}, logits));
  const auto vocabulary = static_cast<std::size_t>(network->spec().vocabulary);
  REQUIRE(logits.size() == judged.size() * vocabulary);
  return logits;
}

void check_logits(const std::string& model, const json& golden, const json& entry, kernels::Backend& backend) {
  INFO(entry["name"]);
  const std::vector<float> logits = logits_of(model, golden, entry, backend, kernels::Compute::f32);
  const std::size_t judged = entry["rows"].size(), vocabulary = logits.size() / judged;
  const float tolerance = 1e-3f + 2 * entry["bf16_attention_error"].get<float>();
  float worst = 0;
  for (std::size_t r = 0; r < judged; ++r) {
    const std::vector<float> values = entry["values"][r];
    for (std::size_t t = 0; t < vocabulary; ++t)
      worst = std::max(worst, std::abs(logits[r * vocabulary + t] - values[t]));
  }
  CHECK(worst <= tolerance);
  // The reference keeps keys and values in f32: only rounding of the six digits written is left.
  if (backend.description() == "reference") CHECK(worst <= 1e-4f);
}

void check_block_diffusion(const json& entry, Network& network) {
  INFO("block diffusion " << entry["name"]);
  KvCache cache = cache_of(network);
  const auto answer = static_cast<int>(entry["tokens"].size());
  BlockOptions options;
  options.length = entry.value("block", 0);
  options.choice = choice_of(entry["commit"]);
  options.quota = entry["commit"].value("count", 1);
  BlockDiffusion decoding(network, cache, entry["prompt"].get<Ids>(), answer_of(network.spec(), answer), options);
  DecodeStats stats;
  const Ids tokens = run(network, decoding, &stats);
  CHECK(tokens == entry["tokens"].get<Ids>());
  CHECK(stats.nfe == entry["denoise_forwards"]);  // clean rows ride along
}

// The masks behind every number of provisional tokens are a whole block here, as on a device whose rows cost nothing.
void check_remasking(const json& entry, const json& golden) {
  INFO(entry["name"]);
  const auto backend = tests::make_reference_backend(1 << 20);
  const auto network = open("qwen2_gated", golden, *backend, entry["adapter"]);
  KvCache cache = cache_of(*network);
  const json& rule = entry["commit"];
  const Ids wanted = entry["tokens"];
  SpeculativeDecoding decoding(*network, cache, entry["prompt"],
                               answer_of(network->spec(), static_cast<int>(wanted.size())),
                               {.lookup = false, .mask_rows = 100, .block = entry["block"]}, {}, {},
                               {.accept_ratio = rule["keep"], .finish_confidence = rule["sure"]});
  DecodeStats stats;
  CHECK(run(*network, decoding, &stats) == wanted);
  CHECK(stats.nfe == entry["denoise_forwards"]);
  std::vector<int> gained;
  for (const json& step : entry["steps"]) gained.push_back(static_cast<int>(step["commits"].size()));
  CHECK(stats.tokens_per_step == gained);
}

Canvas canvas_of(const Ids& tokens, std::int32_t mask) {
  const auto first = std::find(tokens.begin(), tokens.end(), mask);
  const auto last = std::find_if(first, tokens.end(), [&](std::int32_t t) { return t != mask; });
  return {Ids(tokens.begin(), first), static_cast<int>(last - first), Ids(last, tokens.end()), mask};
}

// The commits of each forward, as [position, token].
std::vector<std::vector<std::pair<int, int>>> record(Network& network, InPlaceDiffusion& decoding, DecodeStats& stats) {
  std::vector<std::vector<std::pair<int, int>>> steps;
  Canvas before = decoding.canvas();
  Decoding* const all[] = {&decoding};
  stats = tests::decode_all(network, all, [&](const auto&) {
    const Canvas& now = decoding.canvas();
    steps.emplace_back();
    for (int p = 0; p < std::min(now.size(), before.size()); ++p) {
      if (before.cell(p) == Cell::masked && now.cell(p) == Cell::unmasked) steps.back().emplace_back(p, now.token(p));
    }
    before = now;
  });
  return steps;
}

void check_in_place(const json& entry, Network& network) {
  INFO("in place " << entry["name"]);
  KvCache cache = cache_of(network);
  const json& commit = entry["commit"];
  InPlaceOptions options;
  options.choice = choice_of(commit);
  options.block_length = commit.value("block", 1000);
  options.steps = commit.value("steps", 1000);
  if (commit["rule"] == "llada_quota")
    options.quota = Quota::even;
  else if (commit["rule"] != "threshold")
    options.quota = Quota::timestep;
  InPlaceDiffusion decoding(network, cache, canvas_of(entry["canvas"], network.spec().mask),
                            {answer_of(network.spec(), 1000)}, options);
  DecodeStats stats;
  const auto steps = record(network, decoding, stats);
  CHECK(steps == entry["steps"].get<std::vector<std::vector<std::pair<int, int>>>>());
  CHECK(Ids(decoding.canvas().tokens().begin(), decoding.canvas().tokens().end()) == entry["result"].get<Ids>());
  CHECK(stats.nfe == entry["forwards"]);
}

void check_expand_erase(const json& entry, Network& network) {
  INFO("expand and erase " << entry["name"]);
  KvCache cache = cache_of(network);
  InPlaceOptions options;
  options.choice = {Rule::quota, Confidence::negative_entropy};
  options.block_length = 1000;
  options.steps = entry["max_steps"];
  options.longest_hole = entry["limit"];
  options.broadcast_erase = entry["broadcast_erase"];
  const Canvas canvas(entry["prefix"].get<Ids>(), entry["masks"], entry["suffix"].get<Ids>(), network.spec().mask);
  InPlaceDiffusion decoding(network, cache, canvas, {answer_of(network.spec(), 1000)}, options);
  std::vector<Ids> middles, wanted;
  for (const json& step : entry["steps"]) wanted.push_back(step["middle"]);
  Decoding* const all[] = {&decoding};
  const DecodeStats done = tests::decode_all(network, all, [&](const auto&) {
    middles.emplace_back(decoding.canvas().hole().begin(), decoding.canvas().hole().end());
  });
  CHECK(middles == wanted);
  CHECK(done.nfe == entry["forwards"]);
}

TEST_CASE("logits") {
  for (const Device& device : devices()) {
    for (const char* name : kModels) {
      INFO(device.name << " " << name);
      const json golden = expected(name);
      for (const json& entry : golden["logits"]) check_logits(name, golden, entry, *device.backend);
    }
  }
}

// The root of the mean square of the difference, in relation to that of `expected`.
double relative_distance(const std::vector<float>& got, const std::vector<float>& expected) {
  REQUIRE(got.size() == expected.size());
  double apart = 0, size = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    apart += std::pow(double{got[i]} - expected[i], 2);
    size += std::pow(double{expected[i]}, 2);
  }
  return std::sqrt(apart / size);
}

// Of a mixture a rounding apart may choose another expert, so mixtures are not held to this.
TEST_CASE("logits of weights of 4 bits are the reference's of the same weights, but for roundings to bf16") {
  const auto reference = tests::make_reference_backend();
  for (const Device& device : devices()) {
    if (device.name != "cuda" && device.name != "plain") continue;
    for (const char* name : kModels) {
      const json golden = expected(name);
      for (const json& entry : golden["logits"]) {
        INFO(device.name << " " << name << " " << entry["name"]);
        if (open(name, golden, *reference)->spec().experts.count > 0) continue;
        const auto exact = logits_of(name, golden, entry, *reference, kernels::Compute::int4);
        const auto got = logits_of(name, golden, entry, *device.backend, kernels::Compute::int4);
        CHECK(relative_distance(got, exact) < 0.04);
      }
    }
  }
}

// The door that `infill --logits` writes: of a decoding's first forward, every judged row's logits.
TEST_CASE("logits as a decoding's step gives them away") {
  for (const char* name : {"dream", "llada", "dreamon"}) {
    const json golden = expected(name);
    const auto backend = tests::make_reference_backend();
    const auto network = open(name, golden, *backend);
    for (const json& entry : golden["logits"]) {
      INFO(name << " " << entry["name"]);
      KvCache cache = cache_of(*network);
      InPlaceDiffusion decoding(*network, cache, canvas_of(entry["tokens"], network->spec().mask),
                                {answer_of(network->spec(), 1000)}, {});
      Decoding* const all[] = {&decoding};
      const std::vector<std::int32_t> rows = entry["rows"];
      int compared = 0;
      REQUIRE(run_step(*network, all, {}, [&](std::int32_t slot, std::span<const float> logits) {
        const auto row = std::find(rows.begin(), rows.end(), slot);
        if (row == rows.end()) return;
        const std::vector<float> values = entry["values"][static_cast<std::size_t>(row - rows.begin())];
        REQUIRE(logits.size() == values.size());
        for (std::size_t t = 0; t < values.size(); ++t) REQUIRE(std::abs(logits[t] - values[t]) <= 2e-3f);
        ++compared;
      }));
      CHECK(compared >= 1);
    }
  }
}

TEST_CASE("autoregressive decoding") {
  for (const Device& device : exact_devices()) {
    for (const char* name : kModels) {
      INFO(device.name << " " << name);
      const json golden = expected(name);
      if (golden["autoregressive"].empty()) continue;
      const auto network = open(name, golden, *device.backend);
      for (const json& entry : golden["autoregressive"]) {
        const Ids wanted = entry["tokens"];
        KvCache cache = cache_of(*network);
        SpeculativeDecoding decoding(*network, cache, entry["prompt"],
                                     answer_of(network->spec(), static_cast<int>(wanted.size())), kNoDraft, {});
        DecodeStats stats;
        CHECK(run(*network, decoding, &stats) == wanted);
        CHECK(stats.nfe == static_cast<int>(wanted.size()));
      }
    }
  }
}

TEST_CASE("block diffusion") {
  for (const Device& device : exact_devices()) {
    for (const char* name : kModels) {
      INFO(device.name << " " << name);
      const json golden = expected(name);
      for (const json& entry : golden["block_diffusion"]) {
        check_block_diffusion(entry, *open(name, golden, *device.backend, entry.value("adapter", "none")));
      }
    }
  }
}

// Rows go through experts in groups that depend on who else is there; what comes out must not.
TEST_CASE("a row's logits do not depend on the rows beside it, with experts, too") {
  for (const Device& device : devices()) {
    for (const char* name : {"llada_moe", "llada2", "qwen3_moe"}) {
      INFO(device.name << " " << name);
      const json golden = expected(name);
      const auto network = open(name, golden, *device.backend);
      KvCache cache = cache_of(*network);
      const Ids tokens = golden["logits"][0]["tokens"];
      ForwardSegment all{&cache.store(), {}};
      for (std::int32_t i = 0; i < std::ssize(tokens); ++i)
        all.rows.push_back({tokens[static_cast<std::size_t>(i)], i, i + 1, false, true});
      std::vector<float> together, alone;
      REQUIRE(network->forward_logits({&all, 1}, together));
      const auto vocabulary = static_cast<std::size_t>(network->spec().vocabulary);
      for (std::size_t i = 0; i < all.rows.size(); ++i) {
        ForwardSegment one{&cache.store(), {all.rows[i]}};
        REQUIRE(network->forward_logits({&one, 1}, alone));
        CHECK(std::equal(alone.begin(), alone.end(), together.begin() + static_cast<std::ptrdiff_t>(i * vocabulary)));
      }
    }
  }
}

// What `infill` does: files to text by whatever decodes the family by default.
TEST_CASE("every family's folder fills a hole in its default mode") {
  for (const char* name : {"qwen2_block", "qwen3_block", "fast_dllm", "dream", "llada", "dreamon", "starcoder2", "gpt2",
                           "granite_code", "narrow_heads", "mdlm", "bd3lm", "llada_moe", "llada2", "qwen3_moe"}) {
    INFO(name);
    EngineOptions options;
    options.model = kFolder + name + "/" + std::string(expected(name)["model"]);
    options.context = 256;
    options.device.cpu.threads = 1;
    auto engine = Engine::open(options);
    INFO((engine ? "" : engine.message()));
    REQUIRE(engine);
    InfillRequest request;
    request.prefix = "a = ";
    request.suffix = "\n";
    request.max_tokens = 6;
    const auto result = (*engine)->infill(request, {});
    INFO((result ? "" : result.message()));
    REQUIRE(result);
  }
}

TEST_CASE("denoising with remasking") {
  const json golden = expected("qwen2_gated");
  for (const json& entry : golden["remasking"]) check_remasking(entry, golden);
}

TEST_CASE("in place: quotas, thresholds, expand and erase") {
  for (const Device& device : exact_devices()) {
    for (const char* name : kModels) {
      INFO(device.name << " " << name);
      const json golden = expected(name);
      if (golden["in_place"].empty() && golden["expand_erase"].empty()) continue;
      const auto network = open(name, golden, *device.backend);
      for (const json& entry : golden["in_place"]) check_in_place(entry, *network);
      for (const json& entry : golden["expand_erase"]) check_expand_erase(entry, *network);
    }
  }
}

}  // namespace
}  // namespace cinnabar::engine
