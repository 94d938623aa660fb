#include "engine/decoding/prompt.h"

#include <catch2/catch.hpp>
#include <set>
#include <utility>

#include "tests/support/byte_tokenizer.h"
#include "tests/support/small_vocabulary.h"

namespace cinnabar::engine {
namespace {

std::string lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

ModelSpec fim_spec() {
  ModelSpec spec;
  spec.family = "tiny";
  spec.vocabulary = 288;
  spec.infill = InfillLayout::suffix_then_prefix;
  spec.fim_prefix = 260;
  spec.fim_middle = 261;
  spec.fim_suffix = 262;
  spec.bos = 258;
  spec.end_of_text = 257;
  return spec;
}

std::string text_of(const std::vector<std::int32_t>& tokens) {
  std::string text;
  for (const std::int32_t token : tokens)
    text += token < 256 ? std::string(1, static_cast<char>(token)) : "<" + std::to_string(token) + ">";
  return text;
}

Prompt build(const ModelSpec& spec, std::string_view prefix, std::string_view suffix) {
  auto prompt = build_prompt(spec, tests::ByteTokenizer(), prefix, suffix, {});
  REQUIRE(prompt);
  return std::move(prompt).value();
}

TEST_CASE("a budget is divided as the default is") {
  CHECK(budget_of(8000) == PromptBudget());
  CHECK(budget_of(2001) == PromptBudget{1501, 500, 150});
}

TEST_CASE("context stands before all else, whole pieces within its budget") {
  ModelSpec spec;
  spec.infill = InfillLayout::suffix_then_prefix;
  spec.fim_prefix = 300;
  spec.fim_suffix = 301;
  spec.fim_middle = 302;
  PromptBudget budget;
  budget.context_tokens = 8;
  const auto at = [&](std::string_view prefix, std::string_view suffix, const Context& context) {
    auto prompt = build_prompt(spec, tests::ByteTokenizer(), prefix, suffix, budget, context);
    REQUIRE(prompt);
    return std::move(prompt).value();
  };
  const auto prompt = at("x;\n", "y;\n", {"abc\n", "def\n", "ghi\n"});
  CHECK(text_of(prompt.before) == "<300>abc\ndef\n<301>y;\n<302>x;\n");
  CHECK(prompt.context_pieces == 2);
  // Nothing in front of the surroundings changes with them.
  CHECK(text_of(at("x; z;\n", "other;\n", {"abc\n", "def\n"}).before).starts_with("<300>abc\ndef\n<301>"));
  CHECK(text_of(at("x;\n", "", {"much too long\n", "a\n"}).before) == "<300><301><302>x;\n");
  spec.infill = InfillLayout::in_place;
  CHECK(text_of(at("x;\n", "y;\n", {"abc\n"}).before) == "abc\nx;\n");
}

TEST_CASE("a heading stands before what is shown of the prefix, wherever that begins") {
  PromptBudget budget;
  budget.prefix_bytes = 40;
  for (const std::string& prefix : {std::string(), std::string("x;\n"), lines(20)}) {
    const auto prompt = build_prompt(fim_spec(), tests::ByteTokenizer(), prefix, "y;\n", budget, {}, "# a.py\n");
    REQUIRE(prompt);
    CHECK(text_of(prompt->before) == "<260><262>y;\n<261># a.py\n" + std::string(prefix_window(prefix, 40)));
  }
  ModelSpec spec = fim_spec();
  spec.infill = InfillLayout::in_place;
  CHECK(text_of(build_prompt(spec, tests::ByteTokenizer(), "x", "y", budget, {}, "# a.py\n")->before) ==
        "<258># a.py\nx");
}

TEST_CASE("windows: what fits is shown whole, the rest at line ends within the budget") {
  const std::string text = lines(100);
  CHECK(prefix_window(text, text.size()) == text);
  CHECK(suffix_window(text, text.size()) == text);
  for (std::size_t budget : {1, 7, 40, 200, 500}) {
    const auto before = prefix_window(text, budget), behind = suffix_window(text, budget);
    CHECK(before.size() <= budget);
    CHECK(behind.size() <= budget);
    CHECK(text.ends_with(before));
    CHECK(text.starts_with(behind));
    if (budget < 40) continue;
    CHECK(text[text.size() - before.size() - 1] == '\n');
    CHECK(behind.back() == '\n');
    CHECK(before.size() >= budget / 2);
  }
  CHECK(prefix_window(text, 0).empty());
  CHECK(suffix_window(text, 0).empty());
}

TEST_CASE("the prefix window's start moves in steps while typing") {
  const std::string text = lines(200);
  constexpr std::size_t kBudget = 400;
  std::set<std::size_t> starts;
  for (std::size_t length = kBudget + 1; length <= text.size(); ++length) {
    starts.insert(length - prefix_window(std::string_view(text).substr(0, length), kBudget).size());
  }
  CHECK(starts.size() <= (text.size() - kBudget) / (kBudget / 4) + 1);
}

TEST_CASE("a long line is cut inside, also when a newline comes after it") {
  std::string text(3000, 'x');
  const std::size_t shown = prefix_window(text, 400).size();
  CHECK(shown >= 200);
  text += "\ny";
  CHECK(prefix_window(text, 400).size() >= 200);
  CHECK(suffix_window(std::string(3000, 'x'), 400).size() == 400);
}

// The vocabulary of a tokenizer that joins words with the mark or blank in front of them, and line ends.
std::unique_ptr<Tokenizer> small_tokenizer() {
  tests::SmallVocabulary vocabulary;
  for (const auto& [left, right] : std::vector<std::pair<std::string, std::string>>{{"r", "e"},
                                                                                    {"t", "s"},
                                                                                    {"re", "ts"},
                                                                                    {" ", "re"},
                                                                                    {" ", "rets"},
                                                                                    {"(", "re"},
                                                                                    {"(", "rets"},
                                                                                    {".", "b"},
                                                                                    {".b", "rets"},
                                                                                    {"\n", "\n"},
                                                                                    {" ", " "},
                                                                                    {"a", "a"},
                                                                                    {"aa", "aa"}})
    vocabulary.merge(left, right);
  auto tokenizer = load_tokenizer(vocabulary.checkpoint());
  REQUIRE(tokenizer.ok());
  return std::move(*tokenizer);
}

// Tags that are no tokens of it, so that decoding leaves them out.
ModelSpec outer_tags() {
  ModelSpec spec = fim_spec();
  spec.fim_prefix = 1000;
  spec.fim_middle = 1001;
  spec.fim_suffix = 1002;
  return spec;
}

TEST_CASE("suffix first, then prefix; what the tokenizer may join with what follows stays out") {
  const auto tokenizer = small_tokenizer();
  const std::pair<std::string, std::string> typed[] = {{"x = re", " re"},
                                                       {"x = ", " "},
                                                       {"f(", "("},
                                                       {"f(re", "(re"},
                                                       {"a.b", ".b"},
                                                       {"x\n", "\n"},
                                                       {"x:\n    ", "    "},
                                                       {"", ""},
                                                       {std::string(80, 'a'), "aaaa"},
                                                       {"x:\n" + std::string(70, ' '), "  "}};
  for (const auto& [prefix, tail] : typed) {
    INFO(prefix);
    const auto prompt = build_prompt(outer_tags(), *tokenizer, prefix, "\nend", {});
    REQUIRE(prompt);
    CHECK(prompt->typed == tail);
    CHECK(tokenizer->decode(prompt->before) == "\nend" + prefix.substr(0, prefix.size() - tail.size()));
    CHECK(prompt->behind.empty());
  }
}

TEST_CASE("typing only appends to the prompt's tokens") {
  const auto tokenizer = small_tokenizer();
  const std::string text = "def f(re):\n    re.b(re)\n\n    if re  :\n\t\tre = aa.b";
  std::vector<std::int32_t> former;
  for (std::size_t length = 1; length <= text.size(); ++length) {
    const auto prompt = build_prompt(outer_tags(), *tokenizer, text.substr(0, length), "\n", {});
    REQUIRE(prompt);
    CHECK(tokenizer->decode(prompt->before) + prompt->typed == "\n" + text.substr(0, length));
    REQUIRE(former.size() <= prompt->before.size());
    CHECK(std::equal(former.begin(), former.end(), prompt->before.begin()));
    former = prompt->before;
  }
}

TEST_CASE("in place: prefix and suffix as they are") {
  ModelSpec spec = fim_spec();
  spec.infill = InfillLayout::in_place;
  const Prompt prompt = build(spec, "x = re", " + 1\n");
  CHECK(text_of(prompt.before) == "<258>x = re");
  CHECK(text_of(prompt.behind) == " + 1\n<257>");
  CHECK(prompt.typed.empty());
}

TEST_CASE("each layout has its order, and what the model begins with") {
  struct Case {
    InfillLayout layout;
    std::string expected;
    std::int32_t middle = 261;
    bool bos = false, spaced = false;
  };
  using enum InfillLayout;
  const std::vector<Case> cases = {{suffix_then_prefix, "<260><262>c\n<261>a b\n"},
                                   {prefix_then_suffix, "<260>a b\n<262>c\n<261>"},
                                   {prefix_then_suffix, "<258><260> a b\n<262>c\n<261>", 261, true, true},
                                   {suffix_tag_first, "<262>c\n<260>a b\n<261>"},
                                   {suffix_tag_first, "<262>c\n<260>a b\n", -1},
                                   {prefix_only, "a b\n"},
                                   {prefix_only, "<258>a b\n", -1, true}};
  for (const Case& test : cases) {
    ModelSpec spec = fim_spec();
    spec.infill = test.layout;
    spec.fim_middle = test.middle;
    spec.bos_first = test.bos;
    spec.spaced_prefix = test.spaced;
    CHECK(text_of(build(spec, "a b\n", "c\n").before) == test.expected);
  }
}

TEST_CASE("a model without infill tags cannot take the layout that needs them") {
  for (std::int32_t ModelSpec::*tag : {&ModelSpec::fim_prefix, &ModelSpec::fim_middle, &ModelSpec::fim_suffix}) {
    ModelSpec spec = fim_spec();
    spec.*tag = -1;
    const auto prompt = build_prompt(spec, tests::ByteTokenizer(), "a", "b", {});
    REQUIRE_FALSE(prompt);
    CHECK(prompt.message().find("fim_prefix") != std::string::npos);
  }
}

}  // namespace
}  // namespace cinnabar::engine
