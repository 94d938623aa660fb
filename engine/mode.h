// Which of the ways to decide tokens a model can go.
#pragma once

#include "base/result.h"
#include "engine/model/model_spec.h"
#include "engine/request.h"

namespace cinnabar::engine {

// What a model does best, where the request leaves it open: a model that was trained to denoise does, others verify
// drafts. Fails where the model cannot do what is wanted, and says why.
Result<Mode> mode_for(Mode wanted, const ModelSpec& spec, bool gated_adapter);

// `mode`: mode_for's.
Decoder decoder_of(Mode mode, const ModelSpec& spec, bool gated_adapter);

}  // namespace cinnabar::engine
