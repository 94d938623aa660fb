#include "daemon/editing/instructions.h"

#include <algorithm>

namespace cinnabar::daemon {
namespace {

using sv = std::string_view;

constexpr sv kPython[] = {"python"};
constexpr sv kGo[] = {"go"};
constexpr sv kRust[] = {"rust"};
constexpr sv kJava[] = {"java"};
constexpr sv kC[] = {"c"};
constexpr sv kCpp[] = {"cpp"};
constexpr sv kScript[] = {"javascript", "typescript", "typescriptreact"};
constexpr sv kThrowing[] = {"python", "javascript", "typescript", "typescriptreact", "java", "cpp", "csharp",
                            "kotlin", "php",        "ruby"};
constexpr sv kBracesAndPython[] = {"python", "javascript", "typescript", "typescriptreact", "java",   "cpp",
                                   "c",      "go",         "rust",       "csharp",          "kotlin", "php"};

constexpr sv kIf[] = {"if ", "if("};
constexpr sv kFor[] = {"for ", "for("};
constexpr sv kCollecting[] = {".append(", ".add(", "] ="};
constexpr sv kComprehension[] = {" for "};
constexpr sv kUnwrap[] = {".unwrap()", ".expect(", "panic!("};
constexpr sv kThen[] = {".then("};
constexpr sv kFunctions[] = {"def ", "function", "=>"};
constexpr sv kFormat[] = {".format(", "\" %", "' %", "\" +", "+ \"", "' +", "+ '"};
constexpr sv kQuotes[] = {"\" +", "+ \"", "' +", "+ '"};
constexpr sv kForEach[] = {".map(", ".filter(", ".reduce(", ".forEach("};
constexpr sv kIndexed[] = {"++i", "i++", "++)"};
constexpr sv kOwning[] = {"new ", "delete ", "malloc("};
constexpr sv kCalls[] = {"("};

constexpr sv kIfNodes[] = {"if_statement", "if_expression"};
constexpr sv kForNodes[] = {"for_statement", "for_in_statement", "enhanced_for_statement", "for_expression"};
constexpr sv kComprehensionNodes[] = {"list_comprehension", "set_comprehension", "dictionary_comprehension",
                                      "generator_expression"};

constexpr Instruction kInstructions[] = {
    {"simplify", "Simplify", "Simplify this code without changing what it does."},
    {"fixBug", "Find and fix the bug", "Fix the bug."},
    {"handleErrors", "Add error handling", "Handle the errors that can occur in this code.", kThrowing, kCalls},
    {"handleErrors", "Return errors to the caller", "Check every error and return it to the caller.", kGo, kCalls},
    {"handleErrors", "Return a Result in place of panicking", "Return a Result and use ? in place of unwrap.", kRust,
     kUnwrap},
    {"handleErrors", "Check for failures", "Check every call that can fail and return an error code.", kC, kCalls},
    {"guardClauses", "Use guard clauses", "Use guard clauses with early returns in place of nested ifs.",
     kBracesAndPython, kIf, kIfNodes},
    {"checkArguments", "Check the arguments", "Check the arguments and reject wrong ones.", kBracesAndPython,
     kFunctions},
    {"comprehension", "Use a comprehension", "Use a comprehension in place of the loop.", kPython, kCollecting,
     kForNodes},
    {"loop", "Use a plain loop", "Use a plain for loop in place of the comprehension.", kPython, kComprehension,
     kComprehensionNodes, false},
    {"formatStrings", "Use f-strings", "Use f-strings.", kPython, kFormat},
    {"formatStrings", "Use template strings", "Use template strings.", kScript, kQuotes},
    {"arrayMethods", "Use array methods", "Use array methods such as map and filter in place of the loop.", kScript,
     kFor, kForNodes},
    {"loop", "Use a plain loop", "Use a for...of loop in place of the array methods.", kScript, kForEach, {}, false},
    {"async", "Use async and await", "Use async and await in place of then.", kScript, kThen},
    {"async",
     "Make it asynchronous",
     "Make this function async and await what it calls.",
     kPython,
     kFunctions,
     {},
     false},
    {"streams", "Use streams", "Use streams in place of the loop.", kJava, kFor, kForNodes},
    {"iterators", "Use iterators", "Use iterator methods in place of the loop.", kRust, kFor, kForNodes},
    {"rangeFor", "Use a range-based for loop", "Use a range-based for loop.", kCpp, kIndexed, kForNodes},
    {"smartPointers", "Use smart pointers", "Use std::unique_ptr in place of new and delete.", kCpp, kOwning},
    {"logging", "Add logging", "Log what this code does with the logging module.", kPython, kFunctions, {}, false},
    {"logging", "Add logging", "Log what this code does with console.log.", kScript, kFunctions, {}, false},
    {"logging", "Add logging", "Log what this code does with the log package.", kGo, kCalls, {}, false},
};

bool has_one(sv lines, syntax::Words words) {
  return words.empty() ||
         std::any_of(words.begin(), words.end(), [&](sv word) { return lines.find(word) != sv::npos; });
}

bool has_node(const syntax::Tree& tree, syntax::Span lines, syntax::Words kinds) {
  bool found = kinds.empty();
  syntax::each_node(tree.root(), lines.begin, lines.end, [&](TSNode node) {
    found = found || (syntax::begin_of(node) >= lines.begin && syntax::contains(kinds, syntax::kind_of(node)));
    return !found;
  });
  return found;
}

}  // namespace

std::span<const Instruction> instructions() { return kInstructions; }

bool is_fit(const Instruction& instruction, sv language, sv text, syntax::Span lines, const syntax::Tree* tree) {
  return (instruction.languages.empty() || syntax::contains(instruction.languages, language)) &&
         has_one(text.substr(lines.begin, lines.end - lines.begin), instruction.needs) &&
         (tree == nullptr || has_node(*tree, lines, instruction.nodes));
}

}  // namespace cinnabar::daemon
