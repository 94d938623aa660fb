#include "daemon/editing/slot_edit.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/line_ends.h"
#include "base/line_index.h"
#include "base/text.h"
#include "daemon/editing/minimal_edit.h"

namespace cinnabar::daemon {
namespace {

using engine::PromptPart;

constexpr std::size_t kLongestName = 40;

// No language of ours lets a variable be called so.
constexpr std::string_view kKeywords[] = {
    "and",      "as",        "assert",   "async",   "auto",     "await",   "bool",     "break",     "case",
    "catch",    "char",      "class",    "const",   "continue", "def",     "default",  "del",       "delete",
    "do",       "double",    "elif",     "else",    "enum",     "except",  "export",   "extends",   "extern",
    "false",    "False",     "final",    "finally", "float",    "fn",      "for",      "from",      "func",
    "function", "global",    "goto",     "if",      "impl",     "import",  "in",       "int",       "interface",
    "is",       "lambda",    "let",      "long",    "match",    "mod",     "mut",      "namespace", "new",
    "nil",      "None",      "nonlocal", "not",     "null",     "nullptr", "or",       "package",   "pass",
    "private",  "protected", "public",   "raise",   "range",    "ref",     "return",   "self",      "short",
    "signed",   "sizeof",    "static",   "struct",  "super",    "switch",  "template", "this",      "throw",
    "trait",    "true",      "True",     "try",     "type",     "typedef", "typename", "undefined", "union",
    "unsafe",   "unsigned",  "use",      "using",   "var",      "virtual", "void",     "volatile",  "where",
    "while",    "with",      "yield"};


// Behind the first word of the text.
std::optional<std::size_t> word_end(std::string_view text) {
  std::size_t at = text.find_first_not_of(" \t");
  if (at == std::string_view::npos) return std::nullopt;
  while (at < text.size() && is_word_byte(text[at])) ++at;
  return at < text.size() ? std::optional(at) : std::nullopt;
}

int errors_in(const syntax::Language& language, const std::string& text) {
  const LineIndex lines(text);
  const auto tree = syntax::Tree::parse(language, text, lines);
  return tree ? syntax::damage_of(*tree).count() : 0;
}

std::vector<PromptPart> chat(const std::string& question, const std::string& answer) {
  return {{"<|im_start|>", true}, {"system\nYou are a helpful assistant.", false},
          {"<|im_end|>", true},   {"\n", false},
          {"<|im_start|>", true}, {"user\n" + question, false},
          {"<|im_end|>", true},   {"\n", false},
          {"<|im_start|>", true}, {"assistant\n" + answer, false}};
}

}  // namespace

bool is_identifier(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), is_word_byte) &&
         std::isdigit(static_cast<unsigned char>(word.front())) == 0 &&
         std::find(std::begin(kKeywords), std::end(kKeywords), word) == std::end(kKeywords);
}

std::string unused(const std::string& name, const std::vector<std::string>& taken) {
  std::string found = name;
  for (int i = 2; std::find(taken.begin(), taken.end(), found) != taken.end(); ++i)
    found = name + "_" + std::to_string(i);
  return found;
}

Slot name_slot(std::vector<std::string> taken, std::string fallback) {
  Slot slot;
  slot.fallback = std::move(fallback);
  slot.end = word_end;
  slot.max_tokens = 12;
  slot.candidates = 4;
  slot.fit = [taken = std::move(taken)](std::string_view text) -> std::optional<std::string> {
    const std::string_view word = stripped(text.substr(0, word_end(text).value_or(text.size())));
    if (!is_identifier(word) || word.size() > kLongestName || word.find_first_not_of('_') == std::string_view::npos ||
        std::find(taken.begin(), taken.end(), word) != taken.end())
      return std::nullopt;
    return std::string(word);
  };
  return slot;
}

std::string about_code(std::string_view question, const syntax::Language& language, std::string_view code) {
  constexpr std::size_t kShown = 3'000;  // bytes of it
  return std::string(question) + "\n```" + std::string(language.name) + "\n" + std::string(code.substr(0, kShown)) +
         "\n```";
}

Slot prose_slot(std::string closer, bool sentence, bool required) {
  Slot slot;
  slot.required = required;
  slot.max_tokens = 48;
  slot.end = [closer](std::string_view text) -> std::optional<std::size_t> {
    const std::size_t newline = text.find('\n'), close = closer.empty() ? std::string_view::npos : text.find(closer);
    const std::size_t at = std::min(newline, close);
    return at == std::string_view::npos ? std::nullopt : std::optional(at);
  };
  slot.fit = [closer, sentence](std::string_view text) -> std::optional<std::string> {
    text = stripped(text.substr(0, text.find('\n')));
    if (!closer.empty()) text = right_stripped(text.substr(0, text.find(closer)));
    const bool has_letter =
        std::any_of(text.begin(), text.end(), [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; });
    if (!has_letter || text.find("TODO") != std::string_view::npos || text.find('\\') != std::string_view::npos ||
        text.front() == '@' || text.ends_with('"'))
      return std::nullopt;
    const auto ends_sentence = [&](std::size_t at) {  // not that of "e.g. the"
      return at + 2 < text.size() && std::isupper(static_cast<unsigned char>(text[at + 2])) != 0;
    };
    for (std::size_t at = text.find(". "); sentence && at != std::string_view::npos; at = text.find(". ", at + 1)) {
      if (ends_sentence(at)) text = text.substr(0, at + 1);  // the first one says it
    }
    std::string prose(text);
    if (sentence) prose.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(prose.front())));
    if (std::string_view(".!?:").find(prose.back()) == std::string_view::npos) prose += '.';
    return prose;
  };
  return slot;
}

