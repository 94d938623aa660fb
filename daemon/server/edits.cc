#include "daemon/server/edits.h"

#include <algorithm>
#include <utility>

#include "daemon/completion/heading.h"
#include "daemon/editing/fill_edit.h"
#include "daemon/editing/instructions.h"
#include "daemon/editing/refactorings.h"
#include "daemon/editing/region_edit.h"
#include "daemon/syntax/scopes.h"

namespace cinnabar::daemon {
namespace {

using lsp::ErrorCode;
using syntax::Span;

constexpr std::string_view kRewriteKind = "refactor.rewrite.cinnabar.";
constexpr std::size_t kMostMessages = 8;
constexpr std::size_t kLongestMessage = 400;    // bytes
constexpr std::size_t kLongestByPlace = 8'192;  // bytes of a function that is rewritten without being selected

struct ExampleJson {
  RewriteExample& example;
};
bool from_json(const lsp::Field& at, const ExampleJson& out) {
  return at.required("before", out.example.before) && at.required("after", out.example.after);
}

// What cinnabar.rewrite is told; all other commands have the document as textDocument.
bool read_place(const lsp::Field& at, EditAsked& out) {
  if (out.command != kRewrite) return at.required("textDocument", out.text_document) && at.optional("range", out.range);
  lsp::Range range;
  const bool ok = at.required("uri", out.text_document.uri) && at.optional("version", out.text_document.version) &&
                  at.required("range", range);
  out.range = range;
  return ok;
}

bool from_json(const lsp::Field& at, EditAsked& out) {
  RewriteExample example;
  ExampleJson reader{example};
  if (!read_place(at, out) || !at.optional("title", out.title) || !at.optional("edit", out.edit) ||
      !at.optional("messages", out.messages) || !at.optional("example", reader) ||
      !at.optional("dropped", out.dropped) || !at.optional("confirm", out.confirm))
    return false;
  if (at.find("example") != nullptr) out.example = std::move(example);
  if (out.command != kRewrite) return at.optional("instruction", out.instruction);
  if (!at.required("instruction", out.instruction)) return false;
  return !is_blank(out.instruction) || at.fail("an instruction: what is to be done");
}

Span bytes_of(const DocumentSnapshot& document, const lsp::Range& range, lsp::PositionEncoding encoding) {
  const std::size_t begin = document.byte_offset(range.start, encoding);
  return {begin, std::max(document.byte_offset(range.end, encoding), begin)};
}

std::vector<syntax::Hole> holes_of(std::string_view command, const syntax::Tree& tree, Span at) {
  if (command == kCompleteFunction) return syntax::plan_function(tree, at.begin).holes;
  if (at.begin == at.end) return syntax::plan_selection(tree, 0, tree.text().size()).holes;
  return syntax::plan_selection(tree, at.begin, at.end).holes;
}

// One title behind another, as they stand in the menu.
class Menu {
 public:
  explicit Menu(const ActionScene& scene) : scene_(scene), text_(scene.document->text()) {
    const bool selected = scene.begin != scene.end;
    if (selected) {
      lines_ = whole_lines_of(text_, scene.begin, scene.end);
    } else if (scene.tree != nullptr && (scene.invoked || !scene.diagnostics.empty())) {
      lines_ = function_lines(*scene.tree, scene.begin);
      if (lines_ && lines_->end - lines_->begin > kLongestByPlace) lines_.reset();
    }
    if (lines_ && (lines_->end - lines_->begin > kLongestRegion || is_blank(text(*lines_)))) lines_.reset();
  }

  void add_fills() {
    if (scene_.tree == nullptr) return;
    // Editors ask with every move of the cursor; the whole document is looked through only when the user asks.
    const bool all = scene_.begin != scene_.end || scene_.invoked;
    std::vector<syntax::Hole> offered;
    for (const std::string_view command : {kCompleteFunction, kFillHoles}) {
      if (command == kFillHoles && !all) continue;
      const auto holes = holes_of(command, *scene_.tree, {scene_.begin, scene_.end});
      if (holes.empty()) continue;
      if (holes.size() == 1 && !offered.empty() && offered.front().begin == holes.front().begin) continue;  // the same
      offered = holes;
      EditOffer offer{"refactor.rewrite." + std::string(command), {}, {}};
      offer.asked.command = command;
      offer.asked.range = scene_.range;
      offer.asked.title = title_of(command, holes.size());
      add(std::move(offer));
      is_unwritten_ = command == kCompleteFunction || scene_.begin == scene_.end;
    }
  }

