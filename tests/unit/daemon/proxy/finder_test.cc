// What a proxy says when no daemon can be had.
#include "daemon/proxy/finder.h"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
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

}  // namespace
}  // namespace cinnabar::daemon
