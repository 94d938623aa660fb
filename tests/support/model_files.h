// A folder for a test's files, and tiny models to put into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "tests/support/gguf_writer.h"
#include "tests/support/safetensors_writer.h"

namespace cinnabar::test {

// Made empty, removed with everything in it at the end of its scope.
class ModelFolder {
 public:
  ModelFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "cinnabar-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~ModelFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ModelFolder(const ModelFolder&) = delete;
  ModelFolder& operator=(const ModelFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, std::span<const std::byte> bytes) const {
    std::ofstream out(file(name), std::ios::binary);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return file(name);
  }
  std::string write(const std::string& name, const std::string& text) const {
    return write(name, std::as_bytes(std::span(text)));
  }

 private:
  std::string path_;
};

// Sizes of the tiny model: all different where the architecture lets them be.
struct TinySizes {
  static constexpr int layers = 2, width = 12, heads = 4, kv_heads = 2, head_size = 4, ffn = 20, vocabulary = 8;
};

// Values that tell every tensor and place apart: start, start + 1, ... in quarters.
inline std::vector<float> counted(std::int64_t count, int start) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(start + static_cast<int>(i)) * 0.25f;
  return values;
}

struct TinyTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};

// The tensors of a tiny qwen2-like model under GGUF's or Hugging Face's names; tied head.
inline std::vector<TinyTensor> tiny_tensors(bool gguf, bool bias) {
  using S = TinySizes;
  constexpr std::int64_t kQuery = S::heads * S::head_size, kKv = S::kv_heads * S::head_size;
  std::vector<TinyTensor> out;
  const auto add = [&](const std::string& name, std::vector<std::int64_t> shape) {
    std::int64_t count = 1;
    for (const auto extent : shape) count *= extent;
    out.push_back({name, std::move(shape), counted(count, static_cast<int>(out.size()) * 1000)});
  };
  add(gguf ? "token_embd.weight" : "model.embed_tokens.weight", {S::vocabulary, S::width});
  for (int layer = 0; layer < S::layers; ++layer) {
    const std::string at = (gguf ? "blk." : "model.layers.") + std::to_string(layer) + ".";
    add(at + (gguf ? "attn_norm" : "input_layernorm") + ".weight", {S::width});
    add(at + (gguf ? "attn_q" : "self_attn.q_proj") + ".weight", {kQuery, S::width});
    add(at + (gguf ? "attn_k" : "self_attn.k_proj") + ".weight", {kKv, S::width});
    add(at + (gguf ? "attn_v" : "self_attn.v_proj") + ".weight", {kKv, S::width});
    add(at + (gguf ? "attn_output" : "self_attn.o_proj") + ".weight", {S::width, kQuery});
    if (bias) {
      add(at + (gguf ? "attn_q" : "self_attn.q_proj") + ".bias", {kQuery});
      add(at + (gguf ? "attn_k" : "self_attn.k_proj") + ".bias", {kKv});
      add(at + (gguf ? "attn_v" : "self_attn.v_proj") + ".bias", {kKv});
    }
    add(at + (gguf ? "ffn_norm" : "post_attention_layernorm") + ".weight", {S::width});
    add(at + (gguf ? "ffn_gate" : "mlp.gate_proj") + ".weight", {S::ffn, S::width});
    add(at + (gguf ? "ffn_up" : "mlp.up_proj") + ".weight", {S::ffn, S::width});
    add(at + (gguf ? "ffn_down" : "mlp.down_proj") + ".weight", {S::width, S::ffn});
  }
  add(gguf ? "output_norm.weight" : "model.norm.weight", {S::width});
  return out;
}

// A GGUF writer filled with the configuration of a tiny model of that architecture, without tensors.
inline GgufWriter tiny_gguf_config(const std::string& architecture) {
  using S = TinySizes;
  GgufWriter writer;
  writer.set("general.architecture", architecture.c_str());
  const std::string own = architecture + ".";
  writer.set(own + "block_count", std::uint32_t{S::layers});
  writer.set(own + "embedding_length", std::uint32_t{S::width});
  writer.set(own + "feed_forward_length", std::uint32_t{S::ffn});
  writer.set(own + "attention.head_count", std::uint32_t{S::heads});
  writer.set(own + "attention.head_count_kv", std::uint32_t{S::kv_heads});
  writer.set(own + "attention.key_length", std::uint32_t{S::head_size});
  writer.set(own + "context_length", std::uint32_t{64});
  writer.set(own + "attention.layer_norm_rms_epsilon", 1e-5f);
  writer.set(own + "rope.freq_base", 5e5f);
  return writer;
}

inline void add_tensors(GgufWriter& writer, const std::vector<TinyTensor>& tensors) {
  for (const auto& tensor : tensors)
    writer.tensor(tensor.name, {tensor.shape.begin(), tensor.shape.end()}, tensor.values);
}

inline std::vector<std::byte> tiny_gguf(const std::string& architecture, bool bias) {
  GgufWriter writer = tiny_gguf_config(architecture);
  add_tensors(writer, tiny_tensors(true, bias));
  return writer.bytes();
}

inline std::vector<std::byte> tiny_safetensors(bool bias) {
  SafetensorsWriter writer;
  for (const auto& tensor : tiny_tensors(false, bias)) writer.tensor(tensor.name, tensor.shape, tensor.values);
  return writer.bytes();
}

// config.json of the tiny model; `more` is inserted at its end (", \"name\": value").
inline std::string tiny_config(const std::string& architecture, const std::string& model_type,
                               const std::string& more = "") {
  return R"({"architectures": [")" + architecture + R"("], "model_type": ")" + model_type +
         R"(", "num_hidden_layers": 2, "hidden_size": 12, "num_attention_heads": 4, "num_key_value_heads": 2,
             "head_dim": 4, "intermediate_size": 20, "vocab_size": 8, "max_position_embeddings": 64,
             "rms_norm_eps": 1e-5, "rope_theta": 500000, "hidden_act": "silu", "tie_word_embeddings": true)" +
         more + "}";
}

}  // namespace cinnabar::test
