#include "lsp/dispatcher.h"

#include <catch2/catch.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "lsp/code_action.h"
#include "lsp/inline_completion.h"
#include "lsp/lifecycle.h"
#include "lsp/text_document.h"
#include "lsp/window.h"
#include "lsp/workspace.h"

namespace cinnabar::lsp {
namespace {

// Collects what goes out, one JSON text a message.
class Collector final : public Transport {
 public:
  void send(std::string_view bytes) override {
    for (auto& frame : decoder_.push(bytes)) messages_.push_back(std::get<std::string>(frame));
  }
  // Everything sent since the last call.
  std::vector<std::string> take() { return std::exchange(messages_, {}); }

 private:
  FrameDecoder decoder_;
  std::vector<std::string> messages_;
};

// A server with a few handlers, and a client that talks to it in this process.
struct Pair {
  std::shared_ptr<Collector> out = std::make_shared<Collector>();
  std::vector<std::string> problems;
  std::vector<std::string> opened;
  std::vector<Reply<InlineCompletionList>> waiting;  // inline completions that nobody has answered
  std::unique_ptr<Dispatcher> dispatcher;

  explicit Pair(DispatcherOptions options = {}) {
    options.on_problem = [this](const std::string& text) { problems.push_back(text); };
    dispatcher = std::make_unique<Dispatcher>(out, std::move(options));
    dispatcher->on_request(kInitialize, [](InitializeParams params, Reply<InitializeResult> reply) {
      if (params.options == "fail") return reply.error(ErrorCode::request_failed, "asked to");
      if (params.options == "throw") throw std::runtime_error("asked to");
      reply.result({{}, {"test", ""}});
    });
    dispatcher->on_request(kInlineCompletion, [this](InlineCompletionParams, Reply<InlineCompletionList> reply) {
      waiting.push_back(std::move(reply));
    });
    dispatcher->on_request(kExecuteCommand, [](ExecuteCommandParams params, Reply<Json> reply) {
      if (params.command == "throw") throw std::runtime_error("secret");
      if (params.command == "throw 1") throw 1;
      if (params.command == "forget") return;
      reply.result(params.command);
      reply.result("a second answer is ignored");
    });
    dispatcher->on_notification(kDidOpen, [this](DidOpenParams params) { opened.push_back(params.text_document.uri); });
    dispatcher->on_notification(kDidFocus, [](DidFocusParams) { throw std::runtime_error("focus"); });
  }

