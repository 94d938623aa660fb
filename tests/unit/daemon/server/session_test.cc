// A client and a server in one process, with a fake model: what is answered, when, and what the model is asked.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/support/session_client.h"

namespace cinnabar::daemon {
namespace {

using namespace tests;

TEST_CASE("an answer: plain text, an empty range at the cursor, a command") {
  Fixture f;
  Client client(*f.host);
  CHECK(client.initialized().at("result").at("capabilities").at("executeCommandProvider").at("commands") ==
        Json::array({"cinnabar.accepted", "cinnabar.nextEditAccepted", "cinnabar.nextEditRejected", "cinnabar.rewrite",
                     "cinnabar.completeFunction", "cinnabar.fillHoles", "cinnabar.edit"}));
  client.open(kUri, "x = ");
  const Json message = client.reply(client.ask(kUri, 4));
  const Json& item = message.at("result").at("items").at(0);
  CHECK(item.at("insertText") == "answer");
  CHECK(item.at("range").dump() == R"({"end":{"character":4,"line":0},"start":{"character":4,"line":0}})");
  CHECK(item.at("command").at("command") == "cinnabar.accepted");
  CHECK(f.model.runs() == Texts{"x = "});
  CHECK(client
            .reply(client.request("workspace/executeCommand", {{"command", "cinnabar.accepted"},
                                                               {"arguments", item.at("command").at("arguments")}}))
            .at("result") == nullptr);
  CHECK(client.count("accepted") == 1);
  CHECK(client.count("acceptedBytes") == 6);
}

TEST_CASE("typing along the shown text asks the model for nothing; diverging gives it the rest as a draft") {
  Fixture f;
  Client client(*f.host);
  client.open(kUri, "x = ");
  REQUIRE(client.texts(client.ask(kUri, 4)) == Texts{"answer"});
  std::string typed;
  for (const char c : std::string("ans")) {
    client.type(kUri, 4 + static_cast<int>(typed.size()), {c});
    typed += c;
    CHECK(client.texts(client.ask(kUri, 4 + static_cast<int>(typed.size()))) ==
          Texts{std::string("answer").substr(typed.size())});
  }
  CHECK(f.model.runs() == Texts{"x = "});
  CHECK(client.count("fromCache") == 3);
  client.type(kUri, 7, "X");
  client.texts(client.ask(kUri, 8));
  const auto last = f.model.requests().back();
  CHECK(last.prefix == "x = ansX");
  CHECK(last.former == "wer");
}

TEST_CASE("a newer request of a document gets the older one an empty list at once") {
  Fixture f;
  Client client(*f.host);
  client.open(kUri, "x = ");
  f.model.hold("the beginning");
  const int old = client.ask(kUri, 4);
  f.model.wait_for_runs(1);
  client.type(kUri, 4, "t");
  const int newer = client.ask(kUri, 5);
  CHECK(client.texts(old).empty());
  f.model.wait_for_runs(2);
  f.model.release();
  CHECK(client.texts(newer) == Texts{"answer"});
  const auto requests = f.model.requests();
  CHECK(requests.back().former == "he beginning");  // what the stopped one had, behind what was typed
  CHECK(client.count("superseded") == 1);
}

TEST_CASE("requests of two documents do not supersede each other") {
  Fixture f;
  Client client(*f.host);
  client.open(kUri, "x = ");
  client.open("file:///w/b.py", "y = ");
  f.model.hold();
  const int one = client.ask(kUri, 4), other = client.ask("file:///w/b.py", 4);
  f.model.release();
  CHECK(client.texts(one) == Texts{"answer"});
  CHECK(client.texts(other) == Texts{"answer"});
}

TEST_CASE("cancelled by the client: RequestCancelled at once, and the model stops") {
  Fixture f;
  Client client(*f.host);
  client.open(kUri, "x = ");
  f.model.hold();
  const int id = client.ask(kUri, 4);
  f.model.wait_for_runs(1);
  client.notify("$/cancelRequest", {{"id", id}});
  CHECK(client.reply(id).at("error").at("code") == -32800);
  for (int i = 0; i < 4000 && client.status().at("queue").at("running") != 0; ++i)
    std::this_thread::sleep_for(milliseconds(2));
  CHECK(client.status().at("queue").at("running") == 0);  // though the model is still held
  CHECK(client.count("cancelled") == 1);
}

TEST_CASE("a document that changed meanwhile: empty list at once, but the answer is kept for who types along") {
  Fixture f;
  Client client(*f.host);
  client.open(kUri, "x = ");
  f.model.hold();
  const int id = client.ask(kUri, 4);
  f.model.wait_for_runs(1);
  client.type(kUri, 4, "a");
  CHECK(client.texts(id).empty());  // though the model works on
  f.model.release();
  client.wait_for_rest();
  CHECK(client.texts(client.ask(kUri, 5)) == Texts{"nswer"});
  CHECK(client.count("stale") == 1);
}

TEST_CASE("a request for another version of the document gets an empty list") {
  Fixture f;
  Client client(*f.host);
  client.open(kUri, "x = ");
  CHECK(client.texts(client.ask(kUri, 4, 2, {{"textDocument", {{"version", 7}}}})).empty());
  CHECK(client.texts(client.ask(kUri, 4, 2, {{"textDocument", {{"version", 1}}}})) == Texts{"answer"});
}

TEST_CASE("asked for: several answers to cycle through") {
  Fixture f;
  f.model.answers = [](const engine::InfillRequest& request) {
    return request.candidates == 3 ? Texts{"one", "two", "one", "  "} : Texts{"one"};
  };
  Client client(*f.host);
  client.open(kUri, "x = ");
  CHECK(client.texts(client.ask(kUri, 4, 2)) == Texts{"one"});
  CHECK(client.texts(client.ask(kUri, 4, 1)) == Texts{"one", "two"});  // the one that is kept is not enough
  CHECK(f.model.requests().back().former == "one");
  CHECK(client.texts(client.ask(kUri, 4, 1)) == Texts{"one", "two"});
  CHECK(client.texts(client.ask(kUri, 4, 2)) == Texts{"one", "two"});
  CHECK(f.model.runs().size() == 2);
  client.type(kUri, 4, "t");
  CHECK(client.texts(client.ask(kUri, 5, 2)) == Texts{"wo"});
}

TEST_CASE("clients that count trigger kinds from 0") {
  Fixture f;
  Client client(*f.host);
  client.open(kUri, "x = ");
  client.texts(client.ask(kUri, 4, 0));
  CHECK(f.model.requests().back().candidates == 3);
  client.open("file:///w/b.py", "y = ");
  client.texts(client.ask("file:///w/b.py", 4, 1));
  CHECK(f.model.requests().back().candidates == 1);
}

TEST_CASE("a 1 right behind a change is typing: vscode-languageclient 9") {
  Fixture f;
  Client client(*f.host);
  client.open(kUri, "x =");
  client.type(kUri, 3, " ");
  client.texts(client.ask(kUri, 4, 1));
  CHECK(f.model.requests().back().candidates == 1);
}

TEST_CASE("the menu's selected entry is completed, over its range") {
  Fixture f;
  Client client(*f.host);
  client.open(kUri, "x = pri");
  const Json range = {{"start", {{"line", 0}, {"character", 4}}}, {"end", {{"line", 0}, {"character", 7}}}};
  const Json selected = {{"context", {{"selectedCompletionInfo", {{"range", range}, {"text", "print"}}}}}};
  const Json message = client.reply(client.ask(kUri, 7, 2, selected));
  CHECK(f.model.runs().back() == "x = print");
  CHECK(message.at("result").at("items").at(0).at("insertText") == "printanswer");
  CHECK(message.at("result").at("items").at(0).at("range") == range);
}

TEST_CASE("a change warms its place, below everything else") {
  Fixture f;
  Client client(*f.host);
  client.open(kUri, "x");
  client.type(kUri, 1, " =");
  f.model.wait_for_runs(1);
  CHECK(f.model.runs() == Texts{"warm:x ="});
  f.model.hold();
  client.type(kUri, 3, " ");
  f.model.wait_for_runs(2);
  const int id = client.ask(kUri, 4);
  f.model.wait_for_runs(3);  // the warming was stopped
  f.model.release();
  CHECK(client.texts(id) == Texts{"answer"});
  CHECK(f.model.runs()[2] == "x = ");
}

TEST_CASE("what follows an answer is there before it is accepted") {
  Fixture f;
  f.model.answers = [](const engine::InfillRequest& request) {
    return Texts{request.prefix.ends_with("\n  ") ? "next" : "answer"};
  };
  Client client(*f.host, {{"prefetch", true}});
  client.open(kUri, "  x = ");
  REQUIRE(client.texts(client.ask(kUri, 6)) == Texts{"answer"});
  f.model.wait_for_runs(2);
  CHECK(f.model.runs().back() == "  x = answer\n  ");
  for (int i = 0; i < 4000 && client.count("prefetched") == 0; ++i) std::this_thread::sleep_for(milliseconds(5));
  client.type(kUri, 6, "answer\n  ");
  const int id = client.request("textDocument/inlineCompletion", {{"textDocument", {{"uri", kUri}}},
                                                                  {"position", {{"line", 1}, {"character", 2}}},
                                                                  {"context", {{"triggerKind", 2}}}});
  CHECK(client.texts(id) == Texts{"next"});
  CHECK(client.count("fromCache") == 1);
}

TEST_CASE("shown and partly accepted are counted once an item") {
  Fixture f;
  Client client(*f.host);
  client.open(kUri, "x = ");
  const Json message = client.reply(client.ask(kUri, 4));
  const Json item = message.at("result").at("items").at(0);
  for (int i = 0; i < 2; ++i) {
    client.notify("textDocument/didShowCompletion", {{"item", item}});
    client.notify("textDocument/didPartiallyAcceptCompletion", {{"item", item}, {"acceptedLength", 2}});
  }
  client.notify("textDocument/didShowCompletion", {{"item", {{"insertText", "stranger"}}}});
  CHECK(client.count("shown") == 1);
  CHECK(client.count("partlyAccepted") == 1);
}

TEST_CASE("settings: initializationOptions, then what is pulled, each from the start") {
  Fixture f;
  Client client(*f.host, {{"languages", {{"lua", false}}}}, {{"workspace", {{"configuration", true}}}});
  client.answer(client.incoming("workspace/configuration"), Json::array({{{"enabled", false}, {"wrong", 1}}}));
  CHECK(client.incoming("window/logMessage").at("params").at("message") == "cinnabar.wrong: there is no such setting");
  client.open(kUri, "x = ");
  CHECK(client.incoming("didChangeStatus").at("params").at("kind") == "Inactive");
  CHECK(client.texts(client.ask(kUri, 4)).empty());
  client.notify("workspace/didChangeConfiguration", {{"settings", nullptr}});
  client.answer(client.incoming("workspace/configuration"), Json::array({nullptr}));
  CHECK(client.texts(client.ask(kUri, 4)) == Texts{"answer"});
  client.open("file:///w/a.lua", "x = ", "lua");
  CHECK(client.texts(client.ask("file:///w/a.lua", 4)).empty());
}

TEST_CASE("a setting that the model cannot use is said, and the others hold") {
  Fixture f;
  Client client(*f.host, {{"steps", 4}, {"temperature", 0.5}});
  client.open(kUri, "x = ");
  CHECK(client.texts(client.ask(kUri, 4)) == Texts{"answer"});
  const std::string said = client.incoming("window/logMessage").at("params").at("message");
  CHECK(said.starts_with("cinnabar.steps is not used: it says which masked positions"));
  CHECK(f.model.requests().back().sampling.temperature == 0.5f);
}

TEST_CASE("automatic off: only when asked for") {
  Fixture f;
  Client client(*f.host, {{"automatic", false}});
  client.open(kUri, "x = ");
  CHECK(client.texts(client.ask(kUri, 4, 2)).empty());
  CHECK(client.texts(client.ask(kUri, 4, 1)) == Texts{"answer"});
}

TEST_CASE("an answer the model doubts is shown only when asked for, or to the eager") {
  Fixture f;
  f.model.confidence = {{0, 0.2f, 3, 0.0f}, {0, 0.1f, 6, 0.0f}};
  Client client(*f.host), eager(*f.host, {{"eagerness", "eager"}});
  client.open(kUri, "x = ");
  eager.open(kUri, "x = ");
  CHECK(client.texts(client.ask(kUri, 4)).empty());
  CHECK(eager.texts(eager.ask(kUri, 4)) == Texts{"answer"});
  CHECK(client.texts(client.ask(kUri, 4, 1)) == Texts{"answer"});
  CHECK(f.model.requests().back().former == "answer");  // what was doubted is a draft
  f.model.confidence = {{0, 0.99f, 3, 0.98f}, {0, 0.99f, 6, 0.98f}};
  client.open("file:///w/b.py", "y = ");
  CHECK(client.texts(client.ask("file:///w/b.py", 4)) == Texts{"answer"});
}

TEST_CASE("a model is found by what it is named, and judged by what came with it") {
  FakeModel model;
  model.confidence = {{0, 0.2f, 3, 0.0f}, {0, 0.1f, 6, 0.0f}};
  ServerOptions options;
  options.options.editor.prefetch = false;
  options.load_at_start = false;
  std::vector<std::string> opened;
  options.choose_model = [](const ModelOptions& named) -> Result<ChosenModel> {
    ChosenModel chosen{named, {}};
    if (named.model == "none") return Status::error("there is no model 'none'; there are: trusting");
    if (named.model == "trusting") chosen.gate.constant = 50, chosen.engine.model = "/models/trusting";
    return chosen;
  };
  options.open_model = [&](const engine::EngineOptions& engine) {
    opened.push_back(engine.model);
    return model.open();
  };
  const auto host = make_server(std::move(options));
  Client client(*host, {{"model", "trusting"}});
  client.open(kUri, "x = ");
  CHECK(client.texts(client.ask(kUri, 4)) == Texts{"answer"});
  CHECK(opened == std::vector<std::string>{"/models/trusting"});
  client.notify("workspace/didChangeConfiguration", {{"settings", {{"model", "other"}}}});
  client.type(kUri, 4, "z");
  CHECK(client.texts(client.ask(kUri, 5)).empty());  // doubted by the usual weights
  client.notify("workspace/didChangeConfiguration", {{"settings", {{"model", "none"}}}});
  CHECK_THAT(client.incoming("window/showMessage").at("params").at("message").get<std::string>(),
             Catch::Contains("there is no model 'none'; there are: trusting"));
}

TEST_CASE("of a doubted answer its sure lines are shown, when they are whole statements") {
  Fixture f;
  f.model.answers = [](const auto&) { return Texts{"1\nb = wild"}; };
  f.model.confidence = {{0, 0.99f, 1, 0.98f}, {0, 0.99f, 2, 0.98f}, {0, 0.99f, 6, 0.98f}, {0, 0.01f, 10, 0.0f}};
  Client client(*f.host);
  client.open(kUri, "a = ");
  CHECK(client.texts(client.ask(kUri, 4)) == Texts{"1"});
}

// A workspace folder with one file, gone at the end.
struct Workspace {
  std::filesystem::path path;
  Workspace() {
    std::string name = (std::filesystem::temp_directory_path() / "cinnabar_session_XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = std::filesystem::canonical(name);
    std::ofstream(path / "shop.py") << "def total_price(items):\n    return 1\n";
  }
  ~Workspace() { std::filesystem::remove_all(path); }
  Json folders() const { return Json::array({{{"uri", "file://" + path.string()}, {"name", "w"}}}); }
  std::string uri() const { return "file://" + (path / "main.py").string(); }
};

// What the model is given of other files, once there is any; types and asks again and again until then.
engine::Context context_of(Fixture& f, Client& client, const std::string& uri, int tries) {
  client.open(uri, "cost = total_price(");
  for (int i = 0; i < tries; ++i) {
    client.type(uri, 19 + i, "a");
    client.reply(client.ask(uri, 20 + i, 1));
    if (const auto context = f.model.requests().back().context; !context.empty()) return context;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return {};
}

TEST_CASE("context of a client's workspace is read when it is on and trusted, and is that client's alone") {
  const Workspace workspace, other;
  Fixture f;
  Client on(*f.host, {{"workspaceContext", true}}, Json::object(), workspace.folders());
  const auto context = context_of(f, on, workspace.uri(), 500);
  REQUIRE_FALSE(context.empty());
  CHECK(context.front() == "# shop.py\ndef total_price(items):\n");
  // What else is alike enough depends on how much has been typed until the index was there.
  for (const auto& piece : context) CHECK(piece.starts_with("# shop.py\n"));
  Client elsewhere(*f.host, {{"workspaceContext", true}}, Json::object(), Json::array());
  Client off(*f.host, nullptr, Json::object(), workspace.folders());
  Client untrusted(*f.host, {{"workspaceContext", true}, {"trusted", false}}, Json::object(), workspace.folders());
  for (Client* client : {&elsewhere, &off, &untrusted}) CHECK(context_of(f, *client, workspace.uri(), 5).empty());
}

TEST_CASE("files that may hold secrets are left alone, and the status says so") {
  Fixture f;
  Client client(*f.host);
  client.open("file:///w/.env.local", "KEY=", "plaintext");
  CHECK(client.texts(client.ask("file:///w/.env.local", 4)).empty());
  client.type("file:///w/.env.local", 4, "s");
  Json status = client.incoming("didChangeStatus");
  while (status.at("params").at("kind") != "Inactive") status = client.incoming("didChangeStatus");
  CHECK(status.at("params").at("message") == "this file may hold secrets");
  CHECK(f.model.runs().empty());
}

TEST_CASE("a model that cannot be loaded is told, and tried again when the configuration changes") {
  Fixture f;
  f.model.opens = [] { return Status::error("model.gguf: no such file"); };
  Client client(*f.host);
  client.open(kUri, "x = ");
  CHECK(client.incoming("window/showMessage").at("params").at("message") == "Cinnabar: model.gguf: no such file");
  CHECK(client.texts(client.ask(kUri, 4)).empty());
  CHECK(client.reply(client.ask(kUri, 4, 1)).at("error").at("code") == -32803);
  f.model.opens = [] { return Status(); };
  client.notify("workspace/didChangeConfiguration", {{"settings", {{"cinnabar", {{"model", "/m/other"}}}}}});
  CHECK(client.texts(client.ask(kUri, 4)) == Texts{"answer"});
  CHECK(f.opened_paths.back() == "/m/other");
}

TEST_CASE("an untrusted workspace does not choose the model") {
  Fixture f;
  Client client(*f.host, {{"trusted", false}, {"model", "/evil"}});
  client.open(kUri, "x = ");
  client.texts(client.ask(kUri, 4));
  CHECK(f.opened_paths == std::vector<std::string>{""});
}

TEST_CASE("the model's load is shown as progress to clients that can") {
  Fixture f;
  f.model.opens = [] {
    std::this_thread::sleep_for(milliseconds(100));
    return Status();
  };
  Client client(*f.host, nullptr, {{"window", {{"workDoneProgress", true}}}});
  client.open(kUri, "x = ");
  const Json create = client.incoming("window/workDoneProgress/create");
  client.answer(create, nullptr);
  const Json begin = client.incoming("$/progress"), end = client.incoming("$/progress");
  CHECK(begin.at("params").at("value").at("kind") == "begin");
  CHECK(end.at("params").at("value").at("kind") == "end");
  CHECK(end.at("params").at("token") == create.at("params").at("token"));
}

TEST_CASE("an answer that does not parse is asked for again from where it went wrong") {
  Fixture f;
  f.model.answers = [](const engine::InfillRequest& request) {
    return Texts{request.resume.forbidden.empty() ? "f(1) )" : "f(1) + 2"};
  };
  Client client(*f.host);
  client.open(kUri, "x = ");
  CHECK(client.texts(client.ask(kUri, 4)) == Texts{"f(1) + 2"});
  REQUIRE(f.model.requests().size() == 2);
  CHECK(f.model.requests()[1].resume.tokens.size() == 1);
  CHECK(client.count("repairs") == 1);
  CHECK(client.count("repaired") == 1);
  CHECK(client.count("fromModel") == 1);
  CHECK(client.texts(client.ask(kUri, 4)) == Texts{"f(1) + 2"});
  CHECK(client.count("fromCache") == 1);
}

TEST_CASE("a repaired answer that the model doubts is held back as any other") {
  Fixture f;
  f.model.answers = [](const engine::InfillRequest& request) {
    return Texts{request.resume.forbidden.empty() ? "f(1) )" : "f(1) + 2"};
  };
  f.model.confidence = {{0, 0.1f, 4, -0.8f}, {1, 0.1f, 6, -0.8f}, {2, 0.9f, 8, 0.8f}};
  Client client(*f.host), eager(*f.host, {{"eagerness", "eager"}});
  for (Client* one : {&client, &eager}) one->open(kUri, "x = ");
  CHECK(client.texts(client.ask(kUri, 4)).empty());
  CHECK(eager.texts(eager.ask(kUri, 4)) == Texts{"f(1) + 2"});
  CHECK(client.count("repaired") == 2);
}

TEST_CASE("a notebook's cell is completed behind the code cells above it") {
  Fixture f;
  Client client(*f.host);
  const std::string first = "vscode-notebook-cell:/n.ipynb#1", second = "vscode-notebook-cell:/n.ipynb#2";
  const auto text = [](const std::string& uri, const char* content) {
    return Json{{"uri", uri}, {"languageId", "python"}, {"version", 1}, {"text", content}};
  };
  const Json cells = Json::array({{{"kind", 2}, {"document", first}}, {{"kind", 2}, {"document", second}}});
  const Json notebook = {{"uri", "file:///n.ipynb"}, {"notebookType", "n"}, {"version", 1}, {"cells", cells}};
  client.notify("notebookDocument/didOpen",
                {{"notebookDocument", notebook},
                 {"cellTextDocuments", Json::array({text(first, "import a"), text(second, "x = ")})}});
  CHECK(client.texts(client.ask(second, 4)) == Texts{"answer"});
  CHECK(f.model.requests().back().prefix == "import a\n\nx = ");
  const Json changes = Json::array({{{"text", "import b\n"}}});
  const Json content = Json::array({{{"document", {{"uri", first}, {"version", 2}}}, {"changes", changes}}});
  client.notify("notebookDocument/didChange", {{"notebookDocument", {{"uri", "file:///n.ipynb"}, {"version", 2}}},
                                               {"change", {{"cells", {{"textContent", content}}}}}});
  client.type(second, 4, "y");
  CHECK(client.texts(client.ask(second, 5)) == Texts{"answer"});
  CHECK(f.model.requests().back().prefix == "import b\n\nx = y");
}

TEST_CASE("two clients share the model and nothing else") {
  Fixture f;
  Client one(*f.host), two(*f.host);
  one.open(kUri, "x = ");
  CHECK(two.texts(two.ask(kUri, 4)).empty());
  two.open(kUri, "y = ");
  CHECK(one.texts(one.ask(kUri, 4)) == Texts{"answer"});
  CHECK(two.texts(two.ask(kUri, 4)) == Texts{"answer"});
  CHECK(f.model.opened == 1);
  CHECK(f.model.runs() == Texts{"x = ", "y = "});
  CHECK(one.status().at("clients") == 2);
}

TEST_CASE("a client that goes away in the middle of a request") {
  Fixture f;
  f.model.hold();
  {
    Client client(*f.host);
    client.open(kUri, "x = ");
    client.ask(kUri, 4);
    f.model.wait_for_runs(1);
    CHECK(client.connection().requests_in_flight() == 1);
  }
  Client other(*f.host);
  other.open(kUri, "z = ");
  const int id = other.ask(kUri, 4);
  f.model.wait_for_runs(2);
  f.model.release();
  CHECK(other.texts(id) == Texts{"answer"});
}

TEST_CASE("shutdown with a request in flight answers it") {
  Fixture f;
  Client client(*f.host);
  client.open(kUri, "x = ");
  f.model.hold();
  const int id = client.ask(kUri, 4);
  f.model.wait_for_runs(1);
  CHECK(client.reply(client.request("shutdown", nullptr)).at("result") == nullptr);
  CHECK(client.texts(id).empty());
  client.notify("exit", nullptr);
  CHECK(client.connection().exit_code() == 0);
}

TEST_CASE("a model that cannot be loaded is told once, however often it is tried") {
  Fixture f;
  f.model.opens = [] { return Status::error("no such model"); };
  Client client(*f.host);
  client.open("file:///w/1.py", "");
  REQUIRE_FALSE(client.incoming("window/showMessage").is_null());
  for (int i = 2; f.model.opened < 3 && i < 2000; ++i) {
    client.open("file:///w/" + std::to_string(i) + ".py", "");
    std::this_thread::sleep_for(milliseconds(1));
  }
  REQUIRE(f.model.opened >= 3);
  CHECK(client.incoming("window/showMessage", milliseconds(50)).is_null());
}

TEST_CASE("the pop-up menu: off unless asked for, then one entry with the word under way") {
  Fixture f;
  Client without(*f.host);
  CHECK_FALSE(without.initialized().at("result").at("capabilities").contains("completionProvider"));
  without.open(kUri, "x = pri");
  CHECK(without.menu(without.ask_menu(kUri, 7)).empty());

  Client client(*f.host, {{"completion", true}});
  CHECK(client.initialized().at("result").at("capabilities").at("completionProvider").contains("triggerCharacters"));
  client.open(kUri, "x = pri");
  const Json result = client.reply(client.ask_menu(kUri, 7)).at("result");
  CHECK(result.at("isIncomplete") == true);
  REQUIRE(result.at("items").size() == 1);
  const Json& item = result.at("items").at(0);
  CHECK(item.at("label") == "prianswer");
  CHECK(item.at("filterText") == "prianswer");
  CHECK(item.at("preselect") == true);
  CHECK(item.at("insertTextMode") == 1);
  CHECK(item.at("textEdit").dump() ==
        R"({"newText":"prianswer","range":{"end":{"character":7,"line":0},"start":{"character":4,"line":0}}})");
  CHECK(f.model.requests().back().candidates == 1);
  client.reply(client.request("workspace/executeCommand",
                              {{"command", "cinnabar.accepted"}, {"arguments", item.at("command").at("arguments")}}));
  CHECK(client.count("accepted") == 1);
}

TEST_CASE("the menu's requests: superseded, cancelled, and typed along as others, beside inline ones") {
  Fixture f;
  Client client(*f.host, {{"completion", true}});
  client.open(kUri, "x = ");
  f.model.hold();
  const int old = client.ask_menu(kUri, 4, 2);
  const int inlined = client.ask(kUri, 4);
  const int cancelled = client.ask_menu(kUri, 4, 3);
  CHECK(client.menu(old).empty());
  client.notify("$/cancelRequest", {{"id", cancelled}});
  CHECK(client.reply(cancelled).at("error").at("code") == -32800);
  f.model.release();
  CHECK(client.texts(inlined) == Texts{"answer"});
  const auto runs = f.model.runs().size();
  client.type(kUri, 4, "an");
  CHECK(client.menu(client.ask_menu(kUri, 6, 3)).at(0).at("textEdit").at("newText") == "answer");
  CHECK(f.model.runs().size() == runs);
}

TEST_CASE("the menu is announced when the settings come to ask for it, and taken back") {
  Fixture f;
  Client client(*f.host, nullptr, {{"textDocument", {{"completion", {{"dynamicRegistration", true}}}}}});
  client.notify("workspace/didChangeConfiguration", {{"settings", {{"completion", "on"}}}});
  const Json registered = client.incoming("client/registerCapability");
  const Json& entry = registered.at("params").at("registrations").at(0);
  CHECK(entry.at("method") == "textDocument/completion");
  CHECK(entry.at("registerOptions").at("documentSelector").is_null());
  client.answer(registered, nullptr);
  client.open(kUri, "x = ");
  CHECK(client.menu(client.ask_menu(kUri, 4)).size() == 1);
  client.notify("workspace/didChangeConfiguration", {{"settings", {{"completion", "off"}}}});
  const Json taken_back = client.incoming("client/unregisterCapability");
  CHECK(taken_back.at("params").at("unregisterations").at(0).at("id") == entry.at("id"));
  CHECK(client.menu(client.ask_menu(kUri, 4)).empty());

  Client fixed(*f.host);  // cannot be told later
  fixed.notify("workspace/didChangeConfiguration", {{"settings", {{"completion", "on"}}}});
  CHECK(fixed.incoming("window/logMessage").at("params").at("message") ==
        "cinnabar.completion: this editor has to be told in initializationOptions");
}

TEST_CASE("the status says why a GPU is not used, where it says so") {
  for (const char* why : {"", "there is no driver"}) {
    Fixture f;
    f.model.no_gpu = why;
    Client client(*f.host);
    client.open(kUri, "x = ");
    CHECK(client.texts(client.ask(kUri, 4)) == Texts{"answer"});
    CHECK(client.status().at("model").value("noGpu", "") == why);
  }
}

TEST_CASE("another client's wish for a model waits until those before it have gone") {
  Fixture f;
  auto first = std::make_unique<Client>(*f.host);
  first->open(kUri, "x = ");
  CHECK(first->texts(first->ask(kUri, 4)) == Texts{"answer"});
  Client second(*f.host, {{"model", "/m/other"}});
  const Json told = second.status_of_kind("Warning");
  CHECK_THAT(told.at("params").at("message").get<std::string>(),
             Catch::Contains("shared with an editor that was there before"));
  CHECK(second.incoming("window/logMessage").at("params").at("message") == told.at("params").at("message"));
  second.open(kUri, "y = ");
  CHECK(second.texts(second.ask(kUri, 4)) == Texts{"answer"});
  CHECK(f.opened_paths == std::vector<std::string>{""});
  CHECK(second.status().at("model").at("path") == "embedded");

  first->notify("workspace/didChangeConfiguration", {{"settings", {{"model", "/m/third"}}}});  // it decides
  first->type(kUri, 4, "z");
  CHECK(first->texts(first->ask(kUri, 5)) == Texts{"answer"});
  CHECK(f.opened_paths == std::vector<std::string>{"", "/m/third"});
  CHECK(second.status().at("model").at("path") == "/m/third");

  first.reset();
  CHECK(second.status().at("model").at("path") == "/m/other");
  second.type(kUri, 4, "z");
  CHECK(second.texts(second.ask(kUri, 5)) == Texts{"answer"});
  CHECK(f.opened_paths.back() == "/m/other");
  CHECK_FALSE(second.status_of_kind("Normal").is_null());
}

}  // namespace
}  // namespace cinnabar::daemon
