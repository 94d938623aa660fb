#include "daemon/commands/evaluation/typist.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include "lsp/framing.h"
#include "lsp/json.h"
#include "lsp/transport.h"

namespace cinnabar::daemon::evaluation {
namespace {

using lsp::Json;
using Clock = std::chrono::steady_clock;

constexpr int kPause = 250;         // milliseconds; before a key that comes later, what was asked for is shown
constexpr int kDeadline = 120'000;  // of a request: a slow machine shall give the same answers
constexpr std::chrono::milliseconds kPoll{5};

Json position_json(lsp::Position position) { return {{"line", position.line}, {"character", position.character}}; }

Json change_json(const lsp::DidChangeParams& change) {
  Json changes = Json::array();
  for (const auto& one : change.changes) {
    changes.push_back({{"range", {{"start", position_json(one.range->start)}, {"end", position_json(one.range->end)}}},
                       {"text", one.text}});
  }
  return {{"textDocument", {{"uri", change.text_document.uri}, {"version", *change.text_document.version}}},
          {"contentChanges", std::move(changes)}};
}

}  // namespace

// Keeps replies until they are asked for; answers nothing, as an editor without the optional features.
class Typist::Inbox final : public lsp::Transport {
 public:
  void send(std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    for (auto& frame : decoder_.push(bytes)) {
      const auto* text = std::get_if<std::string>(&frame);
      Json message = text == nullptr ? Json() : Json::parse(*text, nullptr, false);
      if (!message.is_object() || message.contains("method") || !message.contains("id")) continue;
      const Json id = message["id"];
      if (id.is_number_integer()) replies_[id.get<int>()] = std::move(message);
    }
    changed_.notify_all();
  }
  Json take(int id) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return replies_.contains(id); });
    Json message = std::move(replies_[id]);
    replies_.erase(id);
    return message;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  lsp::FrameDecoder decoder_;
  std::unordered_map<int, Json> replies_;
};

// What the model was asked and said lately; from its thread.
class Typist::Observed {
 public:
  void add(const Recording& recording) {
    const std::lock_guard lock(mutex_);
    last_.push_front(recording);
    if (last_.size() > kKept) last_.pop_back();
  }
  // The model's own first answer there; a repair's is not.
  std::optional<engine::InfillAnswer> at(const CursorText& around) {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(last_.begin(), last_.end(), [&](const Recording& one) {
      return one.resume.empty() && !one.answers.empty() && one.before == around.before && one.behind == around.behind;
    });
    if (found == last_.end()) return std::nullopt;
    return found->answers.front();
  }

 private:
  static constexpr std::size_t kKept = 16;
  std::mutex mutex_;
  std::deque<Recording> last_;  // newest first
};

Typist::Typist(ServerOptions server) : observed_(std::make_shared<Observed>()), inbox_(std::make_shared<Inbox>()) {
  if (server.options.request.deadline_ms == 0) server.options.request.deadline_ms = kDeadline;
  server.observer = [observed = observed_](const Recording& recording) { observed->add(recording); };
  host_ = make_server(std::move(server));
  connection_ = host_->connect(inbox_);
  reply(request("initialize", {{"capabilities", Json::object()}}));
  notify("initialized", Json::object());
}

Typist::~Typist() = default;

Result<std::unique_ptr<Typist>> Typist::start(ServerOptions server) {
  std::unique_ptr<Typist> typist(new Typist(std::move(server)));
  if (Status ready = typist->await_model(); !ready) return ready;
  return typist;
}

Status Typist::await_model() {
  for (;;) {
    const Json model = reply(request("cinnabar/status", nullptr))["result"]["model"];
    const std::string state = model.value("state", "");
    if (state == "ready") return {};
    if (state == "failed") return Status::error(model.value("description", "the model cannot be loaded"));
    std::this_thread::sleep_for(kPoll);
  }
}

