// Builds small safetensors files in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace cinnabar::test {

class SafetensorsWriter {
 public:
  void tensor(const std::string& name, const std::vector<std::int64_t>& shape, const std::vector<float>& values) {
    const std::size_t begin = data_.size();
    const auto bytes = std::as_bytes(std::span(values));
    data_.insert(data_.end(), bytes.begin(), bytes.end());
    entry(name, "F32", shape, begin, data_.size());
  }
  // Only the header's entry, with any values.
  void entry(const std::string& name, const std::string& dtype, const std::vector<std::int64_t>& shape,
             std::size_t begin, std::size_t end) {
    header_ += (header_.empty() ? "" : ",") + ("\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":[");
    for (std::size_t i = 0; i < shape.size(); ++i) header_ += (i > 0 ? "," : "") + std::to_string(shape[i]);
    header_ += "],\"data_offsets\":[" + std::to_string(begin) + "," + std::to_string(end) + "]}";
  }

  std::vector<std::byte> bytes() const { return with_header("{" + header_ + "}", data_); }

  // A file with this header, correct or not.
  static std::vector<std::byte> with_header(const std::string& header, const std::vector<std::byte>& data = {}) {
    const std::uint64_t length = header.size();
    std::vector<std::byte> out(sizeof(length) + header.size());
    std::memcpy(out.data(), &length, sizeof(length));
    std::memcpy(out.data() + sizeof(length), header.data(), header.size());
    out.insert(out.end(), data.begin(), data.end());
    return out;
  }

 private:
  std::string header_;
  std::vector<std::byte> data_;
};

}  // namespace cinnabar::test