  void add_quick_fix() {
    if (scene_.diagnostics.empty()) return;
    const Span lines = lines_ ? *lines_ : whole_lines_of(text_, scene_.begin, scene_.end);
    if (is_blank(text(lines))) return;
    EditOffer offer = rewrite("quickfix.cinnabar", lines);
    offer.asked.instruction = "Fix this problem:";
    offer.diagnostics = lsp::Json::array();
    for (const auto& diagnostic : scene_.diagnostics) {
      if (offer.asked.messages.size() == kMostMessages) break;
      offer.asked.messages.push_back(in_context(diagnostic));
      offer.diagnostics.push_back(diagnostic.sent);
    }
    const std::size_t count = offer.asked.messages.size();
    offer.asked.title = count == 1 ? "Fix with Cinnabar" : "Fix " + std::to_string(count) + " problems with Cinnabar";
    add_with_preview(std::move(offer));
  }

  void add_comment_instruction() {
    if (scene_.tree == nullptr || !(lines_ || scene_.invoked)) return;
    const Span place = lines_ ? *lines_ : whole_lines_of(text_, scene_.begin, scene_.end);
    const auto asked = comment_instruction(scene_.tree->language(), text_, place.begin, place.end);
    if (!asked) return;
    std::optional<Span> lines = lines_;
    if (!lines) lines = function_lines(*scene_.tree, asked->line.end);
    if (!lines || is_only(*lines, asked->line)) return;
    EditOffer offer = rewrite(std::string(kRewriteKind) + "comment", *lines);
    offer.asked.instruction = asked->instruction;
    offer.asked.dropped = range(asked->line);
    offer.asked.title = "Do what the comment says";
    add_with_preview(std::move(offer));
  }

  void add_last_edit() {
    if (!scene_.last_edit || !lines_ || scene_.begin == scene_.end) return;
    EditOffer offer = rewrite(std::string(kRewriteKind) + "lastEdit", *lines_);
    offer.asked.instruction = "Make the change that was made before.";
    offer.asked.example = scene_.last_edit;
    offer.asked.title = "Rewrite like my last edit";
    add_with_preview(std::move(offer));
  }

  void add_instructions() {
    if (!lines_ || (scene_.begin == scene_.end && !scene_.invoked)) return;
    if (is_unwritten_) return;
    for (const Instruction& instruction : instructions()) {
      if (scene_.begin == scene_.end && !instruction.by_place) continue;
      if (!is_fit(instruction, scene_.document->language_id(), text_, *lines_, scene_.tree)) continue;
      EditOffer offer = rewrite(std::string(kRewriteKind) + std::string(instruction.id), *lines_);
      offer.asked.instruction = instruction.text;
      offer.asked.title = instruction.title;
      add(std::move(offer));
    }
  }

  void add_refactorings() {
    const bool selected = scene_.begin != scene_.end;
    if (scene_.tree == nullptr || !(selected || scene_.invoked)) return;
    if (scene_.end - scene_.begin > syntax::kLongestFunction) return;
    for (const Refactoring& refactoring : refactorings()) {
      if (refactoring.by_selection && !selected) continue;
      if (!refactoring.plan(*scene_.tree, {scene_.begin, scene_.end})) continue;
      EditOffer offer{std::string(refactoring.kind), {}, {}};
      offer.asked.command = kEdit;
      offer.asked.edit = refactoring.id;
      offer.asked.range = scene_.range;
      offer.asked.title = refactoring.title;
      add(std::move(offer));
    }
  }

  std::vector<EditOffer> take() { return std::move(offers_); }

