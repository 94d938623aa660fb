// An editor in this process that writes a script's file key by key through a whole session, with LSP messages, and says
// what it would show at the script's places.
//
// What is asked and answered is the same in every run: a key is sent as soon as the one before has been taken, and where a
// person would have seen an answer, because the next key comes late, it is waited for. Before a place all work under way
// is awaited, so that the time from its key to the answer is that of a warm prompt.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/commands/evaluation/typing_script.h"
#include "daemon/server/server.h"
#include "engine/engine.h"

namespace cinnabar::daemon::evaluation {

// What stood in the editor at a place.
struct PlaceAnswer {
  std::string id;
  std::optional<std::string> shown;       // the item's text; nothing: there was none
  std::size_t covered = 0, replaced = 0;  // bytes before and behind the cursor that the item's range covers
  double milliseconds = 0;                // from the key to the reply
  std::string raw;  // what the model said, before anything was cut or withheld; empty: it was not asked
  std::vector<engine::InfillToken> path;  // its tokens
};

class Typist {
 public:
  // Opens the model. Fails with the reason that the daemon gives. The server's observer is replaced, and a deadline that
  // its options do not name.
  static Result<std::unique_ptr<Typist>> start(ServerOptions server);
  ~Typist();

  // Types the whole script up to its last place; `take` gets each place's answer and fails to stop.
  Status type(const TypingScript& script, const std::function<Status(PlaceAnswer)>& take);

 private:
  class Inbox;
  class Observed;

  explicit Typist(ServerOptions server);
  Status await_model();
  void settle();
  void notify(const std::string& method, const lsp::Json& params);
  int request(const std::string& method, const lsp::Json& params);
  int ask(const TypedDocument& document, lsp::Position cursor);
  lsp::Json reply(int id);
  Status send_key(TypedDocument& document, const TypedKey& key);
  PlaceAnswer answer_at(const TypedDocument& document, lsp::Position cursor);

  std::shared_ptr<Observed> observed_;  // outlives the host
  std::unique_ptr<Host> host_;
  std::shared_ptr<Inbox> inbox_;
  std::unique_ptr<Connection> connection_;
  int last_id_ = 0;
};

}  // namespace cinnabar::daemon::evaluation
