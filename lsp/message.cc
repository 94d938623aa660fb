#include "lsp/message.h"

#include <cmath>
#include <utility>

namespace cinnabar::lsp {
namespace {

constexpr double kLargestExactDouble = 9007199254740992.0;  // 2^53: beyond, 1.0 more may be the same number

const Json* find(const Json& object, const char* name) {
  const auto member = object.find(name);
  return member == object.end() ? nullptr : &*member;
}

// A whole number in 64 bits, however it was written (JSON does not tell 3 from 3.0).
std::optional<std::int64_t> whole_number(const Json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (number > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_number_float()) return std::nullopt;
  const auto number = value.get<double>();
  if (std::abs(number) > kLargestExactDouble || number != std::trunc(number)) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

ResponseError invalid(std::string message) { return {ErrorCode::invalid_request, std::move(message)}; }

std::string expected(std::string_view member, std::string_view what, const Json& found) {
  return std::string(member) + ": expected " + std::string(what) + ", found " + std::string(kind_of(found));
}

// What is wrong with a value that has a method; empty when nothing is.
std::string call_problem(const Json& value) {
  const Json& method = value.at("method");
  if (!method.is_string()) return expected("method", "string", method);
  const Json* id = find(value, "id");
  if (id && !read_id(*id)) return expected("id", "string or whole number", *id);
  const Json* params = find(value, "params");
  if (params && !params->is_structured() && !params->is_null()) return expected("params", "object or array", *params);
  return {};
}

// What is wrong with a value without a method; empty when it is a proper response.
std::string response_problem(const Json& value) {
  const Json* id = find(value, "id");
  const Json* error = find(value, "error");
  const bool has_result = find(value, "result") != nullptr;
  if (!error && !has_result) return "a message needs a method, or an id with a result or an error";
  if (!id) return "a response needs an id";
  if (!id->is_null() && !read_id(*id)) return expected("id", "string, whole number or null", *id);
  if (error && has_result) return "a response has either a result or an error, not both";
  if (!error) return {};
  if (!error->is_object()) return expected("error", "object", *error);
  const Json* code = find(*error, "code");
  if (!code || !whole_number(*code)) return "error.code: expected a whole number";
  const Json* message = find(*error, "message");
  if (!message || !message->is_string()) return "error.message: expected string";
  return {};
}

Json take(Json& object, const char* name) {
  const auto member = object.find(name);
  return member == object.end() ? Json() : std::move(*member);
}

Message to_call(Json& value) {
  auto method = value["method"].get<std::string>();
  const Json* id = find(value, "id");
  if (!id) return Notification{std::move(method), take(value, "params")};
  return Request{*read_id(*id), std::move(method), take(value, "params")};
}

Message to_response(Json& value) {
  const Json& id_value = value["id"];
  auto id = id_value.is_null() ? std::nullopt : read_id(id_value);
  if (!value.contains("error")) return Response{std::move(id), take(value, "result")};
  Json& error = value["error"];
  // Codes beyond int are as good as unknown; LSP's own all fit.
  const auto code = *whole_number(error["code"]);
  const bool fits = code >= INT32_MIN && code <= INT32_MAX;
  ResponseError out{fits ? static_cast<ErrorCode>(code) : ErrorCode::unknown_error_code,
                    error["message"].get<std::string>()};
  if (error.contains("data")) out.data = take(error, "data");
  return Response{std::move(id), std::move(out)};
}

}  // namespace

std::variant<Message, MessageProblem> classify(Json value) {
  if (value.is_array()) return MessageProblem{invalid("batches are not part of LSP"), std::nullopt};
  if (!value.is_object()) return MessageProblem{invalid(expected("message", "object", value)), std::nullopt};

  const Json* id = find(value, "id");
  MessageProblem problem{{}, id ? read_id(*id) : std::nullopt};
  const bool is_call = value.contains("method");
  problem.wants_answer = is_call || (!value.contains("result") && !value.contains("error"));

  const Json* version = find(value, "jsonrpc");
  if (!version || *version != "2.0")
    problem.error = invalid("jsonrpc: expected \"2.0\"");
  else
    problem.error = invalid(is_call ? call_problem(value) : response_problem(value));
  if (!problem.error.message.empty()) return problem;
  return is_call ? to_call(value) : to_response(value);
}

std::optional<RequestId> read_id(const Json& value) {
  if (value.is_string()) return RequestId(value.get_ref<const std::string&>());
  if (const auto number = whole_number(value)) return RequestId(*number);
  return std::nullopt;
}

Json make_request(const RequestId& id, std::string_view method, Json params) {
  Json message = make_notification(method, std::move(params));
  message["id"] = to_json(id);
  return message;
}

Json make_notification(std::string_view method, Json params) {
  Json message = {{"jsonrpc", "2.0"}, {"method", method}};
  if (!params.is_null()) message["params"] = std::move(params);
  return message;
}

Json make_result(const RequestId& id, Json result) {
  Json message = {{"jsonrpc", "2.0"}, {"id", to_json(id)}};
  message["result"] = std::move(result);
  return message;
}

Json make_error(const std::optional<RequestId>& id, ResponseError error) {
  Json body = {{"code", static_cast<int>(error.code)}, {"message", std::move(error.message)}};
  if (error.data) body["data"] = std::move(*error.data);
  Json message = {{"jsonrpc", "2.0"}, {"id", id ? to_json(*id) : Json()}};
  message["error"] = std::move(body);
  return message;
}

std::string to_text(const RequestId& id) {
  if (const auto* number = std::get_if<std::int64_t>(&id)) return std::to_string(*number);
  return '"' + std::get<std::string>(id) + '"';
}

Json to_json(const RequestId& id) {
  if (const auto* number = std::get_if<std::int64_t>(&id)) return *number;
  return std::get<std::string>(id);
}

}  // namespace cinnabar::lsp
