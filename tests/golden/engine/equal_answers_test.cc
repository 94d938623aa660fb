// What must not change an answer: drafts, a former answer, the gated adapter's drafts, company in a batch, and keys and
// values kept from an earlier prompt. Over random prompts on the tiny models, on the reference backend.
#include <catch2/catch.hpp>
#include <random>

#include "engine/block_diffusion.h"
#include "engine/verified.h"
#include "tests/support/byte_tokenizer.h"
#include "tests/support/reference_backend.h"

namespace cinnabar::engine {
namespace {

using Ids = std::vector<std::int32_t>;
const std::string kFolder = CINNABAR_SOURCE_DIR "/tests/golden/models/";
constexpr int kAnswer = 16;

struct Fixture {
  explicit Fixture(bool adapter) : backend(tests::make_reference_backend()) {
    auto model = load_model(kFolder + "qwen2_block");
    REQUIRE(model);
    std::optional<Adapter> gated;
    if (adapter) {
      auto loaded = load_adapter(kFolder + "qwen2_gated/adapter_gated", model->spec);
      REQUIRE(loaded);
      gated = std::move(loaded).value();
    }
    auto created = Network::create(*model, gated ? &*gated : nullptr, *backend, kernels::Compute::f32);
    REQUIRE(created);
    network = std::move(created).value();
  }
  KvCache cache() const {
    auto made = KvCache::create(*network, 128);
    REQUIRE(made);
    return std::move(made).value();
  }
  Answer answer() const { return {tokenizer, network->spec(), {describe_hole("", "", EndRule::hole), "", kAnswer}}; }
  VerifiedDecoding decoding(KvCache& cache, Ids pending, const DraftOptions& drafts = kNoDraft, Ids former = {}) const {
    return {*network, cache, std::move(pending), answer(), drafts, {}, std::move(former)};
  }
  Ids plain(const Ids& prompt) const {
    KvCache fresh = cache();
    VerifiedDecoding alone = decoding(fresh, prompt);
    return run(alone);
  }
  Ids run(Decoding& decoding, DecodeStats* stats = nullptr) const {
    Decoding* const all[] = {&decoding};
    auto done = decode(*network, all, {});
    REQUIRE(done);
    if (stats != nullptr) *stats = *done;
    return {decoding.answer().tokens().begin(), decoding.answer().tokens().end()};
  }
  std::unique_ptr<kernels::Backend> backend;
  std::unique_ptr<Network> network;
  tests::ByteTokenizer tokenizer{264, true};
};

class Random {
 public:
  int below(int n) { return static_cast<int>(engine_() % static_cast<std::uint32_t>(n)); }
  // Few different tokens in some prompts, so that lookups match.
  Ids tokens(int count) {
    const int kinds = below(2) == 0 ? 4 : 256;
    Ids ids;
    for (int i = 0; i < count; ++i) ids.push_back(below(kinds));
    return ids;
  }

