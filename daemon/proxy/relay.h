// What a proxy does with each message between one editor and a daemon that may die: pass it on, and remember enough to
// make a new daemon know what the old one knew.
//
// Kept: initialize (with later changes of the workspace folders), the open documents with their present text, open
// notebooks, and the last of each notification that sets something. When the daemon is lost, every request it owed an
// answer gets an empty one at once and progress it had begun is ended; while it is away, requests get empty answers.
// With the next daemon the relay initializes by itself, opens the documents, and the editor sees one unbroken session.
// The daemon's requests to the editor get ids of ours, so that a late answer to a lost daemon's request is not taken
// for an answer to the next one's.
//
// Pure: message bodies in, message bodies out, no descriptors. One thread. Memory: the documents, within the limits of
// documents/store.h, and a few messages.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "daemon/workspace/documents/store.h"
#include "lsp/message.h"

namespace cinnabar::daemon {

class Relay {
 public:
  // Bodies to send, in order.
  struct Out {
    std::vector<std::string> to_daemon;
    std::vector<std::string> to_editor;
  };

  Out from_editor(std::string body);
  Out from_daemon(std::string body);
  // A daemon listens (again). The first call counts as the beginning.
  Out daemon_found();
  Out daemon_lost();
  // Something about the daemon that was found: shown once, and not before the editor may be told anything.
  Out note(const std::string& what);
  // No daemon can be had: `why` is the answer to initialize, or shown once when that was answered before.
  Out daemon_unavailable(const std::string& why);

  // 0 or 1 once the editor has sent exit.
  std::optional<int> exit_code() const { return exit_code_; }
  // False after shutdown: no daemon is needed any more.
  bool wants_daemon() const { return stage_ != Stage::shut_down; }
  // The editor's initialize has come and has no answer yet.
  bool waits_for_initialize() const { return stage_ == Stage::initializing; }
  // Requests other than initialize that this daemon has answered.
  int answered() const { return answered_; }
  // A sentence when a new daemon cannot stand in for the old one; the proxy should then end.
  const std::string& failure() const { return failure_; }
  // The editor's process from initialize.
  std::optional<std::int32_t> editor_process() const { return editor_process_; }

 private:
  enum class Stage { fresh, initializing, running, shut_down };
  enum class Link { none, initializing, up };  // to the daemon; kInitializing: ours is not answered yet
  struct Owed {
    lsp::RequestId id;
    std::string method;
  };

  Out editor_request(lsp::Request request, std::string body);
  Out editor_notification(const lsp::Notification& notification, std::string body);
  Out editor_response(lsp::Response response);
  Out daemon_request(lsp::Request request);
  Out daemon_response(const lsp::Response& response, std::string body);
  Out daemon_notification(const lsp::Notification& notification, std::string body);

  bool passes() const { return link_ == Link::up; }
  std::string answer_in_gap(const lsp::Request& request) const;
  void remember_initialize(const lsp::Request& request);
  void remember_editor(const lsp::Json& initialize_params);
  void initialized(const lsp::Json& result);
  void remember(const lsp::Notification& notification, const std::string& body);
  void remember_folders(const lsp::Json& params);
  void remember_notebook(const lsp::Notification& notification, const std::string& body);
  void remember_registrations(const lsp::Request& request);
  bool registered_already(const lsp::Request& request) const;
  void track_progress(const lsp::Json& params);
  void reopen(const lsp::Json& result, Out& out);
  void show_note(Out& out);

  Stage stage_ = Stage::fresh;
  Link link_ = Link::none;
  std::optional<std::string> unavailable_;
  std::string note_;        // to be shown
  std::string note_shown_;  // the last one
  std::optional<int> exit_code_;
  std::string failure_;
  int answered_ = 0;
  std::optional<std::int32_t> editor_process_;

  std::optional<lsp::RequestId> initialize_id_;
  lsp::Json initialize_params_;
  bool initialized_sent_ = false;
  DocumentStore documents_{lsp::PositionEncoding::utf16};
  std::map<std::string, std::vector<std::string>> notebooks_;  // by uri: didOpen and what followed, as they were sent
  std::size_t notebook_bytes_ = 0;
  std::map<std::string, std::string> settings_;  // by method: the last body

  std::unordered_multimap<std::string, Owed> owed_;         // by to_text(id): the daemon owes these answers
  std::unordered_map<std::int64_t, lsp::RequestId> asked_;  // our id -> the daemon's, of its requests
  std::int64_t last_asked_ = 0;
  std::unordered_set<std::string> registrations_;
  std::map<std::string, lsp::Json> progress_;  // tokens begun by the daemon, by their text
};

}  // namespace cinnabar::daemon
