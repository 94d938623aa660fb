#include "tests/support/reference_backend.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "kernels/int4.h"

namespace cinnabar::tests {
namespace {

using namespace kernels;  // NOLINT(google-build-using-namespace)

struct HostBuffer final : Buffer {
  explicit HostBuffer(std::vector<float> v) : values(std::move(v)) {}
  float* data() override { return values.data(); }
  std::int64_t size() const override { return static_cast<std::int64_t>(values.size()); }
  std::vector<float> values;
};

struct HostMatrix final : Matrix {
  HostMatrix(std::int64_t n, std::int64_t k, Compute c) : Matrix(n, k, c), values(static_cast<std::size_t>(n * k)) {}
  std::int64_t bytes() const override { return static_cast<std::int64_t>(values.size() * sizeof(float)); }
  std::vector<float> values;  // [N, K]
};

struct HostKv final : KvStore {
  explicit HostKv(const KvShape& s)
      : KvStore(s),
        row(std::int64_t{s.kv_heads} * s.head_size),
        keys(static_cast<std::size_t>(s.layers * s.capacity * row)),
        values(keys.size()) {}
  std::int64_t bytes() const override { return static_cast<std::int64_t>(keys.size() * 2 * sizeof(float)); }
  std::size_t at(int layer, std::int64_t slot) const {
    return static_cast<std::size_t>((layer * shape().capacity + slot) * row);
  }
  std::int64_t row;
  std::vector<float> keys, values;  // [L, capacity, K * E]
};

class ReferenceBackend final : public Backend {
 public:
  explicit ReferenceBackend(int cheap_rows) : cheap_rows_(cheap_rows) {}
  std::string description() const override { return "reference"; }
  bool host_memory() const override { return true; }
  int cheap_rows() const override { return cheap_rows_; }
  Result<std::unique_ptr<Buffer>> allocate(std::int64_t n) override {
    return std::unique_ptr<Buffer>(std::make_unique<HostBuffer>(std::vector<float>(static_cast<std::size_t>(n))));
  }
  Result<std::unique_ptr<Buffer>> upload(std::span<const float> v) override {
    return std::unique_ptr<Buffer>(std::make_unique<HostBuffer>(std::vector<float>(v.begin(), v.end())));
  }
  void download(const float* device, std::span<float> host) override { std::copy_n(device, host.size(), host.begin()); }
  Result<std::unique_ptr<Matrix>> pack(std::span<const StoredMatrix> parts, Compute compute) override {
    std::int64_t rows = 0;
    for (const auto& part : parts) rows += part.rows;
    auto matrix = std::make_unique<HostMatrix>(rows, parts[0].cols, compute);
    float* out = matrix->values.data();
    for (const auto& part : parts) {
      for (std::int64_t r = 0; r < part.rows; ++r, out += part.cols) {
        const auto expand = compute == Compute::int4 ? expand_as_int4 : dequantize;
        expand(part.dtype, part.data + r * row_bytes(part.dtype, part.cols), out, part.cols);
      }
    }
    return std::unique_ptr<Matrix>(std::move(matrix));
  }
  Result<std::unique_ptr<KvStore>> make_kv(const KvShape& shape) override {
    return std::unique_ptr<KvStore>(std::make_unique<HostKv>(shape));
  }
  void copy_kv(const KvStore& from, KvStore& to, std::int64_t count) override {
    const auto& source = static_cast<const HostKv&>(from);
    auto& target = static_cast<HostKv&>(to);
    for (int layer = 0; layer < from.shape().layers; ++layer) {
      const auto n = static_cast<std::size_t>(count * source.row);
      std::copy_n(source.keys.begin() + static_cast<std::ptrdiff_t>(source.at(layer, 0)), n,
                  target.keys.begin() + static_cast<std::ptrdiff_t>(target.at(layer, 0)));
      std::copy_n(source.values.begin() + static_cast<std::ptrdiff_t>(source.at(layer, 0)), n,
                  target.values.begin() + static_cast<std::ptrdiff_t>(target.at(layer, 0)));
    }
  }
  void embed(std::span<const std::int32_t> ids, const StoredMatrix& table, Rows out, Write write) override {
    std::vector<float> row(static_cast<std::size_t>(table.cols));
    for (std::size_t i = 0; i < ids.size(); ++i) {
      dequantize(table.dtype, table.data + ids[i] * row_bytes(table.dtype, table.cols), row.data(), table.cols);
      float* to = row_of(out, static_cast<std::int64_t>(i));
      for (std::size_t c = 0; c < row.size(); ++c) to[c] = write == Write::add ? to[c] + row[c] : row[c];
    }
  }
  void rms_norm(Rows x, const float* weight, float eps, Rows out) override {
    for (std::int64_t r = 0; r < x.rows; ++r) normalise(row_of(x, r), weight, eps, x.cols, row_of(out, r));
  }
  void layer_norm(Rows x, const float* weight, const float* bias, float eps, Rows out) override {
    for (std::int64_t r = 0; r < x.rows; ++r) {
      double mean = 0, squares = 0;
      for (std::int64_t c = 0; c < x.cols; ++c) mean += row_of(x, r)[c];
      mean /= static_cast<double>(x.cols);
      for (std::int64_t c = 0; c < x.cols; ++c) squares += (row_of(x, r)[c] - mean) * (row_of(x, r)[c] - mean);
      const double factor = 1.0 / std::sqrt(squares / static_cast<double>(x.cols) + eps);
      for (std::int64_t c = 0; c < x.cols; ++c)
        row_of(out, r)[c] = static_cast<float>((row_of(x, r)[c] - mean) * factor * weight[c] + bias[c]);
    }
  }
  void head_norm(Rows x, const float* weight, float eps, int head) override {
    for (std::int64_t r = 0; r < x.rows; ++r) {
      for (std::int64_t c = 0; c < x.cols; c += head) normalise(row_of(x, r) + c, weight, eps, head, row_of(x, r) + c);
    }
  }
  void linear(std::span<const Linear> products) override {
    for (const Linear& p : products) multiply(p.x, *p.weight, p.bias, p.out, p.write);
  }
  void multiply(Rows x, const Matrix& weight, const float* bias, Rows out, Write write) {
    const auto& w = static_cast<const HostMatrix&>(weight);
    for (std::int64_t r = 0; r < x.rows; ++r) {
      for (std::int64_t n = 0; n < w.rows(); ++n) {
        const float* wr = w.values.data() + n * w.cols();
        double sum = bias != nullptr ? bias[n] : 0.0;
        for (std::int64_t k = 0; k < w.cols(); ++k) sum += double{row_of(x, r)[k]} * wr[k];
        float& target = row_of(out, r)[n];
        target = static_cast<float>(write == Write::add ? target + sum : sum);
      }
    }
  }
  void rope(Rows x, std::span<const std::int32_t> positions, const RopeSpec& spec) override {
    const int half = spec.turned() / 2;
    for (std::int64_t r = 0; r < x.rows; ++r) {
      for (std::int64_t head = 0; head < x.cols; head += spec.head_size) {
        for (int i = 0; i < half; ++i) {
          const double divisor = spec.divisors.empty() ? 1 : spec.divisors[static_cast<std::size_t>(i)];
          const double angle =
              positions[static_cast<std::size_t>(r)] * std::pow(double{spec.theta}, -2.0 * i / spec.turned()) / divisor;
          float& a = row_of(x, r)[head + i];
          float& b = row_of(x, r)[head + i + half];
          const double before_a = a, before_b = b;
          const double cosine = spec.magnitude * std::cos(angle), sine = spec.magnitude * std::sin(angle);
          a = static_cast<float>(before_a * cosine - before_b * sine);
          b = static_cast<float>(before_b * cosine + before_a * sine);
        }
      }
    }
  }
  void kv_write(KvStore& kv, int layer, Rows k, Rows v, std::span<const std::int32_t> slots) override {
    auto& store = static_cast<HostKv&>(kv);
    for (std::int64_t r = 0; r < k.rows; ++r) {
      const std::size_t at = store.at(layer, slots[static_cast<std::size_t>(r)]);
      std::copy_n(row_of(k, r), k.cols, store.keys.begin() + static_cast<std::ptrdiff_t>(at));
      std::copy_n(row_of(v, r), v.cols, store.values.begin() + static_cast<std::ptrdiff_t>(at));
    }
  }
  void attention(Rows q, std::span<const AttentionSegment> segments, int layer, float scale, Rows out) override {
    for (const AttentionSegment& segment : segments) {
      const auto& kv = static_cast<const HostKv&>(*segment.kv);
      const int e = kv.shape().head_size;
      const std::int64_t group = q.cols / e / kv.shape().kv_heads;
      for (std::size_t i = 0; i < segment.limits.size(); ++i) {
        const std::int64_t r = segment.first_row + static_cast<std::int64_t>(i);
        for (std::int64_t head = 0; head < q.cols / e; ++head) {
          attend_row(row_of(q, r) + head * e, kv, layer, (head / group) * e, e, segment.limits[i],
                     segment.hidden.empty() ? SlotRange{} : segment.hidden[i], scale, row_of(out, r) + head * e);
        }
      }
    }
  }
  void gated_silu(Rows x, Rows out) override {
    for (std::int64_t r = 0; r < x.rows; ++r) {
      for (std::int64_t c = 0; c < out.cols; ++c) {
        const float gate = row_of(x, r)[c];
        row_of(out, r)[c] = gate / (1.0f + std::exp(-gate)) * row_of(x, r)[c + out.cols];
      }
    }
  }
  void gelu(Rows x, Rows out) override {
    for (std::int64_t r = 0; r < x.rows; ++r) {
      for (std::int64_t c = 0; c < x.cols; ++c) {
        const double value = row_of(x, r)[c];
        const double inner = std::sqrt(2 / std::numbers::pi) * (value + 0.044715 * value * value * value);
        row_of(out, r)[c] = static_cast<float>(value / 2 * (1 + std::tanh(inner)));
      }
    }
  }
  void add_rows(Rows x, std::span<const std::int32_t> rows, std::span<const float> factors, Rows out) override {
    for (std::size_t i = 0; i < rows.size(); ++i)
      for (std::int64_t c = 0; c < x.cols; ++c)
        row_of(out, rows[i])[c] += factors[i] * row_of(x, static_cast<std::int64_t>(i))[c];
  }
  void gather_rows(Rows x, std::span<const std::int32_t> rows, Rows out) override {
    for (std::size_t i = 0; i < rows.size(); ++i)
      std::copy_n(row_of(x, rows[i]), x.cols, row_of(out, static_cast<std::int64_t>(i)));
  }
  // Greedy only: tests of the engine choose the largest logit.
  void score_rows(Rows x, const Matrix& head, const float* bias, std::span<const ScoreRequest> requests,
                  std::span<Score> out) override {
    std::vector<float> logits(static_cast<std::size_t>(head.rows()));
    for (std::int64_t r = 0; r < x.rows; ++r) {
      multiply(x.slice(r, 1), head, bias, Rows(logits.data(), 1, head.rows()), Write::set);
      out[static_cast<std::size_t>(r)] = judge_row(logits, requests[static_cast<std::size_t>(r)]);
    }
  }

