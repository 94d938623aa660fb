// Other processes: the one behind a socket, one that ends, one that was stopped.
#include "daemon/transport/process.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>

namespace cinnabar::daemon {
namespace {

// A child that waits for a signal.
class Child {
 public:
  Child() : process_(fork()) {
    while (process_ == 0) pause();
  }
  ~Child() {
    if (ended_) return;
    kill(process_, SIGKILL);
    wait(0);
  }
  pid_t process() const { return process_; }
  void send(int signal) const { kill(process_, signal); }
  int wait(int options) {
    int status = 0;
    waitpid(process_, &status, options);
    ended_ = WIFEXITED(status) || WIFSIGNALED(status);
    return status;
  }

 private:
  pid_t process_;
  bool ended_ = false;
};

bool is_readable(const Descriptor& file, int milliseconds) {
  pollfd watched{file.get(), POLLIN, 0};
  return poll(&watched, 1, milliseconds) == 1;
}

TEST_CASE("a process that is watched shows its end, and one that has gone is said to have") {
  Child child;
  const auto watched = watch_process(child.process());
  const auto* handle = std::get_if<Descriptor>(&watched);
  REQUIRE(handle != nullptr);
  REQUIRE(*handle);
  CHECK(!is_readable(*handle, 0));
  child.send(SIGKILL);
  CHECK(is_readable(*handle, 10'000));
  child.wait(0);
  CHECK(is_readable(*handle, 0));
  CHECK(std::holds_alternative<ProcessGone>(watch_process(child.process())));
}

TEST_CASE("a process that was stopped is killed, one that runs or has gone is not") {
  Child child;
  CHECK(!kill_if_stopped(child.process()));
  child.send(SIGSTOP);
  REQUIRE(WIFSTOPPED(child.wait(WUNTRACED)));
  CHECK(kill_if_stopped(child.process()));
  const int status = child.wait(0);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGKILL);
  CHECK(!kill_if_stopped(child.process()));
}

TEST_CASE("a socket knows who is on its other side") {
  std::array<int, 2> ends{};
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
  const Descriptor here(ends[0]), there(ends[1]);
  CHECK(peer_user(here.get()) == geteuid());
  CHECK(peer_process(here.get()) == getpid());
  CHECK(!peer_user(-1));
  CHECK(!peer_process(-1));
}

}  // namespace
}  // namespace cinnabar::daemon
