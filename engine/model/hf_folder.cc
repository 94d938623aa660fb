#include "engine/model/hf_folder.h"

#include <sys/stat.h>

#include <set>
#include <utility>

#include "engine/model/mapping.h"
#include "engine/model/safetensors.h"

namespace cinnabar::engine {
namespace {

constexpr std::int64_t kTextLimit = 64 << 20;  // bytes; the largest tokenizer.json in use has about 20 MB
constexpr std::int64_t kConfigLimit = 1 << 20;
constexpr std::size_t kShardLimit = 4096;
constexpr const char* kTokenizerFiles[] = {
    "generation_config.json", "tokenizer.json",          "tokenizer_config.json", "vocab.json", "merges.txt",
    "added_tokens.json",      "special_tokens_map.json", "tokenizer.model"};

bool exists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

Result<TensorMap> map_tensors(const std::string& path, Checkpoint& out) {
  auto mapping = Mapping::open(path);
  if (!mapping) return mapping.status();
  auto tensors = parse_safetensors((*mapping)->bytes());
  if (!tensors) return tensors.status().in(path);
  out.mappings.push_back(std::move(*mapping));
  return tensors;
}

Status read_shards(const std::string& folder, const std::string& index_path, Checkpoint& out) {
  const auto text = read_text_file(index_path, kTextLimit);
  if (!text) return text.status();
  const auto index = parse_safetensors_index(*text);
  if (!index) return index.status().in(index_path);
  std::set<std::string> shards;
  for (const auto& [tensor, shard] : *index) shards.insert(shard);
  if (shards.size() > kShardLimit)
    return Status::error(index_path + ": expected at most " + std::to_string(kShardLimit) + " shards, found " +
                         std::to_string(shards.size()));
  for (const auto& shard : shards) {
    auto tensors = map_tensors(folder + "/" + shard, out);
    if (!tensors) return tensors.status();
    for (auto& [name, tensor] : *tensors) {
      const auto listed = index->find(name);
      if (listed == index->end() || listed->second != shard)
        return Status::error(folder + "/" + shard + ": tensor " + shown_name(name) +
                             " is not listed in the index for it");
      out.tensors.emplace(name, std::move(tensor));
    }
  }
  for (const auto& [tensor, shard] : *index)
    if (!out.find(tensor))
      return Status::error(folder + "/" + shard + ": tensor " + shown_name(tensor) + " of the index is not in it");
  return {};
}

}  // namespace

bool is_plain_file_name(std::string_view name) {
  if (name.empty() || name.size() > 255 || name == "." || name == "..") return false;
  for (const char c : name)
    if (c == '/' || c == '\\' || static_cast<unsigned char>(c) < 0x20) return false;
  return true;
}

Result<std::string> read_text_file(const std::string& path, std::int64_t limit) {
  const auto mapping = Mapping::open(path);
  if (!mapping) return mapping.status();
  const auto bytes = (*mapping)->bytes();
  if (bytes.size() > static_cast<std::size_t>(limit))
    return Status::error(path + ": expected at most " + std::to_string(limit) + " bytes, found " +
                         std::to_string(bytes.size()));
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Status read_folder_tensors(const std::string& folder, const std::string& stem, Checkpoint& out) {
  const std::string single = folder + "/" + stem + ".safetensors";
  const std::string index = single + ".index.json";
  if (!exists(single) && exists(index)) return read_shards(folder, index, out);
  auto tensors = map_tensors(single, out);
  if (!tensors) return tensors.status();
  out.tensors.merge(*tensors);
  return {};
}

Result<Checkpoint> open_hf_folder(const std::string& folder) {
  Checkpoint out;
  out.source = folder;
  out.kind = Checkpoint::Kind::hugging_face;
  auto config = read_text_file(folder + "/config.json", kConfigLimit);
  if (!config) return config.status();
  out.texts.emplace("config.json", std::move(*config));
  for (const char* name : kTokenizerFiles) {
    const std::string path = folder + "/" + name;
    if (!exists(path)) continue;
    auto text = read_text_file(path, kTextLimit);
    if (!text) return text.status();
    out.texts.emplace(name, std::move(*text));
  }
  if (const auto status = read_folder_tensors(folder, "model", out); !status) return status;
  return out;
}

}  // namespace cinnabar::engine
