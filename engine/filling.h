// A request under way: its prompt is read, then its answers are decoded, one forward after another, together with other
// requests' where several wait.
//
// One thread at a time, the infiller's.
#pragma once

#include <string>

#include "engine/infill.h"

namespace cinnabar::engine {

class Filling {
 public:
  virtual ~Filling() = default;
  virtual bool finished() const = 0;
  // The first answer as far as it is settled; empty while the prompt is read.
  virtual std::string text() const = 0;
  // What came of it, once, when finished. An answer that the limits ended early carries the reason.
  virtual InfillResult take() = 0;
};

}  // namespace cinnabar::engine
