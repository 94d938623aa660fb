// What answers requests, as a queue sees it: requests under way, and steps that bring all of them forward. The engine
// stands behind it, or what stands in for one in a test.
//
// Protocol: begin() takes a request up and runs nothing; advance() brings every request under way one step forward;
// an Infill that is finished() gives its result by take(), once; destroying it ends it, finished or not, and frees what
// it held. Every Infill ends before its Infiller. One thread at a time; errors leave the infiller usable.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "engine/request.h"

namespace cinnabar::engine {

// A request under way.
class Infill {
 public:
  virtual ~Infill() = default;
  virtual bool finished() const = 0;
  // The first answer as far as it is settled; empty while the prompt is read.
  virtual std::string text() const = 0;
  // What came of it. An answer that the limits ended early carries the reason. Requires finished().
  virtual InfillResult take() = 0;
};

enum class Purpose : std::uint8_t { fill, warm };  // warm: only the prompt is read

class Infiller {
 public:
  virtual ~Infiller() = default;
  virtual Result<std::unique_ptr<Infill>> begin(const InfillRequest& request, const DecodeLimits& limits,
                                                Purpose purpose) = 0;
  // One step of all that are not finished, after a look at the limits of each. After a failure none of them can go on.
  virtual Status advance() = 0;
  // What has made the device unusable, and this with it (Backend::failure); success while all is well.
  virtual Status failure() const { return {}; }
  // How many requests may be under way at a time, at least 1.
  virtual int most_together() const = 0;
  // One phrase for a person: "qwen2 on cpu (amx, 2 threads)".
  virtual std::string description() const = 0;
  virtual std::string device() const = 0;  // "cpu (amx, 2 threads)"
  // Why a GPU is not used where one might have been, in a line (OpenedDevice::no_gpu); else empty.
  virtual std::string no_gpu() const { return {}; }
  // Whether a request may have several holes (InfillRequest::next).
  virtual bool fills_together() const = 0;
  // What it does in a mode. Error: it cannot, and why.
  virtual Result<Way> way_of(Mode mode) const = 0;
};

}  // namespace cinnabar::engine