  std::vector<std::string> send(const std::string& json) {
    dispatcher->receive(encode_frame(json));
    return out->take();
  }
  std::vector<std::string> request(int id, const std::string& method, const std::string& params = "{}") {
    return send(R"({"jsonrpc":"2.0","id":)" + std::to_string(id) + R"(,"method":")" + method + R"(","params":)" +
                params + "}");
  }
  std::vector<std::string> notify(const std::string& method, const std::string& params = "{}") {
    return send(R"({"jsonrpc":"2.0","method":")" + method + R"(","params":)" + params + "}");
  }
  void initialize() { REQUIRE(request(0, "initialize", R"({"capabilities":{}})").size() == 1); }
};

using Lines = std::vector<std::string>;

Lines error(const std::string& id, int code, const std::string& message) {
  return {R"({"error":{"code":)" + std::to_string(code) + R"(,"message":)" + write_json(message) + R"(},"id":)" + id +
          R"(,"jsonrpc":"2.0"})"};
}

const char* const kInlineParams =
    R"({"textDocument":{"uri":"file:///a"},"position":{"line":0,"character":0},"context":{"triggerKind":2}})";

TEST_CASE("before initialize, requests get -32002 and notifications are dropped") {
  Pair pair;
  CHECK(pair.request(1, "shutdown") == error("1", -32002, "initialize has not been answered yet"));
  CHECK(pair.request(2, "no/such") == error("2", -32002, "initialize has not been answered yet"));
  CHECK(pair.notify("textDocument/didOpen", "{}").empty());
  CHECK(pair.opened.empty());
  CHECK_FALSE(pair.dispatcher->closed());
}

TEST_CASE("initialize succeeds once and may be repeated only after a failure") {
  Pair pair;
  CHECK(pair.request(1, "initialize", R"({"capabilities":{},"initializationOptions":"fail"})") ==
        error("1", -32803, "asked to"));
  CHECK(pair.request(2, "initialize", R"({"capabilities":7})") ==
        error("2", -32602, "params.capabilities: expected object, found 7"));
  CHECK(pair.request(3, "initialize", R"({"capabilities":{},"initializationOptions":"throw"})") ==
        error("3", -32603, "initialize: internal error, the request was dropped without an answer"));
  CHECK(pair.request(4, "shutdown") == error("4", -32002, "initialize has not been answered yet"));
  CHECK(pair.request(5, "initialize", R"({"capabilities":{}})").size() == 1);
  CHECK(pair.request(6, "initialize", R"({"capabilities":{}})") == error("6", -32600, "initialize was sent before"));
}

TEST_CASE("after shutdown only exit is served, and it ends with 0") {
  Pair pair;
  pair.initialize();
  CHECK(pair.request(1, "shutdown") == Lines{R"({"id":1,"jsonrpc":"2.0","result":null})"});
  CHECK(pair.request(2, "shutdown") == error("2", -32600, "the server is shut down"));
  CHECK(pair.request(3, "no/such") == error("3", -32600, "the server is shut down"));
  CHECK(pair.notify("textDocument/didOpen", "{}").empty());
  CHECK(pair.problems.empty());
  CHECK(pair.notify("exit").empty());
  CHECK(pair.dispatcher->exit_code() == 0);
  CHECK(pair.request(4, "shutdown").empty());
}

TEST_CASE("exit without shutdown ends with 1, at any time") {
  Pair early;
  early.notify("exit");
  CHECK(early.dispatcher->exit_code() == 1);
  Pair late;
  late.initialize();
  late.dispatcher->receive(encode_frame(R"({"jsonrpc":"2.0","method":"exit"})") +
                           encode_frame(R"({"jsonrpc":"2.0","id":1,"method":"shutdown"})"));
  CHECK(late.dispatcher->exit_code() == 1);
  CHECK(late.out->take().empty());
}

TEST_CASE("errors name what is wrong") {
  Pair pair;
  pair.initialize();
  CHECK(pair.request(1, "no/such") == error("1", -32601, "unknown method \"no/such\""));
  CHECK(pair.request(1, "$/no/such") == error("1", -32601, "unknown method \"$/no/such\""));
  CHECK(pair.notify("no/such").empty());
  CHECK(pair.notify("$/setTrace", R"({"value":"off"})").empty());
  CHECK(pair.send("{").front().find(R"("code":-32700)") != std::string::npos);
  CHECK(pair.send("[]") == error("null", -32600, "batches are not part of LSP"));
  CHECK(pair.send(R"({"jsonrpc":"2.0","id":9,"method":1})") ==
        error("9", -32600, "method: expected string, found number"));
  CHECK(pair.request(2, "textDocument/inlineCompletion", R"({"textDocument":{"uri":7}})") ==
        error("2", -32602, "params.textDocument.uri: expected string, found 7"));
  CHECK(pair.request(3, "textDocument/inlineCompletion", "[]") ==
        error("3", -32602, "params: expected object, found array"));
  CHECK(pair.notify("textDocument/didOpen", R"({"textDocument":{"uri":"u"}})").empty());
  REQUIRE(pair.problems.size() == 3);  // two messages that were none, and this
  CHECK(pair.problems.back() == "textDocument/didOpen dropped: params.textDocument.languageId: missing");
}

TEST_CASE("a handler that throws or forgets answers InternalError and the connection lives on") {
  Pair pair;
  pair.initialize();
  const std::string text = "workspace/executeCommand: internal error, the request was dropped without an answer";
  CHECK(pair.request(1, "workspace/executeCommand", R"({"command":"throw"})") == error("1", -32603, text));
  CHECK(pair.request(2, "workspace/executeCommand", R"({"command":"throw 1"})") == error("2", -32603, text));
  CHECK(pair.request(3, "workspace/executeCommand", R"({"command":"forget"})") == error("3", -32603, text));
  CHECK(pair.notify("textDocument/didFocus").empty());
  CHECK(pair.request(4, "workspace/executeCommand", R"({"command":"x"})") ==
        Lines{R"({"id":4,"jsonrpc":"2.0","result":"x"})"});
  CHECK(pair.problems ==
        Lines{"a handler threw: secret", "a handler threw something that is no exception", "a handler threw: focus"});
}

TEST_CASE("a cancelled request hears of it and still owes its answer") {
  Pair pair;
  pair.initialize();
  for (int id = 1; id <= 3; ++id) CHECK(pair.request(id, "textDocument/inlineCompletion", kInlineParams).empty());
  REQUIRE(pair.waiting.size() == 3);
  CHECK(pair.dispatcher->requests_in_flight() == 3);
  for (const char* id : {"2", "1", "99", "\"3\"", "null", "{}"})
    CHECK(pair.notify("$/cancelRequest", std::string(R"({"id":)") + id + "}").empty());
  CHECK(pair.notify("$/cancelRequest", "[]").empty());
  CHECK(pair.waiting[0].cancelled().stop_requested());
  CHECK(pair.waiting[1].cancelled().stop_requested());
  CHECK_FALSE(pair.waiting[2].cancelled().stop_requested());

  pair.waiting[1].result({});  // too late to stop: the result may be sent all the same
  CHECK(pair.out->take() == Lines{R"({"id":2,"jsonrpc":"2.0","result":{"items":[]}})"});
  pair.waiting.clear();
  const auto dropped = pair.out->take();
  REQUIRE(dropped.size() == 2);
  CHECK(dropped[0] == error("1", -32800, "textDocument/inlineCompletion: cancelled")[0]);
  CHECK(dropped[1].find("-32603") != std::string::npos);
  CHECK(pair.dispatcher->requests_in_flight() == 0);
}

TEST_CASE("an id is free again only after its answer, and requests in flight have a limit") {
  Pair pair({.requests_in_flight = 2});
  pair.initialize();
  CHECK(pair.request(1, "textDocument/inlineCompletion", kInlineParams).empty());
  CHECK(pair.request(1, "textDocument/inlineCompletion", kInlineParams) == error("1", -32600, "id 1 is in use"));
  CHECK(pair.request(2, "textDocument/inlineCompletion", kInlineParams).empty());
  CHECK(pair.request(3, "textDocument/inlineCompletion", kInlineParams) ==
        error("3", -32803, "too many requests are waiting for their answers"));
  pair.waiting[0].result({});
  pair.out->take();
  CHECK(pair.request(1, "textDocument/inlineCompletion", kInlineParams).empty());
}

TEST_CASE("our messages wait for the answer to initialize, except those LSP allows") {
  Pair pair;
  pair.dispatcher->notify(kDidChangeStatus, {});
  pair.dispatcher->notify(kLogMessage, {MessageType::info, "early"});
  CHECK(pair.out->take() ==
        Lines{R"({"jsonrpc":"2.0","method":"window/logMessage","params":{"message":"early","type":3}})"});
  const auto sent = pair.request(0, "initialize", R"({"capabilities":{}})");
  REQUIRE(sent.size() == 2);
  CHECK(sent[0].find(R"("id":0)") != std::string::npos);
  CHECK(sent[1].find("didChangeStatus") != std::string::npos);
}

TEST_CASE("our requests get their answers, each once") {
  Pair pair;
  pair.initialize();
  std::vector<std::string> answers;
  const auto done = [&answers](const Expected<ApplyEditResult>& result) {
    answers.push_back(result.ok() ? (result->applied ? "applied" : "refused") : result.error().message);
  };
  for (int i = 0; i < 5; ++i) pair.dispatcher->call<ApplyEditParams, ApplyEditResult>(kApplyEdit, {"x", {}}, done);
  CHECK(pair.out->take()[1].find(R"({"id":2,"jsonrpc":"2.0","method":"workspace/applyEdit")") == 0);
  pair.send(R"({"jsonrpc":"2.0","id":2,"result":{"applied":true}})");
  pair.send(R"({"jsonrpc":"2.0","id":2,"result":{"applied":true}})");
  pair.send(R"({"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}})");
  pair.send(R"({"jsonrpc":"2.0","id":3,"result":{"applied":"yes"}})");
  pair.send(R"({"jsonrpc":"2.0","id":"4","result":{"applied":true}})");
  CHECK(answers == Lines{"applied", "no", "result.applied: expected boolean, found string"});
  CHECK(pair.problems == Lines(2, "an answer to no request of ours arrived"));

