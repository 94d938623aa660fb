#include "daemon/proxy/finder.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "base/system.h"
#include "daemon/transport/process.h"
#include "daemon/transport/token.h"

namespace cinnabar::daemon {
namespace {

constexpr off_t kLongestLog = 1 << 20;  // bytes; a longer one is begun anew
constexpr std::chrono::milliseconds kBetweenStarts{500};
constexpr std::chrono::milliseconds kStandsStill{1'000};  // silent for so long and stopped: it is ended

// What the child does between fork and exec: nothing of ours but the log stays open, and no terminal.
[[noreturn]] void become(const std::vector<char*>& arguments, int log) {
  setsid();
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  close_from(STDERR_FILENO + 1);
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

Finder::Found Finder::step() {
  reap();
  if (!since_) {
    since_ = Clock::now();
    hindrance_ = "no daemon could be reached at " + options_.socket;
  }
  Found found = socket_ ? greeted() : reach();
  const bool searching = std::holds_alternative<Searching>(found);
  if (searching && Clock::now() - *since_ > options_.search_limit) found = fail(hindrance_);
  if (!std::holds_alternative<Searching>(found)) since_.reset();
  return found;
}

Finder::Found Finder::reach() {
  Attempt attempt = options_.tcp_port != 0 ? connect_to_port(options_.tcp_port) : connect_to(options_.socket);
  switch (attempt.reach) {
    case Reach::connected:
      socket_ = std::move(attempt.socket);
      if (options_.tcp_port == 0)
        greet("hello");
      else if (auto error = knock())
        return *error;
      return greeted();
    case Reach::foreign:
      return fail("another user listens at " + options_.socket);
    case Reach::busy:
      hindrance_ = attempt.hindrance;
      return Searching{};
    case Reach::nobody:
      break;
  }
  if (options_.tcp_port != 0)
    return fail("nobody listens on port " + std::to_string(options_.tcp_port) + " of 127.0.0.1");
  if (options_.command.empty()) return fail("no daemon listens at " + options_.socket);
  if (lock_) {
    if (child_status_ && WIFEXITED(*child_status_) && WEXITSTATUS(*child_status_) == 0) {
      lock_.reset();  // another daemon had the place, and has gone since: begin anew
      hindrance_ = "another daemon has the place (" + options_.socket + ".lock) and does not listen";
      return Searching{};
    }
    if (child_status_) return fail("the daemon ended at once");
    hindrance_ = "the daemon that was started does not listen";
    if (Clock::now() - started_at_ > options_.start_limit) return fail(hindrance_);
    return Searching{};
  }
  if (auto error = start()) return *error;
  return Searching{};
}

// With the lock in hand one more look: whoever held it before may have started a daemon.
std::optional<Status> Finder::start() {
  if (const Status folder = prepare_folder(options_.socket); !folder.ok()) return fail(folder.message());
  auto lock = try_lock(options_.socket + ".start");
  if (!lock) return fail(lock.message());
  if (!*lock) {
    hindrance_ = "another program is starting a daemon (it holds " + options_.socket + ".start) and does not get on";
    return std::nullopt;
  }
  if (connect_to(options_.socket).reach != Reach::nobody) return std::nullopt;
  if (Clock::now() < started_at_ + kBetweenStarts) return std::nullopt;
  child_status_.reset();
  auto child = spawn(options_.command, options_.socket + ".log");
  if (!child) return fail(child.message());
  child_ = *child;
  lock_ = std::move(*lock);
  started_at_ = Clock::now();
  return std::nullopt;
}

// Reads the daemon's line and nothing behind it.
Finder::Found Finder::greeted() {
  std::array<char, kGreetingBytes> bytes{};
  const auto seen = recv(socket_.get(), bytes.data(), bytes.size(), MSG_PEEK);
  if (seen < 0 && (errno == EAGAIN || errno == EINTR)) return silence();
  if (seen <= 0) {  // it went while we came
    socket_.close();
    hindrance_ = "the daemon at " + options_.socket + " ends every connection";
    return Searching{};
  }
  const std::string_view text(bytes.data(), static_cast<std::size_t>(seen));
  if (opening_of(text) == Opening::undecided) return silence();
  const auto line_end = text.find('\n');
  const auto answer = parse_greeting(text.substr(0, line_end));
  if (line_end == std::string_view::npos || !answer)
    return fail("what answers at " + options_.socket + " is no daemon of ours");
  if (recv(socket_.get(), bytes.data(), line_end + 1, 0) < 0) return fail("the daemon's greeting cannot be read");
  return take(*answer);
}

Finder::Found Finder::silence() {
  const auto silent = Clock::now() - said_at_;
  if (silent > kStandsStill && end_stopped_daemon()) {
    socket_.close();
    return Searching{};
  }
  if (silent < options_.answer_limit) return Searching{};
  return fail("the daemon at " + options_.socket + " does not answer");
}

Finder::Found Finder::take(const Greeting& answer) {
  if (answer.verb == "refused") return fail("the daemon refuses the token in " + options_.token_file);
  if (answer.verb == "full") return fail("the daemon has as many clients as it takes; close an editor");
  if (challenge_) {
    challenge_->daemon_nonce = answer.nonce;
    if (answer.verb != "proof" || !equal_tokens(answer.proof, proof_of(token_, "proof", *challenge_))) {
      return fail("what listens on port " + std::to_string(options_.tcp_port) +
                  " of 127.0.0.1 has not proven that it is your daemon (it does not know the token in " +
                  options_.token_file + "); it was told nothing");
    }
    greet("hello");
    return Searching{};
  }
  const bool old = answer.verb == "replaced" || compare_versions(answer.version, options_.version) < 0;
  const bool replaceable =
      old && !options_.command.empty() && (!asked_ || Clock::now() < *asked_ + options_.leaving_limit);
  if (answer.verb == "draining" || replaceable) {
    socket_.close();
    hindrance_ = "the daemon at " + options_.socket + " is ending, and no other takes its place";
    if (replaceable && !asked_) ask_to_drain();
    return Searching{};
  }
  if (answer.verb != "ready" && answer.verb != "replaced")
    return fail("the daemon at " + options_.socket + " says what this version does not know: " + answer.verb);
  notice_ = old && asked_ ? of_older(answer.version) : std::string();
  lock_.reset();
  asked_.reset();
  return std::move(socket_);
}

std::string Finder::of_older(const std::string& version) const {
  const auto process = peer_process(socket_.get());
  return "the daemon at " + options_.socket + ", version " + version + ", is older than this program, version " +
         options_.version + ", and has not gone when it was asked to; it serves until it is ended" +
         (process ? " (process " + std::to_string(*process) + ")" : "");
}

// The first word to a TCP port, which anybody may have taken: it gives nothing away.
std::optional<Status> Finder::knock() {
  auto token = read_token(options_.token_file);
  if (!token) return fail(token.message());
  auto nonce = new_nonce();
  if (!nonce) return fail(nonce.message());
  token_ = *token;
  challenge_ = Challenge{options_.tcp_port, *nonce, {}};
  send_line({"knock", options_.version, *nonce, {}});
  return std::nullopt;
}

void Finder::greet(const std::string& verb) {
  const std::string said = verb == "hello" && options_.looks ? "look" : verb;
  const auto challenge = std::exchange(challenge_, std::nullopt);
  send_line({said, options_.version, {}, challenge ? proof_of(token_, said, *challenge) : std::string()});
}

void Finder::send_line(const Greeting& greeting) {
  said_at_ = Clock::now();
  const std::string line = to_line(greeting);
  // A fresh socket has room for a line; a daemon that is gone shows when its answer is read.
  if (send(socket_.get(), line.data(), line.size(), kNoSignal) < 0) socket_.close();
}

// Once in a search: if an old one is there still (another service starts it), it will have to do.
void Finder::ask_to_drain() {
  asked_ = Clock::now();
  Attempt attempt = connect_to(options_.socket);
  if (attempt.reach != Reach::connected) return;
  socket_ = std::move(attempt.socket);
  greet("drain");
}

// A daemon that was stopped would keep every editor waiting for good.
bool Finder::end_stopped_daemon() {
  const auto daemon = options_.tcp_port == 0 ? peer_process(socket_.get()) : std::nullopt;
  if (!daemon || options_.command.empty() || !kill_if_stopped(*daemon)) return false;
  hindrance_ = "the daemon at " + options_.socket + " stands still (process " + std::to_string(*daemon) + ")";
  return true;
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
  challenge_.reset();
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
