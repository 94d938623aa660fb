// The output head and the judgement of its logits. Columns are taken in runs of 256; a run's logits live in a worker's
// scratch and only a summary of each (row, run) stays. Summaries are combined in ascending order of runs, so the result
// is the same for every number of threads.
#include <algorithm>
#include <cassert>

#include "kernels/cpu/backend_impl.h"
#include "kernels/cpu/linear.h"
#include "kernels/random.h"
#include "kernels/score_parts.h"

namespace cinnabar::kernels::cpu {
namespace {

constexpr std::int64_t kRowBlock = 64;

bool is_allowed(const std::uint64_t* allowed, std::int64_t token) {
  return allowed == nullptr || (allowed[token / 64] >> (token % 64) & 1) != 0;
}

// Noise is drawn only where it could still win: it is bounded above.
void sample_run(const float* logits, std::int64_t first, std::int64_t count, const ScoreRequest& request,
                ScorePart& part) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (!is_allowed(request.allowed, first + i)) continue;
    const float tempered = logits[i] / request.temperature;
    if (part.sampled >= 0 && tempered + kGumbelHighest < part.sampled_key) continue;
    const auto token = static_cast<std::uint32_t>(first + i);
    const float noisy = tempered + gumbel_of(request.seed, request.step, request.position, token);
    if (part.sampled >= 0 && !(noisy > part.sampled_key)) continue;
    part.sampled = static_cast<std::int32_t>(token);
    part.sampled_key = noisy;
    part.sampled_logit = logits[i];
  }
}

void rank_run(const float* logits, std::int64_t first, std::int64_t count, const std::uint64_t* allowed,
              RankedTokens& ranked) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (logits[i] > ranked.back().logit && is_allowed(allowed, first + i))
      rank(ranked, {static_cast<std::int32_t>(first + i), logits[i]});
  }
}

// kNever where the token lies in another run or is not allowed.
float asked_in_run(const float* logits, std::int64_t first, std::int64_t count, const ScoreRequest& request) {
  const std::int64_t at = request.asked - first;
  const bool is_here = request.asked >= 0 && at >= 0 && at < count;
  return is_here && is_allowed(request.allowed, request.asked) ? logits[at] : kNever;
}

}  // namespace

void CpuBackend::score_rows(Rows x, const Matrix& head, const float* bias, std::span<const ScoreRequest> requests,
                            std::span<Score> out) {
  const FlushDenormals flush;
  const auto& packed = static_cast<const PackedMatrix&>(head);
  assert(x.rows == static_cast<std::int64_t>(requests.size()) && requests.size() == out.size());
  assert(x.cols == packed.cols());
  if (x.rows == 0) return;
  Operands operands{x, &packed};
  round_activations(context_, {&operands, 1});
  const std::int64_t runs = (packed.rows() + kScoreRun - 1) / kScoreRun;
  std::vector<ScorePart> parts(x.rows * runs);
  const auto judge_run = [&](int run, int worker) {
    const std::int64_t first = run * kScoreRun;
    const std::int64_t count = std::min(kScoreRun, packed.rows() - first);
    float* logits = scratch(context_, worker, kRowBlock * kScoreRun);
    for (std::int64_t first_row = 0; first_row < x.rows; first_row += kRowBlock) {
      const std::int64_t rows = std::min(kRowBlock, x.rows - first_row);
      ProductTask task = product_task(context_, operands, first_row, rows);
      task.bias = bias == nullptr ? nullptr : bias + first;
      task.out = logits;
      task.out_stride = kScoreRun;
      multiply_pairs(context_, task, packed, first / 32, (count + 31) / 32, worker);
      for (std::int64_t row = 0; row < rows; ++row) {
        const ScoreRequest& request = requests[first_row + row];
        ScorePart& part = parts[(first_row + row) * runs + run];
        const std::uint64_t* words = request.allowed == nullptr ? nullptr : request.allowed + first / 64;
        context_.ops.summarize(logits + row * kScoreRun, words, static_cast<int>(count), &part.summary);
        if (request.temperature > 0) sample_run(logits + row * kScoreRun, first, count, request, part);
        if (request.ranked) rank_run(logits + row * kScoreRun, first, count, request.allowed, part.ranked);
        part.asked_logit = asked_in_run(logits + row * kScoreRun, first, count, request);
      }
    }
  };
  context_.pool.run(static_cast<int>(runs), judge_run);
  for (std::int64_t row = 0; row < x.rows; ++row) {
    out[row] = combine(std::span(parts).subspan(row * runs, runs), requests[row]);
  }
}

}  // namespace cinnabar::kernels::cpu
