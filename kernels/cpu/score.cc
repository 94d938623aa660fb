// The output head and the judgement of its logits. Columns are taken in runs of 256; a run's logits live in a worker's
// scratch and only a summary of each (row, run) stays. Summaries are combined in ascending order of runs, so the result
// is the same for every number of threads.
#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "kernels/cpu/linear.h"
#include "kernels/cpu/random.h"

namespace cinnabar::kernels::cpu {
namespace {

constexpr std::int64_t kRun = 256;
constexpr std::int64_t kRowBlock = 64;
constexpr float kNever = -std::numeric_limits<float>::infinity();

struct Part {
  LogitSummary summary{};
  // The run's winner of logit / temperature + noise; -1: none.
  std::int32_t sampled = -1;
  float sampled_key = kNever;
  float sampled_logit = 0;
};

bool is_allowed(const std::uint64_t* allowed, std::int64_t token) {
  return allowed == nullptr || (allowed[token / 64] >> (token % 64) & 1) != 0;
}

// Noise is drawn only where it could still win: it is bounded above.
void sample_run(const float* logits, std::int64_t first, std::int64_t count, const ScoreRequest& request, Part& part) {
  const std::array<std::uint32_t, 2> key = {static_cast<std::uint32_t>(request.seed),
                                            static_cast<std::uint32_t>(request.seed >> 32)};
  for (std::int64_t i = 0; i < count; ++i) {
    if (!is_allowed(request.allowed, first + i)) continue;
    const float tempered = logits[i] / request.temperature;
    if (part.sampled >= 0 && tempered + kGumbelHighest < part.sampled_key) continue;
    const auto token = static_cast<std::uint32_t>(first + i);
    const float noisy = tempered + gumbel(philox({token / 4, request.position, request.step, 0}, key)[token % 4]);
    if (part.sampled >= 0 && !(noisy > part.sampled_key)) continue;
    part.sampled = static_cast<std::int32_t>(token);
    part.sampled_key = noisy;
    part.sampled_logit = logits[i];
  }
}

Score combine(std::span<const Part> parts, bool sampled) {
  Score score;
  score.best_logit = score.second_logit = kNever;
  float sampled_key = kNever;
  for (std::size_t run = 0; run < parts.size(); ++run) {
    const Part& part = parts[run];
    if (part.summary.best < 0) continue;
    if (part.summary.max > score.best_logit || score.best < 0) {
      score.second_logit = std::max(score.best_logit, part.summary.second);
      score.best_logit = part.summary.max;
      score.best = static_cast<std::int32_t>(static_cast<std::int64_t>(run) * kRun) + part.summary.best;
    } else {
      score.second_logit = std::max(score.second_logit, part.summary.max);
    }
    if (part.sampled >= 0 && (score.token < 0 || part.sampled_key > sampled_key)) {
      sampled_key = part.sampled_key;
      score.token = part.sampled;
      score.logit = part.sampled_logit;
    }
  }
  if (!sampled) {
    score.token = score.best;
    score.logit = score.best_logit;
  }
  double sum = 0;
  double weighted = 0;
  for (const Part& part : parts) {
    if (part.summary.best < 0) continue;
    const double distance = static_cast<double>(part.summary.max) - score.best_logit;
    const double share = std::exp(distance);
    sum += share * part.summary.sum;
    weighted += share * (part.summary.weighted + distance * part.summary.sum);
  }
  if (sum > 0) {
    score.log_sum_exp = static_cast<float>(score.best_logit + std::log(sum));
    score.entropy = static_cast<float>(std::max(0.0, std::log(sum) - weighted / sum));
  }
  return score;
}

}  // namespace

void score_rows(Context& context, Rows x, const Matrix& head, std::span<const ScoreRequest> requests,
                std::span<Score> out) {
  const auto& packed = static_cast<const PackedMatrix&>(head);
  assert(x.rows == static_cast<std::int64_t>(requests.size()) && requests.size() == out.size());
  assert(x.cols == packed.cols());
  if (x.rows == 0) return;
  prepare_activations(context, x, packed);
  const std::int64_t runs = (packed.rows() + kRun - 1) / kRun;
  const Product product = context.product(packed.compute());
  std::vector<Part> parts(x.rows * runs);
  const auto judge_run = [&](int run, int worker) {
    const std::int64_t first = run * kRun;
    const std::int64_t count = std::min(kRun, packed.rows() - first);
    float* logits = scratch(context, worker, kRowBlock * kRun);
    for (std::int64_t first_row = 0; first_row < x.rows; first_row += kRowBlock) {
      const std::int64_t rows = std::min(kRowBlock, x.rows - first_row);
      ProductTask task = product_task(context, x, packed, first_row, rows, first / 32, (count + 31) / 32);
      task.out = logits;
      task.out_stride = kRun;
      product(task);
      for (std::int64_t row = 0; row < rows; ++row) {
        const ScoreRequest& request = requests[first_row + row];
        Part& part = parts[(first_row + row) * runs + run];
        const std::uint64_t* words = request.allowed == nullptr ? nullptr : request.allowed + first / 64;
        context.ops.summarize(logits + row * kRun, words, static_cast<int>(count), &part.summary);
        if (request.temperature > 0) sample_run(logits + row * kRun, first, count, request, part);
      }
    }
  };
  context.pool.run(static_cast<int>(runs), judge_run);
  for (std::int64_t row = 0; row < x.rows; ++row) {
    out[row] = combine(std::span(parts).subspan(row * runs, runs), requests[row].temperature > 0);
  }
}

}  // namespace cinnabar::kernels::cpu
