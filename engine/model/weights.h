// A checkpoint's tensors in the order the forward uses them, with dtype and shape checked against the spec. Views only:
// they borrow from the Checkpoint, which must live until the backend has packed them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/checkpoint.h"
#include "engine/model/model_spec.h"
#include "engine/model/products.h"
#include "kernels/backend.h"

namespace cinnabar::engine {

struct ExpertWeights {
  kernels::StoredMatrix gate{}, up{}, down{};  // [F', D], [F', D], [D, F'] of its own width F'
};

struct LayerWeights {
  PerProduct<kernels::StoredMatrix> matrices;   // sizes: kProductList; no data where the model has no such product
  PerProduct<std::vector<float>> biases;        // empty where a product has none
  std::vector<float> attention_norm, ffn_norm;  // [D]
  std::vector<float> attention_norm_bias, ffn_norm_bias;  // [D]; empty without layer_norm
  std::vector<float> query_norm, key_norm;                // [E]; empty without qk_norm
  // Of a layer of experts, which has no gate, up and down.
  kernels::StoredMatrix router{};      // [X, D]
  std::vector<float> choice_bias;      // [X]; empty without
  std::vector<ExpertWeights> experts;  // X
  ExpertWeights shared;                // no data without
};

struct Weights {
  kernels::StoredMatrix embedding;     // [V, D]
  kernels::StoredMatrix head;          // [V, D]; the embedding when tied
  kernels::StoredMatrix positions{};   // [context, D]; no data without learned_positions
  std::vector<float> final_norm;       // [D]
  std::vector<float> final_norm_bias;  // [D]; empty without layer_norm
  std::vector<float> head_bias;        // [V]; empty without
  std::vector<LayerWeights> layers;    // L
  // Memory of matrices that had to be rewritten at load (un-permuted q/k, transposed, merged LoRA); the views above point into it.
  std::vector<std::unique_ptr<std::vector<std::byte>>> owned;
};

// The matrix in f32, each row [K] as `change` leaves it; its memory is in `owner.owned`.
using RowChange = std::function<void(std::int64_t row, float* values)>;
void rewrite_rows(kernels::StoredMatrix& matrix, Weights& owner, const RowChange& change);

struct LoadedModel {
  Checkpoint checkpoint;
  ModelSpec spec;
  Weights weights;
};

// The family row for the checkpoint (by GGUF general.architecture or config.json's architectures, then model_type),
// overridden by the file's own configuration; then every required tensor with its exact shape.
Result<ModelSpec> read_spec(const Checkpoint& checkpoint);
Result<Weights> bind_weights(const Checkpoint& checkpoint, const ModelSpec& spec);
// open_checkpoint + read_spec + bind_weights.
Result<LoadedModel> load_model(const std::string& path);

// Low-rank addition to one product: out += (x A^T) B^T, A [R, K], B [N, R] with the adapter's scale (alpha / R) in B.
struct LowRank {
  std::vector<float> a, b;
  std::int64_t rank = 0, inputs = 0, outputs = 0;
};

// An adapter: GGUF adapter (general.type "adapter") or a PEFT folder (adapter_config.json + adapter_model.safetensors).
using LayerAdapter = PerProduct<std::optional<LowRank>>;
struct Adapter {
  bool gated = false;  // active only on block rows (models/README: gated adapter); else it is merged into the weights
  std::vector<LayerAdapter> layers;
  // What training gave a meaning to: GGUF cinnabar.hole_end_token_id and cinnabar.block_length (PEFT configuration:
  // cinnabar_hole_end_token_id, cinnabar_block_length). -1 and 0: nothing said, the model's own values hold.
  std::int32_t hole_end = -1;
  int block_length = 0;
};
Result<Adapter> load_adapter(const std::string& path, const ModelSpec& spec);
// weights += adapter, matrix by matrix, as f32 in `owned`. Only for adapters that are not gated.
Status merge_adapter(const Adapter& adapter, Weights& weights);

}  // namespace cinnabar::engine
