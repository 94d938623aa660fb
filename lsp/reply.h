// The duty to answer a request exactly once, held by type.
//
// A handler gets a Reply with each request. It answers, hands the Reply on to whatever will answer later, or drops it;
// a dropped one answers by itself, so no client ever waits for an answer that nobody owes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "lsp/json.h"
#include "lsp/message.h"
#include "lsp/response.h"

namespace cinnabar::lsp {

// Answers one request. Move-only; may be moved to, used and dropped on any thread, and may outlive its dispatcher
// (the answer then goes nowhere). Not for two threads at the same time.
//
// Dropped without an answer: RequestCancelled when the client has cancelled the request, else InternalError. So work
// that was cancelled in a queue can simply be thrown away. A second answer is ignored.
class ReplyOnce {
 public:
  using Sink = std::function<void(const RequestId&, Expected<Json>)>;

  ReplyOnce(RequestId id, std::string method, std::stop_token cancelled, Sink sink);
  ReplyOnce(ReplyOnce&&) = default;
  ReplyOnce& operator=(ReplyOnce&& other) noexcept;
  ~ReplyOnce();

  void result(Json value) { settle(std::move(value)); }
  void error(ResponseError error) { settle(std::move(error)); }
  void error(ErrorCode code, std::string message) { settle(ResponseError{code, std::move(message)}); }

  // Requested when the client sends $/cancelRequest for this request or the connection ends. An answer is owed anyway.
  std::stop_token cancelled() const;
  const RequestId& id() const;

 private:
  struct Debt {
    RequestId id;
    std::string method;
    std::stop_token cancelled;
    Sink sink;
  };
  void settle(Expected<Json> answer);
  void settle_dropped();

  std::unique_ptr<Debt> debt_;  // kept after answering, for cancelled() and id(); its sink is then empty
};

// ReplyOnce for a request whose result is an R; to_json(R) writes it.
template <typename R>
class Reply {
 public:
  explicit Reply(ReplyOnce reply) : reply_(std::move(reply)) {}

  void result(const R& value) { reply_.result(to_json(value)); }
  void error(ResponseError error) { reply_.error(std::move(error)); }
  void error(ErrorCode code, std::string message) { reply_.error(code, std::move(message)); }
  std::stop_token cancelled() const { return reply_.cancelled(); }
  const RequestId& id() const { return reply_.id(); }

 private:
  ReplyOnce reply_;
};

}  // namespace cinnabar::lsp
