// Whether code holds what a test says of it, by running both: in Python, JavaScript, Go, Rust, C++ and Java, each with the
// toolchain of the machine. The code is a model's: it runs in a folder of its own that is removed, with limits of time, and
// with the user's rights; nothing keeps it from more, so run only tasks that are known.
//
// Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cinnabar::daemon::evaluation {

// A program in three parts, one behind another: what is tested, what tests it, and what closes both (Java's class).
//   python       the test is statements; SOURCE is the code as a string
//   javascript   the test is statements; `assert` is node:assert
//   go, rust     the test is functions, main() among them
//   cpp          the same
//   java         the test is members of the class that the code is in, which has to be Main
struct TestedCode {
  std::string code, test, closing;
};

enum class TestOutcome : std::uint8_t { passes, fails, not_run };  // not_run: the machine lacks what it is run with

// Whether the language, by LSP's identifier, is one of the six.
bool can_be_tested(std::string_view language);

// Error: no folder can be made for it. What does not compile, or takes longer than a minute, fails.
Result<TestOutcome> run_tests(std::string_view language, const TestedCode& tested);

}  // namespace cinnabar::daemon::evaluation
