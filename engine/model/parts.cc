#include "engine/model/parts.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/sha256.h"
#include "engine/model/checkpoint.h"
#include "engine/model/hf_folder.h"
#include "engine/model/json.h"

namespace cinnabar::engine {
namespace {

constexpr std::int64_t kManifestLimit = 1 << 20;  // bytes
constexpr std::size_t kPartLimit = 4096;

Result<PartsManifest::Part> read_entry(const nlohmann::json& entry) {
  const auto file = json_string(entry, "file");
  const auto bytes = json_integer(entry, "bytes");
  const auto sha256 = json_string(entry, "sha256");
  if (!file || !is_plain_file_name(*file))
    return Status::error("'file': expected the name of a file in the same folder, found " +
                         shown_name(file.value_or("")));
  if (!bytes || *bytes < 1) return Status::error(shown_name(*file) + ": 'bytes': expected a positive number");
  if (!sha256 || sha256->size() != 64 || sha256->find_first_not_of("0123456789abcdef") != std::string::npos)
    return Status::error(shown_name(*file) + ": 'sha256': expected 64 hexadecimal digits");
  return PartsManifest::Part{*file, *bytes, *sha256};
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
}

Result<PartsManifest> read_manifest(const std::string& path) {
  const auto text = read_text_file(path, kManifestLimit);
  if (!text) return text.status();
  auto manifest = parse_parts_manifest(*text);
  if (!manifest) return manifest.status().in(path);
  return manifest;
}

// The manifest of a model in parts, named by itself or by its folder.
Result<std::string> find_manifest(const std::string& path) {
  if (path.ends_with(".json")) return path;
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return Status::error(path + ": cannot open: " + std::strerror(errno));
  std::string manifest = path + "/parts.json";
  if (S_ISDIR(info.st_mode) && ::stat(manifest.c_str(), &info) == 0) return manifest;
  return Status::error(path + ": there are no checksums to compare with; expected the folder of a model in parts, " +
                       "which has a parts.json, or that file");
}

Status expect_digest(const std::string& name, const std::string& expected, const std::string& found) {
  if (expected == found) return {};
  return Status::error(name + ": expected SHA-256 " + expected + ", found " + found);
}

}  // namespace

Result<PartsManifest> parse_parts_manifest(std::string_view text) {
  const auto tree = parse_json(text, {.depth = 4});
  if (!tree) return tree.status();
  const auto whole = read_entry(*tree);
  if (!whole) return whole.status();
  PartsManifest manifest{whole->file, whole->bytes, whole->sha256, {}};
  const auto parts = tree->find("parts");
  if (parts == tree->end() || !parts->is_array() || parts->empty() || parts->size() > kPartLimit)
    return Status::error("'parts': expected a list of 1 to " + std::to_string(kPartLimit) + " parts");
  std::int64_t left = manifest.bytes;
  for (const auto& entry : *parts) {
    auto part = read_entry(entry);
    if (!part) return part.status().in("'parts'");
    if (part->bytes > left)
      return Status::error(shown_name(part->file) + ": the parts have more than the " + std::to_string(manifest.bytes) +
                           " bytes of the whole");
    left -= part->bytes;
    manifest.parts.push_back(std::move(*part));
  }
  if (left != 0)
    return Status::error("the parts have " + std::to_string(left) + " bytes less than the whole's " +
                         std::to_string(manifest.bytes));
  return manifest;
}

Result<std::shared_ptr<const Mapping>> map_parts(const std::string& manifest_path) {
  const auto manifest = read_manifest(manifest_path);
  if (!manifest) return manifest.status();
  std::vector<Mapping::Part> parts;
  for (const auto& part : manifest->parts) parts.push_back({folder_of(manifest_path) + part.file, part.bytes});
  return Mapping::open_parts(parts);
}

Status verify_parts(const std::string& path, const std::function<void(std::int64_t, std::int64_t)>& progress) {
  const auto manifest_path = find_manifest(path);
  if (!manifest_path) return manifest_path.status();
  const auto manifest = read_manifest(*manifest_path);
  if (!manifest) return manifest.status();
  const auto mapping = map_parts(*manifest_path);
  if (!mapping) return mapping.status();
  Sha256 whole;
  std::int64_t done = 0;
  for (const auto& part : manifest->parts) {
    const auto bytes =
        (*mapping)->bytes().subspan(static_cast<std::size_t>(done), static_cast<std::size_t>(part.bytes));
    const auto status = expect_digest(folder_of(*manifest_path) + part.file, part.sha256, sha256_hex(bytes));
    if (!status) return status;
    whole.update(bytes);
    done += part.bytes;
    if (progress) progress(done, manifest->bytes);
  }
  return expect_digest(*manifest_path, manifest->sha256, whole.hex_digest());
}

}  // namespace cinnabar::engine