 private:
  // Whether there is nothing else in these lines than that one.
  bool is_only(Span lines, Span one) const {
    return one.begin >= lines.begin && is_blank(text({lines.begin, one.begin})) && is_blank(text({one.end, lines.end}));
  }
  std::string_view text(Span span) const { return text_.substr(span.begin, span.end - span.begin); }
  lsp::Range range(Span span) const {
    return {scene_.document->position(span.begin, scene_.encoding),
            scene_.document->position(span.end, scene_.encoding)};
  }
  EditOffer rewrite(std::string kind, Span lines) const {
    EditOffer offer{std::move(kind), {}, {}};
    offer.asked.command = kEdit;
    offer.asked.range = range(lines);
    return offer;
  }
  // The message, and the line that it is about.
  std::string in_context(const lsp::Diagnostic& diagnostic) const {
    const std::size_t at = scene_.document->byte_offset(diagnostic.range.start, scene_.encoding);
    const std::size_t begin = line_begin(text_, at);
    const std::string_view line = stripped(text_.substr(begin, line_end(text_, at) - begin));
    std::string message = diagnostic.message.substr(0, kLongestMessage);
    return line.empty() ? message : message + " (" + std::string(line.substr(0, kLongestMessage)) + ")";
  }
  void add(EditOffer offer) {
    offer.asked.text_document = {scene_.document->uri(), scene_.document->version()};
    offers_.push_back(std::move(offer));
  }
  void add_with_preview(EditOffer offer) {
    add(offer);
    if (!scene_.previews) return;
    offer.asked.title += " (preview)";
    offer.asked.confirm = true;
    add(std::move(offer));
  }

