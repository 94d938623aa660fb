// A whole server side under arbitrary message texts, one a line: nothing may crash or throw, each request that was
// accepted is answered exactly once, and what we write must read back as a message of ours.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "lsp/code_action.h"
#include "lsp/dispatcher.h"
#include "lsp/inline_completion.h"
#include "lsp/lifecycle.h"
#include "lsp/text_document.h"
#include "lsp/workspace.h"

using namespace cinnabar::lsp;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

class Checker final : public Transport {
 public:
  void send(std::string_view bytes) override {
    for (const auto& frame : decoder_.push(bytes)) {
      auto value = parse_json(std::get<std::string>(frame), {.depth = 256});
      require(value.ok());
      require(std::holds_alternative<Message>(classify(std::move(*value))));
      ++sent;
    }
  }
  std::size_t sent = 0;

 private:
  FrameDecoder decoder_;
};

void register_handlers(Dispatcher& server, std::vector<Reply<InlineCompletionList>>& waiting) {
  server.on_request(kInitialize, [](InitializeParams params, Reply<InitializeResult> reply) {
    InitializeResult result;
    result.capabilities.position_encoding = choose_position_encoding(params.capabilities);
    reply.result(result);
  });
  server.on_request(kInlineCompletion, [&](InlineCompletionParams, Reply<InlineCompletionList> reply) {
    waiting.push_back(std::move(reply));
  });
  server.on_request(kCodeAction, [](CodeActionParams, Reply<std::vector<CodeAction>> reply) { reply.result({}); });
  server.on_request(kResolveCodeAction, [](CodeAction action, Reply<CodeAction> reply) { reply.result(action); });
  server.on_request(kExecuteCommand, [](ExecuteCommandParams params, Reply<Json> reply) {
    if (params.command == "throw") throw 1;
    reply.result(params.arguments);
  });
  server.on_notification(kDidOpen, [](DidOpenParams) {});
  server.on_notification(kDidChange, [](DidChangeParams) {});
  server.on_notification(kDidFocus, [](DidFocusParams) {});
  server.on_notification(kDidPartiallyAccept, [](DidPartiallyAcceptParams) {});
  server.on_notification(kDidChangeWorkspaceFolders, [](DidChangeWorkspaceFoldersParams) {});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto out = std::make_shared<Checker>();
  std::vector<Reply<InlineCompletionList>> waiting;
  {
    Dispatcher server(out);
    register_handlers(server, waiting);
    std::string_view text(reinterpret_cast<const char*>(data), size);
    if (!text.empty() && text[0] == '+') {  // half of the inputs need not find out how to initialize
      server.receive_message(R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"capabilities":{}}})");
      text.remove_prefix(1);
    }
    while (!text.empty()) {
      const auto line = text.substr(0, text.find('\n'));
      server.receive_message(line);
      text.remove_prefix(std::min(line.size() + 1, text.size()));
    }
    require(server.requests_in_flight() == waiting.size());
    const auto before = out->sent;
    const auto owed = waiting.size();
    waiting.clear();
    require(out->sent == before + owed);
  }
  return 0;
}
