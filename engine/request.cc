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

std::string_view name(Decoder decoder) {
  switch (decoder) {
    case Decoder::autoregressive:
      return "autoregressive";
    case Decoder::verified:
      return "verified";
    case Decoder::remasking:
      return "denoising under a gated adapter";
    case Decoder::block:
      return "denoising in blocks";
    case Decoder::tiled:
      return "denoising in the text's blocks";
    case Decoder::in_place:
      return "denoising in place";
  }
  return "";
}

}  // namespace cinnabar::engine
