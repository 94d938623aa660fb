#include "daemon/commands/evaluation/run_tests.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <vector>

namespace cinnabar::daemon::evaluation {
namespace {

struct Case {
  std::string language, code, test, wrong, closing;
};
const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"python", "def f(a):\n    return 'a\\n' * a\n", "assert f(2) == 'a\\na\\n' and 'return' in SOURCE",
       "assert f(1) == 2", ""},
      {"javascript", "function f(a) { return a + 1; }\n", "assert.strictEqual(f(1), 2);", "assert(f(1) === 3);", ""},
      {"go", "package main\n\nfunc f(a int) int { return a + 1 }\n", "func main() { if f(1) != 2 { panic(1) } }",
       "func main() { if f(1) != 3 { panic(1) } }", ""},
      {"rust", "fn f(a: i32) -> i32 { a + 1 }\n", "fn main() { assert_eq!(f(1), 2); }",
       "fn main() { assert_eq!(f(1), 3); }", ""},
      {"cpp", "int f(int a) { return a + 1; }", "int main() { return f(1) == 2 ? 0 : 1; }",
       "int main() { return f(1) == 3 ? 0 : 1; }", ""},
      {"java", "class Main {\n  static int f(int a) { return a + 1; }\n",
       "public static void main(String[] a) { if (f(1) != 2) throw new AssertionError(); }",
       "public static void main(String[] a) { if (f(1) != 3) throw new AssertionError(); }", "}\n"}};
  return all;
}

TEST_CASE("tests are run in six languages, where there is something to run them with") {
  for (const Case& one : cases()) {
    INFO(one.language);
    CHECK(can_be_tested(one.language));
    const auto passes = run_tests(one.language, {one.code, one.test, one.closing});
    REQUIRE(passes);
    CHECK(*passes != TestOutcome::fails);
    if (*passes == TestOutcome::not_run) continue;
    CHECK(*run_tests(one.language, {one.code, one.wrong, one.closing}) == TestOutcome::fails);
    CHECK(*run_tests(one.language, {one.code + "((\n", one.test, one.closing}) == TestOutcome::fails);
  }
  CHECK_FALSE(can_be_tested("lua"));
  CHECK_FALSE(run_tests("lua", {}));
}

TEST_CASE("what cannot be run has not passed") {
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", "/nowhere", 1);
  for (const Case& one : cases())
    CHECK(*run_tests(one.language, {one.code, one.test, one.closing}) == TestOutcome::not_run);
  ::setenv("PATH", path.c_str(), 1);
}

}  // namespace
}  // namespace cinnabar::daemon::evaluation
