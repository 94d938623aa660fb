// Which model suits a machine, by how soon each answered a line there. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cinnabar::daemon {

inline constexpr double kSoonEnough = 300;  // ms from a key to the line; later ones come behind the next key

struct MeasuredModel {
  std::string name;
  std::int64_t bytes = 0;           // of its files: of two that are soon enough the larger one is better
  double line_milliseconds = 0;     // of a line whose prompt is read already: while one types
  double prompt_milliseconds = 0;   // a token of a prompt: where a place is new
  double forward_milliseconds = 0;  // one forward of the lines
  int tokens = 0, forwards = 0;     // of the lines
  bool estimated = false;           // it is not here: by its size, from one that is
};

// A model that is not here, from one that was measured: a forward reads all weights once.
MeasuredModel estimated(const MeasuredModel& measured, const std::string& name, std::int64_t bytes,
                        double forwards_a_token);

// A table, and a sentence that names the model to choose. The smallest where none is soon enough.
std::string advice(const std::vector<MeasuredModel>& models);

}  // namespace cinnabar::daemon
