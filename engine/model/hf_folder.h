// Folders as Hugging Face lays them out: config.json, tokenizer files, one safetensors file or shards with an index.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/model/checkpoint.h"

namespace cinnabar::engine {

// No separator, not "." or "..", no control bytes: a name that cannot lead out of its folder.
bool is_plain_file_name(std::string_view name);

// The whole file, when it has at most `limit` bytes.
Result<std::string> read_text_file(const std::string& path, std::int64_t limit);

// A model's folder: config.json is required; of the tokenizer's files those that are there come into `texts`.
Result<Checkpoint> open_hf_folder(const std::string& folder);
// Adds the tensors of folder/STEM.safetensors, or of the shards that folder/STEM.safetensors.index.json names.
Status read_folder_tensors(const std::string& folder, const std::string& stem, Checkpoint& out);

}  // namespace cinnabar::engine