SlotEdit::SlotEdit(const syntax::Language& language, std::string text, SlotPlan plan, engine::InfillRequest defaults)
    : language_(language), text_(std::move(text)), plan_(std::move(plan)), defaults_(std::move(defaults)) {
  ask();
}

bool SlotEdit::is_given(const SlotPiece& piece, std::size_t asked) const {
  if (piece.with.empty()) return true;
  return std::any_of(piece.with.begin(), piece.with.end(), [&](int slot) {
    const auto index = static_cast<std::size_t>(slot);
    return index == asked || (index < answers_.size() && !answers_[index].empty());
  });
}

// The text with what is known, and where `asked` is missing.
SlotEdit::Rendered SlotEdit::render(std::size_t asked) const {
  Rendered out;
  std::size_t at = 0;
  for (const SlotChange& change : plan_.changes) {
    out.text.append(text_, at, change.begin - at);
    at = change.end;
    for (const SlotPiece& piece : change.pieces) {
      if (!is_given(piece, asked)) continue;
      out.text += piece.text;
      if (piece.slot < 0) continue;
      const auto slot = static_cast<std::size_t>(piece.slot);
      if (slot == asked) {
        (out.hole ? (out.again ? out.again : out.again = out.text.size()) : out.hole = out.text.size());
      } else {
        out.text += slot < answers_.size() ? answers_[slot] : plan_.slots[slot].fallback;
      }
    }
  }
  out.text.append(text_, at, std::string::npos);
  return out;
}

void SlotEdit::ask() {
  request_.reset();
  if (answers_.size() == plan_.slots.size()) return settle();
  const std::size_t asked = answers_.size();
  const Slot& slot = plan_.slots[asked];
  engine::InfillRequest request = defaults_;
  if (!slot.question.empty() && slot.question_first == (tries_ == 0)) {
    request.parts = chat(slot.question, slot.answer);
  } else {
    const Rendered around = render(asked);
    const std::size_t hole = around.hole.value_or(around.text.size());
    request.prefix = around.text.substr(0, hole);
    request.suffix = around.text.substr(hole);
    // What comes behind the slot's next place would give away a word that nobody has chosen yet.
    if (around.again) request.suffix.resize(std::max(line_begin(around.text, *around.again), hole) - hole);
  }
  request.end = engine::EndRule::line;
  request.other_end = slot.end;
  request.max_tokens = slot.max_tokens;
  request.candidates = slot.candidates;
  request_ = std::move(request);
}

void SlotEdit::take(const engine::InfillResult& result) {
  const Slot& slot = plan_.slots[answers_.size()];
  std::string chosen = slot.fallback;
  for (const engine::InfillAnswer& answer : result.answers) {
    if (answer.reason == engine::StopReason::cancelled || answer.reason == engine::StopReason::deadline)
      return failed(Status::error("the model was not done in time"));
    if (auto fitted = slot.fit(answer.text)) {
      chosen = *std::move(fitted);
      break;
    }
  }
  const bool fits = chosen != slot.fallback;
  if (!fits && !slot.question.empty() && tries_++ == 0) return ask();
  if (chosen.empty() && slot.required) return failed(Status::error("the model has found nothing that fits"));
  answers_.push_back(std::move(chosen));
  tries_ = 0;
  ask();
}

void SlotEdit::failed(const Status& why) {
  request_.reset();
  why_ = why.message();
}

std::vector<TextChange> SlotEdit::filled() const {
  std::vector<TextChange> changes;
  for (const SlotChange& change : plan_.changes) {
    TextChange made{change.begin, change.end, {}};
    for (const SlotPiece& piece : change.pieces) {
      if (!is_given(piece, answers_.size())) continue;
      made.text += piece.text;
      if (piece.slot >= 0) made.text += answers_[static_cast<std::size_t>(piece.slot)];
    }
    if (has_carriage_returns(text_)) made.text = with_line_ends(made.text, true);
    if (made.begin != made.end || !made.text.empty()) changes.push_back(std::move(made));
  }
  return changes;
}

void SlotEdit::settle() {
  const auto changes = filled();
  if (changes.empty()) {
    why_ = "the model has found nothing that fits";
  } else if (errors_in(language_, with_changes(text_, changes)) > errors_in(language_, text_)) {
    why_ = "the file would parse worse with the model's answer";
  }
}

Result<std::vector<TextChange>> SlotEdit::changes() const {
  if (!why_.empty()) return Status::error(why_);
  return filled();
}

}  // namespace cinnabar::daemon
