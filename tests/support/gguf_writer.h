// Builds small GGUF files in memory, correct ones and, by its settings, broken ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace cinnabar::test {

class GgufWriter {
 public:
  // Type ids of the format.
  enum Type : std::uint32_t { f32 = 0, f16 = 1, q8_0 = 8, q4_k = 12, bf16 = 30 };
  enum Kind : std::uint32_t { u32 = 4, i32 = 5, float32 = 6, boolean = 7, string = 8, array = 9, u64 = 10 };

  std::uint32_t version = 3;
  std::uint64_t alignment = 32;
  // Added to the counts of the header: a lie.
  std::uint64_t extra_tensors = 0, extra_keys = 0;

  void set(const std::string& key, std::uint32_t value) { start(key, u32), number(keys_, value); }
  void set(const std::string& key, float value) { start(key, float32), number(keys_, value); }
  void set(const std::string& key, bool value) { start(key, boolean), number(keys_, static_cast<std::uint8_t>(value)); }
  void set(const std::string& key, const char* value) { start(key, string), text(keys_, value); }
  void set(const std::string& key, const std::vector<std::string>& values) {
    start(key, array);
    number(keys_, static_cast<std::uint32_t>(string));
    number(keys_, static_cast<std::uint64_t>(values.size()));
    for (const auto& value : values) text(keys_, value);
  }
  void set(const std::string& key, const std::vector<std::int32_t>& values) {
    start(key, array);
    number(keys_, static_cast<std::uint32_t>(i32));
    number(keys_, static_cast<std::uint64_t>(values.size()));
    for (const auto value : values) number(keys_, value);
  }
  // A value of `kind` whose bytes are given as they are.
  void set_raw(const std::string& key, std::uint32_t kind, const std::string& bytes) {
    start(key, kind);
    append(keys_, bytes.data(), bytes.size());
  }

  // Shape outermost first, as in Tensor; the data follow the last tensor's, aligned.
  void tensor(const std::string& name, const std::vector<std::uint64_t>& shape, std::uint32_t type,
              std::span<const std::byte> data) {
    tensor_at(name, shape, type, data_.size());
    append(data_, reinterpret_cast<const char*>(data.data()), data.size());
    data_.resize((data_.size() + alignment - 1) / alignment * alignment);
  }
  void tensor(const std::string& name, const std::vector<std::uint64_t>& shape, const std::vector<float>& values) {
    tensor(name, shape, f32, std::as_bytes(std::span(values)));
  }
  // Only the description, with any offset.
  void tensor_at(const std::string& name, const std::vector<std::uint64_t>& shape, std::uint32_t type,
                 std::uint64_t offset) {
    text(tensors_, name);
    number(tensors_, static_cast<std::uint32_t>(shape.size()));
    for (auto extent = shape.rbegin(); extent != shape.rend(); ++extent) number(tensors_, *extent);
    number(tensors_, type);
    number(tensors_, offset);
    ++tensor_count_;
  }

  std::vector<std::byte> bytes() const {
    std::vector<std::byte> out;
    append(out, "GGUF", 4);
    number(out, version);
    number(out, tensor_count_ + extra_tensors);
    number(out, key_count_ + extra_keys);
    out.insert(out.end(), keys_.begin(), keys_.end());
    out.insert(out.end(), tensors_.begin(), tensors_.end());
    out.resize((out.size() + alignment - 1) / alignment * alignment);
    out.insert(out.end(), data_.begin(), data_.end());
    return out;
  }

 private:
  using Bytes = std::vector<std::byte>;
  static void append(Bytes& out, const char* data, std::size_t size) {
    const auto* bytes = reinterpret_cast<const std::byte*>(data);
    out.insert(out.end(), bytes, bytes + size);
  }
  template <typename T>
  static void number(Bytes& out, T value) {
    char raw[sizeof(T)];
    std::memcpy(raw, &value, sizeof(T));
    append(out, raw, sizeof(T));
  }
  static void text(Bytes& out, const std::string& value) {
    number(out, static_cast<std::uint64_t>(value.size()));
    append(out, value.data(), value.size());
  }
  void start(const std::string& key, std::uint32_t kind) {
    text(keys_, key);
    number(keys_, kind);
    ++key_count_;
  }

  Bytes keys_, tensors_, data_;
  std::uint64_t tensor_count_ = 0, key_count_ = 0;
};

}  // namespace cinnabar::test
