// What the doctor says of a daemon that does not answer: a reason, and the number of the process.
#include "daemon/commands/silent_daemon.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>

#include "daemon/transport/socket.h"

namespace cinnabar::daemon {
namespace {

TEST_CASE("there is always a reason why a daemon does not answer") {
  struct Case {
    std::optional<Finished> status;
    std::string found;
  };
  const std::vector<Case> cases = {
      {std::nullopt, "'cinnabar status' could not be started, or took longer than 30 s"},
      {run_program({"/no/such/cinnabar", "status"}),
       "'cinnabar status' could not be started, or took longer than 30 s"},
      {Finished{127, ""}, "'cinnabar status' ended with 127 and said nothing"},
      {Finished{139, "\n"}, "'cinnabar status' ended with 139 and said nothing"},
      {Finished{0, "odd"}, "'cinnabar status' ended with 0 and said what this version does not know: odd"},
      {Finished{1, "cinnabar: it does not answer\nmore"}, "cinnabar: it does not answer"},
  };
  for (const auto& [status, found] : cases) {
    CAPTURE(found);
    const Silence silence = silence_of(status, 30, "/no/such/socket");
    CHECK(silence.found == found);
    CHECK(silence.mend ==
          "its log is /no/such/socket.log; nobody listens at the socket now: the next editor starts another");
  }
}

TEST_CASE("the process that listens is named by its number, to be ended where it is a daemon of ours") {
  std::string folder = "/tmp/cinnabar-silence-XXXXXX";
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  const std::string socket = folder + "/s", number = std::to_string(getpid());
  std::array<char, 16> name{};
  prctl(PR_GET_NAME, name.data());
  {
    const auto listener = listen_at(socket);
    REQUIRE(listener.ok());
    const auto mend = [&](const char* as) {
      prctl(PR_SET_NAME, as);
      const std::string said = silence_of(std::nullopt, 30, socket).mend;
      prctl(PR_SET_NAME, name.data());
      return said;
    };
    CHECK(mend("cinnabar") == "its log is " + socket + ".log; end it, the next editor starts another: kill " + number);
    CHECK(mend("systemd") == "its log is " + socket + ".log; process " + number + " (systemd) listens there");
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace cinnabar::daemon
