// Code actions and commands over a fake model: what is offered, what the model is asked, and what comes of it.
#include "daemon/server/edit_actions.h"

#include <array>
#include <catch2/catch.hpp>
#include <thread>

#include "tests/support/session_client.h"

namespace cinnabar::daemon {
namespace {

using namespace tests;

const std::string kText = "def one():\n    pass\n\n\ndef two():\n    pass\n\n\nx = 1\n";

const Json kResolves = {{"workspace", {{"applyEdit", true}}},
                        {"textDocument",
                         {{"codeAction",
                           {{"codeActionLiteralSupport", {{"codeActionKind", {{"valueSet", {"refactor"}}}}}},
                            {"dataSupport", true},
                            {"tagSupport", {{"valueSet", {1}}}},
                            {"resolveSupport", {{"properties", {"edit"}}}}}}}}};

Json showing_progress() {
  Json capabilities = kResolves;
  capabilities["window"] = {{"workDoneProgress", true}};
  return capabilities;
}

Json range(int begin_line, int begin, int end_line, int end) {
  return {{"start", {{"line", begin_line}, {"character", begin}}}, {"end", {{"line", end_line}, {"character", end}}}};
}

int ask_actions(Client& client, const Json& where, int trigger = 1, const Json& only = nullptr) {
  Json context = {{"diagnostics", Json::array()}, {"triggerKind", trigger}};
  if (!only.is_null()) context["only"] = only;
  return client.request("textDocument/codeAction",
                        {{"textDocument", {{"uri", kUri}}}, {"range", where}, {"context", context}});
}

Texts titles(const Json& message) {
  Texts out;
  for (const auto& action : message.at("result")) out.push_back(action.at("title"));
  return out;
}

int execute(Client& client, const std::string& command, const Json& argument) {
  return client.request("workspace/executeCommand", {{"command", command}, {"arguments", Json::array({argument})}});
}

Json place(int version, const Json& where) {
  return {{"textDocument", {{"uri", kUri}, {"version", version}}}, {"range", where}};
}

// A fixture whose model answers "return 1", "return 2", ...
struct Edits : Fixture {
  Edits() {
    model.answers = [this](const auto&) { return Texts{"return " + std::to_string(++answered)}; };
  }
  // Has the model loaded by another client.
  void load() {
    Client other(*host);
    other.open(kUri, "x = ");
    other.texts(other.ask(kUri, 4));
  }
  int answered = 0;
};

TEST_CASE("what is offered, by place and by what the client asks for") {
  struct Case {
    const char* what;
    Json where;
    int trigger;
    Json only;
    Texts titles;
  };
  const Texts both = {"Complete function", "Fill all 2 holes", "Document this function", "Add type annotations"};
  Texts and_rewrites = both;
  for (const char* more : {"Simplify", "Find and fix the bug", "Add error handling", "Check the arguments",
                           "Make it asynchronous", "Add logging"})
    and_rewrites.emplace_back(more);
  const Case cases[] = {
      {"in a stub, asked for", range(1, 4, 1, 4), 1, nullptr, both},
      {"in a stub, while the cursor moves", range(1, 4, 1, 4), 2, nullptr, {"Complete function"}},
      {"elsewhere", range(8, 3, 8, 3), 2, nullptr, {}},
      {"a selection of one function",
       range(0, 0, 1, 8),
       2,
       nullptr,
       {"Complete function", "Document this function", "Add type annotations"}},
      {"a selection of both", range(0, 0, 5, 8), 2, nullptr, and_rewrites},
      {"only refactorings", range(1, 4, 1, 4), 1, {"refactor"}, both},
      {"only ours", range(1, 4, 1, 4), 1, {"refactor.rewrite.cinnabar.fillHoles"}, {"Fill all 2 holes"}},
      {"only others", range(1, 4, 1, 4), 1, {"quickfix", "refactor.rewrite.cinn", "source"}, {}},
      {"no kind at all", range(1, 4, 1, 4), 1, Json::array(), both},
  };
  Edits f;
  Client client(*f.host, nullptr, kResolves);
  client.open(kUri, kText);
  for (const Case& c : cases) {
    INFO(c.what);
    CHECK(titles(client.reply(ask_actions(client, c.where, c.trigger, c.only))) == c.titles);
  }
  CHECK(f.model.runs().empty());
}

TEST_CASE("what the client can do decides how an action comes") {
  Edits f;
  Client resolves(*f.host, nullptr, kResolves);
  CHECK(resolves.initialized().at("result").at("capabilities").at("codeActionProvider").at("resolveProvider") == true);
  resolves.open(kUri, kText);
  const Json action = resolves.reply(ask_actions(resolves, range(1, 4, 1, 4), 2)).at("result").at(0);
  CHECK(action.at("kind") == "refactor.rewrite.cinnabar.completeFunction");
  CHECK(action.at("tags") == Json::array({1}));
  CHECK(action.contains("data"));
  CHECK_FALSE(action.contains("edit"));
  CHECK_FALSE(action.contains("command"));

  Json without = kResolves;
  without["textDocument"]["codeAction"].erase("resolveSupport");
  Client commands(*f.host, nullptr, without);
  commands.open(kUri, kText);
  const Json other = commands.reply(ask_actions(commands, range(1, 4, 1, 4), 2)).at("result").at(0);
  CHECK_FALSE(other.contains("data"));
  CHECK(other.at("command").at("command") == "cinnabar.completeFunction");
  CHECK(other.at("command").at("arguments").at(0).at("textDocument").at("version") == 1);

  Client neither(*f.host);
  CHECK_FALSE(neither.initialized().at("result").at("capabilities").contains("codeActionProvider"));
  neither.open(kUri, kText);
  CHECK(neither.reply(ask_actions(neither, range(1, 4, 1, 4))).at("result").empty());
}

TEST_CASE("resolved: one versioned edit in place of the stub") {
  Edits f;
  Client client(*f.host, nullptr, kResolves);
  client.open(kUri, kText);
  const Json action = client.reply(ask_actions(client, range(4, 6, 4, 6), 2)).at("result").at(0);
  const Json resolved = client.reply(client.request("codeAction/resolve", action)).at("result");
  CHECK(resolved.at("title") == "Complete function");
  CHECK(resolved.at("edit").at("documentChanges") ==
        Json::array({{{"textDocument", {{"uri", kUri}, {"version", 1}}},
                      {"edits", Json::array({{{"range", range(5, 4, 5, 8)}, {"newText", "return 1"}}})}}}));
  CHECK(f.model.requests().size() == 1);
  CHECK(f.model.requests()[0].max_tokens >= 384);
  CHECK(client.count("editsAsked") == 1);
  CHECK(client.count("editsMade") == 1);
}

TEST_CASE("all holes: ascending, apart, each seeing the others") {
  Edits f;
  Client client(*f.host, nullptr, kResolves);
  client.open(kUri, kText);
  const Json actions = client.reply(ask_actions(client, range(0, 0, 0, 0))).at("result");
  const Json resolved = client.reply(client.request("codeAction/resolve", actions.at(1))).at("result");
  const Json& edits = resolved.at("edit").at("documentChanges").at(0).at("edits");
  REQUIRE(edits.size() == 2);
  CHECK(edits[0].at("range") == range(1, 4, 1, 8));
  CHECK(edits[1].at("range") == range(5, 4, 5, 8));
  CHECK(f.model.runs().size() == 4);
  CHECK(f.model.runs()[1].find("return 1") != std::string::npos);
  CHECK(f.model.requests()[2].suffix.find("return 2") != std::string::npos);
}

TEST_CASE("a command applies its edit through the client, and the document says whether it came to pass") {
  Edits f;
  Client client(*f.host, nullptr, kResolves);
  client.open(kUri, kText);
  const int id = execute(client, "cinnabar.completeFunction", place(1, range(1, 4, 1, 4)));
  const Json apply = client.incoming("workspace/applyEdit");
  CHECK(apply.at("params").at("label") == "Complete function");
  CHECK(apply.at("params").at("edit").at("documentChanges").at(0).at("textDocument").at("version") == 1);
  client.notify("textDocument/didChange",
                {{"textDocument", {{"uri", kUri}, {"version", 2}}},
                 {"contentChanges", Json::array({{{"range", range(1, 4, 1, 8)}, {"text", "return 1"}}})}});
  client.answer(apply, {{"applied", true}});
  CHECK(client.reply(id).at("result") == Json{{"applied", true}, {"filled", 1}, {"holes", 1}});
  CHECK(client.count("editsApplied") == 1);
}

TEST_CASE("an edit that the client only says it has applied is not counted") {
  Edits f;
  Client client(*f.host, nullptr, kResolves);
  client.open(kUri, kText);
  const int id = execute(client, "cinnabar.fillHoles", {{"textDocument", {{"uri", kUri}}}});
  const Json apply = client.incoming("workspace/applyEdit");
  client.type(kUri, 0, "# ");
  client.answer(apply, {{"applied", true}});
  CHECK(client.reply(id).at("result").at("filled") == 2);
  CHECK(client.count("editsApplied") == 0);
}

TEST_CASE("a model that sees both sides is asked for all holes at once") {
  Edits f;
  f.model.fills_together = true;
  f.model.answers = [](const engine::InfillRequest& request) {
    return request.next.empty() ? Texts{"x = 0"} : Texts{"x = 1", "x = 2"};
  };
  f.load();
  Client client(*f.host, nullptr, kResolves);
  client.open(kUri, kText);
  const int id = execute(client, "cinnabar.fillHoles", {{"textDocument", {{"uri", kUri}}}});
  client.answer(client.incoming("workspace/applyEdit"), {{"applied", true}});
  CHECK(client.reply(id).at("result").at("filled") == 2);
  REQUIRE(f.model.requests().size() == 2);  // with load()'s
  CHECK(f.model.requests()[1].next.size() == 1);
}

TEST_CASE("a document that changes where the edit stands: ContentModified at once, and the model stops") {
  Edits f;
  Client client(*f.host, nullptr, kResolves);
  client.open(kUri, "one = 1\n");
  client.notify("textDocument/didChange", {{"textDocument", {{"uri", kUri}, {"version", 1}}},
                                           {"contentChanges", {{{"text", "def one(): pass"}}}}});
  const Json action = client.reply(ask_actions(client, range(0, 12, 0, 12), 2)).at("result").at(0);
  f.model.hold();
  const int id = client.request("codeAction/resolve", action);
  f.model.wait_for_runs(1);
  client.type(kUri, 15, "x");
  CHECK(client.reply(id).at("error").at("code") == -32801);
  f.model.release();
  const int late = client.request("codeAction/resolve", action);  // of the version before
  CHECK(client.reply(late).at("error").at("code") == -32801);
  CHECK(client.count("stale") == 2);
}

TEST_CASE("a change beside it moves the edit along") {
  Edits f;
  Client client(*f.host, nullptr, kResolves);
  client.open(kUri, kText);
  const Json action = client.reply(ask_actions(client, range(4, 6, 4, 6), 2)).at("result").at(0);
  f.model.hold();
  const int id = client.request("codeAction/resolve", action);
  f.model.wait_for_runs(1);
  client.type(kUri, 0, "# first\n");
  client.notify("textDocument/didChange", {{"textDocument", {{"uri", kUri}, {"version", 3}}},
                                           {"contentChanges", {{{"range", range(9, 0, 9, 5)}, {"text", "y = 2"}}}}});
  f.model.release();
  const Json edit = client.reply(id).at("result").at("edit").at("documentChanges").at(0);
  CHECK(edit.at("textDocument").at("version") == 3);
  CHECK(edit.at("edits").at(0).at("range") == range(6, 4, 6, 8));
}

TEST_CASE("cancelled, by its request or by its progress") {
  Edits f;
  f.load();  // else its progress would come in between
  Client client(*f.host, nullptr, showing_progress());
  client.open(kUri, kText);
  f.model.hold();
  const int first = execute(client, "cinnabar.fillHoles", place(1, range(0, 0, 0, 0)));
  client.answer(client.incoming("window/workDoneProgress/create"), nullptr);
  const Json begin = client.incoming("$/progress");
  CHECK(begin.at("params").at("value").at("title") == "Cinnabar: Fill all 2 holes");
  CHECK(begin.at("params").at("value").at("cancellable") == true);
  client.notify("window/workDoneProgress/cancel", {{"token", begin.at("params").at("token")}});
  CHECK(client.reply(first).at("error").at("code") == -32800);
  CHECK(client.incoming("$/progress").at("params").at("value").at("kind") == "end");

  const int second = execute(client, "cinnabar.fillHoles", place(1, range(0, 0, 0, 0)));
  client.notify("$/cancelRequest", {{"id", second}});
  CHECK(client.reply(second).at("error").at("code") == -32800);
  CHECK(client.count("cancelled") == 2);
}

TEST_CASE("each hole is reported") {
  Edits f;
  f.load();  // else its progress would come in between
  Client client(*f.host, nullptr, showing_progress());
  client.open(kUri, kText);
  f.model.hold();
  const int id = execute(client, "cinnabar.fillHoles", place(1, range(0, 0, 0, 0)));
  client.answer(client.incoming("window/workDoneProgress/create"), nullptr);
  CHECK(client.incoming("$/progress").at("params").at("value").at("kind") == "begin");
  f.model.release();
  const Json report = client.incoming("$/progress").at("params").at("value");
  CHECK(report.at("message") == "1 of 2");
  CHECK(report.at("percentage") == 50);
  client.answer(client.incoming("workspace/applyEdit"), {{"applied", false}, {"failureReason", "no"}});
  CHECK(client.reply(id).at("result").at("failureReason") == "no");
}

TEST_CASE("what cannot be done is said") {
  struct Case {
    const char* what;
    Json params;
    int code;
    const char* message;
  };
  const Json here = range(1, 4, 1, 4);
  const auto command = [](const Json& arguments) {
    return Json{{"command", "cinnabar.completeFunction"}, {"arguments", arguments}};
  };
  const Case cases[] = {
      {"no argument", command(Json::array()), -32602, "params.arguments[0]: expected object, found null"},
      {"a wrong one", command({{{"textDocument", 1}}}), -32602,
       "params.arguments[0].textDocument: expected object, found 1"},
      {"not open", command({{{"textDocument", {{"uri", "file:///w/b.py"}}}}}), -32803,
       "the document is not open: file:///w/b.py"},
      {"another version", command(Json::array({place(7, here)})), -32801, "the document has another version by now"},
      {"nothing to fill", command(Json::array({place(1, range(8, 3, 8, 3))})), -32803,
       "there is nothing to be filled here"},
      {"left alone", command({{{"textDocument", {{"uri", "file:///w/.env"}}}}}), -32803, "this file may hold secrets"},
      {"no grammar", command({{{"textDocument", {{"uri", "file:///w/a.txt"}}}}}), -32803,
       "there is no syntax tree of this document"},
  };
  Edits f;
  Client client(*f.host, nullptr, kResolves);
  client.open(kUri, kText);
  client.open("file:///w/.env", "A=\n", "plaintext");
  client.open("file:///w/a.txt", "A\n", "plaintext");
  for (const Case& c : cases) {
    INFO(c.what);
    const Json error = client.reply(client.request("workspace/executeCommand", c.params)).at("error");
    CHECK(error.at("code") == c.code);
    CHECK(error.at("message") == c.message);
  }
  const Json stranger = {{"title", "x"}, {"data", {{"textDocument", {{"uri", kUri}}}, {"command", "other"}}}};
  CHECK(client.reply(client.request("codeAction/resolve", stranger)).at("error").at("code") == -32602);
  CHECK(client.reply(client.request("codeAction/resolve", {{"title", "x"}})).at("error").at("code") == -32602);
  Client plain(*f.host);
  plain.open(kUri, kText);
  const Json error = plain.reply(execute(plain, "cinnabar.completeFunction", place(1, here))).at("error");
  CHECK(error.at("code") == -32803);
  CHECK(f.model.runs().empty());
}

TEST_CASE("an answer that does not fit is an error, and nothing is changed") {
  Edits f;
  f.model.answers = [](const auto&) { return Texts{"return )"}; };
  Client client(*f.host, nullptr, kResolves);
  client.open(kUri, kText);
  const Json error =
      client.reply(execute(client, "cinnabar.completeFunction", place(1, range(1, 4, 1, 4)))).at("error");
  CHECK(error.at("message") == "the model has found nothing that fits");
  f.model.answers = [](const auto&) { return Texts{""}; };
  f.model.ended_by = engine::StopReason::deadline;
  const Json late = client.reply(execute(client, "cinnabar.completeFunction", place(1, range(1, 4, 1, 4)))).at("error");
  CHECK(late.at("message") == "the model was not done after 60 s; asked again it goes on from what it has read");
  Client hasty(*f.host, {{"deadlineMs", 300}}, kResolves);
  hasty.open(kUri, kText);
  const Json hurried =
      hasty.reply(execute(hasty, "cinnabar.completeFunction", place(1, range(1, 4, 1, 4)))).at("error");
  CHECK(hurried.at("message") == "the model was not done after 300 ms; asked again it goes on from what it has read");
  f.model.opens = [] { return Status::error("no such model"); };
}

TEST_CASE("so many edits at a time, and no more") {
  Edits f;
  Client client(*f.host, nullptr, kResolves);
  client.open(kUri, kText);
  f.model.hold();
  std::array<int, 9> ids{};
  for (int& id : ids) id = execute(client, "cinnabar.completeFunction", place(1, range(1, 4, 1, 4)));
  CHECK(client.reply(ids.back()).at("error").at("message") == "too many edits are being worked on");
  client.notify("textDocument/didClose", {{"textDocument", {{"uri", kUri}}}});
  for (int i = 0; i < 8; ++i) CHECK(client.reply(ids[static_cast<std::size_t>(i)]).at("error").at("code") == -32801);
  f.model.release();
}

TEST_CASE("typing goes before an edit of many holes") {
  Edits f;
  Client client(*f.host, nullptr, kResolves);
  client.open(kUri, kText);
  client.open("file:///w/b.py", "x; ");
  f.model.hold();
  const int edit = execute(client, "cinnabar.fillHoles", place(1, range(0, 0, 0, 0)));
  f.model.wait_for_runs(1);
  const int typed = client.ask("file:///w/b.py", 3);
  f.model.wait_for_runs(2);
  CHECK(f.model.runs()[1] == "x; ");
  f.model.release();
  CHECK(client.texts(typed).size() == 1);
  client.answer(client.incoming("workspace/applyEdit"), {{"applied", true}});
  CHECK(client.reply(edit).at("result").at("filled") == 2);
}

}  // namespace
}  // namespace cinnabar::daemon
