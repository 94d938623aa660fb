// What a proxy says when no daemon can be had.
#include "daemon/proxy/finder.h"

#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <stop_token>
#include <thread>

namespace cinnabar::daemon {
namespace {

class Folder {
 public:
  Folder() { REQUIRE(mkdtemp(path_.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string socket() const { return path_ + "/s"; }

 private:
  std::string path_ = "/tmp/cinnabar-finder-XXXXXX";
};

// Steps until there is news; the error's text.
std::string error_of(FinderOptions options) {
  Finder finder(std::move(options));
  for (int i = 0; i < 500; ++i) {
    auto step = finder.step();
    if (auto* error = std::get_if<Status>(&step)) return error->message();
    REQUIRE(std::holds_alternative<Finder::Searching>(step));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return "still searching";
}

TEST_CASE("a daemon that cannot come up is told with its status and its log") {
  const Folder folder;
  struct Case {
    std::vector<std::string> command;
    std::string told;
  };
  const std::vector<Case> cases = {
      {{}, "no daemon listens at " + folder.socket()},
      {{"/nonexistent/program"}, "the daemon ended at once (exit status 127); its log is " + folder.socket() + ".log"},
      {{"/bin/sh", "-c", "exit 3"}, "the daemon ended at once (exit status 3); its log is " + folder.socket() + ".log"},
      {{"/bin/sh", "-c", "kill -11 $$"},
       "the daemon ended at once (signal 11); its log is " + folder.socket() + ".log"},
      {{"/bin/sleep", "0.5"}, "the daemon that was started does not listen; its log is " + folder.socket() + ".log"},
  };
  for (const auto& [command, told] : cases) {
    CAPTURE(told);
    FinderOptions options;
    options.socket = folder.socket();
    options.command = command;
    options.start_limit = std::chrono::milliseconds(300);
    CHECK(error_of(options) == told);
  }
}

TEST_CASE("what answers without the greeting is no daemon; what does not answer is given up") {
  const Folder folder;
  auto listener = listen_at(folder.socket());
  REQUIRE(listener.ok());
  FinderOptions options;
  options.socket = folder.socket();
  options.answer_limit = std::chrono::milliseconds(200);
  CHECK(error_of(options) == "the daemon at " + folder.socket() + " does not answer");
}

// A daemon of another version at a socket, which greets everybody and never goes.
class Stubborn {
 public:
  explicit Stubborn(const std::string& socket) {
    auto listener = listen_at(socket);
    REQUIRE(listener.ok());
    listener_ = std::move(*listener);
    thread_ = std::jthread([this](const std::stop_token& stop) { greet(stop); });
  }

 private:
  void greet(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      Descriptor client(accept(listener_.get(), nullptr, nullptr));  // does not block
      if (!client) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        continue;
      }
      const std::string line = to_line({"ready", "0.0.1", {}, {}});
      (void)send(client.get(), line.data(), line.size(), MSG_NOSIGNAL);
      clients_.push_back(std::move(client));
    }
  }

  Descriptor listener_;
  std::vector<Descriptor> clients_;
  std::jthread thread_;  // ends first
};

TEST_CASE("an older daemon that does not go is used, and the user is told which it is") {
  const Folder folder;
  const Stubborn daemon(folder.socket());
  struct Case {
    std::string version;
    bool replaces;  // whether this finder starts daemons
    std::string notice;
  };
  const std::vector<Case> cases = {
      {"0.1.0", true,
       "the daemon at " + folder.socket() +
           ", version 0.0.1, is older than this program, version 0.1.0, and has not gone when it was asked to; it "
           "serves until it is ended (process " +
           std::to_string(getpid()) + ")"},
      {"0.1.0", false, ""},
      {"0.0.1", true, ""},
  };
  for (const auto& [version, replaces, notice] : cases) {
    CAPTURE(version, replaces);
    FinderOptions options;
    options.socket = folder.socket();
    options.version = version;
    if (replaces) options.command = {"/bin/false"};
    options.leaving_limit = std::chrono::milliseconds(100);
    Finder finder(std::move(options));
    bool found = false;
    for (int i = 0; i < 500 && !found; ++i) {
      auto step = finder.step();
      REQUIRE_FALSE(std::holds_alternative<Status>(step));
      found = std::holds_alternative<Descriptor>(step);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    CHECK(found);
    CHECK(finder.notice() == notice);
  }
}

}  // namespace
}  // namespace cinnabar::daemon
