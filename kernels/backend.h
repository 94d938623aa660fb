// The closed list of tensor operations a device must offer, its memory and its packed weights. The engine's forward
// (engine/forward/network.cc) is written once against this interface; kernels/cpu is the truth, kernels/cuda must agree with
// it.
// Shapes are written in the letters of kernels/tensors.h.
//
// Promise of every backend (invariant "batch invariance", ARCHITECTURE.md): a row's result does not depend on the other
// rows of the call nor on the number of threads, bit for bit. So a token verified among others equals the token decoded
// alone, and a replay repeats.
//
// Threads: one Backend is used by one thread at a time (the engine's); it may use its own workers inside a call.
// Errors: shapes are our own doing and are asserted; what can fail for outside reasons (memory) returns a Result.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "kernels/batch.h"
#include "kernels/traffic.h"

namespace cinnabar::kernels {

class Backend {
 public:
  virtual ~Backend() = default;

  // "cpu (AMX, 2 threads)": for status lines and benches.
  virtual std::string description() const = 0;
  virtual bool host_memory() const = 0;
  // Rows that a forward of the default model computes in about twice the time of one row, by the tables in
  // bench/README.md: up to there a draft that is half right pays.
  virtual int cheap_rows() const = 0;
  // What has made the device unusable (a GPU taken away, memory that was not there): from then on operations compute
  // nothing. Success while all is well. Whoever uses results asks after score_rows or download.
  virtual Status failure() const { return {}; }
  // Returns when all operations before it are done; for clocks. Whoever fetches results waits for them anyway.
  virtual void wait() {}

  virtual Traffic traffic() const { return {}; }
  virtual DeviceMemory memory() const { return {}; }

  // --- memory and weights

  virtual Result<std::unique_ptr<Buffer>> allocate(std::int64_t values) = 0;
  virtual Result<std::unique_ptr<Buffer>> upload(std::span<const float> values) = 0;
  virtual void download(const float* device, std::span<float> host) = 0;
  // Packs the matrices below one another (same K): [N1 + N2 + ..., K]. The sources may go away afterwards.
  virtual Result<std::unique_ptr<Matrix>> pack(std::span<const StoredMatrix> parts, Compute compute) = 0;
  virtual Result<std::unique_ptr<KvStore>> make_kv(const KvShape& shape) = 0;
  // Copies slots [0, count) of every layer. Same layers, heads and head size.
  virtual void copy_kv(const KvStore& from, KvStore& to, std::int64_t count) = 0;

  // --- operations: `out` never overlaps an input unless said

