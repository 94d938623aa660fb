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

// A ScoreRequest as the device reads it.
struct Request {
  const std::uint64_t* allowed;
  std::uint64_t seed;
  float temperature;
  std::uint32_t step, position;
  std::int32_t asked;
  bool ranked;
};

__device__ bool is_allowed(const Request& request, std::int64_t token, std::int64_t vocabulary) {
  return token >= 0 && token < vocabulary &&
         (request.allowed == nullptr || (request.allowed[token / 64] >> (token % 64) & 1) != 0);
}

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
__global__ void __launch_bounds__(kThreads) summarize(Rows logits, const Request* requests, ScorePart* parts) {
  const Request request = requests[blockIdx.y];
  const std::int64_t token = std::int64_t{blockIdx.x} * kScoreRun + threadIdx.x;
  const bool allowed = is_allowed(request, token, logits.cols);
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
  if (request.ranked) {
    Keyed left{logit, allowed ? static_cast<std::int32_t>(token) : -1};
    for (RankedToken& place : part.ranked) {
      const Keyed largest_left = reduce_block<kThreads>(left, LargerKey());
      place = {largest_left.token, largest_left.key};
      if (largest_left.token == left.token) left = {kNever, -1};
    }
  }
  if (threadIdx.x != 0) return;
  const bool asked_here = request.asked / kScoreRun == std::int64_t{blockIdx.x};
  if (asked_here && is_allowed(request, request.asked, logits.cols))
    part.asked_logit = logits.data[blockIdx.y * logits.stride + request.asked];
  parts[std::int64_t{blockIdx.y} * gridDim.x + blockIdx.x] = part;
}

// The requests with their token masks on the device; a mask that several share goes there once. False: no memory.
bool upload_requests(Context& context, std::span<const ScoreRequest> requests, std::int64_t vocabulary) {
  const std::int64_t words = (vocabulary + 63) / 64;
  std::vector<const std::uint64_t*> masks;
  for (const ScoreRequest& request : requests) {
    if (request.allowed != nullptr && std::find(masks.begin(), masks.end(), request.allowed) == masks.end())
      masks.push_back(request.allowed);
  }
  const std::int64_t mask_bytes = words * static_cast<std::int64_t>(sizeof(std::uint64_t));
  if (!context.grow(context.masks, std::ssize(masks) * mask_bytes) ||
      !context.grow(context.requests, std::ssize(requests) * static_cast<std::int64_t>(sizeof(Request))))
    return false;
  auto* on_device = context.masks.as<std::uint64_t>();
  for (std::size_t i = 0; i < masks.size(); ++i)
    context.device->to_device(on_device + static_cast<std::int64_t>(i) * words, masks[i], mask_bytes);
  std::vector<Request> all;
  for (const ScoreRequest& request : requests) {
    const auto mask = std::find(masks.begin(), masks.end(), request.allowed) - masks.begin();
    all.push_back({request.allowed == nullptr ? nullptr : on_device + mask * words, request.seed, request.temperature,
                   request.step, request.position, request.asked, request.ranked});
  }
  context.device->to_device(context.requests.as<Request>(), all.data(),
                            std::ssize(all) * static_cast<std::int64_t>(sizeof(Request)));
  return true;
}

void score_some(Backend& backend, Context& context, Rows x, const Matrix& head, std::span<const ScoreRequest> requests,
                std::span<Score> out) {
  const std::int64_t runs = (head.rows() + kScoreRun - 1) / kScoreRun;
  std::vector<ScorePart> parts(static_cast<std::size_t>(x.rows * runs));
  const auto part_bytes = static_cast<std::int64_t>(parts.size() * sizeof(ScorePart));
  if (!context.grow(context.logits, x.rows * head.rows() * static_cast<std::int64_t>(sizeof(float))) ||
      !context.grow(context.parts, part_bytes) || !upload_requests(context, requests, head.rows()))
    return;
  const Rows logits(context.logits.as<float>(), x.rows, head.rows());
  backend.linear(x, head, nullptr, logits);
  context.device->launch({blocks(runs, 1), blocks(x.rows, 1)}, kThreads, summarize, logits,
                         context.requests.as<const Request>(), context.parts.as<ScorePart>());
  context.device->to_host(parts.data(), context.parts.as<ScorePart>(), part_bytes);
  if (!context.failure()) return;
  for (std::int64_t row = 0; row < x.rows; ++row)
    out[row] = combine(std::span(parts).subspan(row * runs, runs), requests[row]);
}

}  // namespace

void CudaBackend::score_rows(Rows x, const Matrix& head, std::span<const ScoreRequest> requests, std::span<Score> out) {
  assert(x.rows == static_cast<std::int64_t>(requests.size()) && requests.size() == out.size());
  assert(x.cols == head.cols());
  const std::int64_t at_once =
      std::max<std::int64_t>(1, kLogitBytes / (head.rows() * static_cast<std::int64_t>(sizeof(float))));
  for (std::int64_t first = 0; first < x.rows; first += at_once) {
    const std::int64_t count = std::min(at_once, x.rows - first);
    score_some(*this, context_, x.slice(first, count), head, requests.subspan(first, count), out.subspan(first, count));
  }
}

}  // namespace cinnabar::kernels::cuda
