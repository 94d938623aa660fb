#include "lsp/dispatcher.h"

#include <algorithm>
#include <array>
#include <exception>
#include <mutex>
#include <vector>

namespace cinnabar::lsp {
namespace {

enum class Stage { uninitialized, initializing, running, shut_down };

// What a server may send before it has answered initialize (LSP 3.18, "Initialize Request").
bool allowed_early(std::string_view method) {
  static constexpr std::array kAllowed = {"window/showMessage", "window/logMessage", "window/showMessageRequest",
                                          "telemetry/event", "$/progress"};
  return std::find(kAllowed.begin(), kAllowed.end(), method) != kAllowed.end();
}

std::string method_in(const Json& message) {
  const auto method = message.is_object() ? message.find("method") : message.end();
  return method != message.end() && method->is_string() ? method->get<std::string>() : std::string();
}

}  // namespace

struct Dispatcher::Connection {
  std::shared_ptr<Transport> transport;
  mutable std::mutex mutex;  // guards all below; held while sending, so that messages keep their order
  Stage stage = Stage::uninitialized;
  bool closed = false;
  std::unordered_map<std::string, std::stop_source> in_flight;                   // by to_text(id)
  std::unordered_map<std::string, std::function<void(Expected<Json>)>> waiting;  // our requests, by to_text(id)
  std::vector<Json> held;  // messages of ours until initialize is answered
  std::int64_t next_id = 1;

  // mutex held
  void send(const Json& message) {
    if (!closed) transport->send(encode_frame(write_json(message)));
  }
  void send_or_hold(std::string_view method, Json message) {
    const bool early = stage == Stage::uninitialized || stage == Stage::initializing;
    if (early && !allowed_early(method))
      held.push_back(std::move(message));
    else
      send(message);
  }

  void answer(const RequestId& id, Expected<Json> answer, bool is_initialize) {
    const std::lock_guard lock(mutex);
    in_flight.erase(to_text(id));
    const bool ok = answer.ok();
    send(ok ? make_result(id, std::move(answer).value()) : make_error(id, answer.error()));
    if (!is_initialize || stage != Stage::initializing) return;
    stage = ok ? Stage::running : Stage::uninitialized;
    if (!ok) return;
    for (const auto& message : held) send(message);
    held.clear();
  }

  // The stage at which a notification arrived and, for $/cancelRequest, what it cancels.
  std::pair<Stage, std::optional<std::stop_source>> look_up(const Notification& notification) const {
    const std::lock_guard lock(mutex);
    if (notification.method != "$/cancelRequest" || !notification.params.is_object()) return {stage, std::nullopt};
    const auto member = notification.params.find("id");
    const auto id = member == notification.params.end() ? std::nullopt : read_id(*member);
    const auto found = id ? in_flight.find(to_text(*id)) : in_flight.end();
    return {stage, found == in_flight.end() ? std::nullopt : std::optional(found->second)};
  }