 private:
  std::mt19937 engine_{7};
};

Ids disturbed(Ids ids, Random& random) {
  for (std::int32_t& id : ids) {
    if (random.below(4) == 0) id = random.below(256);
  }
  return ids;
}

TEST_CASE("drafts never change the answer") {
  Random random;
  int saved = 0;
  for (const bool adapter : {false, true}) {
    const Fixture f(adapter);
    DraftOptions drafts{.lookup = true, .adapter = adapter};
    for (int round = 0; round < 60; ++round) {
      drafts.shortest_match = 1 + round % 3;
      drafts.limit = 1 + random.below(12);
      drafts.surest = round % 2 == 0 ? 0.0f : 0.3f;
      const Ids prompt = random.tokens(2 + random.below(20));
      const Ids plain = f.plain(prompt);
      REQUIRE(plain.size() == kAnswer);
      for (const Ids& former : {Ids(), plain, disturbed(plain, random), random.tokens(kAnswer)}) {
        KvCache cache = f.cache();
        VerifiedDecoding decoding = f.decoding(cache, prompt, drafts, former);
        DecodeStats stats;
        REQUIRE(f.run(decoding, &stats) == plain);
        REQUIRE(stats.nfe <= kAnswer);
        if (former == plain) REQUIRE(stats.nfe <= (kAnswer + drafts.limit) / (drafts.limit + 1));
        saved += kAnswer - stats.nfe;
      }
    }
  }
  CHECK(saved > 1000);  // drafts were accepted
}

TEST_CASE("answers decoded together are those decoded alone") {
  Random random;
  const Fixture f(true);
  for (int round = 0; round < 20; ++round) {
    const Ids one = random.tokens(3 + random.below(10)), two = random.tokens(3 + random.below(10));
    KvCache block_cache = f.cache(), again = f.cache(), first = f.cache(), second = f.cache();
    BlockOptions options;
    BlockDiffusion block_alone(*f.network, block_cache, two, f.answer(), options);
    const Ids blocks = f.run(block_alone);
    VerifiedDecoding a = f.decoding(first, one, {}), b = f.decoding(second, two);
    BlockDiffusion c(*f.network, again, two, f.answer(), options);
    Decoding* const all[] = {&a, &b, &c};
    REQUIRE(decode(*f.network, all, {}));
    REQUIRE(Ids(a.answer().tokens().begin(), a.answer().tokens().end()) == f.plain(one));
    REQUIRE(Ids(b.answer().tokens().begin(), b.answer().tokens().end()) == f.plain(two));
    REQUIRE(Ids(c.answer().tokens().begin(), c.answer().tokens().end()) == blocks);
  }
}

TEST_CASE("keys and values kept while the prompt is edited give the answer of a fresh cache") {
  Random random;
  const Fixture f(true);
  KvCache kept = f.cache();
  Ids prompt = random.tokens(20);
  int reused = 0;
  for (int edit = 0; edit < 60; ++edit) {
    const int kind = random.below(3), at = random.below(static_cast<int>(prompt.size()));
    if (kind == 0 && prompt.size() < 60) prompt.push_back(random.below(256));
    if (kind == 1 && prompt.size() > 5) prompt.resize(prompt.size() - 2);
    if (kind == 2) prompt[static_cast<std::size_t>(at)] = random.below(256);
    kept.truncate(std::min(kept.common_prefix(prompt), static_cast<int>(prompt.size()) - 1));
    reused += kept.size();
    VerifiedDecoding decoding = f.decoding(kept, {prompt.begin() + kept.size(), prompt.end()}, {});
    REQUIRE(f.run(decoding) == f.plain(prompt));
  }
  CHECK(reused > 300);
}

TEST_CASE("a copied cache goes on like the original") {
  Random random;
  const Fixture f(false);
  const Ids prompt = random.tokens(12);
  KvCache original = f.cache(), copy = f.cache();
  VerifiedDecoding first = f.decoding(original, prompt);
  const Ids plain = f.run(first);
  copy.copy_from(original, 8, *f.network);
  CHECK(copy.size() == 8);
  VerifiedDecoding second = f.decoding(copy, {prompt.begin() + 8, prompt.end()});
  CHECK(f.run(second) == plain);
}

TEST_CASE("cancelled or late: no further forward") {
  const Fixture f(false);
  const Ids prompt = {1, 2, 3};
  for (const bool cancel : {true, false}) {
    KvCache cache = f.cache();
    VerifiedDecoding decoding = f.decoding(cache, prompt);
    Decoding* const all[] = {&decoding};
    std::stop_source source;
    DecodeLimits limits;
    if (cancel) {
      source.request_stop();
      limits.cancel = source.get_token();
    } else
      limits.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
    auto done = decode(*f.network, all, limits);
    REQUIRE(done);
    CHECK(done->nfe == 0);
    CHECK(decoding.answer().reason() == (cancel ? StopReason::cancelled : StopReason::deadline));
  }
  KvCache cache = f.cache();
  VerifiedDecoding decoding = f.decoding(cache, prompt);
  Decoding* const all[] = {&decoding};
  std::stop_source source;
  DecodeLimits limits;
  limits.cancel = source.get_token();
  auto done = decode(*f.network, all, limits, [&](auto, const DecodeStats& stats) {
    if (stats.nfe == 3) source.request_stop();
  });
  REQUIRE(done);
  CHECK(done->nfe == 3);
  CHECK(decoding.answer().tokens().size() == 3);
  CHECK(decoding.answer().reason() == StopReason::cancelled);
}

TEST_CASE("more rows than a forward can take is an error") {
  const Fixture f(false);
  KvCache cache = f.cache();
  ForwardSegment segment{&cache.store(), std::vector<ForwardRow>(static_cast<std::size_t>(Network::max_rows() + 1))};
  const Status ran = f.network->forward({&segment, 1}, {}, {});
  REQUIRE_FALSE(ran);
  CHECK(ran.message().find(std::to_string(Network::max_rows())) != std::string::npos);
}

}  // namespace
}  // namespace cinnabar::engine
