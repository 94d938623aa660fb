// Denoising in place on the tiny models of full attention, beyond the recorded trajectories: reuse of keys and values
// against the exact form, remasking against a plain retelling, answers that were stopped early, and noise.
#include "engine/decoding/in_place.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>
#include <random>

#include "kernels/cpu/backend.h"
#include "tests/support/byte_tokenizer.h"
#include "tests/support/decode_all.h"
#include "tests/support/reference_backend.h"

namespace cinnabar::engine {
namespace {

using Ids = std::vector<std::int32_t>;
const std::string kFolder = CINNABAR_SOURCE_DIR "/tests/golden/models/";
constexpr int kTokens = 264;  // of the tokenizer; the matrices have more rows
constexpr int kHole = 12;

struct Fixture {
  explicit Fixture(const std::string& name, std::unique_ptr<kernels::Backend> device = tests::make_reference_backend())
      : backend(std::move(device)) {
    auto model = load_model(kFolder + name);
    REQUIRE(model);
    auto created = Network::create(*model, nullptr, *backend, kernels::Compute::f32);
    REQUIRE(created);
    network = std::move(created).value();
  }
  KvCache cache() const {
    auto made = KvCache::create(*network, 128);
    REQUIRE(made);
    return std::move(made).value();
  }
  InPlaceDiffusion decoding(KvCache& cache, const Canvas& canvas, const InPlaceOptions& options) const {
    std::vector<Answer> answers;
    for (std::size_t hole = 0; hole < canvas.holes(); ++hole)
      answers.push_back({tokenizer, network->spec(), {describe_hole("", "", EndRule::hole), "", 1000}});
    return {*network, cache, canvas, std::move(answers), options};
  }
  DecodeStats run(InPlaceDiffusion& decoding, const std::function<void(const DecodeStats&)>& after_step = {}) const {
    Decoding* const all[] = {&decoding};
    return tests::decode_all(*network, all, after_step);
  }
  // The hole's tokens.
  Ids fill(const Canvas& canvas, const InPlaceOptions& options, DecodeStats* stats = nullptr) const {
    KvCache kv = cache();
    InPlaceDiffusion under_way = decoding(kv, canvas, options);
    const DecodeStats done = run(under_way);
    if (stats != nullptr) *stats = done;
    const Canvas& filled = under_way.canvas();
    for (int p = 0; p < canvas.size(); ++p)
      if (canvas.cell(p) == Cell::given) REQUIRE(filled.token(p) == canvas.token(p));
    REQUIRE_FALSE(filled.has_masks(0, filled.size()));
    return {filled.hole().begin(), filled.hole().end()};
  }
  std::unique_ptr<kernels::Backend> backend;
  std::unique_ptr<Network> network;
  tests::ByteTokenizer tokenizer{kTokens, true};
};

std::vector<Canvas> canvases(const Fixture& f, int count) {
  std::mt19937 random(11);
  const auto tokens = [&](std::size_t n) {
    Ids ids(n);
    for (auto& id : ids) id = static_cast<std::int32_t>(random() % 256);
    return ids;
  };
  std::vector<Canvas> all;
  all.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    all.emplace_back(tokens(4 + random() % 8), kHole, tokens(random() % 8), f.network->spec().mask);
  return all;
}

InPlaceOptions one_by_one(int block) { return {.block_length = block, .steps = 100, .choice = {.rule = Rule::quota}}; }

TEST_CASE("reuse: a block that is done in one step is exact in every mode") {
  for (const char* name : {"dream", "llada"}) {
    const Fixture f(name);
    InPlaceOptions options{.block_length = 4, .choice = {.value = 0.0f}};
    for (const Canvas& canvas : canvases(f, 5)) {
      options.reuse = Reuse::exact;
      const Ids exact = f.fill(canvas, options);
      for (const Reuse reuse : {Reuse::prefix, Reuse::dual}) {
        options.reuse = reuse;
        DecodeStats stats;
        CHECK(f.fill(canvas, options, &stats) == exact);
        CHECK(stats.rows == canvas.size() * kHole / 4);
      }
    }
  }
}

TEST_CASE("reuse: how much of the exact answer the approximations keep, and how few rows they run") {
  for (const char* name : {"dream", "llada"}) {
    const Fixture f(name);
    int rows[3] = {}, equal[3] = {}, positions = 0;
    for (const Canvas& canvas : canvases(f, 10)) {
      Ids exact;
      for (const Reuse reuse : {Reuse::exact, Reuse::prefix, Reuse::dual}) {
        InPlaceOptions options = one_by_one(4);
        options.reuse = reuse;
        DecodeStats stats;
        const Ids found = f.fill(canvas, options, &stats);
        CHECK(stats.nfe == kHole);
        if (reuse == Reuse::exact) exact = found;
        rows[static_cast<int>(reuse)] += stats.rows;
        for (std::size_t i = 0; i < found.size(); ++i) equal[static_cast<int>(reuse)] += found[i] == exact[i] ? 1 : 0;
      }
      positions += kHole;
    }
    CHECK(equal[0] == positions);
    CHECK(rows[1] < rows[0]);
    CHECK(rows[2] < rows[1]);
    WARN(name << ": of " << positions << " tokens as exact has them: prefix " << equal[1] << ", dual " << equal[2]
              << "; rows " << rows[0] << ", " << rows[1] << ", " << rows[2]);
    // Random weights forget nothing: trained models agree far more. Chance would be 1 of 256.
    CHECK(equal[1] > positions / 4);
    CHECK(equal[2] > positions / 4);
  }
}

// The logits of a hole's positions, row by row; `bare`: with all given text masked.
std::vector<float> logits_of(const Fixture& f, KvCache& cache, const Canvas& canvas, std::size_t hole = 0,
                             bool bare = false) {
  const ModelSpec& spec = f.network->spec();
  ForwardSegment segment{&cache.store(), {}};
  for (int p = 0; p < canvas.size(); ++p) {
    const int predicted = p + spec.logits_shift;
    const bool judged = predicted >= canvas.hole_begin(hole) && predicted < canvas.hole_end(hole);
    const std::int32_t token = bare && canvas.cell(p) == Cell::given ? spec.mask : canvas.token(p);
    segment.rows.push_back({token, p, canvas.size(), true, judged});
  }
  std::vector<float> logits;
  REQUIRE(f.network->forward_logits({&segment, 1}, logits));
  return logits;
}

// What a hole's positions say, told by logits alone: token and probability.
std::vector<std::pair<std::int32_t, float>> said_by(const Fixture& f, const std::vector<float>& logits) {
  const ModelSpec& spec = f.network->spec();
  std::vector<std::pair<std::int32_t, float>> found;
  for (auto row = logits.begin(); row != logits.end(); row += spec.vocabulary) {
    std::int32_t best = -1;
    double sum = 0;
    for (std::int32_t token = 0; token < kTokens; ++token) {
      if (std::count(spec.never_generated.begin(), spec.never_generated.end(), token) > 0) continue;
      if (best < 0 || row[token] > row[best]) best = token;
      sum += std::exp(static_cast<double>(row[token]));
    }
    found.emplace_back(best, static_cast<float>(std::exp(static_cast<double>(row[best])) / sum));
  }
  return found;
}

std::vector<std::pair<std::int32_t, float>> predictions(const Fixture& f, KvCache& cache, const Canvas& canvas,
                                                        std::size_t hole = 0) {
  return said_by(f, logits_of(f, cache, canvas, hole));
}

TEST_CASE("guidance: each step's logits are moved away from those without the text around the hole") {
  constexpr float kGuidance = 0.7f;
  int different = 0;
  for (const char* name : {"dream", "llada"}) {
    const Fixture f(name);
    for (const Canvas& canvas : canvases(f, 4)) {
      Canvas told = canvas;
      KvCache told_cache = f.cache(), cache = f.cache(), unguided = f.cache();
      InPlaceOptions options = one_by_one(kHole);
      const Ids plain = f.fill(canvas, options);
      options.guidance = kGuidance;
      InPlaceDiffusion decoding(*f.network, cache, canvas,
                                {{f.tokenizer, f.network->spec(), {describe_hole("", "", EndRule::hole), "", 1000}}},
                                options, &unguided);
      const DecodeStats stats = f.run(decoding, [&](const DecodeStats&) {
        std::vector<float> logits = logits_of(f, told_cache, told);
        const std::vector<float> bare = logits_of(f, told_cache, told, 0, true);
        for (std::size_t i = 0; i < logits.size(); ++i) logits[i] = bare[i] + (kGuidance + 1) * (logits[i] - bare[i]);
        const auto said = said_by(f, logits);
        int surest = -1;
        for (int i = 0; i < kHole; ++i) {
          if (told.cell(told.hole_begin() + i) != Cell::masked) continue;
          if (surest < 0 || said[i].second > said[surest].second) surest = i;
        }
        told.unmask(told.hole_begin() + surest, said[surest].first, 1.0f);
        CHECK(std::ranges::equal(decoding.canvas().tokens(), told.tokens()));
      });
      CHECK(stats.rows == 2 * kHole * canvas.size());
      different += !std::ranges::equal(plain, told.hole()) ? 1 : 0;
    }
  }
  CHECK(different > 4);
}

TEST_CASE("remasking: every step keeps the surest share of all positions and masks the rest again") {
  constexpr int kSteps = 5;
  int revised = 0;
  for (const char* name : {"dream", "llada"}) {
    const Fixture f(name);
    for (const Canvas& canvas : canvases(f, 8)) {
      std::vector<Ids> wanted;
      Canvas told = canvas;
      KvCache told_cache = f.cache();
      for (int step = 0; step < kSteps; ++step) {
        const auto said = predictions(f, told_cache, told);
        std::vector<int> order(kHole);
        std::iota(order.begin(), order.end(), 0);
        std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return said[a].second > said[b].second; });
        Ids hole(kHole, f.network->spec().mask);
        const int dropped = kHole * (kSteps - step - 1) / kSteps;
        for (int i = 0; i < kHole - dropped; ++i) hole[order[i]] = said[order[i]].first;
        const Ids before(told.hole().begin(), told.hole().end());
        for (int i = 0; i < kHole; ++i) revised += before[i] != f.network->spec().mask && before[i] != hole[i] ? 1 : 0;
        told = canvas;
        for (int i = 0; i < kHole; ++i)
          if (hole[i] != f.network->spec().mask) told.unmask(canvas.hole_begin() + i, hole[i], 1.0f);
        wanted.push_back(hole);
      }
      KvCache cache = f.cache();
      InPlaceDiffusion decoding =
          f.decoding(cache, canvas, {.block_length = 100, .steps = kSteps, .remask = {Remask::p2}});
      std::vector<Ids> steps;
      f.run(decoding,
            [&](const auto&) { steps.emplace_back(decoding.canvas().hole().begin(), decoding.canvas().hole().end()); });
      CHECK(steps == wanted);
      CHECK(decoding.answer().reason() == StopReason::hole_end);
    }
  }
  CHECK(revised > 20);  // committed positions did change
}

