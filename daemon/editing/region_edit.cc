#include "daemon/editing/region_edit.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "daemon/editing/minimal_edit.h"
#include "daemon/syntax/functions.h"

namespace cinnabar::daemon {
namespace {

using syntax::Span;

constexpr std::string_view kCall = "cinnabar:";

std::size_t behind_line(std::string_view text, std::size_t at) {
  const std::size_t newline = text.find('\n', at);
  return newline == std::string_view::npos ? text.size() : newline + 1;
}

// What the line asks for, when it is a comment and nothing else.
std::optional<std::string> asked_by(const syntax::Language& language, std::string_view line) {
  std::string_view text = stripped(line);
  if (!syntax::begins_comment(language, text)) return std::nullopt;
  const std::size_t at = text.find(kCall);
  if (at == std::string_view::npos) return std::nullopt;
  const auto is_mark = [](char c) { return std::string_view("#/*-!<> \t").find(c) != std::string_view::npos; };
  if (!std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), is_mark)) return std::nullopt;
  text = stripped(text.substr(at + kCall.size()));
  for (const std::string_view end : {"*/", "-->"}) {
    if (text.ends_with(end)) text = stripped(text.substr(0, text.size() - end.size()));
  }
  if (text.empty()) return std::nullopt;
  return std::string(text);
}

}  // namespace

Span whole_lines_of(std::string_view text, std::size_t begin, std::size_t end) {
  begin = line_begin(text, std::min(begin, text.size()));
  end = std::clamp(end, begin, text.size());
  if (end > begin && text[end - 1] == '\n') --end;  // a selection of whole lines ends where the next one begins
  return {begin, behind_line(text, end)};
}

std::optional<Span> function_lines(const syntax::Tree& tree, std::size_t at) {
  const std::string_view text = tree.text();
  const auto function = syntax::function_around(tree, at);
  if (!function) return std::nullopt;
  return whole_lines_of(text, syntax::begin_of(function->whole), syntax::end_of(function->whole));
}

std::optional<CommentInstruction> comment_instruction(const syntax::Language& language, std::string_view text,
                                                      std::size_t begin, std::size_t end) {
  const Span lines = whole_lines_of(text, begin, end);
  const std::size_t above = lines.begin == 0 ? 0 : line_begin(text, lines.begin - 1);
  for (std::size_t at : {lines.begin, above}) {
    for (const std::size_t stop = at == above && at != lines.begin ? lines.begin : lines.end; at < stop;) {
      const std::size_t behind = behind_line(text, at);
      if (auto asked = asked_by(language, text.substr(at, behind - at)))
        return CommentInstruction{*std::move(asked), {at, behind}};
      at = behind;
    }
  }
  return std::nullopt;
}

RegionEdit::RegionEdit(std::string_view text, Span region, std::optional<Span> dropped, RewriteTask task,
                       RewriteOptions options)
    : span_(region) {
  std::string shown(text.substr(region.begin, region.end - region.begin));
  if (dropped) {
    span_ = {std::min(region.begin, dropped->begin), std::max(region.end, dropped->end)};
    if (dropped->begin >= region.begin) shown.erase(dropped->begin - region.begin, dropped->end - dropped->begin);
  }
  old_ = text.substr(span_.begin, span_.end - span_.begin);
  task.before = text.substr(0, span_.begin);
  task.region = std::move(shown);
  task.after = text.substr(span_.end);
  machine_ = std::make_unique<RewriteMachine>(std::move(task), std::move(options));
}

Result<std::vector<TextChange>> RegionEdit::changes() const {
  const auto rewritten = machine_->result();
  if (!rewritten) return rewritten.status();
  auto changes = minimal_changes(old_, *rewritten);
  for (TextChange& change : changes) {
    change.begin += span_.begin;
    change.end += span_.begin;
  }
  return changes;
}

}  // namespace cinnabar::daemon