  void refuse(const std::optional<RequestId>& id, ResponseError error) {
    const std::lock_guard lock(mutex);
    send(make_error(id, std::move(error)));
  }
};

Dispatcher::Dispatcher(std::shared_ptr<Transport> transport, DispatcherOptions options)
    : options_(std::move(options)), decoder_(options_.framing), connection_(std::make_shared<Connection>()) {
  connection_->transport = std::move(transport);
}

Dispatcher::~Dispatcher() {
  decltype(connection_->in_flight) cancelled;
  decltype(connection_->waiting) waiting;
  {
    const std::lock_guard lock(connection_->mutex);
    connection_->closed = true;
    cancelled.swap(connection_->in_flight);
    waiting.swap(connection_->waiting);
  }
  for (auto& [id, source] : cancelled) source.request_stop();
  for (auto& [id, done] : waiting) done(ResponseError{ErrorCode::request_failed, "the connection ended"});
}

void Dispatcher::on_raw_request(std::string_view method, RequestHandler handler) {
  requests_.insert_or_assign(std::string(method), std::move(handler));
}

void Dispatcher::on_raw_notification(std::string_view method, NotificationHandler handler) {
  notifications_.insert_or_assign(std::string(method), std::move(handler));
}

void Dispatcher::send_notification(std::string_view method, Json params) {
  const std::lock_guard lock(connection_->mutex);
  connection_->send_or_hold(method, make_notification(method, std::move(params)));
}

RequestId Dispatcher::send_request(std::string_view method, Json params, std::function<void(Expected<Json>)> done) {
  const std::lock_guard lock(connection_->mutex);
  const RequestId id = connection_->next_id++;
  connection_->waiting.emplace(to_text(id), std::move(done));
  connection_->send_or_hold(method, make_request(id, method, std::move(params)));
  return id;
}

void Dispatcher::cancel(const RequestId& id) {
  const std::lock_guard lock(connection_->mutex);
  if (connection_->waiting.contains(to_text(id)))
    connection_->send_or_hold("$/cancelRequest", make_notification("$/cancelRequest", {{"id", to_json(id)}}));
}

std::size_t Dispatcher::requests_in_flight() const {
  const std::lock_guard lock(connection_->mutex);
  return connection_->in_flight.size();
}

void Dispatcher::receive(std::string_view bytes) {
  take(bytes);
  while (handle_next()) continue;
}

void Dispatcher::take(std::string_view bytes) {
  for (auto& frame : decoder_.push(bytes)) arrived_.push_back(std::move(frame));
}

bool Dispatcher::handle_next() {
  if (exit_code_) arrived_.clear();
  if (arrived_.empty()) return false;
  const Frame frame = std::move(arrived_.front());
  arrived_.pop_front();
  if (const auto* error = std::get_if<FramingError>(&frame)) {
    connection_->refuse(std::nullopt, {ErrorCode::invalid_request, error->message});
    lost({}, {});
  } else {
    receive_message(std::get<std::string>(frame));
  }
  return !exit_code_ && !arrived_.empty();
}

void Dispatcher::receive_message(std::string_view text) {
  if (exit_code_) return;
  auto value = parse_json(text, options_.json);
  if (!value.ok()) {
    connection_->refuse(std::nullopt, value.error());
    return lost_unread(text);
  }
  const std::string method = method_in(*value);
  auto classified = classify(std::move(value).value());
  if (auto* bad = std::get_if<MessageProblem>(&classified)) {
    problem(bad->error.message);
    if (bad->wants_answer) connection_->refuse(bad->id, std::move(bad->error));
    if (!method.empty()) lost(method, {});
    return;
  }
  try {
    std::visit([this](auto&& message) { handle(std::forward<decltype(message)>(message)); },
               std::get<Message>(std::move(classified)));
  } catch (const std::exception& error) {  // the request's ReplyOnce has answered while the stack unwound
    problem(std::string("a handler threw: ") + error.what());
  } catch (...) {
    problem("a handler threw something that is no exception");
  }
}

std::optional<ResponseError> Dispatcher::refusal(const Request& request) const {
  const std::lock_guard lock(connection_->mutex);
  const Stage stage = connection_->stage;
  if (stage == Stage::shut_down) return ResponseError{ErrorCode::invalid_request, "the server is shut down"};
  if (request.method == "initialize" && stage != Stage::uninitialized)
    return ResponseError{ErrorCode::invalid_request, "initialize was sent before"};
  if (request.method != "initialize" && stage != Stage::running)
    return ResponseError{ErrorCode::server_not_initialized, "initialize has not been answered yet"};
  if (!requests_.contains(request.method) && request.method != kShutdown.name)
    return ResponseError{ErrorCode::method_not_found, "unknown method " + write_json(request.method.substr(0, 128))};
  if (connection_->in_flight.contains(to_text(request.id)))
    return ResponseError{ErrorCode::invalid_request, "id " + to_text(request.id).substr(0, 128) + " is in use"};
  if (connection_->in_flight.size() >= options_.requests_in_flight)
    return ResponseError{ErrorCode::request_failed, "too many requests are waiting for their answers"};
  return std::nullopt;
}

ReplyOnce Dispatcher::reply_for(const Request& request) {
  const bool is_initialize = request.method == "initialize";
  std::stop_source source;
  {
    const std::lock_guard lock(connection_->mutex);
    if (is_initialize) connection_->stage = Stage::initializing;
    if (request.method == kShutdown.name) connection_->stage = Stage::shut_down;
    connection_->in_flight.emplace(to_text(request.id), source);
  }
  return ReplyOnce(request.id, request.method, source.get_token(),
                   [connection = connection_, is_initialize](const RequestId& id, Expected<Json> answer) {
                     connection->answer(id, std::move(answer), is_initialize);
                   });
}

void Dispatcher::handle(Request request) {
  if (auto error = refusal(request)) return connection_->refuse(request.id, std::move(*error));
  auto reply = reply_for(request);
  const auto handler = requests_.find(request.method);
  if (handler == requests_.end()) return reply.result(nullptr);  // shutdown
  handler->second(request.params, std::move(reply));
}

void Dispatcher::handle(const Notification& notification) {
  const auto [stage, source] = connection_->look_up(notification);
  if (source) std::stop_source(*source).request_stop();  // outside the lock: a stop callback may answer at once
  if (notification.method == "exit") exit_code_ = stage == Stage::shut_down ? 0 : 1;
  if (stage != Stage::running) return;
  const auto handler = notifications_.find(notification.method);
  if (handler == notifications_.end()) return;
  const auto found_problem = handler->second(notification.params);
  if (found_problem.empty()) return;
  problem(notification.method + " dropped: " + found_problem);
  lost(notification.method, notification.params);
}

void Dispatcher::handle(Response response) {
  std::function<void(Expected<Json>)> done;
  if (response.id) {
    const std::lock_guard lock(connection_->mutex);
    if (auto entry = connection_->waiting.extract(to_text(*response.id))) done = std::move(entry.mapped());
  }
  if (!done) return problem("an answer to no request of ours arrived");
  done(std::move(response.result));
}

void Dispatcher::lost(std::string_view method, const Json& params) const {
  if (options_.on_lost) options_.on_lost(method, params);
}

// Of a text that is no JSON: read with its foreign bytes replaced, it may still say what it was.
void Dispatcher::lost_unread(std::string_view text) const {
  std::string plain(text);
  for (char& byte : plain)
    if (static_cast<unsigned char>(byte) >= 0x80) byte = '?';
  auto value = parse_json(plain, options_.json);
  const bool is_request = value.ok() && value->is_object() && value->contains("id");
  if (is_request) return;
  const std::string method = value.ok() ? method_in(*value) : std::string();
  lost(method, !method.empty() && value->contains("params") ? (*value)["params"] : Json());
}

void Dispatcher::problem(const std::string& text) const {
  if (options_.on_problem) options_.on_problem(text);
}

}  // namespace cinnabar::lsp