// One step told again: in each hole the masks of its first block that has any, those at least as sure as the threshold,
// else the surest one.
void tell_step(const Fixture& f, KvCache& cache, Canvas& canvas, int block, float threshold) {
  const Canvas before = canvas;
  for (std::size_t hole = 0; hole < before.holes(); ++hole) {
    const int begin = before.hole_begin(hole);
    const auto masked = before.masked(begin, before.hole_end(hole));
    if (masked.empty()) continue;
    const auto said = predictions(f, cache, before, hole);
    const int end = begin + ((masked.front() - begin) / block + 1) * block;
    int surest = masked.front(), committed = 0;
    for (const int p : masked) {
      if (p >= end) break;
      if (said[p - begin].second > said[surest - begin].second) surest = p;
      if (said[p - begin].second < threshold) continue;
      canvas.unmask(p, said[p - begin].first, 1.0f);
      ++committed;
    }
    if (committed == 0) canvas.unmask(surest, said[surest - begin].first, 1.0f);
  }
}

TEST_CASE("several holes of one canvas are denoised together, each seeing what the others hold by then") {
  constexpr float kThreshold = 0.4f;
  for (const char* name : {"dream", "llada"}) {
    const Fixture f(name);
    std::mt19937 random(17);
    const auto text = [&](std::size_t n) {
      Ids ids(n);
      for (auto& id : ids) id = static_cast<std::int32_t>(random() % 256);
      return ids;
    };
    int together = 0, alone = 0;
    for (int i = 0; i < 4; ++i) {
      Canvas canvas(text(6), 5, text(4), f.network->spec().mask);
      canvas.add_hole(9, text(1));
      canvas.add_hole(2, text(i == 0 ? 0 : 3));
      KvCache cache = f.cache(), told_cache = f.cache();
      InPlaceDiffusion decoding =
          f.decoding(cache, canvas, {.block_length = 4, .steps = 100, .choice = {.value = kThreshold}});
      Canvas told = canvas;
      const auto stats = f.run(decoding, [&](const auto&) {
        tell_step(f, told_cache, told, 4, kThreshold);
        const auto is = decoding.canvas().tokens(), wanted = told.tokens();
        CHECK(std::equal(is.begin(), is.end(), wanted.begin(), wanted.end()));
      });
      CHECK_FALSE(told.has_masks(0, told.size()));
      for (std::size_t hole = 0; hole < canvas.holes(); ++hole) {
        const auto tokens = decoding.answers()[hole].tokens(), wanted = told.hole(hole);
        CHECK(std::equal(tokens.begin(), tokens.end(), wanted.begin(), wanted.end()));
        CHECK(decoding.answers()[hole].reason() == StopReason::hole_end);
      }
      together += stats.nfe;
      alone += static_cast<int>(canvas.hole(0).size() + canvas.hole(1).size() + canvas.hole(2).size());
    }
    CHECK(together < alone);
  }
}