  pair.dispatcher->cancel(RequestId(4));
  pair.dispatcher->cancel(RequestId(1));
  CHECK(pair.out->take() == Lines{R"({"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":4}})"});
  pair.dispatcher.reset();
  CHECK(answers == Lines{"applied", "no", "result.applied: expected boolean, found string", "the connection ended",
                         "the connection ended"});
}

TEST_CASE("framing errors are told to the client; one that cannot be skipped closes") {
  Pair pair({.framing = {.header_bytes = 100, .message_bytes = 300}});
  pair.initialize();
  pair.dispatcher->receive("Content-Length: 400\r\n\r\n" + std::string(400, 'x'));
  CHECK(pair.out->take() == error("null", -32600, "message of 400 bytes is over the limit of 300 and was not read"));
  CHECK(pair.request(1, "no/such").size() == 1);
  pair.dispatcher->receive("Content-Length: x\r\n\r\n");
  CHECK(pair.out->take() == error("null", -32600, "Content-Length: expected a decimal number, found \"x\""));
  CHECK(pair.dispatcher->closed());
  CHECK_FALSE(pair.dispatcher->exit_code().has_value());
}

TEST_CASE("replies may outlive the dispatcher and come from other threads") {
  Pair pair;
  pair.initialize();
  for (int id = 1; id <= 50; ++id) pair.request(id, "textDocument/inlineCompletion", kInlineParams);
  auto replies = std::move(pair.waiting);
  auto late = std::move(replies.back());
  replies.pop_back();
  std::thread other([replies = std::move(replies)]() mutable {
    for (auto& reply : replies) reply.result({});
  });
  for (int id = 100; id < 150; ++id) pair.dispatcher->notify(kLogMessage, {MessageType::log, "x"});
  other.join();
  CHECK(pair.out->take().size() == 49 + 50);
  pair.dispatcher.reset();
  CHECK(late.cancelled().stop_requested());
  late.result({});
  CHECK(pair.out->take().empty());
}

