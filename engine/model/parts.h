// A model file that lies in parts (models/default): parts.json lists them with sizes and checksums.
//
//   {"file": "model.gguf", "bytes": N, "sha256": hex, "parts": [{"file": name, "bytes": n, "sha256": hex}, ...]}
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/model/mapping.h"

namespace cinnabar::engine {

struct PartsManifest {
  struct Part {
    std::string file;  // a plain name in the manifest's folder
    std::int64_t bytes = 0;
    std::string sha256;
  };
  std::string file;        // name of the joined file, for messages
  std::int64_t bytes = 0;  // of all parts together
  std::string sha256;      // of the joined bytes
  std::vector<Part> parts;
};

// Checks that names are plain, sizes add up and checksums look like SHA-256.
Result<PartsManifest> parse_parts_manifest(std::string_view text);
// The manifest's parts, joined in address space. Sizes are checked, checksums are not (that would read every byte).
Result<std::shared_ptr<const Mapping>> map_parts(const std::string& manifest_path);

// Reads every byte and compares each part's and the whole's SHA-256 with the manifest's. `path` is the manifest or its
// folder. `progress` (may be empty) hears the bytes done and the bytes in all, after each part.
Status verify_parts(const std::string& path, const std::function<void(std::int64_t, std::int64_t)>& progress = {});

}  // namespace cinnabar::engine