  const ActionScene& scene_;
  const std::string_view text_;
  std::optional<Span> lines_;  // what would be rewritten
  bool is_unwritten_ = false;  // the function there: nothing is to be made better
  std::vector<EditOffer> offers_;
};

Result<std::unique_ptr<EditMachine>> filling(const EditAsked& asked, const DocumentSnapshot& document,
                                             const syntax::Tree* tree, Span at, const MachineOptions& options) {
  if (tree == nullptr) return Status::error("there is no syntax tree of this document");
  auto holes = holes_of(asked.command, *tree, at);
  if (holes.empty()) return Status::error("there is nothing to be filled here");
  const MultiHoleOptions filling{.repairs = options.request.repairs,
                                 .near = options.request.defaults.budget.suffix_bytes,
                                 .together = options.fills_together};
  engine::InfillRequest defaults = MultiHoleFill::defaults(options.request.defaults);
  defaults.heading = heading_of(document);
  return std::unique_ptr<EditMachine>(
      std::make_unique<FillEdit>(tree->language(), document.text(), std::move(holes), std::move(defaults), filling));
}

Result<std::unique_ptr<EditMachine>> rewriting(const EditAsked& asked, const DocumentSnapshot& document, Span at,
                                               lsp::PositionEncoding encoding, const MachineOptions& options) {
  const std::string& text = document.text();
  const Span lines = whole_lines_of(text, at.begin, at.end);
  std::optional<Span> dropped;
  if (asked.dropped) dropped = bytes_of(document, *asked.dropped, encoding);
  if (is_blank(std::string_view(text).substr(lines.begin, lines.end - lines.begin)))
    return Status::error("there is nothing selected to be rewritten");
  if (lines.end - lines.begin > kLongestRegion) return Status::error("the selection is too long to be rewritten");
  RewriteTask task;
  task.language = syntax::language_of(document);
  task.instruction = asked.instruction;
  task.diagnostics = asked.messages;
  task.example = asked.example;
  return std::unique_ptr<EditMachine>(std::make_unique<RegionEdit>(
      text, lines, dropped, std::move(task), RewriteOptions{.defaults = options.request.defaults}));
}

}  // namespace

lsp::Expected<EditAsked> read_edit(std::string_view command, const lsp::Json& argument, std::string_view name) {
  EditAsked asked;
  asked.command = command;
  std::string error;
  if (!from_json(lsp::Field(argument, name, error), asked)) return lsp::ResponseError{ErrorCode::invalid_params, error};
  return asked;
}

lsp::Expected<EditAsked> read_edit(const lsp::Json& data) {
  const std::string name = "params.data";
  const auto command = data.is_object() ? data.find("command") : data.end();
  if (data.is_object() && (command == data.end() || !command->is_string() ||
                           std::find(kEditCommands.begin(), kEditCommands.end(),
                                     command->get_ref<const std::string&>()) == kEditCommands.end()))
    return lsp::ResponseError{ErrorCode::invalid_params, name + ".command: expected a code action's of ours"};
  return read_edit(data.is_object() ? command->get_ref<const std::string&>() : std::string(kEdit), data, name);
}

lsp::Json to_json(const EditAsked& asked) {
  lsp::Json out = {{"textDocument", to_json(asked.text_document)}};
  if (asked.range) out["range"] = to_json(*asked.range);
  if (asked.command != kEdit) return out;
  out["title"] = asked.title;
  out["edit"] = asked.edit;
  if (!asked.instruction.empty()) out["instruction"] = asked.instruction;
  if (!asked.messages.empty()) out["messages"] = asked.messages;
  if (asked.example) out["example"] = {{"before", asked.example->before}, {"after", asked.example->after}};
  if (asked.dropped) out["dropped"] = to_json(*asked.dropped);
  if (asked.confirm) out["confirm"] = true;
  return out;
}

std::vector<EditOffer> offers_at(const ActionScene& scene) {
  Menu menu(scene);
  menu.add_fills();
  menu.add_quick_fix();
  menu.add_comment_instruction();
  menu.add_last_edit();
  menu.add_refactorings();
  menu.add_instructions();
  return menu.take();
}

std::string title_of(std::string_view command, std::size_t holes) {
  if (command == kCompleteFunction) return "Complete function";
  if (command == kFillHoles) return holes == 1 ? "Fill the hole" : "Fill all " + std::to_string(holes) + " holes";
  return "Rewrite";
}

Result<std::unique_ptr<EditMachine>> machine_for(const EditAsked& asked, const DocumentSnapshot& document,
                                                 const syntax::Tree* tree, lsp::PositionEncoding encoding,
                                                 const MachineOptions& options) {
  const Span at = asked.range ? bytes_of(document, *asked.range, encoding) : Span{};
  if (asked.command == kCompleteFunction || asked.command == kFillHoles)
    return filling(asked, document, tree, at, options);
  if (asked.edit == "rewrite") return rewriting(asked, document, at, encoding, options);
  if (const Refactoring* refactoring = find_refactoring(asked.edit)) {
    auto plan = tree == nullptr ? std::nullopt : refactoring->plan(*tree, at);
    if (!plan) return Status::error("'" + std::string(refactoring->title) + "' cannot be done here");
    engine::InfillRequest defaults = options.request.defaults;
    defaults.heading = heading_of(document);
    return std::unique_ptr<EditMachine>(
        std::make_unique<SlotEdit>(tree->language(), document.text(), *std::move(plan), std::move(defaults)));
  }
  return Status::error("there is no edit '" + asked.edit + "'");
}

bool is_wanted(std::string_view kind, std::span<const std::string> only) {
  return only.empty() || std::any_of(only.begin(), only.end(), [kind](std::string_view wanted) {
           return kind.starts_with(wanted) && (kind.size() == wanted.size() || kind[wanted.size()] == '.');
         });
}

lsp::WorkspaceEdit workspace_edit(const DocumentSnapshot& document, std::span<const TextChange> changes,
                                  lsp::PositionEncoding encoding, const EditAsked& asked) {
  lsp::DocumentEdit changed{{document.uri(), document.version()}, {}};
  lsp::WorkspaceEdit edit;
  if (asked.confirm) edit.annotations.push_back({"cinnabar", asked.title, true, asked.instruction});
  for (const auto& change : changes) {
    const lsp::Range range{document.position(change.begin, encoding), document.position(change.end, encoding)};
    changed.edits.push_back({range, change.text, asked.confirm ? "cinnabar" : ""});
  }
  edit.documents.push_back(std::move(changed));
  return edit;
}

}  // namespace cinnabar::daemon
