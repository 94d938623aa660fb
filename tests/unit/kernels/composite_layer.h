// A layer and a head of random weights on any backend, run by composite operations, by the device's own forms or by the
// plain ones. Rows are two sequences behind some cached tokens.
#pragma once

#include <functional>
#include <utility>

#include "tests/unit/kernels/cuda/cuda_fixture.h"

namespace cinnabar::kernels::testing {

using cpu::testing::random_values;
using cpu::testing::stored;
using cuda::testing::Values;

struct LayerShape {
  std::int64_t width;
  int heads, kv_heads, head_size, rotary;
  std::int64_t ffn, rank;
  bool head_norms, biases;
  bool layer_norms = false;  // and GELU without a gate, a table of positions, a bias of the head
};

// `clean` rows of one sequence from `first` on, and `block` rows of the adapter: half of them behind those, half of
// another sequence.
struct RowsShape {
  int clean, block, first = 0;
};

enum class Form : std::uint8_t { own, plain };

class CompositeLayer {
 public:
  CompositeLayer(Backend& backend, const LayerShape& shape, Compute compute)
      : backend_(backend), shape_(shape), compute_(compute) {
    const std::int64_t columns = (shape.heads + 2 * shape.kv_heads) * std::int64_t{shape.head_size};
    const std::int64_t queries = shape.heads * std::int64_t{shape.head_size};
    const std::int64_t keys = shape.kv_heads * std::int64_t{shape.head_size};
    qkv_ = product(shape.width, {queries, keys, keys});
    out_ = product(queries, {shape.width});
    gate_up_ = product(shape.width, shape.layer_norms ? std::vector{shape.ffn} : std::vector{shape.ffn, shape.ffn});
    down_ = product(shape.ffn, {shape.width});
    head_.matrix = matrix(kVocabulary, shape.width, compute);
    if (shape.layer_norms) head_.bias = uploaded(random_values(kVocabulary, ++seed_));
    for (auto* norm : {&norm_, &head_norm_}) *norm = uploaded(random_values(512, ++seed_));
    for (auto* memory : {&normed_, &x_, &qkv_rows_, &gated_, &attended_, &gate_up_rows_, &thin_})
      *memory = uploaded(Values(static_cast<std::size_t>(kMostRows * std::max(columns, 2 * shape.ffn + shape.width))));
    zeros_ = uploaded(Values(static_cast<std::size_t>(kMostRows * columns)));
    table_values_ = random_values(kTokens * shape.width, ++seed_);
    table_ = stored(table_values_, kTokens, shape.width);
    position_values_ = random_values(kPositions * shape.width, ++seed_);
    position_table_ = stored(position_values_, kPositions, shape.width);
  }

  // Row by row: the queries, what attention made of them, the residual stream behind the layer, and scores of each.
  // What the forward took in traffic, to `traffic` if that is wanted.
  Values run(const RowsShape& rows, Form form, Traffic* traffic = nullptr) {
    make_batch(rows);
    const Forms forms(backend_, form == Form::plain);
    const std::int64_t count = batch_.rows(), queries = shape_.heads * std::int64_t{shape_.head_size};
    const std::int64_t columns = queries + 2 * std::int64_t{shape_.kv_heads} * shape_.head_size;
    const Rows x(x_->data(), count, shape_.width), qkv(qkv_rows_->data(), count, columns);
    const Rows attended(attended_->data(), count, queries), gated(gated_->data(), count, shape_.ffn);
    const Workspace work{normed_->data(), gate_up_rows_->data(), thin_->data()};
    const Normed normed{x, norm_->data(), 1e-6f, shape_.layer_norms ? head_norm_->data() : nullptr};
    const float* head_norm = shape_.head_norms ? head_norm_->data() : nullptr;
    const RopeSpec rope{1e4f, shape_.head_size, shape_.rotary};
    const Heads heads{1, shape_.heads, shape_.kv_heads, head_norm, head_norm, 1e-6f, rope};
    const Traffic before = backend_.traffic();
    forms.forward(this, batch_, [&] {
      forms.embed_batch(batch_, x);
      forms.project(normed, qkv_.view(), heads, batch_, work, qkv);
      forms.attend(qkv.columns(0, queries), batch_, 1, 0.2f, attended);
      forms.add_product(attended, out_.view(), batch_, work, x);
      forms.activated_product(normed, gate_up_.view(), activation(), batch_, work, gated);
      forms.add_product(gated, down_.view(), batch_, work, x);
      forms.judge(normed, head_.view(), batch_, work);
    });
    REQUIRE(backend_.failure());
    if (traffic != nullptr) *traffic = backend_.traffic() - before;
    return results(qkv.columns(0, queries), attended, x);
  }

