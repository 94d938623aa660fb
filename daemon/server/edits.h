// The edits that are asked for by name (code actions and commands): where they are offered, and an editor's words for
// what they change. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/completion/multi_hole.h"
#include "daemon/syntax/plan.h"
#include "daemon/workspace/documents/snapshot.h"
#include "lsp/code_action.h"

namespace cinnabar::daemon {

enum class Edit : std::uint8_t {
  complete_function,  // the body of the function at the cursor, when it is empty or a stub
  fill_holes,         // every mark, stub and empty body of a selection, or of the document
};
inline constexpr Edit kEdits[] = {Edit::complete_function, Edit::fill_holes};

std::string_view command_of(Edit edit);  // "cinnabar.completeFunction", "cinnabar.fillHoles"
std::string_view kind_of(Edit edit);     // a code action's kind, "refactor.rewrite.cinnabar..."
std::optional<Edit> edit_of_command(std::string_view command);

// Which edit of which text: a command's one argument, and a code action's data.
struct EditPlace {
  lsp::TextDocumentIdentifier text_document;  // with a version: another one is an error
  std::optional<lsp::Range> range;            // absent or empty: a cursor (complete_function), or all (fill_holes)
};
bool from_json(const lsp::Field& at, EditPlace& out);
lsp::Json to_json(const EditPlace& place);

// The holes that the edit would fill; empty: it has nothing to do there.
std::vector<syntax::Hole> holes_of(Edit edit, const syntax::Tree& tree, std::size_t begin, std::size_t end);

// As the client reads it: "Complete function", "Fill 3 holes".
std::string title_of(Edit edit, std::size_t holes);

// Whether a client that asks for `only` these kinds wants the edit's.
bool is_wanted(Edit edit, std::span<const std::string> only);

// One versioned edit of `document`.
lsp::WorkspaceEdit workspace_edit(const DocumentSnapshot& document, std::span<const MultiHoleFill::Change> changes,
                                  lsp::PositionEncoding encoding);

}  // namespace cinnabar::daemon
