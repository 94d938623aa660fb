// A planned hole on its way through the engine: the request that a plan asks for, and its answer judged.
#pragma once

#include <string_view>

#include "daemon/syntax/critic.h"
#include "daemon/syntax/plan.h"
#include "daemon/workspace/documents/region.h"
#include "engine/request.h"

namespace cinnabar::daemon::syntax {

// The engine's own rule for a hole: never shorter than what the plan allows (answer_end.h shortens it).
engine::EndRule end_rule(const Hole& hole);

// `defaults` with the hole's surroundings, its end by rule and by tree, and no more tokens than its lines hold. `tree`
// is not needed afterwards.
engine::InfillRequest request_for(const Tree& tree, const Hole& hole, engine::InfillRequest defaults);

// The same of a site, where `hole` was planned: the model reads its whole document. Without a tree the end is by rule.
engine::InfillRequest request_for(const Site& site, const Hole& hole, engine::InfillRequest defaults);

// The same without a tree: prefix, suffix and the end of the line.
engine::InfillRequest request_for(std::string_view text, const Hole& hole, engine::InfillRequest defaults);

}  // namespace cinnabar::daemon::syntax
