#include "daemon/models/advice.h"

#include <algorithm>
#include <cmath>

namespace cinnabar::daemon {
namespace {

constexpr double kPromptTokens = 2700;  // of 8,000 bytes of code

std::string column(std::string text, std::size_t width) {
  text.resize(std::max(text.size() + 1, width), ' ');
  return text;
}

std::string rounded(double value) { return std::to_string(std::llround(value)); }

const MeasuredModel& suited(const std::vector<MeasuredModel>& models) {
  const auto smaller = [](const MeasuredModel& a, const MeasuredModel& b) { return a.bytes < b.bytes; };
  const MeasuredModel* best = &*std::min_element(models.begin(), models.end(), smaller);
  for (const MeasuredModel& model : models) {
    if (model.line_milliseconds <= kSoonEnough && model.bytes > best->bytes) best = &model;
  }
  return *best;
}

}  // namespace

MeasuredModel estimated(const MeasuredModel& measured, const std::string& name, std::int64_t bytes,
                        double forwards_a_token) {
  const double larger = static_cast<double>(bytes) / static_cast<double>(std::max<std::int64_t>(measured.bytes, 1));
  const double forwards = forwards_a_token * measured.tokens;
  MeasuredModel model{name, bytes};
  model.tokens = measured.tokens;
  model.forwards = static_cast<int>(std::lround(forwards));
  model.forward_milliseconds = measured.forward_milliseconds * larger;
  model.prompt_milliseconds = measured.prompt_milliseconds * larger;
  model.line_milliseconds = measured.line_milliseconds * larger * forwards / std::max<double>(measured.forwards, 1);
  model.estimated = true;
  return model;
}

std::string advice(const std::vector<MeasuredModel>& models) {
  if (models.empty()) return "No model is here to be measured.\n";
  std::string text =
      column("model", 24) + column("a line, ms", 14) + column("a new place, ms", 18) + "forwards a token\n";
  for (const MeasuredModel& model : models) {
    const double each = static_cast<double>(model.forwards) / std::max(model.tokens, 1);
    text += column(model.name, 24) + column((model.estimated ? "about " : "") + rounded(model.line_milliseconds), 14) +
            column(rounded(model.prompt_milliseconds * kPromptTokens), 18) + std::to_string(each).substr(0, 4) + "\n";
  }
  const MeasuredModel& best = suited(models);
  const bool soon = best.line_milliseconds <= kSoonEnough;
  text += "\n" + best.name +
          (soon ? " is the largest that answers a line within " + rounded(kSoonEnough) + " ms while you type"
                : ": none answers a line within " + rounded(kSoonEnough) + " ms here; this one is the quickest");
  text += best.estimated ? ", by its size: it is not here yet ('cinnabar model list').\n"
                         : ". 'cinnabar model use " + best.name + "' makes it your default.\n";
  if (std::any_of(models.begin(), models.end(), [](const auto& model) { return model.estimated; }))
    text += "\"about\": not measured, only reckoned by its size.\n";
  return text + "A busy machine is slower than the same one idle; run this when it is as you work with it.\n";
}

}  // namespace cinnabar::daemon
