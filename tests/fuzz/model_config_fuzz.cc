// Any bytes as config.json, tokenizer files (cut at zero bytes) and a parts manifest: a spec that is accepted is valid.
#include <cstdlib>
#include <string>

#include "engine/model/parts.h"
#include "engine/model/weights.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cinnabar::engine;
  std::string text(reinterpret_cast<const char*>(data), size);
  (void)parse_parts_manifest(text).ok();
  Checkpoint checkpoint;
  checkpoint.kind = Checkpoint::Kind::hugging_face;
  for (const char* name : {"config.json", "tokenizer.json", "tokenizer_config.json", "added_tokens.json"}) {
    const auto cut = text.find('\0');
    checkpoint.texts[name] = text.substr(0, cut);
    if (cut == std::string::npos) break;
    text.erase(0, cut + 1);
  }
  const auto spec = read_spec(checkpoint);
  if (spec.ok() && !validate(*spec).ok()) std::abort();
  return 0;
}
