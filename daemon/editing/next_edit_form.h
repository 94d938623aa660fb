// How a model is asked for a next edit: to judge proposals made by patterns (next_edit.h), which any model can, or to write a
// window of the text anew in the form that it was trained on (window_edit.h).
//
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace cinnabar::daemon {

enum class NextEditForm : std::uint8_t {
  proposals,
  sweep,  // Sweep Next-Edit, of the Qwen2.5-Coder family
  zeta,   // Zeta 2, of the Seed-Coder family
};
std::optional<NextEditForm> parse_next_edit_form(std::string_view text);  // "proposals", "sweep", "zeta"

// By a model file's own name, for files that no model.json describes: "sweep-next-edit-1.5b.q8_0.gguf".
NextEditForm form_by_file_name(std::string_view path);

}  // namespace cinnabar::daemon
