#include "daemon/editing/window_edit.h"

#include <algorithm>

#include "base/line_ends.h"
#include "base/text.h"
#include "daemon/editing/minimal_edit.h"
#include "daemon/syntax/tree.h"

namespace cinnabar::daemon {
namespace {

using engine::PromptPart;
using syntax::Span;
using sv = std::string_view;

constexpr int kMostTokens = 1024;
constexpr std::size_t kMostOfHistory = 6'000;  // bytes of past edits, the newest first

std::string whole_line(std::string text) { return text.empty() || text.ends_with('\n') ? text : text + '\n'; }
std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}
sv without_line_end(sv text) { return text.ends_with('\n') ? text.substr(0, text.size() - 1) : text; }
std::size_t end_of_line_at(sv text, std::size_t at) { return std::min(line_end(text, at) + 1, text.size()); }

// Around the cursor, as many lines before it and behind it.
Span lines_around(sv text, std::size_t cursor, int lines) {
  std::size_t begin = line_begin(text, cursor), end = end_of_line_at(text, cursor);
  for (int i = 0; i < lines && begin > 0; ++i) begin = line_begin(text, begin - 1);
  for (int i = 0; i < lines && end < text.size(); ++i) end = end_of_line_at(text, end);
  return {begin, end};
}

// Whole lines around `inner`, `bytes` more than it at most, on both sides alike where there is text.
Span bytes_around(sv text, Span inner, std::size_t bytes) {
  std::size_t begin = inner.begin, end = inner.end;
  for (bool grows = true; grows;) {
    grows = false;
    if (const std::size_t above = begin > 0 ? line_begin(text, begin - 1) : begin;
        begin > 0 && end - above <= inner.end - inner.begin + bytes) {
      begin = above;
      grows = true;
    }
    if (const std::size_t below = end_of_line_at(text, end);
        end < text.size() && below - begin <= inner.end - inner.begin + bytes) {
      end = below;
      grows = true;
    }
  }
  return {begin, end};
}

// The past edits that fit, oldest first.
std::vector<LineEdit> past_edits(const WindowScene& scene) {
  std::vector<LineEdit> edits;
  std::size_t bytes = 0;
  for (auto edit = scene.history.rbegin(); edit != scene.history.rend(); ++edit) {
    bytes += edit->old.size() + edit->end - edit->begin;
    if (bytes > kMostOfHistory) break;
    edits.push_back(whole_lines(scene.text, *edit));
  }
  std::reverse(edits.begin(), edits.end());
  return edits;
}

bool is_inside(const PastEdit& edit, Span window) { return edit.begin >= window.begin && edit.end <= window.end; }

// The window as it was before an edit in it.
std::string before_edit(sv text, Span window, const PastEdit& edit) {
  return std::string(text.substr(window.begin, edit.begin - window.begin)) + edit.old +
         std::string(text.substr(edit.end, window.end - edit.end));
}

// Sweep Next-Edit: files in a row, each behind the family's own mark; the last is the window to come.
Span sweep_window(sv text, std::size_t cursor) { return lines_around(text, cursor, 10); }
std::vector<PromptPart> sweep_parts(const WindowScene& scene, Span window) {
  std::vector<PromptPart> parts;
  const auto add = [&](std::string text) {
    parts.push_back({"<|file_sep|>", true});
    parts.push_back({std::move(text), false});
  };
  for (const LineEdit& edit : past_edits(scene))
    add(scene.path + ".diff\noriginal:\n" + joined(edit.before) + "updated:\n" + joined(edit.after));
  const sv text = scene.text, now = text.substr(window.begin, window.end - window.begin);
  const bool edited = !scene.history.empty() && is_inside(scene.history.back(), window);
  const std::string before = edited ? before_edit(text, window, scene.history.back()) : std::string(now);
  add("original/" + scene.path + "\n" + std::string(without_line_end(before)) + "\n");
  add("current/" + scene.path + "\n" + std::string(without_line_end(now)) + "\n");
  add("updated/" + scene.path + "\n");
  return parts;
}

// A past edit as a hunk with lines around it.
std::string hunk(const WindowScene& scene, const LineEdit& edit) {
  constexpr int kAround = 3;
  const sv text = scene.text;
  std::size_t begin = edit.begin, end = edit.after.empty() ? edit.begin : end_of_line_at(text, edit.end);
  std::string above, below;
  int lines_above = 0, lines_below = 0;
  for (; lines_above < kAround && begin > 0; ++lines_above) {
    const std::size_t line = line_begin(text, begin - 1);
    above.insert(0, " " + whole_line(std::string(text.substr(line, begin - line))));
    begin = line;
  }
  for (; lines_below < kAround && end < text.size(); ++lines_below) {
    const std::size_t next = end_of_line_at(text, end);
    below += " " + whole_line(std::string(text.substr(end, next - end)));
    end = next;
  }
  const auto first =
      std::to_string(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(begin), '\n') + 1);
  const auto count = [&](const auto& own) {
    return std::to_string(own.size() + static_cast<std::size_t>(lines_above + lines_below));
  };
  return "@@ -" + first + "," + count(edit.before) + " +" + first + "," + count(edit.after) + " @@\n" + above +
         as_diff(edit) + below;
}

