// From the model's answers to texts fit to be shown: one order of stages, whatever the answers are.
#include "daemon/completion/answer.h"

#include <catch2/catch.hpp>

namespace cinnabar::daemon {
namespace {

Ask ask(std::string text, AskOptions options = {}, const char* language = "python") {
  const std::size_t offset = text.find('|');
  text.erase(offset, 1);
  return ask_at(syntax::region_at(text, offset, language, ""), offset, options);
}

engine::InfillAnswer answer(const std::vector<std::pair<std::string, float>>& tokens,
                            engine::StopReason reason = engine::StopReason::hole_end) {
  engine::InfillAnswer out;
  out.reason = reason;
  for (const auto& [text, probability] : tokens) {
    out.text += text;
    out.path.push_back({out.tokens++, probability, out.text.size(), 2 * probability - 1});
  }
  return out;
}

engine::InfillResult result(std::vector<engine::InfillAnswer> answers) {
  engine::InfillResult out;
  out.answers = std::move(answers);
  out.decode.nfe = 1;
  return out;
}

std::vector<std::string> stages(const Answered& answered) {
  std::vector<std::string> names;
  for (const auto& stage : answered.stages) names.emplace_back(stage.stage);
  return names;
}

std::vector<std::string> texts(const Answered& answered) {
  std::vector<std::string> shown;
  for (const auto& one : answered.shown) shown.push_back(one.text);
  return shown;
}

using Texts = std::vector<std::string>;

TEST_CASE("a right answer is shown as it is, and every stage says what it did") {
  AnswerMachine machine(ask("x = |\n"), {});
  CHECK(machine.request().prefix == "x = ");
  CHECK(machine.take(result({answer({{"1", 0.9f}, {" + 2  ", 0.9f}})})));
  const Answered answered = machine.finish();
  CHECK(texts(answered) == Texts{"1 + 2"});
  CHECK(answered.doubted.empty());
  CHECK(stages(answered) == Texts{"plan", "prompt", "decode", "present", "critic", "gate"});
  for (const auto& stage : answered.stages) CHECK_FALSE(stage.did.empty());
}

TEST_CASE("an answer that does not parse is asked for again, and the right one is shown") {
  AnswerMachine machine(ask("f(|);\n", {}, "javascript"), {});
  CHECK_FALSE(machine.take(result({answer({{"a", 0.9f}, {" +", 0.8f}, {" )", 0.2f}, {" +", 0.9f}})})));
  CHECK(machine.request().resume.tokens.size() == 2);
  CHECK(machine.request().resume.forbidden == std::vector<std::int32_t>{2});
  CHECK(machine.take(result({answer({{"a", 0.9f}, {" +", 0.8f}, {" b", 0.5f}})})));
  const Answered answered = machine.finish();
  CHECK(texts(answered) == Texts{"a + b"});
  CHECK(answered.repairs == 1);
  CHECK(answered.repair_forwards == 1);
  CHECK(answered.repaired);
  CHECK(answered.first.answers.front().text == "a + ) +");
  CHECK(stages(answered) ==
        Texts{"plan", "prompt", "decode", "present", "critic", "repair", "present", "critic", "gate"});
}

TEST_CASE("a caller without time for a repair gets what is there") {
  AnswerMachine machine(ask("f(|);\n", {}, "javascript"), {});
  CHECK_FALSE(machine.take(result({answer({{"a", 0.9f}, {" +", 0.8f}, {" )", 0.2f}, {" +", 0.9f}})})));
  const Answered answered = machine.finish();
  CHECK(answered.shown.empty());
  CHECK(answered.verdict.withheld);
  CHECK(answered.repairs == 0);
  CHECK_FALSE(answered.repaired);
}

TEST_CASE("several answers are judged one by one, shown once each, and none is repaired") {
  AskOptions options;
  options.defaults.candidates = 3;
  AnswerMachine machine(ask("x = |\n", options), {});
  CHECK(machine.request().candidates == 3);
  CHECK(machine.take(
      result({answer({{"1", 0.9f}}), answer({{"1)", 0.9f}}), answer({{"1 ", 0.9f}}), answer({{"2", 0.9f}})})));
  CHECK(texts(machine.finish()) == Texts{"1", "2"});
}

TEST_CASE("what the model doubts is kept back by the eagerness, and is a draft") {
  const auto unsure = result({answer({{"1", 0.01f}})});
  for (const auto& [eagerness, shown] :
       {std::pair{Eagerness::eager, 1}, {Eagerness::balanced, 0}, {Eagerness::quiet, 0}}) {
    AnswerMachine machine(ask("x = |\n"), {.eagerness = eagerness});
    CHECK(machine.take(unsure));
    const Answered answered = machine.finish();
    CHECK(static_cast<int>(answered.shown.size()) == shown);
    CHECK(answered.doubted.size() == (shown == 1 ? 0U : 1U));
  }
}

TEST_CASE("without a tree an answer is presented and gated alone") {
  AnswerMachine machine(ask("x = |\n", {}, ""), {});
  CHECK(machine.take(result({answer({{"((", 0.9f}})})));
  const Answered answered = machine.finish();
  CHECK(texts(answered) == Texts{"(("});
  CHECK(stages(answered) == Texts{"plan", "prompt", "decode", "gate", "present"});
}

TEST_CASE("an answer is fitted into its place, and the gate looks at what is left") {
  struct Case {
    const char* what;
    const char* language;
    const char* text;
    std::vector<std::pair<std::string, float>> tokens;
    Texts shown;
  };
  const Case cases[] = {
      {"a doubtful repetition",
       "c",
       "int f(int w) {\n  return w * | - 1;\n}\n",
       {{"h", 0.9f}, {" -", 0.1f}, {" 1;", 0.1f}},
       {"h"}},
      {"a blank too many", "javascript", "f(JSON.|);\n", {{" stringify", 0.9f}, {"(a)", 0.9f}}, {"stringify(a)"}},
      {"a dot too many", "javascript", "const a = JSON.|\n", {{".stringify", 0.9f}, {"(a)", 0.9f}}, {}},
      {"a tab's place",
       "c",
       "void f(int a)\n{\n\t|\n}\n",
       {{"if (a)\n", 0.9f}, {"        b();", 0.9f}},
       {"if (a)\n\t\tb();"}},
      {"a quote of the line", "rust", "fn f() {\n    g(\"|\n    let a = \"b\";\n}\n", {{"c\");", 0.9f}}, {"c\");"}},
      {"without a grammar", "dockerfile", "FROM py|:3.12\n", {{"thon", 0.9f}, {":3.12", 0.1f}}, {"thon"}},
  };
  for (const Case& c : cases) {
    INFO(c.what);
    AnswerMachine machine(ask(c.text, {}, c.language), {0, Eagerness::balanced, {}, std::nullopt});
    machine.take(result({answer(c.tokens)}));
    CHECK(texts(machine.finish()) == c.shown);
  }
}

TEST_CASE("the editor says how a file is indented that does not say it") {
  for (const bool tabs : {false, true}) {
    AnswerMachine machine(ask("|\n", {}, "javascript"), {0, Eagerness::eager, {}, IndentStyle{tabs, 4}});
    machine.take(result({answer({{"if (a) {\n    b();\n}", 0.9f}})}));
    CHECK(texts(machine.finish()) == Texts{tabs ? "if (a) {\n\tb();\n}" : "if (a) {\n    b();\n}"});
  }
}

TEST_CASE("no answer is no text") {
  AnswerMachine machine(ask("x = |\n"), {});
  CHECK(machine.take(result({})));
  const Answered answered = machine.finish();
  CHECK(answered.text().empty());
}

TEST_CASE("an answer without a text is said to be none, and not to be sure") {
  AnswerMachine machine(ask("x = |\n"), {});
  CHECK(machine.take(result({answer({}, engine::StopReason::deadline)})));
  const Answered answered = machine.finish();
  CHECK(answered.shown.empty());
  CHECK(answered.stopped_early);
  CHECK(answered.stages.back().stage == "gate");
  CHECK(answered.stages.back().did == "there is no text to judge");
}

TEST_CASE("an answer that time cut off says so") {
  AnswerMachine machine(ask("x = |\n"), {});
  CHECK(machine.take(result({answer({{"1 +", 0.9f}}, engine::StopReason::deadline)})));
  const Answered answered = machine.finish();
  CHECK(answered.shown.empty());
  CHECK(answered.stopped_early);
}

TEST_CASE("a stub is replaced only where that is asked for; the answer is judged by the hole it was asked for") {
  const std::string text = "def total(items):\n    |pass\n";
  const Ask inserted = ask(text);
  CHECK(inserted.begin() == inserted.end());
  CHECK(inserted.request.suffix == "pass\n");
  AskOptions options;
  options.replace_stubs = true;
  const Ask replaced = ask(text, options);
  CHECK(replaced.end() - replaced.begin() == 4);
  CHECK(replaced.request.suffix == "\n");
  options.replace_stubs = false;
  options.multiline = Multiline::never;
  const Ask line = ask("def total(items):\n    |\n", options);
  CHECK(line.hole.max_lines == 1);
  CHECK(line.request.end == engine::EndRule::line);
}

TEST_CASE("a rule of the user's own ends an answer in the place of the plan") {
  AskOptions options;
  options.by_plan = false;
  options.defaults.end = engine::EndRule::block;
  CHECK(ask("x = |\n", options).request.end == engine::EndRule::block);
  CHECK_FALSE(ask("x = |\n", options).request.other_end);
  options.multiline = Multiline::never;
  CHECK(ask("x = |\n", options).request.end == engine::EndRule::line);
}

TEST_CASE("what stands around a document is read before it, and is no part of what is replaced") {
  const std::string text = "x = 1\ny = ";
  const Ask whole =
      ask_at(syntax::region_at(text, text.size(), "python", ""), text.size(), {}, {"import os\n", {"# other"}});
  CHECK(whole.request.prefix == "import os\n" + text);
  CHECK(whole.request.context == engine::Context{"# other"});
  CHECK(whole.begin() == text.size());
}

}  // namespace
}  // namespace cinnabar::daemon
