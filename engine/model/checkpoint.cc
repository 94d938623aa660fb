#include "engine/model/checkpoint.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/model/gguf.h"
#include "engine/model/hf_folder.h"
#include "engine/model/mapping.h"
#include "engine/model/parts.h"

namespace cinnabar::engine {
namespace {

bool is_file(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

Result<Checkpoint> open_gguf(const std::string& path, Result<std::shared_ptr<const Mapping>> mapping) {
  if (!mapping) return mapping.status();
  auto checkpoint = parse_gguf((*mapping)->bytes());
  if (!checkpoint) return checkpoint.status().in(path);
  checkpoint->source = path;
  checkpoint->mappings.push_back(std::move(*mapping));
  const auto split = checkpoint->metadata.find("split.count");
  const auto* count = split == checkpoint->metadata.end() ? nullptr : std::get_if<std::uint64_t>(&split->second);
  if (count && *count > 1)
    return Status::error(path + ": key 'split.count': one of " + std::to_string(*count) +
                         " split files; join them first (llama-gguf-split --merge)");
  return checkpoint;
}

// Torch's files are pickles: programs that build objects, not data; some lie in a zip archive.
bool is_pickle(const Mapping& mapping) {
  const auto bytes = mapping.bytes();
  const auto starts = [&](std::string_view magic) {
    return bytes.size() > magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
  };
  return starts("PK\x03\x04") || starts("\x80\x02") || starts("\x80\x03") || starts("\x80\x04") || starts("\x80\x05");
}
constexpr const char* kPickle =
    "a PyTorch pickle, which is a program and is not run; convert it with models/convert.py of the sources, or save "
    "the model "
    "as safetensors (transformers: save_pretrained(FOLDER, safe_serialization=True))";

Result<Checkpoint> open_file(const std::string& path) {
  auto mapping = Mapping::open(path);
  if (mapping && is_pickle(**mapping)) return Status::error(path + ": " + kPickle);
  return open_gguf(path, std::move(mapping));
}

Result<Checkpoint> open_folder(const std::string& folder) {
  const std::string manifest = folder + "/parts.json", whole = folder + "/model.gguf";
  if (is_file(manifest)) return open_gguf(manifest, map_parts(manifest));
  if (is_file(whole)) return open_file(whole);
  const bool tensors = is_file(folder + "/model.safetensors") || is_file(folder + "/model.safetensors.index.json");
  for (const char* name : {"pytorch_model.bin", "pytorch_model.bin.index.json", "checkpoint.pth", "model.ckpt"})
    if (!tensors && is_file(folder + "/" + name)) return Status::error(folder + ": " + name + " is " + kPickle);
  if (is_file(folder + "/config.json")) return open_hf_folder(folder);
  return Status::error(folder + ": expected parts.json, model.gguf or config.json in the folder, found none of them");
}

}  // namespace

const Tensor* Checkpoint::find(std::string_view name) const {
  const auto found = tensors.find(name);
  return found == tensors.end() ? nullptr : &found->second;
}

std::string shown_name(std::string_view name) {
  constexpr std::size_t kShown = 80;
  std::string text = "'";
  for (const char c : name.substr(0, kShown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      text += c;
    } else {
      text += "\\x";
      text += "0123456789abcdef"[byte >> 4];
      text += "0123456789abcdef"[byte & 15];
    }
  }
  return text + (name.size() > kShown ? "...'" : "'");
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

Result<Checkpoint> open_checkpoint(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return Status::error(path + ": cannot open: " + std::strerror(errno));
  if (S_ISDIR(info.st_mode))
    return open_folder(path.size() > 1 && path.ends_with('/') ? path.substr(0, path.size() - 1) : path);
  if (path.ends_with(".json")) return open_gguf(path, map_parts(path));
  if (path.ends_with(".safetensors"))
    return Status::error(path + ": expected the folder with config.json, found a safetensors file alone");
  return open_file(path);
}

}  // namespace cinnabar::engine
