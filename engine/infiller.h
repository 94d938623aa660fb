// What fills holes, as a queue sees it: the engine behind an interface small enough to stand in for in a test.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/infill.h"

namespace cinnabar::engine {

// Told the first answer's text as far as it is settled, after every step. On the thread of infill().
using TextObserver = std::function<void(const std::string& text)>;

// One thread at a time. Both functions look at the limits between forwards. Errors leave it usable.
class Infiller {
 public:
  virtual ~Infiller() = default;
  virtual Result<InfillResult> infill(const InfillRequest& request, const DecodeLimits& limits,
                                      const TextObserver& observer) = 0;
  // Reads the prompt of a place and decodes nothing.
  virtual Status warm(const InfillRequest& request, const DecodeLimits& limits) = 0;
  // One phrase for a person: "qwen2 on cpu (amx, 2 threads)".
  virtual std::string description() const = 0;
  // Where it computes: "cpu (amx, 2 threads)".
  virtual std::string device() const = 0;
};

std::unique_ptr<Infiller> make_infiller(std::unique_ptr<Engine> engine);

}  // namespace cinnabar::engine
