// A session whose daemon dies: what the next one is told, and what the editor is told meanwhile.
#include "daemon/proxy/relay.h"

#include <catch2/catch.hpp>

namespace cinnabar::daemon {
namespace {

using lsp::Json;

// An editor on one side and daemons on the other, as the relay sees them.
class Talk {
 public:
  explicit Talk(Json capabilities = Json::object()) : capabilities_(std::move(capabilities)) {
    pass(relay.daemon_found());
  }

  void editor(Json message) { pass(relay.from_editor(with_version(std::move(message)).dump())); }
  void daemon(Json message) { pass(relay.from_daemon(with_version(std::move(message)).dump())); }
  void lose() {
    to_daemon.clear();
    pass(relay.daemon_lost());
  }
  // The next daemon, which accepts the session that it is told.
  void find() {
    to_daemon.clear();
    pass(relay.daemon_found());
    REQUIRE(to_daemon.size() == 1);
    REQUIRE(to_daemon[0]["method"] == "initialize");
    daemon({{"id", to_daemon[0]["id"]}, {"result", {{"capabilities", capabilities_}}}});
  }
  void initialize(Json params = Json::object()) {
    editor({{"id", 0}, {"method", "initialize"}, {"params", std::move(params)}});
    daemon({{"id", 0}, {"result", {{"capabilities", capabilities_}}}});
    editor({{"method", "initialized"}, {"params", Json::object()}});
    to_editor.clear();
    to_daemon.clear();
  }
  void open(const std::string& uri, const std::string& text) {
    editor({{"method", "textDocument/didOpen"},
            {"params", {{"textDocument", {{"uri", uri}, {"languageId", "c"}, {"version", 1}, {"text", text}}}}}});
  }
  // Methods of what the daemon got.
  std::vector<std::string> told() const {
    std::vector<std::string> methods;
    for (const auto& message : to_daemon) methods.push_back(message.value("method", "answer"));
    return methods;
  }

  Relay relay;
  std::vector<Json> to_daemon;
  std::vector<Json> to_editor;

 private:
  static Json with_version(Json message) {
    message["jsonrpc"] = "2.0";
    return message;
  }
  void pass(const Relay::Out& out) {
    for (const auto& body : out.to_daemon) to_daemon.push_back(Json::parse(body));
    for (const auto& body : out.to_editor) to_editor.push_back(Json::parse(body));
  }

