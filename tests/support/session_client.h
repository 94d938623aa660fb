// A client and a server in one process, with a fake model behind it.
#pragma once

#include <catch2/catch.hpp>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "daemon/server/server.h"
#include "lsp/framing.h"
#include "lsp/json.h"
#include "tests/support/fake_infiller.h"

namespace cinnabar::tests {

using daemon::Connection;
using daemon::Host;
using lsp::Json;
using std::chrono::milliseconds;
using Texts = std::vector<std::string>;

// Collects what the server sends, on whatever thread.
class Inbox final : public lsp::Transport {
 public:
  void send(std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    for (auto& frame : decoder_.push(bytes)) messages_.push_back(Json::parse(std::get<std::string>(frame)));
    changed_.notify_all();
  }
  // The first message that fits, taken out; null after twenty seconds.
  Json take(const std::function<bool(const Json&)>& fits, milliseconds limit = milliseconds(20000)) {
    std::unique_lock lock(mutex_);
    Json found;
    changed_.wait_for(lock, limit, [&] {
      const auto it = std::find_if(messages_.begin(), messages_.end(), fits);
      if (it == messages_.end()) return false;
      found = *it;
      messages_.erase(it);
      return true;
    });
    return found;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  lsp::FrameDecoder decoder_;
  std::deque<Json> messages_;
};

class Client {
 public:
  Client(Host& host, Json options = nullptr, const Json& capabilities = Json::object(), const Json& folders = nullptr)
      : connection_(host.connect(inbox_)) {
    Json params = {{"capabilities", capabilities}, {"initializationOptions", std::move(options)}};
    if (!folders.is_null()) params["workspaceFolders"] = folders;
    request("initialize", params);
    initialized_ = reply(last_id_);
    notify("initialized", Json::object());
  }
  int request(const std::string& method, const Json& params) {
    send({{"id", ++last_id_}, {"method", method}, {"params", params}});
    return last_id_;
  }
  // As it is, JSON or not.
  void send_body(const std::string& body) {
    connection_->receive(lsp::encode_frame(body));
    while (connection_->turn()) continue;
  }
  void notify(const std::string& method, const Json& params) { send({{"method", method}, {"params", params}}); }
  Json reply(int id, milliseconds limit = milliseconds(20000)) {
    return inbox_->take([id](const Json& m) { return m.value("id", Json()) == id && !m.contains("method"); }, limit);
  }
  // The next request or notification of the server's of that name.
  Json incoming(const std::string& method, milliseconds limit = milliseconds(20000)) {
    return inbox_->take([&](const Json& m) { return m.value("method", "") == method; }, limit);
  }
  void answer(const Json& request, const Json& result) { send({{"id", request.at("id")}, {"result", result}}); }

  void open(const std::string& uri, const std::string& text, const std::string& language = "python") {
    notify("textDocument/didOpen",
           {{"textDocument", {{"uri", uri}, {"languageId", language}, {"version", 1}, {"text", text}}}});
  }
  // Types at the end of a document of one line.
  void type(const std::string& uri, int column, const std::string& text, int replaced = 0) {
    const Json range = {{"start", {{"line", 0}, {"character", column}}},
                        {"end", {{"line", 0}, {"character", column + replaced}}}};
    notify("textDocument/didChange", {{"textDocument", {{"uri", uri}, {"version", ++version_}}},
                                      {"contentChanges", Json::array({{{"range", range}, {"text", text}}})}});
  }
  int ask(const std::string& uri, int column, int trigger = 2, const Json& more = Json::object()) {
    Json params = {{"textDocument", {{"uri", uri}}},
                   {"position", {{"line", 0}, {"character", column}}},
                   {"context", {{"triggerKind", trigger}}}};
    params.merge_patch(more);
    return request("textDocument/inlineCompletion", params);
  }
  // For the pop-up menu.
  int ask_menu(const std::string& uri, int column, int trigger = 1) {
    return request("textDocument/completion", {{"textDocument", {{"uri", uri}}},
                                               {"position", {{"line", 0}, {"character", column}}},
                                               {"context", {{"triggerKind", trigger}}}});
  }
  Json menu(int id) { return reply(id).at("result").at("items"); }
  // The next status of that kind.
  Json status_of_kind(const std::string& kind) {
    return inbox_->take(
        [&](const Json& m) { return m.value("method", "") == "didChangeStatus" && m.at("params").at("kind") == kind; });
  }
  Texts texts(int id) {
    const Json message = reply(id);
    Texts out;
    for (const auto& item : message.at("result").at("items")) out.push_back(item.at("insertText"));
    return out;
  }
  Json count(const std::string& name) { return status().at("counts").at(name); }
  Json status() { return reply(request("cinnabar/status", nullptr)).at("result"); }
  // Waits until the model has nothing to do.
  void wait_for_rest() {
    const auto busy = [this] {
      const Json queue = status().at("queue");
      return queue.at("waiting") != 0 || queue.at("running") != 0;
    };
    for (int i = 0; i < 4000 && busy(); ++i) std::this_thread::sleep_for(milliseconds(2));
  }
  const Json& initialized() const { return initialized_; }
  Connection& connection() { return *connection_; }

 private:
  void send(Json message) {
    message["jsonrpc"] = "2.0";
    send_body(message.dump());
  }
  std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  std::unique_ptr<Connection> connection_;
  int last_id_ = 0, version_ = 1;
  Json initialized_;
};

inline const std::string kUri = "file:///w/a.py";

struct Fixture {
  FakeModel model;
  std::unique_ptr<Host> host;
  explicit Fixture(bool load_at_start = false) {
    daemon::ServerOptions options;
    options.options.editor.prefetch = false;  // where it is not what is tested
    options.open_model = [this](const engine::EngineOptions& engine) {
      opened_paths.push_back(engine.model);
      return model.open();
    };
    options.load_at_start = load_at_start;
    host = daemon::make_server(std::move(options));
  }
  std::vector<std::string> opened_paths;
};

}  // namespace cinnabar::tests
