// What an answer depends on has changed, or got lost: nothing is answered from the past.
#include <catch2/catch.hpp>

#include "tests/support/session_client.h"

namespace cinnabar::daemon {
namespace {

using namespace tests;

std::string change(const std::string& document, const std::string& changes) {
  return R"({"jsonrpc":"2.0","method":"textDocument/didChange","params":{"textDocument":)" + document +
         R"(,"contentChanges":)" + changes + "}}";
}

TEST_CASE("a change that cannot be read makes its document unknown until all of its text is there") {
  struct Case {
    const char* what;
    std::string body;
  };
  const std::string document = R"({"uri":"file:///w/a.py","version":2})";
  const std::vector<Case> cases = {
      {"a negative line", change(document, R"([{"text":"t","range":{"start":{"line":-1,"character":0},
          "end":{"line":0,"character":0}}}])")},
      {"a range that is none", change(document, R"([{"text":"t","range":7}])")},
      {"no text", change(document, R"([{}])")},
      {"no changes",
       R"({"jsonrpc":"2.0","method":"textDocument/didChange","params":{"textDocument":)" + document + "}}"},
      {"a version that is none", change(R"({"uri":"file:///w/a.py","version":"two"})", R"([{"text":"t"}])")},
      {"no uri", change(R"({"version":2})", R"([{"text":"t"}])")},
      {"params that are none", R"({"jsonrpc":"2.0","method":"textDocument/didChange","params":7})"},
      {"ill-formed UTF-8", change(document, "[{\"text\":\"\xff\"}]")},
      {"no JSON", change(document, "[{]")},
      {"another spelling of its uri", change(R"({"uri":"FILE:/w/%61.py","version":2})", R"([{"text":7}])")},
  };
  for (const auto& [what, body] : cases) {
    CAPTURE(what);
    Fixture f;
    Client client(*f.host);
    client.open("file:///w/b.py", "y = ");
    client.open(kUri, "x = ");
    client.send_body(body);
    CHECK(client.texts(client.ask(kUri, 4)).empty());
    CHECK_THAT(client.status_of_kind("Warning").at("params").at("message").get<std::string>(),
               Catch::Contains("could not be read"));
    client.type(kUri, 4, "t");  // a part tells nothing of the rest
    CHECK(client.texts(client.ask(kUri, 5)).empty());
    CHECK(f.model.requests().empty());
    client.notify("textDocument/didChange", {{"textDocument", {{"uri", kUri}, {"version", 9}}},
                                             {"contentChanges", Json::array({{{"text", "z = "}}})}});
    CHECK(client.texts(client.ask(kUri, 4)) == Texts{"answer"});
    CHECK(f.model.requests().size() == 1);
    CHECK(f.model.requests().back().prefix == "z = ");
  }
}

TEST_CASE("what was lost is known again when the document is opened anew; others were never unknown") {
  Fixture f;
  Client client(*f.host);
  client.open("file:///w/b.py", "y = ");
  client.open(kUri, "x = ");
  client.send_body(change(R"({"uri":"file:///w/a.py"})", R"([{"text":7}])"));
  CHECK(client.texts(client.ask("file:///w/b.py", 4)) == Texts{"answer"});
  CHECK(client.texts(client.ask(kUri, 4)).empty());
  client.notify("textDocument/didClose", {{"textDocument", {{"uri", kUri}}}});
  client.open(kUri, "x = ");
  CHECK(client.texts(client.ask(kUri, 4)) == Texts{"answer"});
}

TEST_CASE("positions beyond every line, and changes without a version, are no loss") {
  Fixture f;
  Client client(*f.host);
  client.open(kUri, "x = ");
  for (const char* number : {"2147483648", "4294967295", "99999999999"}) {
    client.send_body(change(R"({"uri":"file:///w/a.py","version":null})",
                            R"([{"text":"1","range":{"start":{"line":)" + std::string(number) +
                                R"(,"character":0},"end":{"line":)" + number + R"(,"character":0}}}])"));
  }
  client.texts(client.ask(kUri, 7));
  CHECK(f.model.requests().back().prefix == "x = 111");
}

TEST_CASE("one document, however its uri is spelled") {
  Fixture f;
  Client client(*f.host);
  client.open("file:///c%3A/w/a.py", "x = ");
  CHECK(client.texts(client.ask("file:///c:/w/a.py", 4)) == Texts{"answer"});
  client.type("file:///C:/w/a.py", 4, "a");
  CHECK(client.texts(client.ask("file:///c%3A/w/a.py", 5)) == Texts{"nswer"});
  client.notify("textDocument/didClose", {{"textDocument", {{"uri", "file:///c:/w/a.py"}}}});
  CHECK(client.texts(client.ask("file:///c%3A/w/a.py", 5)).empty());
}

TEST_CASE("other settings, another language: what is kept is not an answer any more") {
  Fixture f;
  Client client(*f.host);
  client.open(kUri, "x = ");
  REQUIRE(client.texts(client.ask(kUri, 4)) == Texts{"answer"});
  std::size_t runs = 1;
  for (const Json& settings : {Json{{"multiline", "never"}}, Json{{"alternatives", 2}}, Json{{"stop", "line"}},
                               Json{{"maxTokens", 5}}, Json{{"eagerness", "eager"}}, Json::object()}) {
    CAPTURE(settings.dump());
    client.notify("workspace/didChangeConfiguration", {{"settings", {{"cinnabar", settings}}}});
    client.texts(client.ask(kUri, 4));
    CHECK(f.model.requests().size() == ++runs);
    client.texts(client.ask(kUri, 4));
    CHECK(f.model.requests().size() == runs);
  }
  client.open(kUri, "x = ", "ruby");
  client.texts(client.ask(kUri, 4));
  CHECK(f.model.requests().size() == runs + 1);
}

TEST_CASE("a notebook's cells above are part of the question") {
  Fixture f;
  Client client(*f.host);
  const std::string above = "vscode-notebook-cell:/w/n.ipynb#1", below = "vscode-notebook-cell:/w/n.ipynb#2";
  const auto cell = [](const std::string& uri) { return Json{{"kind", 2}, {"document", uri}}; };
  const auto text = [](const std::string& uri, const std::string& value) {
    return Json{{"uri", uri}, {"languageId", "python"}, {"version", 1}, {"text", value}};
  };
  client.notify(
      "notebookDocument/didOpen",
      {{"notebookDocument", {{"uri", "file:///w/n.ipynb"}, {"cells", Json::array({cell(above), cell(below)})}}},
       {"cellTextDocuments", Json::array({text(above, "old = 1"), text(below, "x = ")})}});
  client.texts(client.ask(below, 4));
  client.texts(client.ask(below, 4));
  REQUIRE(f.model.requests().size() == 1);
  client.type(above, 0, "new", 3);
  client.texts(client.ask(below, 4));
  CHECK_THAT(f.model.requests().back().prefix, Catch::EndsWith("new = 1\n\nx = "));
  CHECK(f.model.requests().size() == 2);
  // An answer under way when the cell above changes is not given.
  client.type(below, 0, "y");
  f.model.hold();
  const auto begun = f.model.runs().size();
  const int id = client.ask(below, 5);
  f.model.wait_for_runs(begun + 1);
  client.type(above, 0, "x");
  f.model.release();
  CHECK(client.texts(id).empty());
}

TEST_CASE("what was accepted was shown, whether or not the client said so") {
  Fixture f;
  Client client(*f.host);
  client.open(kUri, "x = ");
  const Json item = client.reply(client.ask(kUri, 4)).at("result").at("items").at(0);
  for (int i = 0; i < 2; ++i) {
    client.reply(client.request("workspace/executeCommand",
                                {{"command", "cinnabar.accepted"}, {"arguments", item.at("command").at("arguments")}}));
    CHECK(client.count("shown") == 1);
    CHECK(client.count("accepted") == 1);
  }
}

// Stays in send() with the news that the model is ready, until it is released.
class HeldWhenReady final : public lsp::Transport {
 public:
  void send(std::string_view bytes) override {
    std::unique_lock lock(mutex_);
    is_held_ = is_held_ || bytes.find("\"message\":\"fake\"") != std::string_view::npos;
    changed_.notify_all();
    changed_.wait(lock, [&] { return !is_held_ || is_released_; });
  }
  bool wait_until_held() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, milliseconds(20000), [&] { return is_held_; });
  }
  void release() {
    const std::lock_guard lock(mutex_);
    is_released_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_held_ = false, is_released_ = false;
};

TEST_CASE("a client that leaves while all of them are told that the model is ready") {
  Fixture f;
  const auto told_first = std::make_shared<HeldWhenReady>();
  const auto first = f.host->connect(told_first);
  for (const char* message : {R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}})",
                              R"({"jsonrpc":"2.0","method":"initialized","params":{}})"}) {
    first->receive(lsp::encode_frame(message));
    while (first->turn()) continue;
  }
  auto second = std::make_unique<Client>(*f.host);
  second->open(kUri, "x = ");
  REQUIRE(told_first->wait_until_held());
  second.reset();
  told_first->release();
  Client third(*f.host);
  third.open(kUri, "x = ");
  CHECK(third.texts(third.ask(kUri, 4)).size() == 1);
}

}  // namespace
}  // namespace cinnabar::daemon