  Json capabilities_;
};

Json request(int id, const std::string& method) { return {{"id", id}, {"method", method}, {"params", Json::object()}}; }

TEST_CASE("a lost daemon's debts are paid once, by what can be said without it") {
  struct Case {
    std::string method;
    Json answer;  // the member that answers
  };
  const std::vector<Case> cases = {
      {"textDocument/inlineCompletion", {{"items", Json::array()}}},
      {"textDocument/completion", {{"isIncomplete", true}, {"items", Json::array()}}},
      {"workspace/executeCommand", nullptr},
      {"shutdown", nullptr},
  };
  for (const auto& [method, answer] : cases) {
    CAPTURE(method);
    Talk talk;
    talk.initialize();
    talk.editor(request(7, method));
    talk.editor(request(8, method));
    talk.daemon({{"id", 8}, {"result", "mine"}});
    talk.lose();
    REQUIRE(talk.to_editor.size() == 2);
    CHECK(talk.to_editor[0]["result"] == "mine");
    CHECK(talk.to_editor[1]["id"] == 7);
    if (method == "workspace/executeCommand") {
      CHECK(talk.to_editor[1]["error"]["code"] == -32801);
    } else {
      CHECK(talk.to_editor[1]["result"] == answer);
    }
  }
}

TEST_CASE("while no daemon is there, requests are answered and texts are kept") {
  Talk talk;
  talk.initialize();
  talk.open("file:///a", "one\ntwo");
  talk.lose();
  talk.editor(request(1, "textDocument/inlineCompletion"));
  REQUIRE(talk.to_editor.size() == 1);
  CHECK(talk.to_editor[0]["result"]["items"].empty());
  talk.editor({{"method", "textDocument/didChange"},
               {"params",
                {{"textDocument", {{"uri", "file:///a"}, {"version", 5}}},
                 {"contentChanges",
                  {{{"range", {{"start", {{"line", 1}, {"character", 0}}}, {"end", {{"line", 1}, {"character", 3}}}}},
                    {"text", "2"}}}}}}});
  talk.open("file:///b", "new");
  CHECK(talk.to_daemon.empty());
  talk.find();
  REQUIRE(talk.told() ==
          std::vector<std::string>{"initialize", "initialized", "textDocument/didOpen", "textDocument/didOpen"});
  CHECK(talk.to_daemon[2]["params"]["textDocument"] ==
        Json({{"uri", "file:///a"}, {"languageId", "c"}, {"version", 5}, {"text", "one\n2"}}));
  CHECK(talk.to_daemon[3]["params"]["textDocument"]["text"] == "new");
  talk.editor(request(2, "textDocument/inlineCompletion"));
  CHECK(talk.told().back() == "textDocument/inlineCompletion");
}

TEST_CASE("initialize that was not answered goes to the next daemon under its own id") {
  Talk talk;
  talk.editor({{"id", "first"}, {"method", "initialize"}, {"params", {{"capabilities", Json::object()}}}});
  talk.lose();
  CHECK(talk.to_editor.empty());
  talk.relay.daemon_found();
  talk.daemon({{"id", "first"}, {"result", {{"capabilities", Json::object()}}}});
  REQUIRE(talk.to_editor.size() == 1);
  CHECK(talk.to_editor[0]["id"] == "first");
}

TEST_CASE("settings, folders and notebooks are told again; what was closed is not") {
  Talk talk;
  talk.initialize({{"workspaceFolders", {{{"uri", "file:///w1"}, {"name", "w1"}}}}, {"workDoneToken", 3}});
  for (const int depth : {1, 2})
    talk.editor({{"method", "workspace/didChangeConfiguration"}, {"params", {{"settings", {{"depth", depth}}}}}});
  talk.editor({{"method", "workspace/didChangeWorkspaceFolders"},
               {"params",
                {{"event",
                  {{"added", {{{"uri", "file:///w2"}, {"name", "w2"}}}},
                   {"removed", {{{"uri", "file:///w1"}, {"name", "w1"}}}}}}}}});
  for (const char* name : {"file:///n1", "file:///n2"})
    talk.editor({{"method", "notebookDocument/didOpen"}, {"params", {{"notebookDocument", {{"uri", name}}}}}});
  talk.editor({{"method", "notebookDocument/didChange"}, {"params", {{"notebookDocument", {{"uri", "file:///n2"}}}}}});
  talk.editor({{"method", "notebookDocument/didClose"}, {"params", {{"notebookDocument", {{"uri", "file:///n1"}}}}}});
  talk.open("file:///a", "text");
  talk.editor({{"method", "textDocument/didClose"}, {"params", {{"textDocument", {{"uri", "file:///a"}}}}}});
  talk.lose();
  talk.find();
  CHECK(talk.told() == std::vector<std::string>{"initialize", "initialized", "notebookDocument/didOpen",
                                                "notebookDocument/didChange", "workspace/didChangeConfiguration"});
  CHECK(talk.to_daemon[0]["params"] ==
        Json({{"workspaceFolders", {{{"uri", "file:///w2"}, {"name", "w2"}}}}, {"cinnabarResumed", true}}));
  CHECK(talk.to_daemon[2]["params"]["notebookDocument"]["uri"] == "file:///n2");
  CHECK(talk.to_daemon[4]["params"]["settings"]["depth"] == 2);
}

TEST_CASE("a late answer to a lost daemon's question does not answer the next one's") {
  Talk talk;
  talk.initialize();
  talk.daemon({{"id", 1}, {"method", "workspace/configuration"}, {"params", {{"items", Json::array()}}}});
  const Json first = talk.to_editor.back()["id"];
  talk.lose();
  CHECK(talk.to_editor.back()["method"] == "$/cancelRequest");
  CHECK(talk.to_editor.back()["params"]["id"] == first);
  talk.find();
  talk.daemon({{"id", 1}, {"method", "workspace/configuration"}, {"params", {{"items", Json::array()}}}});
  const Json second = talk.to_editor.back()["id"];
  REQUIRE(first != second);
  talk.to_daemon.clear();
  talk.editor({{"id", first}, {"result", {"old"}}});
  CHECK(talk.to_daemon.empty());
  talk.editor({{"id", second}, {"result", {"new"}}});
  REQUIRE(talk.to_daemon.size() == 1);
  CHECK(talk.to_daemon[0]["id"] == 1);
  CHECK(talk.to_daemon[0]["result"][0] == "new");
}

TEST_CASE("registrations are made once, progress does not outlive its daemon") {
  Talk talk;
  talk.initialize();
  const Json registration = {
      {"id", 1},
      {"method", "client/registerCapability"},
      {"params", {{"registrations", {{{"id", "c"}, {"method", "workspace/didChangeConfiguration"}}}}}}};
  talk.daemon(registration);
  talk.daemon(
      {{"method", "$/progress"}, {"params", {{"token", "load"}, {"value", {{"kind", "begin"}, {"title", "t"}}}}}});
  talk.daemon(
      {{"method", "$/progress"}, {"params", {{"token", "done"}, {"value", {{"kind", "begin"}, {"title", "t"}}}}}});
  talk.daemon({{"method", "$/progress"}, {"params", {{"token", "done"}, {"value", {{"kind", "end"}}}}}});
  talk.to_editor.clear();
  talk.lose();
  REQUIRE(talk.to_editor.size() == 2);
  CHECK(talk.to_editor[0]["params"] == Json({{"token", "load"}, {"value", {{"kind", "end"}}}}));
  talk.find();
  talk.to_editor.clear();
  talk.to_daemon.clear();
  talk.daemon(registration);
  CHECK(talk.to_editor.empty());
  REQUIRE(talk.to_daemon.size() == 1);
  CHECK(talk.to_daemon[0]["id"] == 1);
}

TEST_CASE("a next daemon that counts positions otherwise cannot stand in") {
  Talk talk(Json{{"positionEncoding", "utf-8"}});
  talk.initialize();
  talk.lose();
  talk.relay.daemon_found();
  talk.daemon({{"id", "cinnabar/initialize"}, {"result", {{"capabilities", {{"positionEncoding", "utf-16"}}}}}});
  CHECK_THAT(talk.relay.failure(), Catch::Contains("counts positions otherwise"));
}

TEST_CASE("no daemon to be had: initialize says why, a running session is told once") {
  Talk fresh;
  fresh.lose();
  fresh.relay.daemon_unavailable("no room");
  fresh.editor(request(1, "initialize"));
  REQUIRE(fresh.to_editor.size() == 1);
  CHECK(fresh.to_editor[0]["error"]["code"] == -32803);
  CHECK(fresh.to_editor[0]["error"]["message"] == "no room");

  Talk running;
  running.initialize();
  running.lose();
  CHECK(running.relay.daemon_unavailable("no room").to_editor.size() == 1);
  CHECK(running.relay.daemon_unavailable("no room").to_editor.empty());
}

TEST_CASE("the editor's process is known even where initialize is refused") {
  Relay relay;
  (void)relay.daemon_unavailable("none");
  const auto out = relay.from_editor(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"processId":42}})");
  REQUIRE(out.to_editor.size() == 1);
  CHECK(Json::parse(out.to_editor[0]).contains("error"));
  CHECK(relay.editor_process() == 42);
}

