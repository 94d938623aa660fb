#include "daemon/server/edits.h"

#include <algorithm>

namespace cinnabar::daemon {

std::string_view command_of(Edit edit) {
  return edit == Edit::complete_function ? "cinnabar.completeFunction" : "cinnabar.fillHoles";
}

std::string_view kind_of(Edit edit) {
  return edit == Edit::complete_function ? "refactor.rewrite.cinnabar.completeFunction"
                                         : "refactor.rewrite.cinnabar.fillHoles";
}

std::optional<Edit> edit_of_command(std::string_view command) {
  for (const Edit edit : kEdits) {
    if (command == command_of(edit)) return edit;
  }
  return std::nullopt;
}

bool from_json(const lsp::Field& at, EditPlace& out) {
  return at.required("textDocument", out.text_document) && at.optional("range", out.range);
}

lsp::Json to_json(const EditPlace& place) {
  lsp::Json out = {{"textDocument", to_json(place.text_document)}};
  if (place.range) out["range"] = to_json(*place.range);
  return out;
}

std::vector<syntax::Hole> holes_of(Edit edit, const syntax::Tree& tree, std::size_t begin, std::size_t end) {
  if (edit == Edit::complete_function) return syntax::plan_function(tree, begin).holes;
  if (begin == end) return syntax::plan_selection(tree, 0, tree.text().size()).holes;
  return syntax::plan_selection(tree, begin, end).holes;
}

std::string title_of(Edit edit, std::size_t holes) {
  if (edit == Edit::complete_function) return "Complete function";
  return holes == 1 ? "Fill the hole" : "Fill all " + std::to_string(holes) + " holes";
}

bool is_wanted(Edit edit, std::span<const std::string> only) {
  return only.empty() || std::any_of(only.begin(), only.end(), [kind = kind_of(edit)](std::string_view wanted) {
           return kind.starts_with(wanted) && (kind.size() == wanted.size() || kind[wanted.size()] == '.');
         });
}

lsp::WorkspaceEdit workspace_edit(const DocumentSnapshot& document, std::span<const MultiHoleFill::Change> changes,
                                  lsp::PositionEncoding encoding) {
  lsp::DocumentEdit changed{{document.uri(), document.version()}, {}};
  for (const auto& change : changes) {
    const lsp::Range range{document.position(change.begin, encoding), document.position(change.end, encoding)};
    changed.edits.push_back({range, change.text, ""});
  }
  return {{std::move(changed)}, {}};
}

}  // namespace cinnabar::daemon
