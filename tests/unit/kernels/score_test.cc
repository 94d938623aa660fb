#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>

#include "kernels/random.h"
#include "tests/unit/kernels/kernel_fixture.h"

namespace cinnabar::kernels::cpu {
namespace {

using namespace testing;

struct Head {
  std::int64_t vocabulary, width;
  std::vector<float> weights, x;
};

Head make_head(std::int64_t vocabulary, std::int64_t rows) {
  return {vocabulary, 64, random_values(vocabulary * 64, 21), random_values(rows * 64, 22)};
}

std::vector<std::uint64_t> every(std::int64_t step, std::int64_t vocabulary) {
  std::vector<std::uint64_t> words((vocabulary + 63) / 64);
  for (std::int64_t token = 3; token < vocabulary; token += step) words[token / 64] |= std::uint64_t{1} << (token % 64);
  return words;
}

std::vector<Score> judge(Backend& cpu, Head& head, std::int64_t first, std::span<const ScoreRequest> requests,
                         Compute compute = Compute::f32) {
  const StoredMatrix weight = stored(head.weights, head.vocabulary, head.width);
  auto packed = cpu.pack({&weight, 1}, compute);
  REQUIRE(packed.ok());
  std::vector<Score> scores(requests.size());
  const auto count = static_cast<std::int64_t>(requests.size());
  cpu.score_rows(rows_of(head.x, head.width).slice(first, count), **packed, requests, scores);
  return scores;
}

Score expected_score(const Head& head, std::int64_t row, const std::uint64_t* allowed) {
  Score score;
  score.best_logit = score.second_logit = -std::numeric_limits<float>::infinity();
  std::vector<double> logits;
  for (std::int64_t token = 0; token < head.vocabulary; ++token) {
    if (allowed != nullptr && (allowed[token / 64] >> (token % 64) & 1) == 0) continue;
    double logit = 0;
    for (std::int64_t k = 0; k < head.width; ++k) {
      logit += static_cast<double>(head.x[row * head.width + k]) * head.weights[token * head.width + k];
    }
    logits.push_back(logit);
    const auto rounded = static_cast<float>(logit);
    if (rounded > score.best_logit) {
      score.second_logit = score.best_logit;
      score.best_logit = rounded;
      score.best = static_cast<std::int32_t>(token);
    } else {
      score.second_logit = std::max(score.second_logit, rounded);
    }
  }
  double sum = 0;
  double weighted = 0;
  for (const double logit : logits) {
    sum += std::exp(logit - score.best_logit);
    weighted += (logit - score.best_logit) * std::exp(logit - score.best_logit);
  }
  score.log_sum_exp = static_cast<float>(score.best_logit + std::log(sum));
  score.entropy = static_cast<float>(std::log(sum) - weighted / sum);
  return score;
}

bool same(const Score& a, const Score& b) {
  return a.token == b.token && a.best == b.best && same_bits(&a.logit, &b.logit, 1) &&
         same_bits(&a.best_logit, &b.best_logit, 1) && same_bits(&a.second_logit, &b.second_logit, 1) &&
         same_bits(&a.log_sum_exp, &b.log_sum_exp, 1) && same_bits(&a.entropy, &b.entropy, 1) &&
         same_bits(&a.asked_logit, &b.asked_logit, 1) && a.ranked == b.ranked;
}

TEST_CASE("scores agree with the ones in double") {
  for (const Isa isa : available_isas()) {
    auto cpu = backend(isa, 2);
    for (const std::int64_t vocabulary : {1, 17, 256, 300, 1111}) {
      Head head = make_head(vocabulary, 3);
      const std::vector<std::uint64_t> some = every(5, vocabulary);
      for (const std::uint64_t* allowed : {static_cast<const std::uint64_t*>(nullptr), some.data()}) {
        if (allowed != nullptr && vocabulary < 4) continue;
        const std::vector<ScoreRequest> requests(3, ScoreRequest{allowed, 0, 0, 0, 0});
        const std::vector<Score> scores = judge(*cpu, head, 0, requests);
        for (int row = 0; row < 3; ++row) {
          INFO(name(isa) << " V " << vocabulary << " masked " << (allowed != nullptr) << " row " << row);
          const Score expected = expected_score(head, row, allowed);
          CHECK(scores[row].best == expected.best);
          CHECK(scores[row].token == expected.best);
          CHECK(scores[row].logit == scores[row].best_logit);
          CHECK(scores[row].best_logit == Approx(expected.best_logit).epsilon(1e-4));
          if (std::isinf(expected.second_logit)) {
            CHECK(scores[row].second_logit == expected.second_logit);
          } else {
            CHECK(scores[row].second_logit == Approx(expected.second_logit).epsilon(1e-4).margin(1e-4));
          }
          CHECK(scores[row].log_sum_exp == Approx(expected.log_sum_exp).epsilon(1e-4).margin(1e-4));
          CHECK(scores[row].entropy == Approx(expected.entropy).epsilon(1e-3).margin(1e-4));
        }
      }
    }
  }
}

TEST_CASE("an asked token's logit is told, none where it is not allowed, and nothing else changes") {
  constexpr float kNone = -std::numeric_limits<float>::infinity();
  for (const Isa isa : available_isas()) {
    for (const std::int32_t vocabulary : {1, 17, 256, 300, 1111}) {
      Head head = make_head(vocabulary, 66);  // more than a worker judges at once
      const std::vector<std::uint64_t> some = every(5, vocabulary);
      std::vector<ScoreRequest> requests, unasked;
      for (std::int32_t row = 0; row < 66; ++row) {
        ScoreRequest request{row % 3 == 0 ? some.data() : nullptr, row % 2 == 0 ? 0.0f : 0.7f, 99, 0, 0};
        unasked.push_back(request);
        request.asked = row % 7 == 0 ? -1 : row % 7 == 1 ? vocabulary - 1 : (row * 37 + 3) % vocabulary;
        requests.push_back(request);
      }
      auto cpu = backend(isa, 2);
      const std::vector<Score> scores = judge(*cpu, head, 0, requests), others = judge(*cpu, head, 0, unasked);
      const std::vector<Score> alone = judge(*backend(isa, 1), head, 0, requests);
      for (std::size_t row = 0; row < 66; ++row) {
        const std::int32_t asked = requests[row].asked;
        INFO(name(isa) << " V " << vocabulary << " row " << row << " asked " << asked);
        const std::uint64_t* allowed = requests[row].allowed;
        if (asked < 0 || (allowed != nullptr && (allowed[asked / 64] >> (asked % 64) & 1) == 0)) {
          CHECK(scores[row].asked_logit == kNone);
        } else {
          std::vector<std::uint64_t> only(some.size());
          only[asked / 64] |= std::uint64_t{1} << (asked % 64);
          const Score expected = expected_score(head, static_cast<std::int64_t>(row), only.data());
          CHECK(scores[row].asked_logit == Approx(expected.best_logit).epsilon(1e-4).margin(1e-4));
        }
        if (asked >= 0 && asked == scores[row].token) CHECK(same_bits(&scores[row].asked_logit, &scores[row].logit, 1));
        CHECK(same(alone[row], scores[row]));
        Score rest = scores[row];
        rest.asked_logit = kNone;
        CHECK(same(rest, others[row]));
      }
    }
  }
}

TEST_CASE("the tokens of the largest logits are told in order, and only to who asks for them") {
  for (const Isa isa : available_isas()) {
    for (const std::int32_t vocabulary : {1, 4, 17, 300, 1111}) {
      Head head = make_head(vocabulary, 66);
      const std::vector<std::uint64_t> some = every(5, vocabulary);
      std::vector<ScoreRequest> requests;
      for (std::uint32_t row = 0; row < 66; ++row) {
        requests.push_back({.allowed = row % 3 == 0 ? some.data() : nullptr,
                            .temperature = row % 2 == 0 ? 0.0f : 0.7f,
                            .position = row,
                            .ranked = row % 4 != 3});
      }
      auto cpu = backend(isa, 2);
      const std::vector<Score> scores = judge(*cpu, head, 0, requests);
      for (std::size_t row = 0; row < 66; ++row) {
        INFO(name(isa) << " V " << vocabulary << " row " << row);
        std::vector<std::uint64_t> left(some.size());
        for (std::int32_t t = 0; t < vocabulary; ++t)
          if (requests[row].allowed == nullptr || (some[t / 64] >> (t % 64) & 1) != 0) left[t / 64] |= 1ULL << (t % 64);
        for (const RankedToken& ranked : scores[row].ranked) {
          const Score expected = expected_score(head, static_cast<std::int64_t>(row), left.data());
          if (!requests[row].ranked || expected.best < 0) {
            CHECK(ranked == RankedToken{});
            continue;
          }
          CHECK(ranked.token == expected.best);
          CHECK(ranked.logit == Approx(expected.best_logit).epsilon(1e-4).margin(1e-4));
          left[expected.best / 64] &= ~(1ULL << (expected.best % 64));
        }
        if (requests[row].ranked) CHECK(scores[row].ranked[0].token == scores[row].best);
      }
    }
  }
}

TEST_CASE("ties go to the smallest id, and nothing allowed means no token") {
  Head head{600, 64, std::vector<float>(600 * 64, 0.5f), std::vector<float>(64, 1.0f)};
  const std::vector<std::uint64_t> none((600 + 63) / 64);
  for (const Isa isa : available_isas()) {
    auto cpu = backend(isa, 2);
    const std::vector<ScoreRequest> all(1, ScoreRequest{.ranked = true});
    const Score tie = judge(*cpu, head, 0, all)[0];
    for (int i = 0; i < kRanked; ++i) CHECK(tie.ranked[static_cast<std::size_t>(i)].token == i);
    CHECK(tie.best == 0);
    CHECK(tie.second_logit == tie.best_logit);
    CHECK(tie.entropy == Approx(std::log(600.0)).epsilon(1e-5));
    const std::vector<ScoreRequest> nothing(1, ScoreRequest{none.data(), 0, 0, 0, 0});
    CHECK(judge(*cpu, head, 0, nothing)[0].token == -1);
  }
}

TEST_CASE("a row's score does not depend on rows, threads or, for int8, the level") {
  Head head = make_head(1000, 70);
  const std::vector<std::uint64_t> some = every(3, 1000);
  std::vector<ScoreRequest> requests;
  for (std::uint32_t row = 0; row < 70; ++row) {
    requests.push_back({row % 3 == 0 ? some.data() : nullptr, row % 2 == 0 ? 0.0f : 0.7f, 99, row % 4, row,
                        row % 5 == 0 ? -1 : static_cast<std::int32_t>(row * 14), row % 7 != 0});
  }
  const std::vector<Score> expected = judge(*backend(Isa::plain, 1), head, 0, requests, Compute::int8);
  for (const Isa isa : available_isas()) {
    const std::vector<Score> all = judge(*backend(isa, 2), head, 0, requests, Compute::int8);
    auto one = backend(isa, 1);
    for (int row = 0; row < 70; ++row) {
      INFO(name(isa) << " row " << row);
      CHECK(same(all[row], expected[row]));
      if (row % 9 == 0) CHECK(same(judge(*one, head, row, {&requests[row], 1}, Compute::int8)[0], all[row]));
    }
  }
}

TEST_CASE("sampled tokens follow the softmax at the temperature") {
  Head head = make_head(8, 1);
  for (float& value : head.weights) value *= 0.3f;
  auto cpu = backend(available_isas().back(), 1);
  const float temperature = 0.8f;
  std::vector<double> p(8);
  double sum = 0;
  for (int token = 0; token < 8; ++token) {
    double logit = 0;
    for (int k = 0; k < 64; ++k) logit += static_cast<double>(head.x[k]) * head.weights[token * 64 + k];
    sum += p[token] = std::exp(logit / temperature);
  }
  std::vector<int> counts(8);
  constexpr int kDraws = 4000;
  Head many{8, 64, head.weights, {}};
  for (int i = 0; i < kDraws; ++i) many.x.insert(many.x.end(), head.x.begin(), head.x.end());
  std::vector<ScoreRequest> requests;
  for (std::uint32_t i = 0; i < kDraws; ++i) requests.push_back({nullptr, temperature, 7, 0, i});
  for (const Score& score : judge(*cpu, many, 0, requests)) ++counts[score.token];
  for (int token = 0; token < 8; ++token) {
    const double share = p[token] / sum;
    const double spread = std::sqrt(share * (1 - share) / kDraws);
    INFO(token << " expected " << share << " got " << counts[token] / static_cast<double>(kDraws));
    CHECK(std::abs(counts[token] / static_cast<double>(kDraws) - share) < 4.5 * spread + 1e-9);
  }
}

TEST_CASE("the generator gives the published Philox4x32-10 numbers, and its Gumbel noise is bounded") {
  CHECK(philox({0, 0, 0, 0}, {0, 0}) == std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const std::uint32_t ones = 0xffffffff;
  CHECK(philox({ones, ones, ones, ones}, {ones, ones}) ==
        std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(gumbel(ones) < kGumbelHighest);
  CHECK(gumbel(0) == Approx(-std::log(-std::log(0.5 / 16777216.0))).epsilon(1e-6));
  CHECK(gumbel(0x80000000) == Approx(-std::log(-std::log((8388608.0 + 0.5) / 16777216.0))).epsilon(1e-6));
}

}  // namespace
}  // namespace cinnabar::kernels::cpu