TEST_CASE("what could not be read of a notification is told, as far as it can be seen what it was") {
  struct Case {
    std::string body, method, params;
  };
  const std::string head = R"({"jsonrpc":"2.0","method":"textDocument/didOpen")";
  const std::vector<Case> cases = {
      {head + R"(,"params":{"textDocument":7}})", "textDocument/didOpen", R"({"textDocument":7})"},
      {head + R"(,"params":7})", "textDocument/didOpen", "null"},
      {head + ",\"params\":{\"u\":\"a\xff\"}}", "textDocument/didOpen", R"({"u":"a?"})"},
      {head, "", "null"},
      {"{}", "-", "-"},
      {R"({"jsonrpc":"2.0","id":1,"method":"nobody/knows"})", "-", "-"},
      {"{\"id\":1,\"method\":\"\xff\"}", "-", "-"},
      {R"({"jsonrpc":"2.0","method":"textDocument/didFocus","params":{}})", "-", "-"},
  };
  for (const auto& [body, method, params] : cases) {
    CAPTURE(body);
    std::string lost = "-", with = "-";
    Pair pair({.on_lost = [&](std::string_view name, const Json& value) {
      lost = name;
      with = value.dump();
    }});
    pair.send(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"capabilities":{}}})");
    pair.dispatcher->receive_message(body);
    CHECK(lost == method);
    CHECK(with == params);
  }
}

TEST_CASE("bytes may be taken at once and handled one message after the other") {
  Pair pair;
  const std::string first = R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"capabilities":{}}})";
  const std::string second = R"({"jsonrpc":"2.0","id":1,"method":"shutdown"})";
  pair.dispatcher->take(encode_frame(first) + encode_frame(second));
  CHECK(pair.out->take().empty());
  CHECK(pair.dispatcher->handle_next());
  CHECK(pair.out->take().size() == 1);
  CHECK_FALSE(pair.dispatcher->handle_next());
  CHECK(pair.out->take().size() == 1);
  CHECK_FALSE(pair.dispatcher->handle_next());
}

}  // namespace
}  // namespace cinnabar::lsp
