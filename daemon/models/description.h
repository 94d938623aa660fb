// What a model's folder says of itself beside its files: model.json, a stranger's text. All members may be missing.
//
//   {"name": "coder-1.5b", "title": TEXT, "licence": TEXT,
//    "bytes": N, "sha256": HEX,                                 of model.gguf
//    "base_sha256": HEX,                                        a folder without model.gguf: the base that adapter.gguf is for
//    "forwards_a_token": 0.8,                                   measured on lines; what it would cost here is reckoned with it
//    "prompt": "suffix_then_prefix",                            the prompt's order, where the file does not say it
//    "modes": {"cpu": "verified", "cuda": "diffusion"},         what mode auto comes to
//    "decoding": {"threshold": 0.8, "sub_block": 8},            as the options of these names, where nothing is said
//    "next_edit": "sweep",                                      how it is asked for a next edit (daemon/editing/next_edit_form.h)
//    "gate": {"constant": -0.461, "sum": 0.535, "least": 0.477, "least_margin": 1.74, "log_tokens": -0.031,
//             "balanced": 0.159, "quiet": 0.506}}               daemon/completion/gate.h; fitted by tests/holes/fit_gate.py
//
// Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/completion/gate.h"
#include "daemon/editing/next_edit_form.h"
#include "engine/engine.h"

namespace cinnabar::daemon {

struct ModelDescription {
  std::string name, title, licence;  // a line of printable characters each
  std::int64_t bytes = 0;            // 0: not said
  double forwards_a_token = 0;       // 0: not said
  std::string sha256, base_sha256;   // 64 lower-case hexadecimal digits; empty: not said
  std::optional<engine::InfillLayout> prompt;
  engine::PreferredModes modes;
  engine::DenoiseOptions denoise;
  std::optional<NextEditForm> next_edit;
  GateWeights gate;  // all of it or, where nothing is said, the default model's
};

// Members that are not known here are left alone. Errors name the member, what was found and what is expected.
Result<ModelDescription> parse_description(std::string_view text);

// Of a model's folder; one without a model.json says nothing. Errors name the file.
Result<ModelDescription> read_description(const std::string& folder);

// What model.json would have to say for this.
std::string written_description(const ModelDescription& description);

// A name as it stands in commands and settings: a letter or digit, then up to 63 letters, digits, '.', '_', '-'.
bool is_model_name(std::string_view text);

}  // namespace cinnabar::daemon
