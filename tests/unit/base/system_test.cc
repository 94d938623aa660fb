// What each system does in its own way, seen from outside.
#include "base/system.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <vector>

namespace cinnabar {
namespace {

bool closes_on_exec(const Descriptor& file) { return (fcntl(file.get(), F_GETFD) & FD_CLOEXEC) != 0; }
bool blocks(const Descriptor& file) { return (fcntl(file.get(), F_GETFL) & O_NONBLOCK) == 0; }

TEST_CASE("a program knows its own file") {
  const std::string program = own_program();
  REQUIRE(!program.empty());
  CHECK(program[0] == '/');
  const Descriptor named(open(program.c_str(), O_RDONLY)), running(open(own_image().c_str(), O_RDONLY));
  struct stat one {
  }, other{};
  REQUIRE(fstat(named.get(), &one) == 0);
  REQUIRE(fstat(running.get(), &other) == 0);
  CHECK(one.st_dev == other.st_dev);
  CHECK(one.st_ino == other.st_ino);
}

TEST_CASE("memory is counted in bytes") {
  const auto before = resident_bytes();
  CHECK(before > 100'000);
  std::vector<char> more(64 << 20, 'x');
  CHECK(resident_bytes() > before + (more.size() >> 1));
  CHECK(available_bytes() > 1'000'000);
}

TEST_CASE("a file's times have nanoseconds") {
  char path[] = "/tmp/cinnabar-times-XXXXXX";
  const Descriptor file(mkstemp(path));
  unlink(path);
  const timespec times[] = {{1'000'000'000, 5}, {1'234'567'890, 123'456'789}};
  REQUIRE(futimens(file.get(), times) == 0);
  struct stat found {};
  REQUIRE(fstat(file.get(), &found) == 0);
  CHECK(times_of(found).modified == 1'234'567'890'123'456'789);
  CHECK(times_of(found).changed > times_of(found).modified);
}

TEST_CASE("sockets and pipes close on exec, sockets do not block, and nobody is killed by one") {
  const Descriptor listener = stream_socket(AF_INET), client = stream_socket(AF_INET);
  REQUIRE(listener);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  REQUIRE(bind(listener.get(), generic, size) == 0);
  REQUIRE(listen(listener.get(), 1) == 0);
  REQUIRE(getsockname(listener.get(), generic, &size) == 0);
  CHECK(!accept_client(listener.get()));
  CHECK((errno == EAGAIN || errno == EWOULDBLOCK));
  REQUIRE(set_blocking(client.get(), true));
  CHECK(blocks(client));
  REQUIRE(connect(client.get(), generic, size) == 0);
  const Descriptor accepted = accept_client(listener.get());
  REQUIRE(accepted);
  for (const Descriptor* socket : {&listener, &client, &accepted}) CHECK(closes_on_exec(*socket));
  CHECK(!blocks(listener));
  CHECK(!blocks(accepted));
  shutdown(client.get(), SHUT_WR);
  CHECK(send(client.get(), "x", 1, kNoSignal) < 0);  // the signal would end this program

  const auto [from, to] = make_pipe();
  REQUIRE(from);
  CHECK(closes_on_exec(from));
  CHECK(closes_on_exec(to));
  CHECK(write(to.get(), "x", 1) == 1);
  char read_back = 0;
  CHECK(read(from.get(), &read_back, 1) == 1);
}

TEST_CASE("all descriptors from one on are closed") {
  const auto [from, to] = make_pipe();
  const Descriptor far(fcntl(to.get(), F_DUPFD, 200));
  REQUIRE(far.get() >= 200);
  const pid_t child = fork();
  if (child == 0) {
    close_from(200);
    _exit(fcntl(far.get(), F_GETFD) < 0 && fcntl(to.get(), F_GETFD) >= 0 ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

}  // namespace
}  // namespace cinnabar
