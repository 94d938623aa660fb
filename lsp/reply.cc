#include "lsp/reply.h"

namespace cinnabar::lsp {

ReplyOnce::ReplyOnce(RequestId id, std::string method, std::stop_token cancelled, Sink sink)
    : debt_(new Debt{std::move(id), std::move(method), std::move(cancelled), std::move(sink)}) {}

ReplyOnce& ReplyOnce::operator=(ReplyOnce&& other) noexcept {
  if (this != &other) {
    settle_dropped();
    debt_ = std::move(other.debt_);
  }
  return *this;
}

ReplyOnce::~ReplyOnce() { settle_dropped(); }

std::stop_token ReplyOnce::cancelled() const { return debt_ ? debt_->cancelled : std::stop_token(); }

const RequestId& ReplyOnce::id() const {
  assert(debt_);  // asked of a moved-from reply
  return debt_->id;
}

void ReplyOnce::settle(Expected<Json> answer) {
  if (!debt_ || !debt_->sink) return;
  std::exchange(debt_->sink, nullptr)(debt_->id, std::move(answer));
}

void ReplyOnce::settle_dropped() {
  if (!debt_ || !debt_->sink) return;
  if (debt_->cancelled.stop_requested())
    error(ErrorCode::request_cancelled, debt_->method + ": cancelled");
  else
    error(ErrorCode::internal_error, debt_->method + ": internal error, the request was dropped without an answer");
}

}  // namespace cinnabar::lsp