TEST_CASE("exit means 0 after shutdown, else 1; after shutdown no daemon is wanted") {
  Talk talk;
  talk.initialize();
  CHECK(talk.relay.wants_daemon());
  talk.editor(request(1, "shutdown"));
  CHECK_FALSE(talk.relay.wants_daemon());
  talk.lose();
  talk.editor(request(2, "textDocument/inlineCompletion"));
  CHECK(talk.to_editor.back()["error"]["code"] == -32600);
  talk.editor({{"method", "exit"}});
  CHECK(talk.relay.exit_code() == 0);

  Talk rude;
  rude.initialize();
  rude.editor({{"method", "exit"}});
  CHECK(rude.relay.exit_code() == 1);
}

TEST_CASE("what is to be known of the daemon is shown once, and after initialize is answered") {
  Talk talk;
  const auto shown = [](const Relay::Out& out) {
    std::vector<std::string> messages;
    for (const auto& body : out.to_editor) {
      const Json message = Json::parse(body);
      if (message.value("method", "") == "window/showMessage") messages.push_back(message["params"]["message"]);
    }
    return messages;
  };
  CHECK(shown(talk.relay.note("old")).empty());
  talk.editor({{"id", 0}, {"method", "initialize"}, {"params", Json::object()}});
  CHECK(talk.to_editor.empty());
  talk.daemon({{"id", 0}, {"result", {{"capabilities", Json::object()}}}});
  REQUIRE(talk.to_editor.size() == 2);
  CHECK(talk.to_editor[0]["id"] == 0);
  CHECK(talk.to_editor[1]["params"] == Json{{"type", 2}, {"message", "old"}});
  CHECK(shown(talk.relay.note("old")).empty());
  CHECK(shown(talk.relay.note("")).empty());
  CHECK(shown(talk.relay.note("older")) == std::vector<std::string>{"older"});
}

}  // namespace
}  // namespace cinnabar::daemon
