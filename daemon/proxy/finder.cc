#include "daemon/proxy/finder.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "daemon/transport/handshake.h"

namespace cinnabar::daemon {
namespace {

constexpr off_t kLongestLog = 1 << 20;                // bytes; a longer one is begun anew
constexpr std::chrono::milliseconds kLeaving{3'000};  // for a daemon that was asked to give up its place
constexpr std::chrono::milliseconds kBetweenStarts{500};

// What the child does between fork and exec: nothing of ours but the log stays open, and no terminal.
[[noreturn]] void become(const std::vector<char*>& arguments, int log) {
  setsid();
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  close_range(STDERR_FILENO + 1, ~0U, 0);
  if (chdir("/") != 0) _exit(126);
  execv(arguments[0], arguments.data());
  _exit(127);
}

Result<pid_t> spawn(const std::vector<std::string>& command, const std::string& log_path) {
  const Descriptor log(open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!log) return Status::error("cannot write the log " + log_path);
  struct stat found {};
  if (fstat(log.get(), &found) == 0 && found.st_size > kLongestLog && ftruncate(log.get(), 0) != 0)
    return Status::error("cannot shorten the log " + log_path);
  std::vector<std::string> copies = command;
  std::vector<char*> arguments;
  arguments.reserve(copies.size() + 1);
  for (auto& word : copies) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) become(arguments, log.get());
  if (child < 0) return Status::error("the system starts no more processes");
  return child;
}

}  // namespace

std::string own_program() {
  std::array<char, 4096> path{};
  const auto length = readlink("/proc/self/exe", path.data(), path.size());
  std::string program(path.data(), length < 0 ? 0 : static_cast<std::size_t>(length));
  constexpr std::string_view kDeleted = " (deleted)";
  if (program.ends_with(kDeleted)) program.resize(program.size() - kDeleted.size());
  return program;
}

std::variant<Finder::Searching, Descriptor, Status> Finder::step() {
  reap();
  if (socket_) return greeted();
  return reach();
}

std::variant<Finder::Searching, Descriptor, Status> Finder::reach() {
  Attempt attempt = options_.tcp_port != 0 ? connect_to_port(options_.tcp_port) : connect_to(options_.socket);
  switch (attempt.reach) {
    case Reach::kConnected:
      socket_ = std::move(attempt.socket);
      greeted_at_ = Clock::now();
      send_greeting("hello");
      return greeted();
    case Reach::kForeign:
      return fail("another user listens at " + options_.socket);
    case Reach::kBusy:
      return Searching{};
    case Reach::kNobody:
      break;
  }
  if (options_.tcp_port != 0)
    return fail("nobody listens on port " + std::to_string(options_.tcp_port) + " of 127.0.0.1");
  if (options_.command.empty()) return fail("no daemon listens at " + options_.socket);
  if (lock_) {
    if (child_status_ && WIFEXITED(*child_status_) && WEXITSTATUS(*child_status_) == 0) {
      lock_.reset();  // another daemon had the place, and has gone since: begin anew
      return Searching{};
    }
    if (child_status_) return fail("the daemon ended at once");
    if (Clock::now() - started_at_ > options_.start_limit) return fail("the daemon that was started does not listen");
    return Searching{};
  }
  if (auto error = start()) return *error;
  return Searching{};
}

// With the lock in hand one more look: whoever held it before may have started a daemon.
std::optional<Status> Finder::start() {
  if (const Status folder = prepare_folder(options_.socket); !folder.ok()) return folder;
  auto lock = try_lock(options_.socket + ".start");
  if (!lock) return lock.status();
  if (!*lock) return std::nullopt;
  if (connect_to(options_.socket).reach != Reach::kNobody) return std::nullopt;
  if (Clock::now() < started_at_ + kBetweenStarts) return std::nullopt;
  child_status_.reset();
  auto child = spawn(options_.command, options_.socket + ".log");
  if (!child) return child.status();
  child_ = *child;
  lock_ = std::move(*lock);
  started_at_ = Clock::now();
  return std::nullopt;
}

// Reads the daemon's line and nothing behind it.
std::variant<Finder::Searching, Descriptor, Status> Finder::greeted() {
  std::array<char, kGreetingBytes> bytes{};
  const auto seen = recv(socket_.get(), bytes.data(), bytes.size(), MSG_PEEK);
  if (seen < 0 && (errno == EAGAIN || errno == EINTR)) {
    if (Clock::now() - greeted_at_ < options_.answer_limit) return Searching{};
    return fail("the daemon at " + options_.socket + " does not answer");
  }
  if (seen <= 0) {  // it went while we came
    socket_.close();
    return Searching{};
  }
  const std::string_view text(bytes.data(), static_cast<std::size_t>(seen));
  const auto line_end = text.find('\n');
  const auto answer = parse_greeting(text.substr(0, line_end));
  if (line_end == std::string_view::npos || !answer)
    return fail("what answers at " + options_.socket + " is no daemon of ours");
  if (recv(socket_.get(), bytes.data(), line_end + 1, 0) < 0) return fail("the daemon's greeting cannot be read");
  if (answer->verb == "refused") return fail("the daemon refuses the token");
  const bool old = answer->verb == "replaced" || compare_versions(answer->version, options_.version) < 0;
  const bool replaceable = old && !options_.command.empty() && (!asked_ || Clock::now() < *asked_ + kLeaving);
  if (answer->verb == "draining" || replaceable) {
    socket_.close();
    if (replaceable && !asked_) ask_to_drain();
    return Searching{};
  }
  lock_.reset();
  asked_.reset();
  return std::move(socket_);
}

void Finder::send_greeting(const std::string& verb) {
  const std::string line = to_line({verb, options_.version, options_.token});
  // A fresh socket has room for a line; a daemon that is gone shows when its answer is read.
  if (send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL) < 0) socket_.close();
}

// Once in a search: if an old one is there still (another service starts it), it will have to do.
void Finder::ask_to_drain() {
  asked_ = Clock::now();
  Attempt attempt = connect_to(options_.socket);
  if (attempt.reach != Reach::kConnected) return;
  socket_ = std::move(attempt.socket);
  greeted_at_ = Clock::now();
  send_greeting("drain");
}

Status Finder::fail(const std::string& what) {
  std::string message = what;
  if (child_status_ && WIFEXITED(*child_status_))
    message += " (exit status " + std::to_string(WEXITSTATUS(*child_status_)) + ")";
  if (child_status_ && WIFSIGNALED(*child_status_))
    message += " (signal " + std::to_string(WTERMSIG(*child_status_)) + ")";
  if (lock_) message += "; its log is " + options_.socket + ".log";
  socket_.close();
  lock_.reset();
  child_status_.reset();
  return Status::error(message);
}

void Finder::reap() {
  int status = 0;
  if (child_ > 0 && waitpid(child_, &status, WNOHANG) == child_) {
    child_ = -1;
    child_status_ = status;
  }
}

}  // namespace cinnabar::daemon
