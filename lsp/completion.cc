#include "lsp/completion.h"

namespace cinnabar::lsp {
namespace {

constexpr int kText = 1;  // CompletionItemKind
constexpr int kPlainText = 1;
constexpr int kAsIs = 1;

// The members of `context`, which stand in CompletionParams itself.
struct Context {
  CompletionParams& params;
};

bool from_json(const Field& at, Context& out) { return at.required("triggerKind", out.params.trigger); }

}  // namespace

Json completion_options() {
  // Clients ask by themselves where a word is typed; these are the other places where code goes on.
  return {{"triggerCharacters", {".", "(", "[", "{", ",", ":", "=", " "}}, {"resolveProvider", false}};
}

bool from_json(const Field& at, CompletionTrigger& out) {
  for (const auto kind : {CompletionTrigger::invoked, CompletionTrigger::character, CompletionTrigger::incomplete}) {
    if (at.value() != static_cast<int>(kind)) continue;
    out = kind;
    return true;
  }
  return at.fail("1 (invoked), 2 (trigger character) or 3 (incomplete list)");
}

bool from_json(const Field& at, CompletionParams& out) {
  Context context{out};
  return at.required("textDocument", out.text_document) && at.required("position", out.position) &&
         at.optional("context", context);
}

Json to_json(const CompletionItem& item) {
  Json out = {
      {"label", item.label},         {"kind", kText},
      {"detail", item.detail},       {"filterText", item.filter_text},
      {"preselect", item.preselect}, {"insertTextFormat", kPlainText},
      {"insertTextMode", kAsIs},     {"textEdit", {{"range", to_json(item.range)}, {"newText", item.new_text}}}};
  if (!item.documentation.empty()) out["documentation"] = item.documentation;
  if (item.command) out["command"] = to_json(*item.command);
  return out;
}

Json to_json(const CompletionList& list) {
  Json items = Json::array();
  for (const auto& item : list.items) items.push_back(to_json(item));
  return {{"isIncomplete", true}, {"items", std::move(items)}};
}

}  // namespace cinnabar::lsp
