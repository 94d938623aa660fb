#include "engine/mode.h"

#include <string>

namespace cinnabar::engine {

Result<Mode> mode_for(Mode wanted, const ModelSpec& spec, bool gated_adapter) {
  const bool in_place = spec.attention == Attention::full;
  const std::string cannot = "mode '" + std::string(name(wanted)) + "': ";
  if (wanted == Mode::automatic) {
    // A model that reads its own row's logits, not the row before's, was never trained to say the next token.
    const bool denoises = spec.attention != Attention::block_causal || (spec.mask >= 0 && spec.logits_shift == 0);
    return denoises && !gated_adapter ? Mode::diffusion : Mode::verified;
  }
  if (wanted == Mode::diffusion && spec.mask < 0)
    return Status::error(cannot + "the model has no mask token, so it cannot denoise; use verified or autoregressive");
  if (wanted != Mode::diffusion && in_place)
    return Status::error(cannot +
                         "the model sees both sides of every token (full attention) and does not say the next "
                         "one; use diffusion");
  if (wanted != Mode::diffusion && spec.attention == Attention::blocks)
    return Status::error(cannot + "the model reads its text in blocks, not token by token; use diffusion");
  if (wanted != Mode::diffusion && spec.logits_shift == 0)
    return Status::error(cannot +
                         "the model was trained to say what stands under a mask, not the next token; use "
                         "diffusion");
  return wanted;
}

Decoder decoder_of(Mode mode, const ModelSpec& spec, bool gated_adapter) {
  if (mode == Mode::autoregressive) return Decoder::autoregressive;
  if (mode != Mode::diffusion) return Decoder::verified;
  if (spec.attention == Attention::full) return Decoder::in_place;
  if (gated_adapter && spec.logits_shift == 1) return Decoder::remasking;  // the base can take its tokens back
  return spec.attention == Attention::blocks ? Decoder::tiled : Decoder::block;
}

}  // namespace cinnabar::engine