 private:
  static float* row_of(Rows x, std::int64_t r) { return x.data + r * x.stride; }
  static void normalise(const float* x, const float* weight, float eps, std::int64_t n, float* out) {
    double squares = 0;
    for (std::int64_t i = 0; i < n; ++i) squares += double{x[i]} * x[i];
    const double factor = 1.0 / std::sqrt(squares / static_cast<double>(n) + eps);
    for (std::int64_t i = 0; i < n; ++i) out[i] = static_cast<float>(x[i] * factor * weight[i]);
  }
  static void attend_row(const float* q, const HostKv& kv, int layer, std::int64_t column, int e, int limit,
                         SlotRange hidden, float scale, float* out) {
    std::vector<double> weights(static_cast<std::size_t>(limit));
    double best = -std::numeric_limits<double>::infinity(), sum = 0;
    for (int s = 0; s < limit; ++s) {
      const float* key = kv.keys.data() + kv.at(layer, s) + column;
      double dot = 0;
      for (int i = 0; i < e; ++i) dot += double{q[i]} * key[i];
      if (s >= hidden.first && s < hidden.end) dot = -std::numeric_limits<double>::infinity();
      weights[static_cast<std::size_t>(s)] = dot * scale;
      best = std::max(best, dot * scale);
    }
    for (double& w : weights) sum += w = std::exp(w - best);
    for (int i = 0; i < e; ++i) {
      double value = 0;
      for (int s = 0; s < limit; ++s)
        value +=
            weights[static_cast<std::size_t>(s)] * kv.values[kv.at(layer, s) + static_cast<std::size_t>(column + i)];
      out[i] = static_cast<float>(value / sum);
    }
  }
  template <typename Open>
  static RankedTokens ranked(std::span<const float> logits, const Open& open) {
    std::vector<RankedToken> all;
    for (std::size_t t = 0; t < logits.size(); ++t)
      if (open(t)) all.push_back({static_cast<std::int32_t>(t), logits[t]});
    std::stable_sort(all.begin(), all.end(),
                     [](const RankedToken& a, const RankedToken& b) { return a.logit > b.logit; });
    RankedTokens first{};
    std::copy_n(all.begin(), std::min(all.size(), first.size()), first.begin());
    return first;
  }
  static Score judge_row(std::span<const float> logits, const ScoreRequest& request) {
    const std::uint64_t* allowed = request.allowed;
    Score score;
    score.best_logit = score.second_logit = -std::numeric_limits<float>::infinity();
    const auto open = [&](std::size_t t) { return allowed == nullptr || ((allowed[t / 64] >> (t % 64)) & 1U) != 0; };
    for (std::size_t t = 0; t < logits.size(); ++t) {
      if (!open(t)) continue;
      if (logits[t] > score.best_logit) {
        score.second_logit = score.best_logit;
        score.best_logit = logits[t];
        score.best = static_cast<std::int32_t>(t);
      } else {
        score.second_logit = std::max(score.second_logit, logits[t]);
      }
    }
    if (request.asked >= 0 && open(static_cast<std::size_t>(request.asked)))
      score.asked_logit = logits[static_cast<std::size_t>(request.asked)];
    if (request.ranked) score.ranked = ranked(logits, open);
    double sum = 0, weighted = 0;
    for (std::size_t t = 0; t < logits.size(); ++t) {
      if (!open(t)) continue;
      const double e = std::exp(double{logits[t]} - score.best_logit);
      sum += e;
      weighted += e * logits[t];
    }
    score.token = score.best;
    score.logit = score.best_logit;
    score.log_sum_exp = static_cast<float>(score.best_logit + std::log(sum));
    score.entropy = static_cast<float>(score.best_logit + std::log(sum) - weighted / sum);
    return score;
  }

  int cheap_rows_;
};

}  // namespace

std::unique_ptr<kernels::Backend> make_reference_backend(int cheap_rows) {
  return std::make_unique<ReferenceBackend>(cheap_rows);
}

}  // namespace cinnabar::tests
