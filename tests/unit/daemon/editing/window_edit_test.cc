// The published forms of next-edit models, to the byte, and what is taken of their answers.
#include "daemon/editing/window_edit.h"

#include <catch2/catch.hpp>

#include "base/text.h"

using namespace cinnabar;
using namespace cinnabar::daemon;

namespace {

// One line of it was changed: "def total(a):" is "def total(a, b):" now.
const std::string kText = "import os\n\n\ndef total(a, b):\n    return a\n\n\nprint(total(1))\n";

WindowScene scene(const std::string& text = kText) {
  WindowScene scene;
  scene.path = "sums.py";
  scene.text = text;
  const std::size_t at = text.find(", b");
  scene.history = {{at, at + 3, ""}};
  scene.cursor = at + 3;
  scene.language = syntax::find_language("python");
  return scene;
}

// As it would be written, special tokens among it.
std::string written(const WindowPrompt& prompt) {
  std::string text;
  for (const auto& part : prompt.parts) text += part.text;
  return text;
}

engine::InfillResult answer(std::string text, engine::StopReason reason) {
  engine::InfillResult result;
  result.answers.push_back({std::move(text), reason, 1, {}});
  return result;
}

std::string numbered(int lines) {
  std::string text;
  for (int i = 1; i <= lines; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

}  // namespace

TEST_CASE("Sweep's form: past edits, then the window as it was, as it is, and as it will be") {
  const auto prompt = window_prompt(NextEditForm::sweep, scene());
  CHECK(written(prompt) ==
        "<|file_sep|>sums.py.diff\noriginal:\ndef total(a):\nupdated:\ndef total(a, b):\n"
        "<|file_sep|>original/sums.py\nimport os\n\n\ndef total(a):\n    return a\n\n\nprint(total(1))\n"
        "<|file_sep|>current/sums.py\nimport os\n\n\ndef total(a, b):\n    return a\n\n\nprint(total(1))\n"
        "<|file_sep|>updated/sums.py\n");
  for (std::size_t i = 0; i < prompt.parts.size(); ++i) CHECK(prompt.parts[i].special == (i % 2 == 0));
  CHECK(prompt.window.begin == 0);
  CHECK(prompt.window.end == kText.size());
}

TEST_CASE("Sweep's window is ten lines above the cursor's and ten below") {
  WindowScene far = scene(numbered(50));
  far.history = {{0, 4, "row"}};
  far.cursor = far.text.find("line 25\n") + 3;
  const auto prompt = window_prompt(NextEditForm::sweep, far);
  CHECK(far.text.substr(prompt.window.begin, 8) == "line 15\n");
  CHECK(far.text.substr(prompt.window.end, 8) == "line 36\n");
  // An edit outside of it leaves it as it was.
  CHECK(written(prompt).find("original/sums.py\nline 15\n") != std::string::npos);
}

TEST_CASE("Zeta's form: what follows first, then the edits, and the window in a merge conflict") {
  const auto prompt = window_prompt(NextEditForm::zeta, scene());
  CHECK(written(prompt) ==
        "<[fim-suffix]>\n<[fim-prefix]><filename>edit_history\n--- a/sums.py\n+++ b/sums.py\n@@ -1,7 +1,7 @@\n"
        " import os\n \n \n-def total(a):\n+def total(a, b):\n     return a\n \n \n\n"
        "<filename>sums.py\n<<<<<<< CURRENT\nimport os\n\n\ndef total(a, b<|user_cursor|>):\n    return a\n\n\n"
        "print(total(1))\n=======\n<[fim-middle]>");
  CHECK(prompt.parts.back().special);
}

TEST_CASE("Zeta's window and what it sees around it are bounded, in whole lines") {
  WindowScene far = scene(numbered(2'000));
  far.history = {{0, 4, "row"}};
  far.cursor = far.text.find("line 1000\n");
  const auto prompt = window_prompt(NextEditForm::zeta, far);
  const std::size_t size = prompt.window.end - prompt.window.begin;
  CHECK(size > 900);
  CHECK(size <= 1'060);
  CHECK(far.text[prompt.window.begin - 1] == '\n');
  CHECK(far.text[prompt.window.end - 1] == '\n');
  CHECK(written(prompt).size() < 1'900);
}

TEST_CASE("what an answer makes of the window") {
  using engine::StopReason;
  struct Case {
    NextEditForm form;
    std::string text;
    StopReason reason;
    std::optional<std::string> window;
  };
  const std::string window = "a = 1\nb = 2\n";
  const Case cases[] = {
      {NextEditForm::sweep, "a = 1\nb = 3", StopReason::end_token, "a = 1\nb = 3\n"},
      {NextEditForm::sweep, "a = 1\nb = 3\n", StopReason::end_token, "a = 1\nb = 3\n"},
      {NextEditForm::sweep, "a = 1\nb = 3\n", StopReason::length, std::nullopt},
      {NextEditForm::sweep, "a = 1\nb = 3\n", StopReason::deadline, std::nullopt},
      {NextEditForm::zeta, "a = 1\nb = 3\n>>>>>>> UPDATED\n", StopReason::hole_end, "a = 1\nb = 3\n"},
      {NextEditForm::zeta, "a = 1\nb = 3\n", StopReason::hole_end, "a = 1\nb = 3\n"},
      {NextEditForm::zeta, "a = 1\nb<|user_cursor|> = 3\n", StopReason::end_token, "a = 1\nb = 3\n"},
      {NextEditForm::zeta, "a = 1\nb = 3\n", StopReason::length, std::nullopt},
      {NextEditForm::zeta, "NO_EDITS\n>>>>>>> UPDATED\n", StopReason::hole_end, std::nullopt},
      {NextEditForm::zeta, ">>>>>>> UPDATED\n", StopReason::hole_end, ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(window_of_answer(c.form, window, answer(c.text, c.reason).answers.front()) == c.window);
  }
  CHECK(window_of_answer(NextEditForm::sweep, "a = 1", answer("a = 2\n", StopReason::end_token).answers.front()) ==
        "a = 2");
}

TEST_CASE("only what changes is shown, and nothing that should not be") {
  struct Case {
    const char* what;
    std::string from, to;  // in the window
    std::size_t shown;
  };
  const Case cases[] = {
      {"the call gets its argument", "total(1)", "total(1, 2)", 1},
      {"nothing is changed", "", "", 0},
      {"the last edit is taken back", "total(a, b)", "total(a)", 0},
      {"it parses worse", "print(total(1))", "print(total(1)", 0},
      {"what the user does not want", "total(1)", "total(7)", 0},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    WindowMachine machine(NextEditForm::sweep, scene(), {},
                          [](const EditCandidate& edit) { return edit.text.find('7') != std::string::npos; });
    REQUIRE(machine.request() != nullptr);
    CHECK(machine.request()->former == kText);
    std::string window = kText;
    window.replace(window.find(c.from), c.from.size(), c.to);
    machine.take(answer(window, engine::StopReason::end_token));
    CHECK(machine.request() == nullptr);
    CHECK(machine.shown().size() == c.shown);
    if (c.shown == 0) continue;
    const EditCandidate& edit = machine.shown().front();
    CHECK(edit.begin == kText.find("1))") + 1);
    CHECK(edit.end == edit.begin);
    CHECK(edit.text == ", 2");
  }
}

TEST_CASE("a file keeps its line ends, and the model sees its own") {
  std::string text;
  for (const char c : kText) text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  for (const NextEditForm form : {NextEditForm::sweep, NextEditForm::zeta}) {
    CHECK(written(window_prompt(form, scene(text))) == written(window_prompt(form, scene())));
    WindowMachine machine(form, scene(text), {}, {});
    REQUIRE(machine.request() != nullptr);
    CHECK(machine.request()->former.find('\r') == std::string::npos);
    std::string window = kText;
    window.replace(window.find("total(1)"), 8, "total(1, 2)");
    machine.take(answer(window, engine::StopReason::end_token));
    REQUIRE(machine.shown().size() == 1);
    CHECK(machine.shown().front().text == ", 2");
  }
}

TEST_CASE("an answer that removes many lines is not shown") {
  WindowScene long_one = scene(numbered(30));
  long_one.history = {{0, 4, "row"}};
  long_one.language = nullptr;
  long_one.cursor = long_one.text.find("line 15\n");
  for (const auto& [removed, shown] : {std::pair{8, true}, std::pair{9, false}}) {
    CAPTURE(removed);
    WindowMachine machine(NextEditForm::sweep, long_one, {}, {});
    const auto window = window_prompt(NextEditForm::sweep, long_one).window;
    std::string text = long_one.text.substr(window.begin, window.end - window.begin);
    for (int i = 0; i < removed; ++i) text.erase(0, text.find('\n') + 1);
    machine.take(answer(text, engine::StopReason::end_token));
    CHECK(machine.shown().empty() != shown);
  }
}

TEST_CASE("without a past edit, or without a text, nothing is asked") {
  WindowScene quiet = scene();
  quiet.history.clear();
  CHECK(WindowMachine(NextEditForm::sweep, quiet, {}, {}).request() == nullptr);
  WindowScene empty = scene();
  empty.text.clear();
  CHECK(WindowMachine(NextEditForm::zeta, empty, {}, {}).request() == nullptr);
}

TEST_CASE("the form goes by the model file's name where nothing else says it") {
  for (const auto& [path, form] :
       {std::pair{"/m/sweep-next-edit-1.5b.q8_0.v2.gguf", NextEditForm::sweep},
        std::pair{"/zeta-2/model.gguf", NextEditForm::proposals}, std::pair{"Zeta-2-Q4_K_M.gguf", NextEditForm::zeta},
        std::pair{"", NextEditForm::proposals}}) {
    CAPTURE(path);
    CHECK(form_by_file_name(path) == form);
  }
}
