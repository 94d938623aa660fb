// Diffusion under a gated adapter: what stays of the provisional tokens, and what ends an answer unread. Over random
// prompts on the tiny models; which tokens the denoiser says is for models_test.cc.
#include <catch2/catch.hpp>
#include <numeric>

#include "engine/decoding/speculative.h"
#include "kernels/cpu/backend.h"
#include "tests/support/byte_tokenizer.h"
#include "tests/support/decode_all.h"
#include "tests/support/random_tokens.h"
#include "tests/support/reference_backend.h"

namespace cinnabar::engine {
namespace {

using Ids = std::vector<std::int32_t>;
const std::string kFolder = CINNABAR_SOURCE_DIR "/tests/golden/models/";
constexpr int kAnswer = 16;

std::unique_ptr<kernels::Backend> sampling_backend() {  // the reference is greedy
  auto made = kernels::cpu::make_backend({.threads = 2, .isa = kernels::cpu::Isa::plain});
  REQUIRE(made);
  return std::move(made).value();
}

struct Run {
  Ids tokens;
  std::vector<float> probabilities;
  StopReason reason{};
  DecodeStats stats;
  int drafted = 0, kept = 0;
};

struct Fixture {
  explicit Fixture(std::unique_ptr<kernels::Backend> device = tests::make_reference_backend(),
                   std::int32_t hole_end = -1)
      : backend(std::move(device)) {
    auto model = load_model(kFolder + "qwen2_block");
    REQUIRE(model);
    auto gated = load_adapter(kFolder + "qwen2_gated/adapter_gated", model->spec);
    REQUIRE(gated);
    model->spec.hole_end = hole_end;
    auto created = Network::create(*model, &*gated, *backend, kernels::Compute::f32);
    REQUIRE(created);
    network = std::move(created).value();
  }
  KvCache cache() const {
    auto made = KvCache::create(*network, 128);
    REQUIRE(made);
    return std::move(made).value();
  }
  Answer answer(std::string typed = "", const Tokenizer* spelling = nullptr, int longest = kAnswer) const {
    return {spelling != nullptr ? *spelling : tokenizer,
            network->spec(),
            {describe_hole("", "", EndRule::hole), std::move(typed), longest}};
  }
  Run run(SpeculativeDecoding& decoding) const {
    Decoding* const all[] = {&decoding};
    DecodeStats done = tests::decode_all(*network, all);
    const Answer& answer = decoding.answer();
    REQUIRE(answer.complete());
    Run run{{answer.tokens().begin(), answer.tokens().end()},
            {answer.probabilities().begin(), answer.probabilities().end()},
            *answer.reason(),
            std::move(done)};
    for (const DraftCount& count : decoding.drafts()) {
      run.drafted += count.drafted;
      run.kept += count.accepted;
    }
    return run;
  }
  Run run(const Ids& prompt, const Acceptance& acceptance, const Ids& former = {},
          const SamplingOptions& sampling = {}) const {
    KvCache fresh = cache();
    SpeculativeDecoding decoding(*network, fresh, prompt, answer(), {}, sampling, former, acceptance);
    return run(decoding);
  }
  // What the base says about each token of `tokens` behind `prompt`, in one forward of clean rows.
  std::vector<kernels::Score> opinions(const Ids& prompt, const Ids& tokens, const SamplingOptions& sampling) const {
    KvCache fresh = cache();
    Answer free = answer();
    Ids text = prompt;
    text.insert(text.end(), tokens.begin(), tokens.end());
    ForwardSegment segment{&fresh.store(), {}};
    std::vector<kernels::ScoreRequest> requests;
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
      const auto slot = static_cast<std::int32_t>(i);
      const bool judged = i + 1 >= prompt.size();
      segment.rows.push_back({.token = text[i], .slot = slot, .limit = slot + 1, .judged = judged});
      if (!judged) continue;
      requests.push_back({.allowed = free.allowed_after({}),
                          .temperature = sampling.temperature,
                          .seed = sampling.seed,
                          .position = static_cast<std::uint32_t>(i + 1),
                          .asked = text[i + 1]});
    }
    std::vector<kernels::Score> scores(requests.size());
    REQUIRE(network->forward({&segment, 1}, requests, scores));
    return scores;
  }

