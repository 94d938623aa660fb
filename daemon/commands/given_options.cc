#include "daemon/commands/given_options.h"

#include <algorithm>

namespace cinnabar::daemon {
namespace {

struct Situation {
  engine::Mode mode;
  const engine::ModelSpec& spec;
  bool gated_adapter;
  bool denoises() const { return mode == engine::Mode::diffusion; }
  bool tiled() const { return spec.attention == engine::Attention::blocks; }
};

struct Use {
  std::string_view option;
  bool (*useful)(const Situation&);
  std::string_view otherwise;
};
constexpr Use kUses[] = {
    {"--threshold", [](const Situation& s) { return s.denoises(); },
     "says when a masked position is sure enough, and this decoding has no masks; --mode diffusion has"},
    {"--block", [](const Situation& s) { return s.denoises() && !s.tiled(); },
     "is the length of a block of masks, which this model or mode does not leave open"},
    {"--keep", [](const Situation& s) { return s.denoises() && s.gated_adapter; },
     "is a matter of a gated adapter in diffusion mode, which is not under way"},
    {"--draft",
     [](const Situation& s) { return s.mode == engine::Mode::verified || (s.denoises() && s.gated_adapter); },
     "is a matter of drafts that are verified, which this mode has none of; --mode verified has"},
    {"--lookup",
     [](const Situation& s) { return s.mode == engine::Mode::verified || (s.denoises() && s.gated_adapter); },
     "is a matter of drafts that are verified, which this mode has none of; --mode verified has"},
};

}  // namespace

Status check_given(const Options& options, engine::Mode mode, const engine::ModelSpec& spec, bool gated_adapter) {
  const auto resolved = engine::mode_for(mode, spec, gated_adapter);
  if (!resolved) return resolved.status();
  const Situation situation{*resolved, spec, gated_adapter};
  for (const Use& use : kUses) {
    const bool given =
        std::any_of(options.command.given.begin(), options.command.given.end(), [&](const std::string& text) {
          return text.starts_with(use.option) && text.substr(use.option.size()).starts_with('=');
        });
    if (given && !use.useful(situation))
      return Status::error(std::string(use.option) + " " + std::string(use.otherwise) + " (mode " +
                           std::string(name(*resolved)) + ", attention " + std::string(name(spec.attention)) + ")");
  }
  return {};
}

}  // namespace cinnabar::daemon
