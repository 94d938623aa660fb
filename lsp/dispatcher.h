// One connection's server side: bytes in, handlers called, answers out. Lifecycle, cancellation and error codes of
// LSP 3.18 are decided here, so handlers see only well-formed params at allowed times.
//
//   dispatcher.on_request(kInlineCompletion, [&](InlineCompletionParams params, Reply<InlineCompletionList> reply)
//   {...}); dispatcher.on_notification(kDidOpen, [&](DidOpenParams params) {...}); dispatcher.receive(bytes);   // for
//   each piece read, until exit_code() has a value or closed()
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "lsp/fields.h"
#include "lsp/framing.h"
#include "lsp/method.h"
#include "lsp/reply.h"
#include "lsp/transport.h"

namespace cinnabar::lsp {

struct DispatcherOptions {
  FramingLimits framing = {};
  JsonLimits json = {};
  std::size_t requests_in_flight = 1024;  // more are answered with RequestFailed at once
  // Told in one sentence what could not be answered: dropped notifications, answers to nothing, exceptions. Called on
  // the thread of receive().
  std::function<void(const std::string&)> on_problem = {};
  // A notification could not be read, so what it told is not known here: its method and params as far as those could be
  // read. Empty: it could not be seen what it was, or whether it was one.
  std::function<void(std::string_view method, const Json& params)> on_lost = {};
};

// Owns its connection's state; one thread, except that replies may be given anywhere and that notify() and call() are
// thread-safe.
//
// What a client sees:
//   before initialize is answered   requests ServerNotInitialized, notifications ignored except exit
//   second initialize               InvalidRequest (a failed first one may be repeated)
//   after shutdown                  requests InvalidRequest, notifications ignored except exit
//   exit                            exit_code() 0 after shutdown, else 1; nothing is read after it
//   not JSON                        ParseError with id null;  not a message: InvalidRequest with its id where readable
//   unknown request                 MethodNotFound;  unknown notification: ignored
//   params of another shape         InvalidParams naming the field;  in a notification: dropped, on_problem told
//   a handler that throws           InternalError, and the connection lives on
//   $/cancelRequest                 the request's stop token fires; its handler still owes the answer
//   framing that can be skipped     InvalidRequest with id null;  that cannot: the same, then closed()
// Messages of ours before initialize is answered wait until it is, except those LSP allows (showMessage, logMessage,
// showMessageRequest, telemetry, progress).
class Dispatcher {
 public:
  explicit Dispatcher(std::shared_ptr<Transport> transport, DispatcherOptions options = {});
  // Cancels what is in flight; later replies go nowhere; waiting call()s end with RequestFailed.
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // One handler a method; registering again replaces. "initialize" must have one. "shutdown" may have one; without, it
  // is answered with null.
  template <typename P, typename R, typename Handler>
  void on_request(const RequestMethod<P, R>& method, Handler handler) {
    on_raw_request(method.name, [handler](const Json& params, ReplyOnce reply) {
      auto read_params = read<P>(params, "params", ErrorCode::invalid_params);
      if (!read_params.ok()) return reply.error(read_params.error());
      handler(std::move(read_params).value(), Reply<R>(std::move(reply)));
    });
  }
  template <typename P, typename Handler>
  void on_notification(const NotificationMethod<P>& method, Handler handler) {
    on_raw_notification(method.name, [handler](const Json& params) -> std::string {
      auto read_params = read<P>(params, "params", ErrorCode::invalid_params);
      if (!read_params.ok()) return read_params.error().message;
      handler(std::move(read_params).value());
      return {};
    });
  }

  // Sends a notification.
  template <typename P>
  void notify(const NotificationMethod<P>& method, const P& params) {
    send_notification(method.name, to_json(params));
  }
  // Sends a request. `done` is called once, with the client's result or error, on the thread of receive(); or with
  // RequestFailed when the connection ends first. A result of another shape arrives as InvalidRequest.
  template <typename P, typename R>
  RequestId call(const RequestMethod<P, R>& method, const P& params, std::function<void(Expected<R>)> done) {
    return send_request(method.name, to_json(params), [done = std::move(done)](Expected<Json> result) {
      if (!result.ok()) return done(result.error());
      done(read<R>(*result, "result", ErrorCode::invalid_request));
    });
  }
  // Asks the client to give up on a request of ours; it still answers.
  void cancel(const RequestId& id);

  // Takes the next bytes from the client and handles every message that they complete.
  void receive(std::string_view bytes);
  // The same in steps: takes them; handles the next message, and returns whether there are more.
  void take(std::string_view bytes);
  bool handle_next();
  // Handles one message's JSON text.
  void receive_message(std::string_view text);

  // 0 or 1 once the client has sent exit.
  std::optional<int> exit_code() const { return exit_code_; }
  // True when nothing more will be read: after exit or after bytes that cannot be cut into messages.
  bool closed() const { return exit_code_.has_value() || (decoder_.failed() && arrived_.empty()); }
  std::size_t requests_in_flight() const;

 private:
  using RequestHandler = std::function<void(const Json& params, ReplyOnce reply)>;
  using NotificationHandler = std::function<std::string(const Json& params)>;  // a problem, or empty
  struct Connection;                                                           // what replies share with the dispatcher

  void on_raw_request(std::string_view method, RequestHandler handler);
  void on_raw_notification(std::string_view method, NotificationHandler handler);
  void send_notification(std::string_view method, Json params);
  RequestId send_request(std::string_view method, Json params, std::function<void(Expected<Json>)> done);

  void handle(Request request);
  void handle(const Notification& notification);
  void handle(Response response);
  std::optional<ResponseError> refusal(const Request& request) const;
  ReplyOnce reply_for(const Request& request);
  void problem(const std::string& text) const;
  void lost(std::string_view method, const Json& params) const;
  void lost_unread(std::string_view text) const;

  DispatcherOptions options_;
  FrameDecoder decoder_;
  std::deque<Frame> arrived_;  // and not handled yet
  std::shared_ptr<Connection> connection_;
  std::unordered_map<std::string, RequestHandler> requests_;
  std::unordered_map<std::string, NotificationHandler> notifications_;
  std::optional<int> exit_code_;
};

}  // namespace cinnabar::lsp
