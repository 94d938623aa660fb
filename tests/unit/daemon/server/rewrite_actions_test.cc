// Rewrites as code actions over a fake model: which are offered where, what the model is told, and the edit that comes.
#include <catch2/catch.hpp>

#include "tests/support/session_client.h"

namespace cinnabar::daemon {
namespace {

using namespace tests;

const std::string kText =
    "import os\n\n\ndef total(items):\n    result = 0\n    for item in items:\n        result += item.price\n    "
    "return result\n"
    "\n\nx = 1\n";

Json capabilities(bool previews) {
  Json out = {{"workspace", {{"applyEdit", true}}},
              {"textDocument",
               {{"codeAction",
                 {{"codeActionLiteralSupport", {{"codeActionKind", {{"valueSet", {"refactor"}}}}}},
                  {"dataSupport", true},
                  {"tagSupport", {{"valueSet", {1}}}},
                  {"resolveSupport", {{"properties", {"edit"}}}}}}}}};
  if (previews) {
    out["workspace"]["workspaceEdit"]["changeAnnotationSupport"] = {{"groupsOnLabel", true}};
    out["textDocument"]["codeAction"]["honorsChangeAnnotations"] = true;
  }
  return out;
}

Json range(int begin_line, int begin, int end_line, int end) {
  return {{"start", {{"line", begin_line}, {"character", begin}}}, {"end", {{"line", end_line}, {"character", end}}}};
}

// Rewrites "item.price" as "item.cost" and keeps all else.
struct Rewriting : Fixture {
  Rewriting() {
    model.answers = [](const engine::InfillRequest& request) {
      std::string text = request.former;
      const auto at = text.find("price");
      if (at != std::string::npos) text.replace(at, 5, "cost");
      return Texts{text.substr(0, text.rfind("```"))};
    };
  }
};

Json actions(Client& client, const Json& where, int trigger = 1, const Json& diagnostics = Json::array()) {
  return client
      .reply(client.request("textDocument/codeAction",
                            {{"textDocument", {{"uri", kUri}}},
                             {"range", where},
                             {"context", {{"diagnostics", diagnostics}, {"triggerKind", trigger}}}}))
      .at("result");
}

Texts titles(const Json& offered) {
  Texts out;
  for (const auto& action : offered) out.push_back(action.at("title"));
  return out;
}

Json named(const Json& offered, const std::string& title) {
  for (const auto& action : offered) {
    if (action.at("title") == title) return action;
  }
  FAIL("no action '" + title + "'");
  return nullptr;
}

std::string asked_of(const engine::InfillRequest& request) {
  std::string all;
  for (const auto& part : request.parts) all += part.text;
  return all;
}

TEST_CASE("rewrites are offered for a selection, for the function around a cursor when asked for, and else not") {
  struct Case {
    const char* what;
    Json where;
    int trigger;
    Texts titles;
  };
  Texts of_selection = {"Document this function", "Add type annotations", "Add a test of this function", "Simplify",
                        "Find and fix the bug",   "Add error handling",   "Check the arguments"};
  Texts of_name = of_selection;
  of_name.insert(of_name.begin(), "Find a better name");
  for (const char* more : {"Make it asynchronous", "Add logging"}) of_selection.emplace_back(more);
  const Case cases[] = {
      {"selected", range(3, 0, 8, 0), 2, of_selection},
      {"a cursor, asked for", range(4, 6, 4, 6), 1, of_name},
      {"a cursor on its move", range(4, 6, 4, 6), 2, {}},
      {"no function", range(10, 0, 10, 0), 1, {}},
      {"blanks", range(8, 0, 10, 0), 1, {}},
  };
  Rewriting f;
  Client client(*f.host, nullptr, capabilities(false));
  client.open(kUri, kText);
  for (const Case& c : cases) {
    INFO(c.what);
    CHECK(titles(actions(client, c.where, c.trigger)) == c.titles);
  }
  CHECK(f.model.runs().empty());
}

TEST_CASE("resolved: the instruction to the model, and one versioned edit of no more than what changes") {
  Rewriting f;
  Client client(*f.host, nullptr, capabilities(false));
  client.open(kUri, kText);
  const Json action = named(actions(client, range(4, 6, 4, 6)), "Simplify");
  CHECK(action.at("kind") == "refactor.rewrite.cinnabar.simplify");
  CHECK(action.at("tags") == Json::array({1}));
  const Json resolved = client.reply(client.request("codeAction/resolve", action)).at("result");
  CHECK(resolved.at("edit").at("documentChanges") ==
        Json::array({{{"textDocument", {{"uri", kUri}, {"version", 1}}},
                      {"edits", Json::array({{{"range", range(6, 23, 6, 28)}, {"newText", "cost"}}})}}}));
  CHECK_FALSE(resolved.at("edit").contains("changeAnnotations"));
  CHECK(asked_of(f.model.requests().at(0)).find("user\nSimplify this code") != std::string::npos);
  CHECK(asked_of(f.model.requests().at(0)).find("import os") == std::string::npos);
}

TEST_CASE("a client that cannot resolve gets a command with all that there is to know") {
  Rewriting f;
  Json without = capabilities(false);
  without["textDocument"]["codeAction"].erase("resolveSupport");
  Client client(*f.host, nullptr, without);
  client.open(kUri, kText);
  const Json action = named(actions(client, range(3, 0, 8, 0)), "Simplify");
  CHECK(action.at("command").at("command") == "cinnabar.edit");
  const int id = client.request("workspace/executeCommand",
                                {{"command", "cinnabar.edit"}, {"arguments", action.at("command").at("arguments")}});
  const Json apply = client.incoming("workspace/applyEdit");
  CHECK(apply.at("params").at("label") == "Simplify");
  client.answer(apply, {{"applied", true}});
  CHECK(client.reply(id).at("result") == Json{{"applied", true}});
}

TEST_CASE("diagnostics at the place are an instruction") {
  Rewriting f;
  Client client(*f.host, nullptr, capabilities(false));
  client.open(kUri, kText);
  const Json problem = {{"range", range(6, 18, 6, 28)}, {"message", "no member 'price'"}, {"code", "E7"}};
  const Json offered = actions(client, range(6, 20, 6, 20), 2, Json::array({problem}));
  CHECK(titles(offered) == Texts{"Fix with Cinnabar"});
  CHECK(offered.at(0).at("kind") == "quickfix.cinnabar");
  CHECK(offered.at(0).at("diagnostics") == Json::array({problem}));
  const Json resolved = client.reply(client.request("codeAction/resolve", offered.at(0))).at("result");
  CHECK(resolved.at("diagnostics") == Json::array({problem}));
  CHECK(resolved.at("edit").at("documentChanges").at(0).at("edits").at(0).at("newText") == "cost");
  CHECK(asked_of(f.model.requests().at(0))
            .find("Fix this problem:\nno member 'price' (result += item.price)\n```python\ndef total") !=
        std::string::npos);
  const Json two = actions(client, range(6, 20, 6, 20), 2, Json::array({problem, problem}));
  CHECK(titles(two) == Texts{"Fix 2 problems with Cinnabar"});
  // Outside of a function: the line itself.
  const Json line = actions(client, range(10, 0, 10, 0), 2, Json::array({problem}));
  CHECK(line.at(0).at("data").at("range") == range(10, 0, 11, 0));
}

TEST_CASE("a comment says what is to be done, and goes with it") {
  struct Case {
    const char* what;
    const char* comment;
    int at;  // the line that it is put before
    Json where;
  };
  const Case cases[] = {
      {"above the selection", "# cinnabar: call it cost\n", 3, range(4, 0, 9, 0)},
      {"inside the selection",
       "    # Cinnabar does not read this; cinnabar: neither this\n    # cinnabar: call it cost\n", 5,
       range(3, 0, 10, 0)},
      {"at the cursor", "# cinnabar: call it cost\n", 3, range(3, 2, 3, 2)},
  };
  for (const Case& c : cases) {
    INFO(c.what);
    Rewriting f;
    Client client(*f.host, nullptr, capabilities(false));
    std::string text = kText;
    std::size_t at = 0;
    for (int line = 0; line < c.at; ++line) at = text.find('\n', at) + 1;
    client.open(kUri, text.insert(at, c.comment));
    const Json action = named(actions(client, c.where), "Do what the comment says");
    const Json resolved = client.reply(client.request("codeAction/resolve", action)).at("result");
    const Json edits = resolved.at("edit").at("documentChanges").at(0).at("edits");
    REQUIRE(edits.size() == 2);
    CHECK(edits.at(0).at("newText") == "");
    CHECK(edits.at(1).at("newText") == "cost");
    const std::string asked = asked_of(f.model.requests().at(0));
    CHECK(asked.find("user\ncall it cost\n") != std::string::npos);
    CHECK(asked.find("# cinnabar:") == std::string::npos);
  }
}

TEST_CASE("the last edit is an example for a selection elsewhere") {
  Rewriting f;
  Client client(*f.host, nullptr, capabilities(false));
  client.open(kUri, "a = b.price\n" + kText);
  for (const auto& title : titles(actions(client, range(7, 0, 8, 0)))) CHECK(title != "Rewrite like my last edit");
  client.type(kUri, 6, "cost", 5);
  const Json action = named(actions(client, range(7, 0, 8, 0)), "Rewrite like my last edit");
  const Json resolved = client.reply(client.request("codeAction/resolve", action)).at("result");
  CHECK(resolved.at("edit").at("documentChanges").at(0).at("textDocument").at("version") == 2);
  const std::string asked = asked_of(f.model.requests().at(0));
  CHECK(asked.find("```python\na = b.price\n```") < asked.find("assistant\n```python\na = b.cost\n```"));
  CHECK(asked.find("assistant\n```python\na = b.cost\n```") < asked.find("result += item.price"));
}

TEST_CASE("a preview is offered to clients that ask before they apply") {
  Rewriting f;
  const Json problem = {{"range", range(6, 18, 6, 28)}, {"message", "no member 'price'"}};
  Client client(*f.host, nullptr, capabilities(true));
  client.open(kUri, kText);
  const Json offered = actions(client, range(6, 20, 6, 20), 2, Json::array({problem}));
  CHECK(titles(offered) == Texts{"Fix with Cinnabar", "Fix with Cinnabar (preview)"});
  const Json edit = client.reply(client.request("codeAction/resolve", offered.at(1))).at("result").at("edit");
  CHECK(edit.at("changeAnnotations").at("cinnabar").at("needsConfirmation") == true);
  CHECK(edit.at("documentChanges").at(0).at("edits").at(0).at("annotationId") == "cinnabar");
}

TEST_CASE("a refactoring: the model is asked for its name, the rest is certain") {
  Rewriting f;
  f.model.answers = [](const auto&) { return Texts{"add_up(items):"}; };
  Client client(*f.host, nullptr, capabilities(false));
  client.open(kUri, kText);
  const Json action = named(actions(client, range(4, 0, 6, 28)), "Extract function");
  CHECK(action.at("kind") == "refactor.extract.cinnabar.function");
  CHECK(action.at("tags") == Json::array({1}));
  const Json resolved = client.reply(client.request("codeAction/resolve", action)).at("result");
  const Json edits = resolved.at("edit").at("documentChanges").at(0).at("edits");
  REQUIRE(edits.size() == 2);
  CHECK(edits.at(0).at("newText") ==
        "def add_up(items):\n    result = 0\n    for item in items:\n        result += item.price\n    return "
        "result\n\n\n");
  CHECK(edits.at(1).at("newText") == "    result = add_up(items)");
  CHECK(f.model.requests().at(0).prefix.ends_with("def "));
  Json elsewhere = action;
  elsewhere.at("data").at("range") = range(0, 0, 0, 3);
  CHECK(client.reply(client.request("codeAction/resolve", elsewhere)).at("error").at("message") ==
        "'Extract function' cannot be done here");
}

TEST_CASE("data that is not ours, or not whole, is an error") {
  const Json place = {{"uri", kUri}, {"version", 1}};
  const Json cases[] = {
      {{"textDocument", place}, {"command", "cinnabar.edit"}, {"instruction", 3}},
      {{"textDocument", place}, {"command", "cinnabar.edit"}, {"example", {{"before", "x"}}}},
      {{"textDocument", place}, {"command", "cinnabar.edit"}, {"messages", "x"}},
      {{"textDocument", place}},
      "x",
  };
  Rewriting f;
  Client client(*f.host, nullptr, capabilities(false));
  client.open(kUri, kText);
  for (const Json& data : cases) {
    INFO(data.dump());
    const Json reply = client.reply(client.request("codeAction/resolve", {{"title", "x"}, {"data", data}}));
    CHECK(reply.at("error").at("code") == -32602);
  }
  const Json unknown = {{"textDocument", place}, {"command", "cinnabar.edit"}, {"edit", "other"}};
  const Json reply = client.reply(client.request("codeAction/resolve", {{"title", "x"}, {"data", unknown}}));
  CHECK(reply.at("error").at("message") == "there is no edit 'other'");
}

}  // namespace
}  // namespace cinnabar::daemon
