// Each sampler that a family's authors use, token for token and step for step on twenty inputs, beside what
// tests/golden/make_trajectories.py computed in float64. The options are those that a user gives.
#include <catch2/catch.hpp>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "engine/decoding/block_diffusion.h"
#include "engine/decoding/in_place.h"
#include "tests/support/byte_tokenizer.h"
#include "tests/support/decode_all.h"
#include "tests/support/reference_backend.h"

namespace cinnabar::engine {
namespace {

using nlohmann::json;
using Ids = std::vector<std::int32_t>;

const std::string kFolder = CINNABAR_SOURCE_DIR "/tests/golden/models/";
constexpr int kRoom = 256;  // tokens of a cache, more than any canvas

struct Fixture {
  explicit Fixture(const std::string& name) : backend(tests::make_reference_backend()) {
    auto model = load_model(kFolder + name);
    REQUIRE(model);
    auto created = Network::create(*model, nullptr, *backend, kernels::Compute::f32);
    REQUIRE(created);
    network = std::move(created).value();
    auto made = KvCache::create(*network, kRoom);
    REQUIRE(made);
    cache.emplace(std::move(made).value());
  }
  Answer answer(int tokens) const {
    return {tokenizer, network->spec(), {describe_hole("", "", EndRule::hole), "", tokens}};
  }
  std::unique_ptr<kernels::Backend> backend;
  std::unique_ptr<Network> network;
  std::optional<KvCache> cache;
  tests::ByteTokenizer tokenizer{264, true};
};

// What a run of this rule is asked for.
DenoiseOptions options_of(const json& commit) {
  const std::string rule = commit["rule"];
  DenoiseOptions options;
  if (commit.contains("block")) options.block = commit["block"].get<int>();
  if (commit.contains("sub_block")) options.sub_block = commit["sub_block"].get<int>();
  if (commit.contains("steps")) options.steps = commit["steps"].get<int>();
  if (commit.contains("count")) options.quota = commit["count"].get<int>();
  if (commit.contains("tau")) options.threshold = commit["tau"].get<float>();
  if (commit.contains("factor")) options.factor = commit["factor"].get<float>();
  if (commit.contains("bound")) options.entropy_bound = commit["bound"].get<float>();
  if (commit.contains("eps")) options.schedule = Quota::timestep;
  if (commit.contains("limit")) options.block = 1024, options.longest_hole = commit["limit"].get<int>();
  if (commit.contains("broadcast")) options.broadcast = commit["broadcast"].get<bool>();
  if (commit.contains("remasked")) options.remask_count = commit["remasked"].get<int>();
  if (commit.contains("again")) options.remask_steps = commit["again"].get<int>();
  if (commit.contains("tau_back")) options.remask_threshold = commit["tau_back"].get<float>();
  if (rule == "p2") options.remask = Remask::p2;
  if (rule == "wino") options.remask = Remask::wino;
  if (rule == "remdm") options.remask = Remask::remdm, options.quota = 1;
  if (rule == "topk_margin" || commit.value("confidence", "") == "margin") options.confidence = Confidence::margin;
  if (rule == "entropy") options.confidence = Confidence::negative_entropy;
  return options;
}

// What each step of a decoding has changed, as [position, token, ...], a mask being a token, too; `first`: the position
// of the view's first token.
std::vector<Ids> steps_of(const Fixture& f, Decoding& decoding, int first) {
  std::vector<Ids> steps;
  std::map<int, std::int32_t> known;
  Decoding* const all[] = {&decoding};
  tests::decode_all(*f.network, all, [&](const DecodeStats&) {
    steps.emplace_back();
    const auto shown = decoding.view();
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const int position = first + static_cast<int>(i);
      const std::int32_t mask = f.network->spec().mask, token = shown[i].token < 0 ? mask : shown[i].token;
      if (std::exchange(known.try_emplace(position, mask).first->second, token) == token) continue;
      steps.back().insert(steps.back().end(), {position, token});
    }
  });
  return steps;
}

std::vector<Ids> run_in_place(Fixture& f, const json& run, const DenoiseOptions& options) {
  const Ids tokens = run["canvas"];
  const std::int32_t mask = f.network->spec().mask;
  const auto begin = std::find(tokens.begin(), tokens.end(), mask);
  const auto masks = std::count(tokens.begin(), tokens.end(), mask);
  const Canvas canvas(Ids(tokens.begin(), begin), static_cast<int>(masks), Ids(begin + masks, tokens.end()), mask);
  InPlaceDiffusion decoding(*f.network, *f.cache, canvas, {f.answer(1000)}, in_place_options(options));
  return steps_of(f, decoding, canvas.hole_begin());
}

std::vector<Ids> run_blocks(Fixture& f, const json& run, const DenoiseOptions& options) {
  const Ids prompt = run["prompt"];
  int last = 0;
  for (const json& step : run["steps"])
    for (std::size_t i = 0; i < step.size(); i += 2) last = std::max(last, step[i].get<int>());
  const int answer = last + 1 - static_cast<int>(prompt.size());
  f.cache->truncate(0);
  BlockDiffusion decoding(*f.network, *f.cache, prompt, f.answer(answer), block_options(options));
  return steps_of(f, decoding, static_cast<int>(prompt.size()));
}

// The hole's tokens after each step, of a model whose tokens lengthen and shorten it.
std::vector<Ids> run_growing(Fixture& f, const json& run, int masks, const DenoiseOptions& options) {
  const Canvas canvas(run["prefix"].get<Ids>(), masks, run["suffix"].get<Ids>(), f.network->spec().mask);
  InPlaceDiffusion decoding(*f.network, *f.cache, canvas, {f.answer(1000)}, in_place_options(options));
  std::vector<Ids> steps;
  Decoding* const all[] = {&decoding};
  tests::decode_all(*f.network, all, [&](const DecodeStats&) {
    steps.emplace_back(decoding.canvas().hole().begin(), decoding.canvas().hole().end());
  });
  return steps;
}

std::vector<Ids> run_one(Fixture& f, const json& sampler, const json& run, const DenoiseOptions& options) {
  if (sampler["sampler"] == "growing") return run_growing(f, run, sampler["commit"]["masks"], options);
  return sampler["sampler"] == "in_place" ? run_in_place(f, run, options) : run_blocks(f, run, options);
}

TEST_CASE("every family's samplers on twenty inputs, step by step") {
  int samplers = 0, masked_again = 0;
  for (const char* name :
       {"llada", "dream", "dreamon", "mdlm", "llada_moe", "qwen3_block", "fast_dllm", "bd3lm", "llada2"}) {
    std::ifstream file(kFolder + name + "/trajectories.json");
    REQUIRE(file);
    const json golden = json::parse(file);
    Fixture f(name);
    for (const json& sampler : golden["samplers"]) {
      ++samplers;
      const DenoiseOptions options = options_of(sampler["commit"]);
      CHECK_FALSE(contradiction(options));
      REQUIRE(sampler["runs"].size() == 20);
      for (std::size_t i = 0; i < sampler["runs"].size(); ++i) {
        INFO(name << " " << sampler["commit"] << " run " << i);
        const json& run = sampler["runs"][i];
        const auto steps = run_one(f, sampler, run, options);
        CHECK(steps == run["steps"].get<std::vector<Ids>>());
        for (const Ids& step : steps) masked_again += std::ranges::count(step, f.network->spec().mask) > 0 ? 1 : 0;
      }
    }
  }
  CHECK(samplers == 35);
  CHECK(masked_again > 300);
}

}  // namespace
}  // namespace cinnabar::engine