// Zeta 2: the suffix first, then everything else; the window is one side of a merge conflict.
constexpr sv kCursor = "<|user_cursor|>", kUpdated = ">>>>>>> UPDATED", kNoEdits = "NO_EDITS";
constexpr std::size_t kZetaWindow = 1'050, kZetaAround = 450;  // bytes: 350 and 150 tokens, about
Span zeta_window(sv text, std::size_t cursor) { return bytes_around(text, lines_around(text, cursor, 0), kZetaWindow); }
std::vector<PromptPart> zeta_parts(const WindowScene& scene, Span window) {
  const sv text = scene.text;
  const Span around = bytes_around(text, window, kZetaAround);
  const std::string behind(text.substr(window.end, around.end - window.end));
  std::vector<PromptPart> parts{{"<[fim-suffix]>", true}, {"\n" + whole_line(behind), false}, {"<[fim-prefix]>", true}};
  std::string edits;
  for (const LineEdit& edit : past_edits(scene))
    edits += "--- a/" + scene.path + "\n+++ b/" + scene.path + "\n" + hunk(scene, edit);
  if (!edits.empty()) {
    parts.push_back({"<filename>", true});
    parts.push_back({"edit_history\n" + edits + "\n", false});
  }
  const std::size_t cursor = std::clamp(scene.cursor, window.begin, window.end);
  parts.push_back({"<filename>", true});
  parts.push_back({scene.path + "\n" + whole_line(std::string(text.substr(around.begin, window.begin - around.begin))) +
                       "<<<<<<< CURRENT\n" +
                       whole_line(std::string(text.substr(window.begin, cursor - window.begin)) + std::string(kCursor) +
                                  std::string(text.substr(cursor, window.end - cursor))) +
                       "=======\n",
                   false});
  parts.push_back({"<[fim-middle]>", true});
  return parts;
}
// Up to the mark on a line of its own.
std::optional<std::size_t> zeta_end(sv text) {
  if (text.starts_with(kUpdated)) return 0;
  const std::size_t at = text.find("\n" + std::string(kUpdated));
  return at == sv::npos ? std::nullopt : std::optional(at + 1);
}

struct WindowForm {
  NextEditForm form;
  Span (*window)(sv text, std::size_t cursor);
  std::vector<PromptPart> (*parts)(const WindowScene& scene, Span window);
  sv draft_end;                                // what ends the draft, for a form whose end is text
  std::optional<std::size_t> (*end)(sv text);  // null: one of the model's own tokens ends it
};
constexpr WindowForm kForms[] = {{NextEditForm::sweep, sweep_window, sweep_parts, "", nullptr},
                                 {NextEditForm::zeta, zeta_window, zeta_parts, kUpdated, zeta_end}};

