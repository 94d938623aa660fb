// The output head and the judgement of its logits: a block summarises a run of 256 logits of one row, the summaries are
// combined by kernels/score_parts.h. Logits never leave the device.
#include <cassert>
#include <cmath>

#include "kernels/cuda/backend_impl.h"
#include "kernels/cuda/linear.h"
#include "kernels/cuda/reduce.h"
#include "kernels/random.h"
#include "kernels/score_parts.h"

namespace cinnabar::kernels::cuda {
namespace {

constexpr unsigned kThreads = kScoreRun;  // a logit each
constexpr std::int64_t kLogitBytes = 256 << 20;

// One request and its mask, of the vocabulary.
struct Asked {
  Request request;
  const std::uint64_t* allowed;
  std::int64_t vocabulary;
  __device__ bool allows(std::int64_t token) const {
    return token >= 0 && token < vocabulary && (allowed == nullptr || (allowed[token / 64] >> (token % 64) & 1) != 0);
  }
};

struct TwoLargest {
  float first, second;
};
struct LargerTwo {
  __device__ TwoLargest operator()(TwoLargest a, TwoLargest b) const {
    const float lower = a.first < b.first ? a.first : b.first;
    const float seconds = a.second > b.second ? a.second : b.second;
    return {a.first > b.first ? a.first : b.first, lower > seconds ? lower : seconds};
  }
};

struct Keyed {
  float key;
  std::int32_t token;  // -1: none
};
struct LargerKey {  // ties: the smaller token
  __device__ Keyed operator()(Keyed a, Keyed b) const {
    if (a.token < 0 || b.token < 0) return a.token < 0 ? b : a;
    if (a.key != b.key) return a.key > b.key ? a : b;
    return a.token < b.token ? a : b;
  }
};

struct Sums {
  float sum, weighted;
};
struct AddSums {
  __device__ Sums operator()(Sums a, Sums b) const { return {a.sum + b.sum, a.weighted + b.weighted}; }
};

// blockIdx.x: run, blockIdx.y: row.
__global__ void __launch_bounds__(kThreads) summarize(Rows logits, const Request* requests, const std::uint64_t* masks,
                                                      const std::int32_t* count, ScorePart* parts) {
  if (static_cast<int>(blockIdx.y) >= *count) return;
  const Request request = requests[blockIdx.y];
  const std::int64_t words = (logits.cols + 63) / 64;
  const Asked asked{request, request.mask < 0 ? nullptr : masks + request.mask * words, logits.cols};
  const std::int64_t token = std::int64_t{blockIdx.x} * kScoreRun + threadIdx.x;
  const bool allowed = asked.allows(token);
  const float logit = allowed ? logits.data[blockIdx.y * logits.stride + token] : kNever;
  const TwoLargest largest = reduce_block<kThreads>(TwoLargest{logit, kNever}, LargerTwo());
  const Keyed best = reduce_block<kThreads>(Keyed{logit, allowed ? static_cast<std::int32_t>(token) : -1}, LargerKey());
  Sums own{0, 0};
  if (allowed) {
    const float distance = logit - largest.first;
    own.sum = expf(distance);
    own.weighted = (distance > -87.0f ? distance : -87.0f) * own.sum;
  }
  const Sums sums = reduce_block<kThreads>(own, AddSums());
  ScorePart part;
  part.summary = {largest.first, largest.second,
                  best.token < 0 ? -1 : static_cast<std::int32_t>(best.token - std::int64_t{blockIdx.x} * kScoreRun),
                  sums.sum, sums.weighted};
  if (request.temperature > 0) {
    Keyed drawn{kNever, -1};
    if (allowed) {
      const float noise = gumbel_of(request.seed, request.step, request.position, static_cast<std::uint32_t>(token));
      drawn = {logit / request.temperature + noise, static_cast<std::int32_t>(token)};
    }
    drawn = reduce_block<kThreads>(drawn, LargerKey());
    part.sampled = drawn.token;
    part.sampled_key = drawn.key;
    part.sampled_logit = drawn.token < 0 ? 0.0f : logits.data[blockIdx.y * logits.stride + drawn.token];
  }
  if (request.ranked != 0) {
    Keyed left{logit, allowed ? static_cast<std::int32_t>(token) : -1};
    for (RankedToken& place : part.ranked) {
      const Keyed largest_left = reduce_block<kThreads>(left, LargerKey());
      place = {largest_left.token, largest_left.key};
      if (largest_left.token == left.token) left = {kNever, -1};
    }
  }
  if (threadIdx.x != 0) return;
  const bool asked_here = request.asked / kScoreRun == std::int64_t{blockIdx.x};
  if (asked_here && asked.allows(request.asked))
    part.asked_logit = logits.data[blockIdx.y * logits.stride + request.asked];
  parts[std::int64_t{blockIdx.y} * gridDim.x + blockIdx.x] = part;
}

void score_some(CudaBackend& backend, Context& context, Rows x, const Matrix& head, const float* bias,
                std::span<const ScoreRequest> requests, std::span<Score> out) {
  if (!context.make_room_for_scores(x.rows, head.rows())) return;
  context.seen.requests.set(requests, head.rows());
  const std::int32_t count = static_cast<std::int32_t>(x.rows);
  Image& image = context.arguments.image;
  image.clear();
  RowPlaces places{};
  places.counts = image.add(std::span<const std::int32_t>(&count, 1));
  places.requests = image.add(std::span<const Request>(context.seen.requests.requests));
  places.masks = image.add(std::span<const std::uint64_t>(context.seen.requests.masks));
  if (!context.upload_arguments()) return;
  const DeviceRows rows = places.at(context.arguments.memory.as<const std::byte>());
  const Rows logits(context.logits.as<float>(), x.rows, head.rows());
  backend.Backend::linear(x, head, bias, logits);
  const std::int64_t runs = summarize_rows(context, logits, rows.requests, rows.masks, rows.counts);
  context.collect_scores(runs, requests, out);
}

}  // namespace

std::int64_t summarize_rows(Context& context, const Rows& logits, const Request* requests, const std::uint64_t* masks,
                            const std::int32_t* count) {
  const std::int64_t runs = (logits.cols + kScoreRun - 1) / kScoreRun;
  context.device->launch({blocks(runs, 1), blocks(logits.rows, 1)}, kThreads, summarize, logits, requests, masks, count,
                         context.parts.as<ScorePart>());
  return runs;
}

bool Context::make_room_for_scores(std::int64_t rows, std::int64_t vocabulary) {
  const std::int64_t runs = (vocabulary + kScoreRun - 1) / kScoreRun;
  return grow(logits, rows * vocabulary * static_cast<std::int64_t>(sizeof(float))) &&
         grow(parts, rows * runs * static_cast<std::int64_t>(sizeof(ScorePart)));
}

void Context::collect_scores(std::int64_t runs, std::span<const ScoreRequest> requested, std::span<Score> out) {
  host_parts.resize(static_cast<std::size_t>(std::ssize(requested) * runs));
  device->to_host(host_parts.data(), parts.as<ScorePart>(), std::ssize(host_parts) * std::int64_t{sizeof(ScorePart)});
  if (!failure()) return;
  const auto each = static_cast<std::size_t>(runs);
  for (std::size_t row = 0; row < requested.size(); ++row)
    out[row] = combine(std::span(host_parts).subspan(row * each, each), requested[row]);
}

void CudaBackend::score_rows(Rows x, const Matrix& head, const float* bias, std::span<const ScoreRequest> requests,
                             std::span<Score> out) {
  assert(x.rows == static_cast<std::int64_t>(requests.size()) && requests.size() == out.size());
  assert(x.cols == head.cols());
  const std::int64_t at_once =
      std::max<std::int64_t>(1, kLogitBytes / (head.rows() * static_cast<std::int64_t>(sizeof(float))));
  for (std::int64_t first = 0; first < x.rows; first += at_once) {
    const std::int64_t count = std::min(at_once, x.rows - first);
    score_some(*this, context_, x.slice(first, count), head, bias, requests.subspan(first, count),
               out.subspan(first, count));
  }
}

}  // namespace cinnabar::kernels::cuda
