#include "daemon/proxy/proxy.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "base/system.h"
#include "base/text.h"
#include "daemon/proxy/relay.h"
#include "daemon/transport/process.h"
#include "lsp/framing.h"

namespace cinnabar::daemon {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kWaiting = 1 << 20;       // bytes for one side beyond which nothing more is read from the other
constexpr std::size_t kPiece = 64 * 1024;       // bytes read at once
constexpr std::size_t kSafePiece = 4096;        // what a pipe that polls writable takes without blocking (PIPE_BUF)
constexpr std::size_t kLargeMessage = 1 << 18;  // after one, memory is handed back
constexpr milliseconds kSearchStep{20};         // and what it becomes when a search takes longer
constexpr milliseconds kLateStep{250};
constexpr milliseconds kLongSearch{2'000};
constexpr milliseconds kLastWords{1'000};  // for what is under way when the editor ends
constexpr milliseconds kFirstPause{100};

// Bytes on their way out.
class Outgoing {
 public:
  void add(std::string_view bytes) { bytes_ += bytes; }
  std::string_view rest() const { return std::string_view(bytes_).substr(sent_); }
  std::size_t size() const { return bytes_.size() - sent_; }
  bool empty() const { return size() == 0; }
  void sent(std::size_t count) {
    sent_ += count;
    if (sent_ == bytes_.size()) clear();
  }
  void clear() {
    if (bytes_.capacity() > kPiece) release(bytes_);
    bytes_.clear();
    sent_ = 0;
  }

 private:
  std::string bytes_;
  std::size_t sent_ = 0;
};

class Proxy {
 public:
  explicit Proxy(ProxyOptions options) : options_(std::move(options)), finder_(options_.finder) {}

  int run() {
    while (!over()) {
      search();
      answer_in_time();
      wait();
    }
    return failed_ ? 1 : relay_.exit_code().value_or(1);
  }

 private:
  // The editor has gone or said exit, and what is under way has had its time.
  bool over() {
    if (failed_ || editor_lost_) return true;
    if (!relay_.exit_code() && !input_ended_) return false;
    if (!ends_at_) ends_at_ = Clock::now() + kLastWords;
    const bool all_said = to_editor_.empty() && (!daemon_ || !relay_.exit_code());
    return all_said || Clock::now() >= *ends_at_;
  }

  void search() {
    if (daemon_ || ends_at_ || !relay_.wants_daemon() || Clock::now() < next_try_) return finder_.reap();
    if (!searches_since_) searches_since_ = Clock::now();
    auto found = finder_.step();
    if (std::holds_alternative<Finder::Searching>(found)) {
      const bool late = Clock::now() - *searches_since_ > kLongSearch;
      next_try_ = Clock::now() + (late ? kLateStep : kSearchStep);
      return;
    }
    searches_since_.reset();
    if (auto* socket = std::get_if<Descriptor>(&found)) {
      daemon_ = std::move(*socket);
      from_daemon_ = lsp::FrameDecoder();
      pass(relay_.daemon_found());
      pass(relay_.note(finder_.notice().empty() ? std::string() : "Cinnabar: " + finder_.notice()));
    } else {
      pass(relay_.daemon_unavailable("Cinnabar: " + std::get<Status>(found).message()));
      pause();
    }
  }

  // The editor's initialize has its answer before long, whatever the daemon does.
  void answer_in_time() {
    if (!relay_.waits_for_initialize()) return initialize_due_.reset();
    if (!initialize_due_) initialize_due_ = Clock::now() + options_.initialize_limit;
    if (Clock::now() < *initialize_due_) return;
    if (daemon_) lose_daemon();
    pass(relay_.daemon_unavailable("Cinnabar: the daemon at " + options_.finder.socket + " does not answer"));
  }

  // A daemon that died before it answered anything is not started again at once.
  void pause() {
    ++failures_;
    const auto pause = kFirstPause * (1 << std::min(failures_ - 1, 16));
    next_try_ = Clock::now() + std::min<milliseconds>(pause, options_.longest_pause);
  }

  void lose_daemon() {
    daemon_.close();
    to_daemon_.clear();
    pass(relay_.daemon_lost());
    if (relay_.answered() > 0) failures_ = 0;
    next_try_ = Clock::now();
    if (failures_ == 0) {
      failures_ = 1;  // the first restart is at once
    } else {
      pause();
    }
  }

  milliseconds time_out() const {
    std::optional<Clock::time_point> until = ends_at_;
    if (!daemon_ && !ends_at_ && relay_.wants_daemon()) until = next_try_;
    if (initialize_due_) until = until ? std::min(*until, *initialize_due_) : *initialize_due_;
    if (!until) return milliseconds(-1);
    return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(*until - Clock::now()));
  }

  void wait() {
    const bool open = !input_ended_ && !ends_at_;
    const bool listens = open && to_daemon_.size() < kWaiting;
    const bool hears = to_editor_.size() < kWaiting;
    const auto daemon_events = static_cast<short>((hears ? POLLIN : 0) | (to_daemon_.empty() ? 0 : POLLOUT));
    std::array<pollfd, 4> watched = {{
        {open ? STDIN_FILENO : -1, listens ? short{POLLIN} : kNothingFollows, 0},  // its end, in any case
        {to_editor_.empty() ? -1 : STDOUT_FILENO, POLLOUT, 0},
        {daemon_events != 0 ? daemon_.get() : -1, daemon_events, 0},
        {editor_process_.get(), POLLIN, 0},
    }};
    if (poll(watched.data(), watched.size(), static_cast<int>(time_out().count())) <= 0) return;
    if (watched[3].revents != 0) editor_lost_ = true;
    if (watched[1].revents != 0) write_to_editor();
    if ((watched[2].revents & POLLOUT) != 0) write_to_daemon();
    if (daemon_ && (watched[2].revents & (POLLIN | POLLHUP | POLLERR)) != 0) read_from_daemon();
    if (watched[0].revents != 0 && listens) read_from_editor();
    if (watched[0].revents != 0 && !listens) input_ended_ = true;
  }

  void read_from_editor() {
    std::array<char, kPiece> bytes;
    const auto count = read(STDIN_FILENO, bytes.data(), bytes.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count <= 0) {
      input_ended_ = true;
      return;
    }
    for (auto& frame : from_editor_.push({bytes.data(), static_cast<std::size_t>(count)})) {
      if (auto* error = std::get_if<lsp::FramingError>(&frame)) {
        const lsp::ResponseError refusal{lsp::ErrorCode::invalid_request, error->message};
        to_editor_.add(lsp::encode_frame(lsp::write_json(lsp::make_error(std::nullopt, refusal))));
        if (error->kind == lsp::FramingError::Kind::fatal) input_ended_ = true;
      } else {
        take(std::get<std::string>(std::move(frame)), &Relay::from_editor);
      }
    }
    if (!watches_editor_ && relay_.editor_process()) watch_editor(*relay_.editor_process());
  }

  void read_from_daemon() {
    std::array<char, kPiece> bytes;
    const auto count = recv(daemon_.get(), bytes.data(), bytes.size(), 0);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (count <= 0) return lose_daemon();
    for (auto& frame : from_daemon_.push({bytes.data(), static_cast<std::size_t>(count)})) {
      if (std::holds_alternative<lsp::FramingError>(frame)) return lose_daemon();
      take(std::get<std::string>(std::move(frame)), &Relay::from_daemon);
    }
    failed_ = failed_ || !relay_.failure().empty();
  }

  void take(std::string body, Relay::Out (Relay::*step)(std::string)) {
    const bool large = body.size() > kLargeMessage;
    pass((relay_.*step)(std::move(body)));
    if (large) return_freed_memory();
  }

  void pass(Relay::Out out) {
    for (const auto& body : out.to_editor) to_editor_.add(lsp::encode_frame(body));
    if (!daemon_) return;
    for (const auto& body : out.to_daemon) to_daemon_.add(lsp::encode_frame(body));
  }

  // Standard output may be shared with others, so it is not made non-blocking; a piece that fits is what poll promised.
  void write_to_editor() {
    const auto piece = to_editor_.rest().substr(0, kSafePiece);
    auto count = send(STDOUT_FILENO, piece.data(), piece.size(), MSG_DONTWAIT | kNoSignal);
    if (count < 0 && errno == ENOTSOCK) count = write(STDOUT_FILENO, piece.data(), piece.size());
    if (count < 0 && errno != EINTR && errno != EAGAIN) editor_lost_ = true;
    if (count > 0) to_editor_.sent(static_cast<std::size_t>(count));
  }

  void write_to_daemon() {
    const auto rest = to_daemon_.rest();
    const auto count = send(daemon_.get(), rest.data(), rest.size(), kNoSignal);
    if (count > 0) to_daemon_.sent(static_cast<std::size_t>(count));
    // An error shows again when reading, behind the answers that are still there.
    if (count < 0 && errno != EINTR && errno != EAGAIN) to_daemon_.clear();
    if (ends_at_ && to_daemon_.empty()) shutdown(daemon_.get(), SHUT_WR);
  }

  // The editor's end is usually the end of our input; a child of the editor's may hold that open, though.
  void watch_editor(std::int32_t process) {
    watches_editor_ = true;
    auto watched = watch_process(process);
    if (auto* handle = std::get_if<Descriptor>(&watched))
      editor_process_ = std::move(*handle);
    else
      editor_lost_ = true;
  }

  ProxyOptions options_;
  Finder finder_;
  Relay relay_;
  lsp::FrameDecoder from_editor_;
  lsp::FrameDecoder from_daemon_;
  Outgoing to_editor_;
  Outgoing to_daemon_;
  Descriptor daemon_;
  Descriptor editor_process_;  // readable once it has ended
  Clock::time_point next_try_{};
  std::optional<Clock::time_point> ends_at_;
  std::optional<Clock::time_point> searches_since_;
  std::optional<Clock::time_point> initialize_due_;
  int failures_ = 0;
  bool watches_editor_ = false;
  bool input_ended_ = false;
  bool editor_lost_ = false;
  bool failed_ = false;
};

}  // namespace

int run_proxy(ProxyOptions options) { return Proxy(std::move(options)).run(); }

}  // namespace cinnabar::daemon