const WindowForm& row_of(NextEditForm form) {
  return *std::find_if(std::begin(kForms), std::end(kForms), [form](const auto& row) { return row.form == form; });
}

}  // namespace

WindowPrompt window_prompt(NextEditForm form, const WindowScene& scene) {
  const WindowForm& row = row_of(form);
  const Span window = row.window(scene.text, std::min(scene.cursor, scene.text.size()));
  WindowPrompt prompt{window, row.parts(scene, window)};
  for (PromptPart& part : prompt.parts) part.text = with_line_ends(part.text, false);  // as the model was trained
  return prompt;
}

std::optional<std::string> window_of_answer(NextEditForm form, sv window, const engine::InfillAnswer& answer) {
  const WindowForm& row = row_of(form);
  std::string text = answer.text;
  if (row.end != nullptr) {
    const auto end = row.end(text);
    if (!end && answer.reason != engine::StopReason::hole_end && answer.reason != engine::StopReason::end_token)
      return std::nullopt;
    text.resize(end.value_or(text.size()));
  } else if (answer.reason != engine::StopReason::end_token) {
    return std::nullopt;
  }
  if (text.starts_with(kNoEdits)) return std::nullopt;
  for (std::size_t at; (at = text.find(kCursor)) != std::string::npos;) text.erase(at, kCursor.size());
  if (window.ends_with('\n')) return whole_line(std::move(text));
  return std::string(without_line_end(text));
}

WindowMachine::WindowMachine(NextEditForm form, WindowScene scene, engine::InfillRequest defaults,
                             std::function<bool(const EditCandidate&)> refused)
    : form_(form), scene_(std::move(scene)), refused_(std::move(refused)) {
  if (scene_.text.empty() || scene_.history.empty()) return;
  WindowPrompt prompt = window_prompt(form_, scene_);
  window_ = prompt.window;
  const std::string now = scene_.text.substr(window_.begin, window_.end - window_.begin);
  request_ = std::move(defaults);
  request_->parts = std::move(prompt.parts);
  request_->end = engine::EndRule::hole;
  if (row_of(form_).end != nullptr) request_->other_end = row_of(form_).end;
  request_->former = whole_line(with_line_ends(now, false)) + std::string(row_of(form_).draft_end);
  request_->max_tokens = std::clamp(static_cast<int>(now.size()) * 2 / 3 + 96, 128, kMostTokens);
  request_->candidates = 1;
}

void WindowMachine::take(const engine::InfillResult& result) {
  request_.reset();
  if (result.answers.empty()) return;
  const std::string now = scene_.text.substr(window_.begin, window_.end - window_.begin);
  auto window = window_of_answer(form_, now, result.answers.front());
  if (window) *window = with_line_ends(*window, has_carriage_returns(scene_.text));
  if (!window || *window == now || !is_fit(*window)) return;
  for (const TextChange& change : minimal_changes(now, *window)) {
    EditCandidate candidate{window_.begin + change.begin, window_.begin + change.end, change.text, EditPattern::rewrite,
                            1};
    if (!refused_ || !refused_(candidate)) shown_.push_back(std::move(candidate));
  }
}

bool WindowMachine::is_fit(const std::string& window) const {
  const auto lines_of = [](sv text) { return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')); };
  const std::size_t before = lines_of(sv(scene_.text).substr(window_.begin, window_.end - window_.begin));
  return before <= lines_of(window) + kMostRemoved && !takes_back(window) && !parses_worse(window);
}

bool WindowMachine::takes_back(const std::string& window) const {
  return std::any_of(scene_.history.begin(), scene_.history.end(), [&](const PastEdit& edit) {
    return is_inside(edit, window_) && before_edit(scene_.text, window_, edit) == window;
  });
}

bool WindowMachine::parses_worse(const std::string& window) const {
  if (scene_.language == nullptr) return false;
  const std::string after = scene_.text.substr(0, window_.begin) + window + scene_.text.substr(window_.end);
  return syntax::damage_of(*scene_.language, after).count() > syntax::damage_of(*scene_.language, scene_.text).count();
}

}  // namespace cinnabar::daemon
