// Finds the user's daemon, or starts one: in small steps that never block, so that a proxy can listen to its editor
// meanwhile.
//
// Of many proxies that find nobody, the one that gets PATH.start starts a daemon; the others wait for it. A daemon that
// is older than this program, or whose program's file has been replaced since, is asked to give up its place; one that
// is newer is taken as it is, so two versions never fight over the place. One that was stopped (SIGSTOP) is ended and
// replaced. No search lasts longer than its limit, whatever is in the way.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "daemon/transport/handshake.h"
#include "daemon/transport/socket.h"
#include "daemon/version.h"

namespace cinnabar::daemon {

struct FinderOptions {
  std::string socket;                // as socket_path gives it
  std::vector<std::string> command;  // what starts a daemon at `socket`; empty: none is started
  std::string version = std::string(kVersion);
  std::uint16_t tcp_port = 0;                      // talk to 127.0.0.1 instead of the socket; nothing is started
  std::string token_file;                          // of TCP; read anew in each search
  bool looks = false;                              // only asks how the daemon is: its log passes over that
  std::chrono::milliseconds answer_limit{6'000};   // for each line of a daemon's greeting
  std::chrono::milliseconds start_limit{10'000};   // from starting one until it listens
  std::chrono::milliseconds search_limit{12'000};  // in all
  std::chrono::milliseconds leaving_limit{3'000};  // for a daemon that was asked to give up its place
};

class Finder {
 public:
  explicit Finder(FinderOptions options) : options_(std::move(options)) {}
  Finder(const Finder&) = delete;
  Finder& operator=(const Finder&) = delete;

  struct Searching {};
  // A connected, non-blocking socket whose greeting is over; still searching: call again in some 20 ms; or what cannot
  // be had: what was tried, what was found, and where the daemon's log is. After an error the next step begins anew.
  std::variant<Searching, Descriptor, Status> step();

  // What the user should know of the daemon that was found last, a sentence without its end: it is older than this program
  // and has not gone. Empty: nothing.
  const std::string& notice() const { return notice_; }

  // Takes notice of a started daemon's end, so that it leaves no zombie. Cheap; call now and then.
  void reap();

 private:
  using Clock = std::chrono::steady_clock;
  using Found = std::variant<Searching, Descriptor, Status>;
  Found reach();
  Found greeted();
  Found silence();
  Found take(const Greeting& answer);
  std::string of_older(const std::string& version) const;
  std::optional<Status> start();
  Status fail(const std::string& what);
  std::optional<Status> knock();
  void greet(const std::string& verb);
  void send_line(const Greeting& greeting);
  void ask_to_drain();
  bool end_stopped_daemon();

  FinderOptions options_;
  std::optional<Clock::time_point> since_;  // this search
  std::string hindrance_;                   // what it waits for
  std::string notice_;
  Descriptor socket_;                   // connected, its greeting under way
  Clock::time_point said_at_{};         // our last line
  std::string token_;                   // of TCP
  std::optional<Challenge> challenge_;  // knocked, and not proven yet
  std::optional<Descriptor> lock_;      // PATH.start, while a daemon of ours comes up
  Clock::time_point started_at_{};
  pid_t child_ = -1;
  std::optional<int> child_status_;         // of wait, once it ended
  std::optional<Clock::time_point> asked_;  // when an old daemon was asked to go, in this search
};

}  // namespace cinnabar::daemon