  std::unique_ptr<kernels::Backend> backend;
  std::unique_ptr<Network> network;
  tests::ByteTokenizer tokenizer{264, true};
};

struct Random : tests::RandomTokens {
  Random() : RandomTokens(11) {}
};

constexpr float kNever = 2;  // as Acceptance::finish_confidence

TEST_CASE("keeping the base's choice alone and reading everything is verified decoding, forward for forward") {
  for (const float temperature : {0.0f, 0.8f}) {
    const Fixture f(temperature > 0 ? sampling_backend() : tests::make_reference_backend());
    Random random;
    for (int round = 0; round < 25; ++round) {
      const Ids prompt = random.tokens(2 + random.below(20)), former = random.tokens(random.below(kAnswer));
      const SamplingOptions sampling{temperature, static_cast<std::uint64_t>(round)};
      KvCache fresh = f.cache();
      SpeculativeDecoding verified(*f.network, fresh, prompt, f.answer(), {}, sampling, former);
      const Run expected = f.run(verified);
      const Run same = f.run(prompt, {.accept_ratio = 1, .finish_confidence = kNever}, former, sampling);
      CHECK(same.tokens == expected.tokens);
      CHECK(same.probabilities == expected.probabilities);
      CHECK(same.stats.tokens_per_step == expected.stats.tokens_per_step);
      // What is not read at the end costs no forward more, and changes nothing in front of it.
      const Run ended = f.run(prompt, {.accept_ratio = 1, .finish_confidence = 0.5f}, former, sampling);
      CHECK(ended.stats.nfe <= expected.stats.nfe);
      const auto read = static_cast<std::ptrdiff_t>(std::accumulate(
          expected.stats.tokens_per_step.begin(), expected.stats.tokens_per_step.begin() + ended.stats.nfe, 0));
      CHECK(std::equal(expected.tokens.begin(), expected.tokens.begin() + read, ended.tokens.begin()));
    }
  }
}

TEST_CASE("what stays is the base's choice or plausible to it, and is as probable as the base says") {
  for (const float temperature : {0.0f, 0.8f}) {
    const Fixture f(sampling_backend());
    Random random;
    int against = 0, remasked = 0;
    for (int round = 0; round < 60; ++round) {
      const float keep = std::array{0.5f, 0.1f, 0.01f}[static_cast<std::size_t>(round % 3)];
      const Ids prompt = random.tokens(2 + random.below(20)), former = random.tokens(round % 2 == 0 ? 0 : kAnswer);
      const SamplingOptions sampling{temperature, static_cast<std::uint64_t>(round)};
      const Run found = f.run(prompt, {.accept_ratio = keep, .finish_confidence = kNever}, former, sampling);
      REQUIRE(found.tokens.size() == kAnswer);
      const auto opinions = f.opinions(prompt, found.tokens, sampling);
      for (std::size_t i = 0; i < kAnswer; ++i) {
        INFO("round " << round << " keep " << keep << " token " << i);
        const kernels::Score& said = opinions[i];
        CHECK(found.probabilities[i] == std::exp(said.asked_logit - said.log_sum_exp));
        if (found.tokens[i] == said.token) continue;
        CHECK(std::exp(said.asked_logit - said.best_logit) >= keep);
        ++against;
      }
      remasked += found.drafted - found.kept;
      CHECK(found.stats.nfe + found.kept >= kAnswer);  // each forward brings what stays and a token of the base's own
    }
    CHECK(against > 20);
    CHECK(remasked > 100);
  }
}

TEST_CASE("where nothing is asked of a draft, it stays whole, and the base goes on behind it") {
  const Fixture f;
  Random random;
  for (int round = 0; round < 10; ++round) {
    const Ids prompt = random.tokens(2 + random.below(20)), former = random.tokens(kAnswer);
    const Run found = f.run(prompt, {.accept_ratio = 0, .finish_confidence = kNever}, former);
    const int first = found.stats.tokens_per_step.front();
    CHECK(first > 8);
    CHECK(std::equal(former.begin(), former.begin() + first - 1, found.tokens.begin()));
  }
}

TEST_CASE("an answer ends unread where sure tokens complete it, and nowhere else") {
  const Fixture f;
  Random random;
  int ended = 0;
  for (int round = 0; round < 60; ++round) {
    const float sure = std::array{0.2f, 0.5f, 0.9f}[static_cast<std::size_t>(round % 3)];
    const Ids prompt = random.tokens(2 + random.below(20));
    const Run read = f.run(prompt, {.accept_ratio = 0.1f, .finish_confidence = kNever});
    const Run found = f.run(prompt, {.accept_ratio = 0.1f, .finish_confidence = sure});
    INFO("round " << round << " sure " << sure);
    REQUIRE(found.tokens.size() == kAnswer);
    REQUIRE(found.stats.nfe <= read.stats.nfe);
    std::size_t seen = 0;
    for (int step = 0; step < found.stats.nfe; ++step)
      seen += static_cast<std::size_t>(read.stats.tokens_per_step[static_cast<std::size_t>(step)]);
    CHECK(std::equal(found.tokens.begin(), found.tokens.begin() + static_cast<std::ptrdiff_t>(seen),
                     read.tokens.begin()));
    for (std::size_t i = seen; i < kAnswer; ++i) CHECK(found.probabilities[i] >= sure);
    CHECK((seen < kAnswer) == (found.stats.nfe < read.stats.nfe));
    ended += seen < kAnswer ? 1 : 0;
  }
  CHECK(ended > 10);
}

// The tokens of the first forward: the base's own, and those the masks say behind it.
Ids first_forward(const Fixture& f, const Ids& prompt) {
  KvCache fresh = f.cache();
  SpeculativeDecoding decoding(*f.network, fresh, prompt, f.answer(), {.lookup = false}, {});
  Decoding* const alone[] = {&decoding};
  REQUIRE(run_step(*f.network, alone));
  Ids tokens;
  for (const ShownToken& shown : decoding.view()) tokens.push_back(shown.token);
  return tokens;
}

TEST_CASE("an end of the hole that the masks are sure of ends the answer; one they are not sure of does not") {
  Random random;
  const Fixture f;
  int ended = 0;
  for (int round = 0; round < 20; ++round) {
    const Ids prompt = random.tokens(2 + random.below(20)), first = first_forward(f, prompt);
    if (first.size() < 3 || first[2] == first[0] || first[2] == first[1]) continue;
    const Fixture ending(tests::make_reference_backend(), first[2]);
    const Run found = ending.run(prompt, {.accept_ratio = 0.1f, .finish_confidence = 0});
    CHECK(found.tokens == Ids{first[0], first[1]});
    CHECK(found.reason == StopReason::end_token);
    CHECK(found.stats.nfe == 1);
    CHECK(ending.run(prompt, {.accept_ratio = 0.1f, .finish_confidence = kNever}).stats.nfe > 1);
    ++ended;
  }
  CHECK(ended >= 5);
}

TEST_CASE("typed bytes come first, whatever is kept, drafted or sure") {
  const tests::ByteTokenizer spelling(264);
  const Fixture f;
  Random random;
  for (int round = 0; round < 20; ++round) {
    const Ids prompt = random.tokens(2 + random.below(20)), former = random.tokens(kAnswer);
    const std::string typed = std::string("retu").substr(0, static_cast<std::size_t>(1 + round % 4));
    for (const float sure : {kNever, 0.0f}) {
      KvCache fresh = f.cache();
      SpeculativeDecoding decoding(*f.network, fresh, prompt, f.answer(typed, &spelling), {}, {},
                                   round % 2 == 0 ? former : Ids(), {.accept_ratio = 0, .finish_confidence = sure});
      const Run found = f.run(decoding);
      REQUIRE(found.tokens.size() >= typed.size());
      CHECK(spelling.decode(std::span(found.tokens).first(typed.size())) == typed);
    }
  }
}

// A mask row's place lies behind the token that the typed bytes decide; bound by them it could draft nothing of use.
TEST_CASE("typed bytes bind the base's next token, not the masks behind it") {
  const tests::ByteTokenizer spelling(264);
  const Fixture f;
  KvCache fresh = f.cache();
  SpeculativeDecoding decoding(*f.network, fresh, {10, 11, 12}, f.answer("r", &spelling), {}, {});
  Proposal proposal;
  decoding.propose(proposal);
  const auto allows = [&](std::size_t request, int token) {
    return (proposal.requests[request].allowed[token / 64] >> (token % 64) & 1U) != 0;
  };
  REQUIRE(proposal.requests.size() > 1);
  CHECK(allows(0, 'r'));
  CHECK_FALSE(allows(0, 'x'));
  for (std::size_t mask = 1; mask < proposal.requests.size(); ++mask) CHECK((allows(mask, 'r') && allows(mask, 'x')));
}

TEST_CASE("a seed repeats what noise keeps and ends") {
  const Fixture f(sampling_backend());
  Random random;
  for (int round = 0; round < 10; ++round) {
    const Ids prompt = random.tokens(2 + random.below(20));
    const SamplingOptions sampling{0.8f, static_cast<std::uint64_t>(round)};
    const Acceptance loose{.accept_ratio = 0.1f, .finish_confidence = 0.5f};
    CHECK(f.run(prompt, loose, {}, sampling).tokens == f.run(prompt, loose, {}, sampling).tokens);
  }
}

}  // namespace
}  // namespace cinnabar::engine