 private:
  static constexpr std::int64_t kVocabulary = 300, kTokens = 50, kMostRows = 64, kPositions = 400;
  Activation activation() const { return shape_.layer_norms ? Activation::gelu : Activation::gated_silu; }

  // A backend's own forms of the composite operations, or the plain ones of its operations.
  struct Forms {
    Forms(Backend& on, bool is_plain) : backend(on), plain(is_plain) {}
    void forward(const void* owner, const Batch& batch, const std::function<void()>& run) const {
      plain ? backend.Backend::forward(owner, batch, run) : backend.forward(owner, batch, run);
    }
    void embed_batch(const Batch& batch, Rows out) const {
      plain ? backend.Backend::embed_batch(batch, out) : backend.embed_batch(batch, out);
    }
    void project(const Normed& x, const GatedProduct& qkv, const Heads& heads, const Batch& batch,
                 const Workspace& work, Rows out) const {
      plain ? backend.Backend::project(x, qkv, heads, batch, work, out)
            : backend.project(x, qkv, heads, batch, work, out);
    }
    void attend(Rows q, const Batch& batch, int layer, float scale, Rows out) const {
      plain ? backend.Backend::attend(q, batch, layer, scale, out) : backend.attend(q, batch, layer, scale, out);
    }
    void add_product(Rows x, const GatedProduct& product, const Batch& batch, const Workspace& work, Rows out) const {
      plain ? backend.Backend::add_product(x, product, batch, work, out)
            : backend.add_product(x, product, batch, work, out);
    }
    void activated_product(const Normed& x, const GatedProduct& product, Activation activation, const Batch& batch,
                           const Workspace& work, Rows out) const {
      plain ? backend.Backend::activated_product(x, product, activation, batch, work, out)
            : backend.activated_product(x, product, activation, batch, work, out);
    }
    void judge(const Normed& x, const GatedProduct& head, const Batch& batch, const Workspace& work) const {
      plain ? backend.Backend::judge(x, head, batch, work) : backend.judge(x, head, batch, work);
    }
    Backend& backend;
    bool plain;
  };

  struct OwnedProduct {
    std::unique_ptr<Matrix> matrix, a;
    std::unique_ptr<Buffer> bias;
    std::vector<std::unique_ptr<Matrix>> bs;
    std::vector<LowRank::Part> parts;
    GatedProduct view() const { return {matrix.get(), bias ? bias->data() : nullptr, {a.get(), parts}}; }
  };

  std::unique_ptr<Matrix> matrix(std::int64_t rows, std::int64_t cols, Compute compute) {
    const Values values = random_values(rows * cols, ++seed_, 0.3f);
    const StoredMatrix weight = stored(values, rows, cols);
    auto packed = backend_.pack({&weight, 1}, compute);
    REQUIRE(packed);
    return std::move(packed).value();
  }

  std::unique_ptr<Buffer> uploaded(const Values& values) {
    auto buffer = backend_.upload(values);
    REQUIRE(buffer);
    return std::move(buffer).value();
  }

  // Outputs of `inputs` in parts of so many, each with an addition.
  OwnedProduct product(std::int64_t inputs, const std::vector<std::int64_t>& outputs) {
    OwnedProduct made;
    std::int64_t all = 0;
    for (const std::int64_t each : outputs) {
      made.bs.push_back(matrix(each, shape_.rank, compute_ == Compute::f32 ? Compute::f32 : Compute::bf16));
      made.parts.push_back(
          {made.bs.back().get(), std::ssize(made.parts) * shape_.rank, std::exchange(all, all + each)});
    }
    made.matrix = matrix(all, inputs, compute_);
    made.a = matrix(std::ssize(outputs) * shape_.rank, inputs, compute_ == Compute::int4 ? Compute::bf16 : compute_);
    if (shape_.biases) made.bias = uploaded(random_values(all, ++seed_));
    return made;
  }

  void add_row(int sequence, std::int32_t slot, std::int32_t limit, SlotRange hidden) {
    tokens_.push_back(static_cast<std::int32_t>(slot * 7 + sequence) % static_cast<std::int32_t>(kTokens));
    slots_.push_back(slot);
    positions_.push_back(slot + 3);
    limits_.push_back(limit);
    hidden_.push_back(hidden);
    judged_.push_back(static_cast<std::int32_t>(judged_.size()));
    requests_.push_back({slot % 3 == 0 ? allowed_.data() : nullptr, slot % 2 == 0 ? 0.7f : 0.0f, 5, 1,
                         static_cast<std::uint32_t>(slot), slot % 5 == 0 ? 11 : -1});
  }

