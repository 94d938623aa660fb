#include "lsp/message.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace cinnabar::lsp {
namespace {

std::string id_text(const std::optional<RequestId>& id) { return id ? to_text(*id) : "null"; }

// One line that says how a message was understood.
std::string understood(std::string_view text) {
  auto parsed = parse_json(text);
  REQUIRE(parsed.ok());
  auto result = classify(std::move(*parsed));
  if (const auto* problem = std::get_if<MessageProblem>(&result)) {
    CHECK(problem->error.code == ErrorCode::invalid_request);
    return (problem->wants_answer ? "bad " : "ignore ") + id_text(problem->id) + ": " + problem->error.message;
  }
  const auto& message = std::get<Message>(result);
  if (const auto* request = std::get_if<Request>(&message))
    return "request " + to_text(request->id) + " " + request->method + " " + write_json(request->params);
  if (const auto* notification = std::get_if<Notification>(&message))
    return "notification " + notification->method + " " + write_json(notification->params);
  const auto& response = std::get<Response>(message);
  if (response.result.ok()) return "result " + id_text(response.id) + " " + write_json(*response.result);
  const auto& error = response.result.error();
  return "error " + id_text(response.id) + " " + std::to_string(static_cast<int>(error.code)) + " " + error.message +
         (error.data ? " " + write_json(*error.data) : "");
}

TEST_CASE("messages are told apart by their members") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"({"jsonrpc":"2.0","id":1,"method":"m","params":{"a":1}})", R"(request 1 m {"a":1})"},
      {R"({"jsonrpc":"2.0","id":"1","method":"m","params":[1]})", R"(request "1" m [1])"},
      {R"({"jsonrpc":"2.0","id":0,"method":"m"})", "request 0 m null"},
      {R"({"jsonrpc":"2.0","id":-5,"method":"m","params":null})", "request -5 m null"},
      {R"({"jsonrpc":"2.0","id":3.0,"method":"m"})", "request 3 m null"},
      {R"({"jsonrpc":"2.0","id":"","method":""})", "request \"\"  null"},
      {R"({"jsonrpc":"2.0","method":"m","extra":1})", "notification m null"},
      {R"({"jsonrpc":"2.0","id":1,"result":null})", "result 1 null"},
      {R"({"jsonrpc":"2.0","id":"a","result":{"b":[1]}})", R"(result "a" {"b":[1]})"},
      {R"({"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no","data":{"x":1}}})",
       R"(error 1 -32601 no {"x":1})"},
      {R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}})", "error null -32700 ?"},
      {R"({"jsonrpc":"2.0","id":1,"error":{"code":99999999999,"message":"?"}})", "error 1 -32001 ?"},

      {"[]", "bad null: batches are not part of LSP"},
      {R"([{"jsonrpc":"2.0","id":1,"method":"m"}])", "bad null: batches are not part of LSP"},
      {"7", "bad null: message: expected object, found number"},
      {"{}", "bad null: jsonrpc: expected \"2.0\""},
      {R"({"jsonrpc":"2.0"})", "bad null: a message needs a method, or an id with a result or an error"},
      {R"({"jsonrpc":"2.0","id":4})", "bad 4: a message needs a method, or an id with a result or an error"},
      {R"({"jsonrpc":"1.0","id":4,"method":"m"})", "bad 4: jsonrpc: expected \"2.0\""},
      {R"({"jsonrpc":2.0,"id":4,"method":"m"})", "bad 4: jsonrpc: expected \"2.0\""},
      {R"({"id":4,"method":"m"})", "bad 4: jsonrpc: expected \"2.0\""},
      {R"({"jsonrpc":"2.0","id":4,"method":7})", "bad 4: method: expected string, found number"},
      {R"({"jsonrpc":"2.0","id":null,"method":"m"})", "bad null: id: expected string or whole number, found null"},
      {R"({"jsonrpc":"2.0","id":1.5,"method":"m"})", "bad null: id: expected string or whole number, found number"},
      {R"({"jsonrpc":"2.0","id":18446744073709551615,"method":"m"})",
       "bad null: id: expected string or whole number, found number"},
      {R"({"jsonrpc":"2.0","id":{},"method":"m"})", "bad null: id: expected string or whole number, found object"},
      {R"({"jsonrpc":"2.0","id":4,"method":"m","params":"x"})",
       "bad 4: params: expected object or array, found string"},
      {R"({"jsonrpc":"2.0","method":"m","params":1})", "bad null: params: expected object or array, found number"},

      {R"({"jsonrpc":"2.0","result":1})", "ignore null: a response needs an id"},
      {R"({"jsonrpc":"2.0","id":4,"result":1,"error":{}})",
       "ignore 4: a response has either a result or an error, not both"},
      {R"({"jsonrpc":"2.0","id":[],"result":1})",
       "ignore null: id: expected string, whole number or null, found array"},
      {R"({"jsonrpc":"2.0","id":4,"error":"x"})", "ignore 4: error: expected object, found string"},
      {R"({"jsonrpc":"2.0","id":4,"error":{"message":"x"}})", "ignore 4: error.code: expected a whole number"},
      {R"({"jsonrpc":"2.0","id":4,"error":{"code":1.5,"message":"x"}})",
       "ignore 4: error.code: expected a whole number"},
      {R"({"jsonrpc":"2.0","id":4,"error":{"code":1}})", "ignore 4: error.message: expected string"},
  };
  for (const auto& [text, expected] : cases) {
    INFO(text);
    CHECK(understood(text) == expected);
  }
}

TEST_CASE("messages are written as the other side expects them") {
  CHECK(write_json(make_request(RequestId(7), "m", Json::object())) ==
        R"({"id":7,"jsonrpc":"2.0","method":"m","params":{}})");
  CHECK(write_json(make_request(RequestId("7"), "m", nullptr)) == R"({"id":"7","jsonrpc":"2.0","method":"m"})");
  CHECK(write_json(make_notification("m", Json::array())) == R"({"jsonrpc":"2.0","method":"m","params":[]})");
  CHECK(write_json(make_result(RequestId(7), nullptr)) == R"({"id":7,"jsonrpc":"2.0","result":null})");
  CHECK(write_json(make_error(std::nullopt, {ErrorCode::parse_error, "x"})) ==
        R"({"error":{"code":-32700,"message":"x"},"id":null,"jsonrpc":"2.0"})");
  CHECK(write_json(make_error(RequestId(7), {ErrorCode::request_failed, "x", Json(1)})) ==
        R"({"error":{"code":-32803,"data":1,"message":"x"},"id":7,"jsonrpc":"2.0"})");
}

}  // namespace
}  // namespace cinnabar::lsp
