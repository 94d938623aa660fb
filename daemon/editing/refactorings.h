// Refactorings whose structure comes from the syntax tree and whose words come from the model: what can be done at a
// selection. A refactoring is offered only where nothing about it is uncertain.
//
// Pure functions; offsets are bytes.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "daemon/editing/slot_edit.h"
#include "daemon/syntax/tree.h"

namespace cinnabar::daemon {

struct Refactoring {
  std::string_view id;     // "extractFunction"
  std::string_view title;  // "Extract function"
  std::string_view kind;   // a code action's: "refactor.extract.cinnabar.function"
  bool by_selection;       // else by place: a cursor is enough
  // None: it cannot be done there.
  std::optional<SlotPlan> (*plan)(const syntax::Tree& tree, syntax::Span selection);
};

std::span<const Refactoring> refactorings();
const Refactoring* find_refactoring(std::string_view id);

std::optional<SlotPlan> plan_documentation(const syntax::Tree& tree, syntax::Span selection);
std::optional<SlotPlan> plan_types(const syntax::Tree& tree, syntax::Span selection);
std::optional<SlotPlan> plan_variable(const syntax::Tree& tree, syntax::Span selection);
std::optional<SlotPlan> plan_function_extraction(const syntax::Tree& tree, syntax::Span selection);
std::optional<SlotPlan> plan_better_name(const syntax::Tree& tree, syntax::Span selection);
std::optional<SlotPlan> plan_missing_cases(const syntax::Tree& tree, syntax::Span selection);
std::optional<SlotPlan> plan_test_stub(const syntax::Tree& tree, syntax::Span selection);

}  // namespace cinnabar::daemon