  enum class Write : std::uint8_t { set, add };
  // out[i, :] (+)= row ids[i] of the table, expanded. out [M, D], table [V, D] as stored.
  virtual void embed(std::span<const std::int32_t> ids, const StoredMatrix& table, Rows out, Write write) = 0;
  void embed(std::span<const std::int32_t> ids, const StoredMatrix& table, Rows out) {
    embed(ids, table, out, Write::set);
  }
  // RMSNorm (1910.07467): out = x / sqrt(mean(x^2) + eps) * weight. x, out [M, D]; weight [D]. out may be x.
  virtual void rms_norm(Rows x, const float* weight, float eps, Rows out) = 0;
  // LayerNorm (1607.06450): out = (x - mean(x)) / sqrt(variance(x) + eps) * weight + bias. weight, bias [D]. out may be x.
  virtual void layer_norm(Rows x, const float* weight, const float* bias, float eps, Rows out) = 0;
  // The same over each head of x [M, heads * E], in place; weight [E] (Qwen3's q/k norm).
  virtual void head_norm(Rows x, const float* weight, float eps, int head_size) = 0;
  // For each of some products, out (+)= x W^T + bias; x [M, K], W [N, K], bias [N] or null, out [M, N]. None reads or
  // writes what another writes, so small ones need not wait for each other. Neighbours with the same x share its
  // rounding.
  struct Linear {
    Rows x;
    const Matrix* weight;
    const float* bias;
    Rows out;
    Write write = Write::set;
  };
  virtual void linear(std::span<const Linear> products) = 0;
  void linear(Rows x, const Matrix& weight, const float* bias, Rows out, Write write = Write::set) {
    const Linear product{x, &weight, bias, out, write};
    linear({&product, 1});
  }
  // Rotates every head of x [M, heads * E] in place by its row's position (>= 0).
  virtual void rope(Rows x, std::span<const std::int32_t> positions, const RopeSpec& spec) = 0;
  // Writes k, v [M, K * E] of the segment's rows at slots[i] of layer `layer`.
  virtual void kv_write(KvStore& kv, int layer, Rows k, Rows v, std::span<const std::int32_t> slots) = 0;
  // out[i] = softmax(q[i] k^T * scale) v over the slots the row sees. q, out [M, H * E]; H is a multiple of K, query
  // head h reads key/value head h / (H / K). Segments cover all rows.
  virtual void attention(Rows q, std::span<const AttentionSegment> segments, int layer, float scale, Rows out) = 0;
  // out = silu(x[:, 0:F]) * x[:, F:2F]. x [M, 2F], out [M, F].
  virtual void gated_silu(Rows x, Rows out) = 0;
  // out = x / 2 * (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), GELU by tanh (1606.08415). x, out [M, F]. out may be x.
  virtual void gelu(Rows x, Rows out) = 0;
  // out[i, :] = x[rows[i], :].
  virtual void gather_rows(Rows x, std::span<const std::int32_t> rows, Rows out) = 0;
  // out[rows[i], :] += factors[i] * x[i, :], in the order of i: a row of out that comes several times adds in that order.
  virtual void add_rows(Rows x, std::span<const std::int32_t> rows, std::span<const float> factors, Rows out) = 0;
  // The output head and the judgement of its logits, fused: logits never leave the device. x [R, D], head [V, D],
  // bias [V] or null.
  virtual void score_rows(Rows x, const Matrix& head, const float* bias, std::span<const ScoreRequest> requests,
                          std::span<Score> out) = 0;
  void score_rows(Rows x, const Matrix& head, std::span<const ScoreRequest> requests, std::span<Score> out) {
    score_rows(x, head, nullptr, requests, out);
  }

  // --- composite operations: what a layer does between two values that others need. Their plain forms, by the operations
  // above (kernels/backend.cc), are what a device's own form is compared with, bit for bit.

  // Issues a forward's `operations`: composite ones of this batch alone. A device may record what they start and, when the
  // same `owner` (null: none) comes with a batch of the same form, start it again without calling `operations`. Scores are
  // there when this returns.
  virtual void forward(const void* owner, const Batch& batch, const std::function<void()>& operations);
  // The batch's tokens, and its positions where the model has a table of them, to out [M, D].
  virtual void embed_batch(const Batch& batch, Rows out);
  // The queries of the rows to `out` [M, (H + 2K) E], columns [0, H E), and keys and values to their sequences' slots:
  // norm, product, norms of heads, rotary embedding. What the columns behind the queries hold afterwards is undefined.
  virtual void project(const Normed& x, const GatedProduct& qkv, const Heads& heads, const Batch& batch,
                       const Workspace& work, Rows out);
  // attention() over the batch's sequences.
  virtual void attend(Rows q, const Batch& batch, int layer, float scale, Rows out);
  // out += the product of x.
  virtual void add_product(Rows x, const GatedProduct& product, const Batch& batch, const Workspace& work, Rows out);
  // out [M, F] = the activation of the product ([M, 2F], or [M, F] without a gate) of the normed rows.
  virtual void activated_product(const Normed& x, const GatedProduct& product, Activation activation,
                                 const Batch& batch, const Workspace& work, Rows out);
  // The scores of the batch's judged rows, normed, through the head.
  virtual void judge(const Normed& x, const GatedProduct& head, const Batch& batch, const Workspace& work);

 private:
  void gated_linear(Rows x, const GatedProduct& product, const Batch& batch, const Workspace& work, Rows out,
                    Write write);
  void norm(const Normed& x, Rows out);
};

}  // namespace cinnabar::kernels