// Returns when the model has nothing left to do: prompts are read, and what is prefetched is there.
void Typist::settle() {
  for (;;) {
    const Json queue = reply(request("cinnabar/status", nullptr))["result"]["queue"];
    if (queue.value("waiting", 0) == 0 && queue.value("running", 0) == 0) return;
    std::this_thread::sleep_for(kPoll);
  }
}

void Typist::notify(const std::string& method, const Json& params) {
  const Json message = {{"jsonrpc", "2.0"}, {"method", method}, {"params", params}};
  connection_->receive(lsp::encode_frame(lsp::write_json(message)));
  while (connection_->turn()) continue;
}

int Typist::request(const std::string& method, const Json& params) {
  const Json message = {{"jsonrpc", "2.0"}, {"id", ++last_id_}, {"method", method}, {"params", params}};
  connection_->receive(lsp::encode_frame(lsp::write_json(message)));
  while (connection_->turn()) continue;
  return last_id_;
}

int Typist::ask(const TypedDocument& document, lsp::Position cursor) {
  constexpr int kAutomatic = 2;
  return request("textDocument/inlineCompletion", {{"textDocument", {{"uri", document.uri()}}},
                                                   {"position", position_json(cursor)},
                                                   {"context", {{"triggerKind", kAutomatic}}}});
}

Json Typist::reply(int id) { return inbox_->take(id); }

Status Typist::send_key(TypedDocument& document, const TypedKey& key) {
  if (key.only_moves()) return {};
  auto change = document.apply(key);
  if (!change) return change.status();
  notify("textDocument/didChange", change_json(*change));
  return {};
}

// What the editor would show now that its request has come back.
PlaceAnswer Typist::answer_at(const TypedDocument& document, lsp::Position cursor) {
  PlaceAnswer answer;
  const auto start = Clock::now();
  const Json message = reply(ask(document, cursor));
  answer.milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  const CursorText around = document.around(cursor);
  const Json items = message.value("result", Json::object()).value("items", Json::array());
  if (!items.empty()) {
    const Json& item = items.front();
    answer.shown = item.at("insertText").get<std::string>();
    const Json& range = item.at("range");
    const auto offset = [&](const char* end) {
      const Json& at = range.at(end);
      return document.snapshot()->byte_offset(
          {at.at("line").get<std::uint32_t>(), at.at("character").get<std::uint32_t>()}, TypedDocument::kEncoding);
    };
    answer.covered = around.before.size() - std::min(offset("start"), around.before.size());
    answer.replaced = std::max(offset("end"), around.before.size()) - around.before.size();
  }
  if (auto said = observed_->at(around)) {
    answer.raw = std::move(said->text);
    answer.path = std::move(said->path);
  }
  return answer;
}

Status Typist::type(const TypingScript& script, const std::function<Status(PlaceAnswer)>& take) {
  TypedDocument document(script);
  const Json opened = {{"uri", document.uri()}, {"languageId", script.language}, {"version", 1}, {"text", script.text}};
  notify("textDocument/didOpen", {{"textDocument", opened}});
  std::optional<int> asked;
  auto place = script.places.begin();
  for (std::size_t at = 0; at < script.keys.size() && place != script.places.end(); ++at) {
    const TypedKey& key = script.keys[at];
    const bool late = key.milliseconds >= kPause, judged = place->key == at;
    if (asked && late) reply(*asked);
    asked.reset();
    if (judged) settle();
    if (Status sent = send_key(document, key); !sent) return sent;
    if (judged) {
      PlaceAnswer answer = answer_at(document, key.cursor);
      answer.id = place->id;
      if (Status taken = take(std::move(answer)); !taken) return taken;
      ++place;
      continue;
    }
    // Settling must not complete what the place's key overtakes.
    const bool overtaken = place->key == at + 1 && script.keys[at + 1].milliseconds < kPause;
    if (key.milliseconds > 0 && !overtaken) asked = ask(document, key.cursor);
  }
  notify("textDocument/didClose", {{"textDocument", {{"uri", document.uri()}}}});
  return {};
}

}  // namespace cinnabar::daemon::evaluation
