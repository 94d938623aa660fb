// A language server without a model, for the protocol scripts: documents and protocol are the real ones, completions
// are what can be told from the text alone.
//
//   textDocument/inlineCompletion   one item: the line's text before the cursor + "<echo>", replacing that text; in a
//                                   document of language "slow" nothing until it is cancelled, in one of language
//                                   "later" after 100 ms and from another thread
//   workspace/executeCommand        echo.document [uri]: {text, version} or null;  echo.throw;  echo.forget
//
// The ways in are the program's own: `lsp --in-process`, `lsp --socket PATH` (the proxy), `daemon --socket PATH`. `place`
// prints where the user's own socket is.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/system.h"
#include "daemon/proxy/proxy.h"
#include "daemon/transport/connection.h"
#include "daemon/transport/serve.h"
#include "daemon/transport/token.h"
#include "daemon/workspace/documents/store.h"
#include "lsp/dispatcher.h"
#include "lsp/inline_completion.h"
#include "lsp/lifecycle.h"
#include "lsp/text_document.h"
#include "lsp/window.h"

namespace cinnabar {
namespace {

class EchoSession final : public daemon::Connection {
 public:
  explicit EchoSession(std::shared_ptr<lsp::Transport> out) : dispatcher_(std::move(out), options()) {
    dispatcher_.on_request(lsp::kInitialize, [this](const lsp::InitializeParams& params, auto reply) {
      editor_process_ = params.process_id;
      lsp::InitializeResult result;
      result.capabilities.position_encoding = lsp::choose_position_encoding(params.capabilities);
      result.capabilities.commands = {"echo.document", "echo.throw", "echo.forget"};
      result.server = {"echo", ""};
      documents_ = daemon::DocumentStore(result.capabilities.position_encoding);
      reply.result(result);
    });
    dispatcher_.on_request(lsp::kInlineCompletion, [this](const lsp::InlineCompletionParams& params, auto reply) {
      complete(params, std::move(reply));
    });
    dispatcher_.on_request(lsp::kExecuteCommand, [this](const lsp::ExecuteCommandParams& params, auto reply) {
      execute(params, std::move(reply));
    });
    dispatcher_.on_notification(
        lsp::kDidOpen, [this](const lsp::DidOpenParams& p) { tell(documents_.open(p.text_document).status()); });
    dispatcher_.on_notification(lsp::kDidChange,
                                [this](const lsp::DidChangeParams& p) { tell(documents_.change(p).status()); });
    dispatcher_.on_notification(lsp::kDidClose,
                                [this](const lsp::DidCloseParams& p) { tell(documents_.close(p.text_document.uri)); });
    dispatcher_.on_notification(lsp::kDidPartiallyAccept, [this](const lsp::DidPartiallyAcceptParams& p) {
      log("accepted " + std::to_string(p.accepted_length) + " of " + p.item.insert_text);
    });
  }

  void receive(std::string_view bytes) override {
    dispatcher_.receive(bytes);
    std::erase_if(slow_, [](const auto& reply) { return reply.cancelled().stop_requested(); });
  }
  bool closed() const override { return dispatcher_.closed(); }
  std::optional<int> exit_code() const override { return dispatcher_.exit_code(); }
  std::size_t requests_in_flight() const override { return dispatcher_.requests_in_flight(); }
  std::optional<std::int32_t> editor_process() const override { return editor_process_; }

 private:
  using ItemsReply = lsp::Reply<lsp::InlineCompletionList>;

  lsp::DispatcherOptions options() {
    return {.on_problem = [this](const std::string& text) { log(text); }};
  }

  void log(const std::string& text) { dispatcher_.notify(lsp::kLogMessage, {lsp::MessageType::warning, text}); }

  void tell(const Status& status) {
    if (!status.ok()) log(status.message());
  }

  void complete(const lsp::InlineCompletionParams& params, ItemsReply reply) {
    const auto document = documents_.find(params.text_document.uri);
    if (!document) return reply.result({});
    if (document->language_id() == "slow") return slow_.push_back(std::move(reply));
    const auto encoding = documents_.encoding();
    const auto cursor = document->byte_offset(params.position, encoding);
    const auto begin = document->lines().line_begin(document->lines().line_of(cursor));
    lsp::InlineCompletionItem item;
    item.insert_text = document->text().substr(begin, cursor - begin) + "<echo>";
    item.range = {document->position(begin, encoding), document->position(cursor, encoding)};
    if (document->language_id() != "later") return reply.result({{std::move(item)}});
    std::thread([item = std::move(item), reply = std::move(reply)]() mutable {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      reply.result({{std::move(item)}});
    }).detach();
  }

