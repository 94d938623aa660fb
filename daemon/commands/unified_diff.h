// What has changed in a text, in the form that `diff -u` prints and `patch` reads. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "daemon/completion/multi_hole.h"

namespace cinnabar::daemon {

// `changes` of `before`: ascending, apart. `path` names both sides. Empty when nothing changes.
std::string unified_diff(std::string_view path, std::string_view before,
                         std::span<const MultiHoleFill::Change> changes);

}  // namespace cinnabar::daemon
