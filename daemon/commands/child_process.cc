#include "daemon/commands/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "base/system.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX wants it declared

namespace cinnabar::daemon {
namespace {

constexpr std::size_t kMostOutput = 1 << 20;
using Clock = std::chrono::steady_clock;

bool is_program(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error) && access(path.c_str(), X_OK) == 0;
}

// Reads until the other side closes. False: `until` has come.
bool read_all(int from, Clock::time_point until, std::string& out) {
  std::array<char, 4096> bytes;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd watched{from, POLLIN, 0};
    if (left <= 0 || poll(&watched, 1, static_cast<int>(left)) == 0) return false;
    const auto count = read(from, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return true;
    if (out.size() < kMostOutput) out.append(bytes.data(), static_cast<std::size_t>(count));
  }
}

}  // namespace

std::optional<std::string> find_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return is_program(name) ? std::optional(name) : std::nullopt;
  const char* path = std::getenv("PATH");
  for (std::string rest = path == nullptr ? "" : path; !rest.empty();) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string place = rest.substr(0, end) + "/" + name;
    if (end > 0 && is_program(place)) return place;
    rest.erase(0, end + 1);
  }
  return std::nullopt;
}

std::optional<Finished> run_program(const std::vector<std::string>& command, int seconds) {
  auto [from, to] = make_pipe();
  if (!from) return std::nullopt;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, to.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, to.get(), 2);
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t child = -1;
  const int failed = posix_spawn(&child, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return std::nullopt;
  to = Descriptor();
  Finished done;
  const bool in_time = read_all(from.get(), Clock::now() + std::chrono::seconds(seconds), done.output);
  if (!in_time) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) return std::nullopt;
  done.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return done;
}

}  // namespace cinnabar::daemon
