#include "daemon/editing/refactorings.h"

#include <algorithm>

namespace cinnabar::daemon {
namespace {

constexpr Refactoring kRefactorings[] = {
    {"extractVariable", "Extract variable", "refactor.extract.cinnabar.variable", true, plan_variable},
    {"extractFunction", "Extract function", "refactor.extract.cinnabar.function", true, plan_function_extraction},
    {"betterName", "Find a better name", "refactor.rewrite.cinnabar.betterName", false, plan_better_name},
    {"document", "Document this function", "refactor.rewrite.cinnabar.document", false, plan_documentation},
    {"addTypes", "Add type annotations", "refactor.rewrite.cinnabar.addTypes", false, plan_types},
    {"addCases", "Add the missing cases", "refactor.rewrite.cinnabar.addCases", false, plan_missing_cases},
    {"testStub", "Add a test of this function", "refactor.rewrite.cinnabar.testStub", false, plan_test_stub},
};

}  // namespace

std::span<const Refactoring> refactorings() { return kRefactorings; }

const Refactoring* find_refactoring(std::string_view id) {
  const auto* found = std::find_if(std::begin(kRefactorings), std::end(kRefactorings),
                                   [id](const Refactoring& one) { return one.id == id; });
  return found == std::end(kRefactorings) ? nullptr : found;
}

}  // namespace cinnabar::daemon