TEST_CASE("several holes: the reuse modes run fewer rows and fill every hole") {
  const Fixture f("dream");
  Canvas canvas(Ids(8, 'a'), 6, Ids(5, 'b'), f.network->spec().mask);
  canvas.add_hole(7, Ids(9, 'c'));
  int rows[3] = {};
  for (const Reuse reuse : {Reuse::exact, Reuse::prefix, Reuse::dual}) {
    KvCache cache = f.cache();
    InPlaceOptions options = one_by_one(100);
    options.reuse = reuse;
    InPlaceDiffusion decoding = f.decoding(cache, canvas, options);
    const DecodeStats stats = f.run(decoding);
    rows[static_cast<int>(reuse)] = stats.rows;
    CHECK(stats.nfe == 7);  // the longer hole's
    CHECK_FALSE(decoding.canvas().has_masks(0, canvas.size()));
  }
  CHECK(rows[1] < rows[0]);
  CHECK(rows[2] < rows[1]);
}

TEST_CASE("several holes: one that grows or shrinks moves those behind it") {
  const Fixture f("dreamon");
  for (int i = 0; i < 6; ++i) {
    Canvas canvas(Ids(5 + static_cast<std::size_t>(i), 'a' + i), 6, Ids(4, 'b'), f.network->spec().mask);
    canvas.add_hole(6, Ids(5, 'c'));
    KvCache cache = f.cache();
    InPlaceOptions options{.block_length = 100, .steps = 200, .choice = {.value = 0.5f}};
    options.longest_hole = 12;
    InPlaceDiffusion decoding = f.decoding(cache, canvas, options);
    f.run(decoding);
    const Canvas& filled = decoding.canvas();
    CHECK_FALSE(filled.has_masks(0, filled.size()));
    const auto given = [&](int begin, int end) {
      return std::string(filled.tokens().begin() + begin, filled.tokens().begin() + end);
    };
    CHECK(given(filled.hole_end(0), filled.hole_begin(1)) == "bbbb");
    CHECK(given(filled.hole_end(1), filled.size()) == "ccccc");
  }
}

