// JSON-RPC 2.0 messages as LSP 3.18 uses them: which of the three kinds a JSON value is, and how ours are written.
//
// Stands between json.h and dispatcher.h. Pure functions, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "lsp/json.h"
#include "lsp/response.h"

namespace cinnabar::lsp {

// Chosen by whoever sends the request; echoed exactly. 1 and "1" are different ids. Numbers are whole, within 64 bits.
using RequestId = std::variant<std::int64_t, std::string>;

struct Request {
  RequestId id;
  std::string method;
  Json params;  // object, array, or null when absent
};

struct Notification {
  std::string method;
  Json params;  // object, array, or null when absent
};

// The other side's answer to a request of ours.
struct Response {
  std::optional<RequestId> id;  // absent: they could not read our request's id
  Expected<Json> result;
};

using Message = std::variant<Request, Notification, Response>;

// A value that is no message.
struct MessageProblem {
  ResponseError error;          // InvalidRequest, naming the member
  std::optional<RequestId> id;  // the id to answer with, where one could be read; else null goes out
  bool wants_answer = true;     // false for a malformed response: answering an answer would confuse the other side
};

// Decides by members: `method` and `id` make a request, `method` alone a notification, `id` alone a response.
// Refused: anything but an object (so batches, too: LSP has none), `jsonrpc` other than "2.0", an id that is neither
// whole number nor string (null included), params that are neither object, array nor null, a response with both or
// neither of result and error, or whose error has no whole-number code and string message. Unknown members are ignored.
std::variant<Message, MessageProblem> classify(Json value);

// The id that `value` is, where it is one.
std::optional<RequestId> read_id(const Json& value);

// The four kinds that we send. `params` and `result` are written as they are; null params are left out.
Json make_request(const RequestId& id, std::string_view method, Json params);
Json make_notification(std::string_view method, Json params);
Json make_result(const RequestId& id, Json result);
Json make_error(const std::optional<RequestId>& id, ResponseError error);

// For log lines and error texts: 7 or "seven".
std::string to_text(const RequestId& id);
Json to_json(const RequestId& id);

}  // namespace cinnabar::lsp