  void execute(const lsp::ExecuteCommandParams& params, lsp::Reply<lsp::Json> reply) {
    if (params.command == "echo.forget") return;
    if (params.command == "echo.throw") throw std::runtime_error("thrown on request");
    if (params.command != "echo.document" || params.arguments.size() != 1 || !params.arguments[0].is_string())
      return reply.error(lsp::ErrorCode::invalid_params, "params.command: unknown, or with other arguments");
    const auto document = documents_.find(params.arguments[0].get<std::string>());
    if (!document) return reply.result(nullptr);
    reply.result({{"text", document->text()}, {"version", document->version()}});
  }

  lsp::Dispatcher dispatcher_;
  daemon::DocumentStore documents_{lsp::PositionEncoding::utf16};
  std::vector<ItemsReply> slow_;
  std::optional<std::int32_t> editor_process_;
};

class EchoHost final : public daemon::Host {
 public:
  std::unique_ptr<daemon::Connection> connect(std::shared_ptr<lsp::Transport> out) override {
    return std::make_unique<EchoSession>(std::move(out));
  }
};

// "--name value" pairs; a name alone has an empty value.
std::map<std::string, std::string> options_in(const std::vector<std::string>& arguments) {
  std::map<std::string, std::string> options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool has_value = i + 1 < arguments.size() && !arguments[i + 1].starts_with("--");
    options[arguments[i]] = has_value ? arguments[i + 1] : "";
    i += has_value;
  }
  return options;
}

int failed(const std::string& message) {
  std::fprintf(stderr, "echo_server: %s\n", message.c_str());
  return 1;
}

int run_daemon(daemon::ServeOptions options) {
  auto listeners = daemon::open_listeners(options);
  if (!listeners) return failed(listeners.message());
  if (!*listeners) return 0;
  EchoHost host;
  const Status served = daemon::serve(host, std::move(**listeners), options);
  return served.ok() ? 0 : failed(served.message());
}

int print_place() {
  std::string notice;
  const auto path = daemon::socket_path("", &notice);
  if (!notice.empty()) std::fprintf(stderr, "%s\n", notice.c_str());
  if (!path) return failed(path.message());
  std::printf("%s\n", path->c_str());
  return 0;
}

int run(const std::string& program, std::vector<std::string> arguments) {
  if (arguments.empty()) return failed("expected lsp or daemon");
  const std::string mode = arguments[0];
  arguments.erase(arguments.begin());
  auto named = options_in(arguments);
  daemon::ServeOptions serving;
  serving.socket = named["--socket"];
  serving.token_file = named["--token-file"];
  if (named.contains("--version")) serving.version = named["--version"];
  if (named.contains("--clients")) serving.clients = static_cast<std::size_t>(std::stoi(named["--clients"]));
  if (named.contains("--idle-exit")) serving.idle_exit = std::chrono::seconds(std::stoi(named["--idle-exit"]));
  if (named.contains("--tcp")) serving.tcp_port = static_cast<std::uint16_t>(std::stoi(named["--tcp"]));
  serving.log = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
  if (mode == "daemon") return run_daemon(serving);
  if (mode == "place") return print_place();
  if (named.contains("--in-process")) {
    EchoHost host;
    serving.log = nullptr;
    const auto status = daemon::serve_stdio(host, serving);
    return status ? *status : failed(status.message());
  }
  daemon::ProxyOptions proxy;
  proxy.finder.socket = serving.socket;
  proxy.finder.version = serving.version;
  proxy.finder.command = {program, "daemon", "--socket", serving.socket, "--version", serving.version};
  proxy.finder.tcp_port = serving.tcp_port;
  proxy.finder.token_file = daemon::token_file_of(serving.token_file, serving.socket);
  return daemon::run_proxy(std::move(proxy));
}

}  // namespace
}  // namespace cinnabar

int main(int count, char** values) {
  cinnabar::keep_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);
  return cinnabar::run(cinnabar::own_program(), std::vector<std::string>(values + 1, values + count));
}
