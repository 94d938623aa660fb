// A language server without a model, for the protocol scripts: documents and protocol are the real ones, completions
// are what can be told from the text alone.
//
//   textDocument/inlineCompletion   one item: the line's text before the cursor + "<echo>", replacing that text; in a
//                                   document of language "slow" nothing until it is cancelled
//   workspace/executeCommand        echo.document [uri]: {text, version} or null;  echo.throw;  echo.forget
#include <unistd.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/documents/store.h"
#include "lsp/dispatcher.h"
#include "lsp/inline_completion.h"
#include "lsp/lifecycle.h"
#include "lsp/text_document.h"
#include "lsp/window.h"

namespace cinnabar {
namespace {

class StdoutTransport final : public lsp::Transport {
 public:
  void send(std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto written = write(STDOUT_FILENO, bytes.data(), bytes.size());
      if (written <= 0) return;  // the client is gone; reading will tell
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }
};

class EchoServer {
 public:
  EchoServer() : dispatcher_(std::make_shared<StdoutTransport>(), options()) {
    dispatcher_.on_request(lsp::kInitialize, [this](const lsp::InitializeParams& params, auto reply) {
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

  // Returns the exit code.
  int run() {
    char bytes[4096];
    while (!dispatcher_.closed()) {
      const auto count = read(STDIN_FILENO, bytes, sizeof bytes);
      if (count <= 0) break;
      dispatcher_.receive({bytes, static_cast<std::size_t>(count)});
      std::erase_if(slow_, [](const auto& reply) { return reply.cancelled().stop_requested(); });
    }
    slow_.clear();
    return dispatcher_.exit_code().value_or(1);
  }

 private:
  using ItemsReply = lsp::Reply<lsp::InlineCompletionList>;

  lsp::DispatcherOptions options() {
    return {.on_problem = [this](const std::string& text) { log(text); }};
  }

  void log(const std::string& text) { dispatcher_.notify(lsp::kLogMessage, {lsp::MessageType::kWarning, text}); }

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
    reply.result({{std::move(item)}});
  }

  void execute(const lsp::ExecuteCommandParams& params, lsp::Reply<lsp::Json> reply) {
    if (params.command == "echo.forget") return;
    if (params.command == "echo.throw") throw std::runtime_error("thrown on request");
    if (params.command != "echo.document" || params.arguments.size() != 1 || !params.arguments[0].is_string())
      return reply.error(lsp::ErrorCode::kInvalidParams, "params.command: unknown, or with other arguments");
    const auto document = documents_.find(params.arguments[0].get<std::string>());
    if (!document) return reply.result(nullptr);
    reply.result({{"text", document->text()}, {"version", document->version()}});
  }

  lsp::Dispatcher dispatcher_;
  daemon::DocumentStore documents_{lsp::PositionEncoding::kUtf16};
  std::vector<ItemsReply> slow_;
};

}  // namespace
}  // namespace cinnabar

int main() { return cinnabar::EchoServer().run(); }