TEST_CASE("remasking in blocks ends every block after its steps") {
  const Fixture f("dreamon");  // its length tokens are not offered: the hole keeps its length
  for (const Canvas& canvas : canvases(f, 4)) {
    DecodeStats stats;
    const Ids filled = f.fill(canvas, {.block_length = 4, .steps = 3, .remask = {Remask::p2}}, &stats);
    CHECK(filled.size() == kHole);
    CHECK(stats.nfe == 3 * kHole / 4);
  }
}

TEST_CASE("an answer that is stopped early is what stands before the first mask") {
  const Fixture f("dream");
  for (const Canvas& canvas : canvases(f, 5)) {
    for (const int block : {1, kHole}) {
      KvCache cache = f.cache();
      InPlaceDiffusion decoding = f.decoding(cache, canvas, one_by_one(block));
      const auto stats = f.run(decoding, [&](const DecodeStats& s) {
        if (s.nfe == 7) decoding.stop(StopReason::cancelled);
      });
      CHECK(stats.nfe == 7);
      Ids leading;
      for (const std::int32_t token : decoding.canvas().hole()) {
        if (token == f.network->spec().mask) break;
        leading.push_back(token);
      }
      const auto tokens = decoding.answer().tokens();
      CHECK(Ids(tokens.begin(), tokens.end()) == leading);
      CHECK(decoding.answer().text().size() == leading.size());
      if (block == 1) CHECK(leading.size() == 7);
      CHECK(decoding.answer().reason() == StopReason::cancelled);
    }
  }
}

TEST_CASE("too few steps: a beginning, and the reason says so") {
  const Fixture f("llada");
  KvCache cache = f.cache();
  InPlaceOptions options = one_by_one(1);
  options.block_length = 6;
  options.steps = 5;
  InPlaceDiffusion decoding = f.decoding(cache, canvases(f, 1)[0], options);
  f.run(decoding);
  CHECK(decoding.answer().reason() == StopReason::steps);
  CHECK(decoding.answer().tokens().size() < 6);
}

TEST_CASE("noise: a seed repeats its answer, another seed gives another one") {
  for (const char* name : {"dream", "llada"}) {
    auto device =
        kernels::cpu::make_backend({.threads = 2, .isa = kernels::cpu::Isa::plain});  // the reference is greedy
    REQUIRE(device);
    const Fixture f(name, std::move(device).value());
    int different = 0;
    for (const Canvas& canvas : canvases(f, 4)) {
      InPlaceOptions options = one_by_one(kHole);
      const Ids greedy = f.fill(canvas, options);
      options.sampling.seed = 5;
      CHECK(f.fill(canvas, options) == greedy);  // without noise the seed means nothing
      options.sampling.temperature = 1.0f;
      const Ids first = f.fill(canvas, options);
      CHECK(f.fill(canvas, options) == first);
      options.sampling.seed = 6;
      different += f.fill(canvas, options) != first ? 1 : 0;
    }
    CHECK(different >= 3);
  }
}

}  // namespace
}  // namespace cinnabar::engine
