// What must not change an answer: drafts, a former answer, the gated adapter's drafts, company in a batch, and keys and
// values kept from an earlier prompt. Over random prompts on the tiny models, on the reference backend.
#include <catch2/catch.hpp>
#include <numeric>

#include "engine/decoding/block_diffusion.h"
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

struct Fixture {
  explicit Fixture(bool adapter, std::int32_t hole_end = -1,
                   std::unique_ptr<kernels::Backend> device = tests::make_reference_backend())
      : backend(std::move(device)) {
    auto model = load_model(kFolder + "qwen2_block");
    REQUIRE(model);
    std::optional<Adapter> gated;
    if (adapter) {
      auto loaded = load_adapter(kFolder + "qwen2_gated/adapter_gated", model->spec);
      REQUIRE(loaded);
      gated = std::move(loaded).value();
      model->spec.hole_end = hole_end;
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
  SpeculativeDecoding decoding(KvCache& cache, Ids pending, const DraftOptions& drafts = kNoDraft, Ids former = {},
                               const SamplingOptions& sampling = {}) const {
    return {*network, cache, std::move(pending), answer(), drafts, sampling, std::move(former)};
  }
  Ids plain(const Ids& prompt, const SamplingOptions& sampling = {}) const {
    KvCache fresh = cache();
    SpeculativeDecoding alone = decoding(fresh, prompt, kNoDraft, {}, sampling);
    return run(alone);
  }
  Ids blocks(const Ids& prompt, const BlockOptions& options) const {
    KvCache fresh = cache();
    BlockDiffusion alone(*network, fresh, prompt, answer(), options);
    return run(alone);
  }
  Ids run(Decoding& decoding, DecodeStats* stats = nullptr) const {
    Decoding* const all[] = {&decoding};
    const DecodeStats done = tests::decode_all(*network, all);
    if (stats != nullptr) *stats = done;
    return {decoding.answer().tokens().begin(), decoding.answer().tokens().end()};
  }
  std::unique_ptr<kernels::Backend> backend;
  std::unique_ptr<Network> network;
  tests::ByteTokenizer tokenizer{264, true};
};

struct Random : tests::RandomTokens {
  Random() : RandomTokens(7) {}
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
      drafts.mask_rows = round % 3 == 0 ? -1 : random.below(24);
      const Ids prompt = random.tokens(2 + random.below(20));
      const Ids plain = f.plain(prompt);
      REQUIRE(plain.size() == kAnswer);
      for (const Ids& former : {Ids(), plain, disturbed(plain, random), random.tokens(kAnswer)}) {
        KvCache cache = f.cache();
        SpeculativeDecoding decoding = f.decoding(cache, prompt, drafts, former);
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

// Where rows cost nothing the trees are wide: side chains are drafted, hit and followed. On the reference, and on every
// instruction set here, for their sums have orders of their own.
TEST_CASE("trees with many side chains never change the answer") {
  std::vector<std::unique_ptr<kernels::Backend>> devices;
  devices.push_back(tests::make_reference_backend(1 << 12));
  for (const kernels::cpu::Isa isa : kernels::cpu::available_isas())
    devices.push_back(std::move(kernels::cpu::make_backend({.threads = 1, .isa = isa})).value());
  for (auto& device : devices) {
    const bool cheap = device->cheap_rows() > 1000;
    INFO(device->description());
    const Fixture f(true, -1, std::move(device));
    Random random;
    int saved = 0, rows = 0;
    for (int round = 0; round < 40; ++round) {
      const Ids prompt = random.tokens(2 + random.below(20)), plain = f.plain(prompt);
      const DraftOptions drafts{.lookup = round % 2 == 0, .limit = 1 + random.below(12), .mask_rows = random.below(60)};
      for (const Ids& former : {Ids(), disturbed(plain, random)}) {
        KvCache cache = f.cache();
        SpeculativeDecoding decoding = f.decoding(cache, prompt, drafts, former);
        DecodeStats stats;
        REQUIRE(f.run(decoding, &stats) == plain);
        saved += kAnswer - stats.nfe;
        rows += stats.rows;
      }
    }
    CHECK(saved > 50);
    if (cheap) CHECK(rows > 40 * 2 * kAnswer);
  }
}

// The positions of the slots that a row sees, in rising order: those of the cache, and those of the forward's rows.
Ids seen_positions(const ForwardRow& row, std::span<const ForwardRow> rows, int cached) {
  Ids seen;
  for (int slot = 0; slot < row.limit; ++slot) {
    if (slot >= row.hidden.first && slot < row.hidden.end) continue;
    const auto writer = std::find_if(rows.begin(), rows.end(), [&](const ForwardRow& one) { return one.slot == slot; });
    if (slot < cached) {
      seen.push_back(slot);
    } else if (writer != rows.end()) {
      seen.push_back(writer->position < 0 ? slot : writer->position);
    } else {
      seen.push_back(-1);  // nobody has written it
    }
  }
  std::sort(seen.begin(), seen.end());
  return seen;
}

TEST_CASE("every row of a draft tree sees one token at each position up to its own, or to its block's end") {
  Random random;
  const Fixture f(true, -1, tests::make_reference_backend(1 << 12));
  int side_rows = 0;
  for (int round = 0; round < 10; ++round) {
    KvCache cache = f.cache();
    SpeculativeDecoding decoding = f.decoding(cache, random.tokens(2 + random.below(20)), {.mask_rows = 50});
    while (!decoding.complete()) {
      Proposal proposal;
      decoding.propose(proposal);
      const auto& rows = proposal.segment.rows;
      for (const ForwardRow& row : rows) {
        Ids expected(static_cast<std::size_t>(row.position < 0 ? row.slot + 1 : row.position + 1));
        if (row.in_block) expected.resize(expected.size() + static_cast<std::size_t>(row.limit - 1 - row.slot));
        std::iota(expected.begin(), expected.end(), 0);
        REQUIRE(seen_positions(row, rows, cache.size()) == expected);
        side_rows += !row.in_block && row.position >= 0 && row.position != row.slot ? 1 : 0;
      }
      std::vector<kernels::Score> scores(proposal.requests.size());
      REQUIRE(f.network->forward({&proposal.segment, 1}, proposal.requests, scores));
      decoding.absorb(scores);
    }
  }
  CHECK(side_rows > 100);
}

// One forward whose blocks stand side by side behind a prompt and draft[0 .. its index) each, against a forward a
// block.
TEST_CASE("blocks of masks side by side say what each says alone") {
  Random random;
  for (const bool reference : {true, false}) {
    auto device = reference ? tests::make_reference_backend()
                            : std::move(kernels::cpu::make_backend({.threads = 2, .isa = std::nullopt})).value();
    const Fixture f(true, -1, std::move(device));
    const std::int32_t mask = f.network->spec().mask;
    const auto logits_of = [&](std::vector<ForwardRow> rows) {
      KvCache cache = f.cache();
      std::vector<float> logits;
      const ForwardSegment segment{&cache.store(), std::move(rows)};
      REQUIRE(f.network->forward_logits({&segment, 1}, logits));
      return logits;
    };
    for (int round = 0; round < 10; ++round) {
      const int past = 1 + random.below(50);
      const Ids text = random.tokens(past + 3);
      std::vector<ForwardRow> clean;
      for (int i = 0; i < past + 3; ++i) clean.push_back({text[static_cast<std::size_t>(i)], i, i + 1});
      std::vector<ForwardRow> together = clean;
      std::vector<float> alone;
      int slot = past + 3;
      for (int accepted = 0; accepted <= 3; ++accepted) {
        const int begin = slot, first = past + accepted, count = 1 + random.below(4);
        std::vector<ForwardRow> rows(clean.begin(), clean.begin() + first);
        for (int i = 0; i < count; ++i, ++slot) {
          rows.push_back({mask, first + i, first + count, true, true});
          together.push_back({mask, slot, begin + count, true, true, first + i, {first, begin}});
        }
        const std::vector<float> one = logits_of(std::move(rows));
        alone.insert(alone.end(), one.begin(), one.end());
      }
      const std::vector<float> all = logits_of(std::move(together));
      REQUIRE(all.size() == alone.size());
      float apart = 0;
      for (std::size_t i = 0; i < all.size(); ++i) apart = std::max(apart, std::abs(all[i] - alone[i]));
      CHECK(apart < (reference ? 1e-4f : 0.05f));  // the processor may round queries to bf16
    }
  }
}

TEST_CASE("text that repeats costs few forwards and keeps its answer") {
  Random random;
  const Fixture f(false);
  for (int period = 1; period <= 4; ++period) {
    Ids prompt;
    const Ids unit = random.tokens(period);
    for (int i = 0; i < 24; ++i) prompt.push_back(unit[static_cast<std::size_t>(i % period)]);
    KvCache cache = f.cache();
    SpeculativeDecoding decoding = f.decoding(cache, prompt, {.lookup = true, .adapter = false});
    CHECK(f.run(decoding) == f.plain(prompt));
  }
}

TEST_CASE("noise: drafts never change a sampled answer; a seed repeats it, another seed gives another one") {
  Random random;
  auto device = kernels::cpu::make_backend({.threads = 2, .isa = kernels::cpu::Isa::plain});  // the reference is greedy
  REQUIRE(device);
  const Fixture f(true, -1, std::move(device).value());
  int other_answers = 0, other_blocks = 0;
  constexpr int kRounds = 12;
  for (int round = 0; round < kRounds; ++round) {
    const Ids prompt = random.tokens(2 + random.below(20));
    const SamplingOptions sampling{.temperature = 0.8f, .seed = static_cast<std::uint64_t>(round)};
    const SamplingOptions other{.temperature = 0.8f, .seed = 1000};
    const Ids plain = f.plain(prompt, sampling);
    CHECK(f.plain(prompt, sampling) == plain);
    CHECK(f.plain(prompt, {.seed = 1000}) == f.plain(prompt));
    for (const Ids& former : {Ids(), plain, disturbed(plain, random)}) {
      KvCache cache = f.cache();
      SpeculativeDecoding decoding = f.decoding(cache, prompt, {}, former, sampling);
      CHECK(f.run(decoding) == plain);
    }
    other_answers += f.plain(prompt, other) != plain ? 1 : 0;
    const BlockOptions block{.length = 4, .sampling = sampling};
    const Ids blocks = f.blocks(prompt, block);
    CHECK(f.blocks(prompt, block) == blocks);
    other_blocks += f.blocks(prompt, {.length = 4, .sampling = other}) != blocks ? 1 : 0;
  }
  CHECK(other_answers > kRounds / 2);
  CHECK(other_blocks > kRounds / 2);
}

TEST_CASE("a gated adapter's end-of-hole token ends a block's answer and leaves the autoregressive one alone") {
  Random random;
  const Fixture f(true);
  constexpr std::int32_t kPad = 263;  // never generated otherwise
  const Fixture with_pad(true, kPad);
  int ended = 0;
  for (int round = 0; round < 20; ++round) {
    const Ids prompt = random.tokens(2 + random.below(20));
    CHECK(with_pad.plain(prompt) == f.plain(prompt));
    KvCache cache = with_pad.cache();
    SpeculativeDecoding drafted = with_pad.decoding(cache, prompt, {});
    CHECK(with_pad.run(drafted) == f.plain(prompt));
    const BlockOptions options{.length = 4, .choice = {.value = 0}};  // a block a step
    const Ids blocks = f.blocks(prompt, options);
    const std::int32_t chosen = blocks[2];  // not the first of a block: that is a clean row's to say
    const auto first = std::find(blocks.begin(), blocks.end(), chosen);
    if (first - blocks.begin() != 2 || blocks[0] == chosen) continue;
    const Fixture ending(true, chosen);
    KvCache fresh = ending.cache();
    BlockDiffusion decoding(*ending.network, fresh, prompt, ending.answer(), options);
    CHECK(ending.run(decoding) == Ids(blocks.begin(), first));
    CHECK(decoding.answer().reason() == StopReason::end_token);
    ++ended;
  }
  CHECK(ended >= 5);
}

TEST_CASE("a block is as long as the model was trained for, unless the options say otherwise") {
  const Fixture f(false);
  const Ids prompt = {1, 2, 3};
  const BlockOptions unset, same{.length = f.network->spec().block_length};
  CHECK(f.blocks(prompt, unset) == f.blocks(prompt, same));
  KvCache cache = f.cache();
  BlockDiffusion decoding(*f.network, cache, prompt, f.answer(), unset);
  CHECK(decoding.view().size() == static_cast<std::size_t>(f.network->spec().block_length));
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
    SpeculativeDecoding a = f.decoding(first, one, {}), b = f.decoding(second, two);
    BlockDiffusion c(*f.network, again, two, f.answer(), options);
    Decoding* const all[] = {&a, &b, &c};
    tests::decode_all(*f.network, all);
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
    SpeculativeDecoding decoding = f.decoding(kept, {prompt.begin() + kept.size(), prompt.end()}, {});
    REQUIRE(f.run(decoding) == f.plain(prompt));
  }
  CHECK(reused > 300);
}

TEST_CASE("a copied cache goes on like the original") {
  Random random;
  const Fixture f(false);
  const Ids prompt = random.tokens(12);
  KvCache original = f.cache(), copy = f.cache();
  SpeculativeDecoding first = f.decoding(original, prompt);
  const Ids plain = f.run(first);
  copy.copy_from(original, 8, *f.network);
  CHECK(copy.size() == 8);
  SpeculativeDecoding second = f.decoding(copy, {prompt.begin() + 8, prompt.end()});
  CHECK(f.run(second) == plain);
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