  void make_batch(const RowsShape& rows) {
    for (auto* numbers : {&tokens_, &slots_, &positions_, &limits_, &judged_}) numbers->clear();
    hidden_.clear();
    requests_.clear();
    block_rows_.clear();
    if (rows.first == 0) {  // later rows stand on what the earlier ones wrote
      for (auto& kv : kv_) fill(kv);
    }
    const int here = rows.block / 2, first = kCached + rows.first;
    for (int i = 0; i < rows.clean; ++i) add_row(0, first + i, first + i + 1, {});
    const std::int32_t block = first + rows.clean;
    for (int i = 0; i < here; ++i) add_row(0, block + i, block + here, {kCached - 4, kCached - 1});
    for (int i = here; i < rows.block; ++i) add_row(1, kCached + i - here, kCached + rows.block - here, {});
    const auto in_first = static_cast<std::size_t>(rows.clean + here), all = slots_.size();
    if (here > 0) block_rows_.push_back({rows.clean, here});
    if (all > in_first) block_rows_.push_back({rows.clean + here, static_cast<std::int64_t>(all - in_first)});
    sequences_ = {{kv_[0].get(), 0, std::span(limits_).first(in_first), std::span(hidden_).first(in_first)},
                  {kv_[1].get(), static_cast<std::int64_t>(in_first), std::span(limits_).subspan(in_first), {}}};
    stores_ = {kv_[0].get(), kv_[1].get()};
    scores_.assign(all, {});
    batch_ = {tokens_,    &table_,    kVocabulary, slots_,
              positions_, sequences_, stores_,     block_rows_,
              judged_,    requests_,  scores_,     shape_.layer_norms ? &position_table_ : nullptr};
  }

  // Keys and values of the cached tokens, and zeros behind them.
  void fill(std::unique_ptr<KvStore>& kv) {
    if (kv == nullptr) {
      auto made = backend_.make_kv({2, shape_.kv_heads, shape_.head_size, 400});
      REQUIRE(made);
      kv = std::move(made).value();
      auto rows = uploaded(random_values(kCached * shape_.kv_heads * shape_.head_size, 9));
      write(*kv, *rows, 0, kCached);
    }
    write(*kv, *zeros_, kCached, kMostRows);
  }

  void write(KvStore& kv, Buffer& values, std::int32_t first, std::int64_t count) {
    const Rows rows(values.data(), count, shape_.kv_heads * std::int64_t{shape_.head_size});
    std::vector<std::int32_t> slots;
    for (std::int32_t slot = first; slot < first + count; ++slot) slots.push_back(slot);
    backend_.kv_write(kv, 1, rows, rows, slots);
  }

  Values fetched(Rows rows) {
    Values all(static_cast<std::size_t>(rows.rows * rows.stride)), wanted;
    backend_.download(rows.data, all);
    for (std::int64_t row = 0; row < rows.rows; ++row)
      wanted.insert(wanted.end(), all.begin() + row * rows.stride, all.begin() + row * rows.stride + rows.cols);
    return wanted;
  }

  Values results(Rows queries, Rows attended, Rows x) {
    const std::pair<Values, std::int64_t> each[] = {
        {fetched(queries), queries.cols}, {fetched(attended), attended.cols}, {fetched(x), x.cols}};
    Values all;
    for (std::size_t row = 0; row < scores_.size(); ++row) {
      for (const auto& [values, cols] : each) {
        const auto from = values.begin() + static_cast<std::int64_t>(row) * cols;
        all.insert(all.end(), from, from + cols);
      }
      const Score& score = scores_[row];
      all.insert(all.end(), {static_cast<float>(score.token >= 0), score.best_logit, score.log_sum_exp, score.entropy,
                             std::isfinite(score.asked_logit) ? score.asked_logit : 0});
    }
    return all;
  }

  static constexpr std::int32_t kCached = 270;  // more than one piece of the GPU's attention

  Backend& backend_;
  LayerShape shape_;
  Compute compute_;
  std::uint32_t seed_ = 100;
  OwnedProduct qkv_, out_, gate_up_, down_, head_;
  std::unique_ptr<Buffer> norm_, head_norm_, normed_, x_, qkv_rows_, gated_, attended_, gate_up_rows_, thin_, zeros_;
  std::unique_ptr<KvStore> kv_[2];
  Values table_values_, position_values_;
  StoredMatrix table_{}, position_table_{};
  std::vector<std::uint64_t> allowed_ = {0x00ffff00ff00ff00u, 0xf0f0f0f0f0f0f0f0u, ~0ull, 0, 0x0fu};
  std::vector<std::int32_t> tokens_, slots_, positions_, limits_, judged_;
  std::vector<SlotRange> hidden_;
  std::vector<ScoreRequest> requests_;
  std::vector<Score> scores_;
  std::vector<RowRange> block_rows_;
  std::vector<AttentionSegment> sequences_;
  std::vector<KvStore*> stores_;
  Batch batch_{};
};

}  // namespace cinnabar::kernels::testing
