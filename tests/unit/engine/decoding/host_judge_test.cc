#include "engine/decoding/host_judge.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "engine/forward/device.h"
#include "kernels/random.h"

namespace cinnabar::engine {
namespace {

using Floats = std::vector<float>;
constexpr float kNever = -std::numeric_limits<float>::infinity();

std::vector<int> left(Floats logits, const SamplingOptions& sampling, std::uint64_t allowed = ~std::uint64_t{0}) {
  judge_logits(logits, {.allowed = &allowed}, sampling);
  std::vector<int> tokens;
  for (std::size_t t = 0; t < logits.size(); ++t)
    if (logits[t] > kNever) tokens.push_back(static_cast<int>(t));
  return tokens;
}

Floats logits_of(std::initializer_list<double> probabilities) {
  Floats logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p)));
  return logits;
}

TEST_CASE("top-p and top-k: what is left of a row") {
  const Floats row = logits_of({0.1, 0.5, 0.05, 0.3, 0.05});
  using Ids = std::vector<int>;
  CHECK(left(row, {}) == Ids{0, 1, 2, 3, 4});
  CHECK(left(row, {.top_p = 0.45f}) == Ids{1});
  CHECK(left(row, {.top_p = 0.6f}) == Ids{1, 3});
  CHECK(left(row, {.top_p = 0.85f}) == Ids{0, 1, 3});
  CHECK(left(row, {.top_p = 0.001f}) == Ids{1});
  CHECK(left(row, {.top_k = 2}) == Ids{1, 3});
  CHECK(left(row, {.top_k = 4}) == Ids{0, 1, 2, 3, 4});  // equal ones stay together
  CHECK(left(row, {.top_p = 0.85f, .top_k = 2}) == Ids{1, 3});
  CHECK(left(row, {.top_k = 100}) == Ids{0, 1, 2, 3, 4});
  CHECK(left(row, {.top_p = 0.7f}, 0b11101) == Ids{0, 3});  // of what is allowed: 0.1, 0.05, 0.3, 0.05
  // A higher temperature spreads the probability, a lower one gathers it.
  CHECK(left(row, {.temperature = 4, .top_p = 0.6f}) == Ids{0, 1, 3});
  CHECK(left(row, {.temperature = 0.25f, .top_p = 0.6f}) == Ids{1});
}

TEST_CASE("a row judged here is as the device judges it") {
  auto device = open_device({});
  REQUIRE(device);
  std::mt19937 random(5);
  std::normal_distribution<float> normal(0, 3);
  constexpr int kVocabulary = 700, kWidth = 32;
  Floats weights(kVocabulary * kWidth), x(kWidth);
  for (float& w : weights) w = normal(random) / 4;
  for (float& value : x) value = normal(random) / 4;
  const kernels::StoredMatrix stored{kernels::DType::f32, reinterpret_cast<const std::byte*>(weights.data()),
                                     kVocabulary, kWidth};
  auto head = device->backend->pack({&stored, 1}, kernels::Compute::f32);
  auto rows = device->backend->upload(x);
  auto products = device->backend->allocate(kVocabulary);
  REQUIRE((head && rows && products));
  std::vector<std::uint64_t> allowed((kVocabulary + 63) / 64, 0xfffffffffffffff0);
  for (const float temperature : {0.0f, 0.8f}) {
    const kernels::ScoreRequest request{allowed.data(), temperature, 9, 4, 17, 30, true};
    kernels::Score wanted;
    device->backend->score_rows({(*rows)->data(), 1, kWidth}, **head, {&request, 1}, {&wanted, 1});
    device->backend->linear({(*rows)->data(), 1, kWidth}, **head, nullptr, {(*products)->data(), 1, kVocabulary});
    Floats logits(kVocabulary);
    device->backend->download((*products)->data(), logits);
    const kernels::Score found = judge_logits(logits, request, {});
    CHECK(found.token == wanted.token);
    CHECK(found.best == wanted.best);
    CHECK(found.logit == Approx(wanted.logit).margin(1e-4));
    CHECK(found.second_logit == Approx(wanted.second_logit).margin(1e-4));
    CHECK(found.log_sum_exp == Approx(wanted.log_sum_exp).margin(1e-4));
    CHECK(found.entropy == Approx(wanted.entropy).margin(1e-3));
    CHECK(found.asked_logit == Approx(wanted.asked_logit).margin(1e-4));
    for (std::size_t i = 0; i < found.ranked.size(); ++i) CHECK(found.ranked[i].token == wanted.ranked[i].token);
  }
}

TEST_CASE("guidance moves a row away from the one without the text") {
  Floats row = {1, 2, 3};
  guide(row, Floats{1, 1, 1}, 0.5f);
  CHECK(row == Floats{1, 2.5f, 4});
}

}  // namespace
}  // namespace cinnabar::engine
