// What the model is asked at a place, by its tree and by its text.
#include "daemon/completion/ask.h"

#include <catch2/catch.hpp>

namespace cinnabar::daemon {
namespace {

engine::InfillRequest request(std::string text, Multiline multiline = Multiline::automatic) {
  const std::size_t offset = text.find('|');
  text.erase(offset, 1);
  AskOptions options;
  options.multiline = multiline;
  return ask_at(syntax::region_at(text, offset, "", ""), offset, options).request;
}

TEST_CASE("where an answer may end, by the text around the cursor") {
  using engine::EndRule;
  struct Case {
    const char* what;
    const char* text;
    EndRule expected;
  };
  const Case cases[] = {
      {"the rest of a line", "x = |\n", EndRule::line},
      {"text behind the cursor", "if x|: pass\n", EndRule::line},
      {"behind an opener at the file's end", "def f(x):|", EndRule::block},
      {"a blank line behind an opener", "def f(x):\n    |\n\ndef g(): pass\n", EndRule::block},
      {"a body is there already", "def f(x):\n    |\n    return x\n", EndRule::line},
      {"a brace", "void f() {\n  |\n}\n", EndRule::block},
      {"a brace with a body", "void f() {\n  |\n  g();\n}\n", EndRule::line},
      {"a shell loop", "for i in a; do\n  |\ndone\n", EndRule::block},
      {"a word that ends with an opener's", "undo\n|", EndRule::line},
      {"a blank line behind an ordinary one", "x = 1\n|\n", EndRule::line},
      {"an empty file", "|", EndRule::line},
  };
  for (const auto& c : cases) {
    INFO(c.what);
    CHECK(request(c.text).end == c.expected);
  }
  CHECK(request("def f(x):\n    |\n", Multiline::never).end == EndRule::line);
  CHECK(request("x = |\n", Multiline::always).end == EndRule::block);
  CHECK(request("x = |)\n", Multiline::always).end == EndRule::line);
}

TEST_CASE("a request has the text around the cursor and one answer, a short one for a line") {
  const auto line = request("a|b\n");
  CHECK(line.prefix == "a");
  CHECK(line.suffix == "b\n");
  CHECK(line.max_tokens < request("def f():|").max_tokens);
}

}  // namespace
}  // namespace cinnabar::daemon
