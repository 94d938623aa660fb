// What fills holes, as a queue sees it: the engine behind an interface small enough to stand in for in a test.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "engine/engine_filling.h"

namespace cinnabar::engine {

// One thread at a time. Errors leave it usable.
class Infiller {
 public:
  virtual ~Infiller() = default;
  // Takes up a request and runs nothing. The filling must end before the infiller.
  virtual Result<std::unique_ptr<Filling>> begin(const InfillRequest& request, const DecodeLimits& limits,
                                                 Purpose purpose) = 0;
  // One step of all that are not finished, after a look at the limits of each. They have begun here. After a failure
  // none of them can go on.
  virtual Status advance(std::span<Filling* const> fillings) = 0;
  // What has made the device unusable, and this with it (Backend::failure); success while all is well.
  virtual Status failure() const { return {}; }
  // How many fillings there may be at a time, at least 1.
  virtual int most_together() const = 0;
  // One phrase for a person: "qwen2 on cpu (amx, 2 threads)".
  virtual std::string description() const = 0;
  virtual std::string device() const = 0;  // "cpu (amx, 2 threads)"
  // Whether a request may have several holes (InfillRequest::next).
  virtual bool fills_together() const = 0;
};

std::unique_ptr<Infiller> make_infiller(std::unique_ptr<Engine> engine);

}  // namespace cinnabar::engine
