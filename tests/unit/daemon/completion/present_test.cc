#include "daemon/completion/present.h"

#include <catch2/catch.hpp>

namespace cinnabar::daemon {
namespace {

using engine::StopReason;

TEST_CASE("what of an answer is shown") {
  struct Case {
    const char* what;
    std::string text;
    StopReason reason;
    std::string prefix, suffix, expected;
  };
  const Case cases[] = {
      {"an answer", "x + 1", StopReason::hole_end, "return ", "\n", "x + 1"},
      {"blanks at the end", "x  \n\n", StopReason::hole_end, "return ", "", "x"},
      {"only blanks", " \n ", StopReason::hole_end, "a", "", ""},
      {"cancelled", "x", StopReason::cancelled, "a", "", ""},
      {"ill-formed UTF-8", "a\xC3", StopReason::hole_end, "", "", ""},
      {"overlong UTF-8", "a\xC0\xAF", StopReason::hole_end, "", "", ""},
      {"a surrogate", "\xED\xA0\x80", StopReason::hole_end, "", "", ""},
      {"astral characters", "\xF0\x9F\x8C\x8B", StopReason::hole_end, "", "", "\xF0\x9F\x8C\x8B"},
      {"a control character", "a\x1B[0m", StopReason::hole_end, "", "", ""},
      {"a direction override", "a\xE2\x80\xAE", StopReason::hole_end, "", "", ""},
      {"line ends of the document", "a\nb", StopReason::hole_end, "x\r\ny", "\r\n", "a\r\nb"},
      {"the model's own carriage returns", "a\r\nb", StopReason::hole_end, "x\ny", "\n", "a\nb"},
      {"out of time within a list", "foo(a, b), bar(c, \"d", StopReason::deadline, "f(", "\n", "foo(a, b)"},
      {"out of time behind a statement", "a[1]; b(", StopReason::deadline, "x = ", "\n", "a[1];"},
      {"out of time within an expression", "foo(a, b) + bar(c, \"d", StopReason::deadline, "x = ", "\n", ""},
      {"out of time within a subscript", " += item[\"pri", StopReason::deadline, "total", "\n", ""},
      {"out of time within a word", "alpha bet", StopReason::deadline, "x = ", "\n", ""},
      {"out of time in a later line", "a()\nb()\nc", StopReason::length, "x = ", "\n", "a()\nb()"},
      {"out of time with nothing whole", "(a, b", StopReason::deadline, "x = ", "\n", ""},
      {"a runaway", "0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1", StopReason::length, "x = [", "\n", ""},
      {"the same, but it ended", "1, 1, 1, 1, 1, 1, 1, 1, 1, 1", StopReason::hole_end, "[", "]",
       "1, 1, 1, 1, 1, 1, 1, 1, 1, 1"},
      {"stuck at a digit, and ended", "1" + std::string(41, '0'), StopReason::hole_end, "x = ", "\n", ""},
      {"a long number", std::string(40, '0'), StopReason::hole_end, "x = ", "\n", std::string(40, '0')},
      {"a ruler", "# " + std::string(70, '-'), StopReason::hole_end, "", "\n", "# " + std::string(70, '-')},
      {"the line above again", "print(x)", StopReason::hole_end, "print(x)\n", "\n", ""},
      {"the line below again", "print(x)", StopReason::hole_end, "a\n", "\n  print(x)\n", ""},
      {"a short line again", "}", StopReason::hole_end, "{{\n}\n", "\n", "}"},
      {"a line that only ends like the one above", "(x)", StopReason::hole_end, "print(x)\nprint", "\n", "(x)"},
  };
  for (const auto& c : cases) {
    INFO(c.what);
    CHECK(presentable({c.text, c.reason, 1}, c.prefix, c.suffix) == c.expected);
  }
}

}  // namespace
}  // namespace cinnabar::daemon
