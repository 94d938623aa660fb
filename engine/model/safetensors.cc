#include "engine/model/safetensors.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "engine/model/hf_folder.h"
#include "engine/model/json.h"

namespace cinnabar::engine {
namespace {

using nlohmann::json;

constexpr int kHeaderDepth = 4;
constexpr std::size_t kDimensions = 4;

Result<kernels::DType> read_dtype(const json& entry) {
  const auto name = json_string(entry, "dtype");
  if (!name) return Status::error("'dtype' is missing");
  if (*name == "F32") return kernels::DType::f32;
  if (*name == "F16") return kernels::DType::f16;
  if (*name == "BF16") return kernels::DType::bf16;
  return Status::error("dtype " + shown_name(*name) + " is not supported; expected F32, F16 or BF16");
}

// A JSON array of non-negative integers.
Result<std::vector<std::int64_t>> read_numbers(const json& entry, const char* name) {
  const auto found = entry.find(name);
  if (found == entry.end() || !found->is_array()) return Status::error(std::string("'") + name + "' is missing");
  std::vector<std::int64_t> numbers;
  for (const auto& item : *found) {
    if (!item.is_number_unsigned() ||
        item.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return Status::error(std::string("'") + name + "': expected numbers from 0, found something else");
    numbers.push_back(static_cast<std::int64_t>(item.get<std::uint64_t>()));
  }
  return numbers;
}

Result<std::int64_t> byte_count(const std::vector<std::int64_t>& shape, std::int64_t value_bytes) {
  if (shape.size() > kDimensions)
    return Status::error("expected at most " + std::to_string(kDimensions) + " dimensions, found " +
                         std::to_string(shape.size()));
  std::int64_t bytes = value_bytes;
  for (const std::int64_t extent : shape) {
    if (extent < 1 || extent > std::numeric_limits<std::int64_t>::max() / bytes)
      return Status::error("shape " + shape_text(shape) + " is not possible");
    bytes *= extent;
  }
  return bytes;
}

Result<Tensor> read_tensor(const json& entry, std::span<const std::byte> data) {
  if (!entry.is_object()) return Status::error("expected an object in the header");
  const auto dtype = read_dtype(entry);
  if (!dtype) return dtype.status();
  auto shape = read_numbers(entry, "shape");
  if (!shape) return shape.status();
  const auto bytes = byte_count(*shape, kernels::info(*dtype).block_bytes);
  if (!bytes) return bytes.status();
  const auto offsets = read_numbers(entry, "data_offsets");
  if (!offsets) return offsets.status();
  if (offsets->size() != 2) return Status::error("'data_offsets': expected two numbers");
  const std::int64_t begin = (*offsets)[0];
  const std::int64_t end = (*offsets)[1];
  if (begin > end || end > static_cast<std::int64_t>(data.size()))
    return Status::error("data_offsets " + shape_text(*offsets) + " lie outside of the " + std::to_string(data.size()) +
                         " bytes of data (is the file cut off?)");
  if (end - begin != *bytes)
    return Status::error("shape " + shape_text(*shape) + " needs " + std::to_string(*bytes) +
                         " bytes, data_offsets give " + std::to_string(end - begin));
  return Tensor{*dtype, std::move(*shape), data.data() + begin, *bytes};
}

Status check_overlaps(const TensorMap& tensors) {
  std::vector<const TensorMap::value_type*> order;
  for (const auto& item : tensors) order.push_back(&item);
  std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return a->second.data < b->second.data; });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const auto& before = *order[i - 1];
    if (order[i]->second.data < before.second.data + before.second.bytes)
      return Status::error("tensor " + shown_name(order[i]->first) + ": overlaps tensor " + shown_name(before.first));
  }
  return {};
}

}  // namespace

Result<TensorMap> parse_safetensors(std::span<const std::byte> file) {
  std::uint64_t header_bytes = 0;
  if (file.size() < sizeof(header_bytes))
    return Status::error("header length: expected 8 bytes, found " + std::to_string(file.size()));
  std::memcpy(&header_bytes, file.data(), sizeof(header_bytes));
  const auto rest = file.subspan(sizeof(header_bytes));
  if (header_bytes > kSafetensorsHeaderLimit || header_bytes > rest.size())
    return Status::error("header length: expected at most " +
                         std::to_string(std::min<std::uint64_t>(kSafetensorsHeaderLimit, rest.size())) +
                         " bytes, found " + std::to_string(header_bytes));
  const auto header = parse_json({reinterpret_cast<const char*>(rest.data()), header_bytes}, {.depth = kHeaderDepth});
  if (!header) return header.status().in("header");
  if (!header->is_object()) return Status::error("header: expected a JSON object");
  TensorMap tensors;
  for (const auto& [name, entry] : header->items()) {
    if (name == "__metadata__") continue;
    auto tensor = read_tensor(entry, rest.subspan(header_bytes));
    if (!tensor) return tensor.status().in("tensor " + shown_name(name));
    tensors.emplace(name, std::move(*tensor));
  }
  if (const auto status = check_overlaps(tensors); !status) return status;
  return tensors;
}

Result<std::map<std::string, std::string, std::less<>>> parse_safetensors_index(std::string_view text) {
  const auto tree = parse_json(text, {.depth = kHeaderDepth});
  if (!tree) return tree.status();
  const auto found = tree->is_object() ? tree->find("weight_map") : tree->end();
  if (found == tree->end() || !found->is_object()) return Status::error("'weight_map' is missing");
  std::map<std::string, std::string, std::less<>> files;
  for (const auto& [tensor, file] : found->items()) {
    if (!file.is_string() || !is_plain_file_name(file.get_ref<const std::string&>()))
      return Status::error("tensor " + shown_name(tensor) + ": expected the name of a file in the same folder, found " +
                           shown_name(file.is_string() ? file.get<std::string>() : "something else"));
    files.emplace(tensor, file.get<std::string>());
  }
  return files;
}

}  // namespace cinnabar::engine
