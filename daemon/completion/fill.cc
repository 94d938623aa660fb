#include "daemon/completion/fill.h"

#include <algorithm>
#include <memory>

#include "base/text.h"
#include "daemon/syntax/answer_end.h"

namespace cinnabar::daemon::syntax {
namespace {

// A line of code seldom has more; an answer that has not ended by then runs away.
constexpr int kLineTokens = 64;

engine::OtherEnd end_by_tree(const Tree& tree, const Hole& hole) {
  const auto end = std::make_shared<AnswerEnd>(tree, hole);
  return [end](std::string_view answer) { return (*end)(answer); };
}

}  // namespace

engine::EndRule end_rule(const Hole& hole) {
  return hole.until == Until::line || hole.until == Until::string ? engine::EndRule::line : engine::EndRule::hole;
}

engine::InfillRequest request_for(std::string_view text, const Hole& hole, engine::InfillRequest defaults) {
  engine::InfillRequest request = std::move(defaults);
  request.prefix = text.substr(0, hole.begin);
  request.suffix = text.substr(hole.end);
  if (!hole.shown.empty()) {
    const std::string_view line = text.substr(line_begin(text, hole.begin));
    request.prefix += hole.shown + "\n" + std::string(indentation_of(line));
  }
  request.end = end_rule(hole);
  if (hole.max_lines <= 1) request.max_tokens = std::min(request.max_tokens, kLineTokens);
  return request;
}

engine::InfillRequest request_for(const Tree& tree, const Hole& hole, engine::InfillRequest defaults) {
  engine::InfillRequest request = request_for(tree.text(), hole, std::move(defaults));
  request.other_end = end_by_tree(tree, hole);
  return request;
}

engine::InfillRequest request_for(const Site& site, const Hole& hole, engine::InfillRequest defaults) {
  Hole in_document = hole;
  in_document.begin += site.begin;
  in_document.end += site.begin;
  engine::InfillRequest request = request_for(site.document->text(), in_document, std::move(defaults));
  if (site.tree) request.other_end = end_by_tree(*site.tree, hole);
  return request;
}

}  // namespace cinnabar::daemon::syntax
