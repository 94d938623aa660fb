#include "engine/request.h"

namespace cinnabar::engine {

std::optional<Mode> parse_mode(std::string_view text) {
  for (const Mode mode : {Mode::automatic, Mode::autoregressive, Mode::verified, Mode::diffusion}) {
    if (text == name(mode)) return mode;
  }
  return std::nullopt;
}

std::string_view name(Mode mode) {
  switch (mode) {
    case Mode::automatic:
      return "auto";
    case Mode::autoregressive:
      return "autoregressive";
    case Mode::verified:
      return "verified";
    case Mode::diffusion:
      return "diffusion";
  }
  return "";
}

}  // namespace cinnabar::engine
