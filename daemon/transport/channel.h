// One client's bytes, both ways, on the main thread's event loop: reads go to its Connection, answers from any thread
// come out in order.
//
// Only for the files of this folder: it brings asio along.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>  // before asio: Boost 1.74 forgets it

#include "daemon/transport/connection.h"
#include "daemon/transport/handshake.h"
#include "daemon/transport/socket.h"

namespace cinnabar::daemon {

class Channel;

// The way out of one client. send() may be called on any thread until the last owner lets go, also after the channel
// has ended: the bytes then go nowhere. What waits is bounded: beyond the limit the client counts as one that does not
// read, its bytes are thrown away and the channel ends.
class Outlet final : public lsp::Transport {
 public:
  Outlet(boost::asio::io_context& loop, std::weak_ptr<Channel> channel, std::size_t limit)
      : loop_(&loop), channel_(std::move(channel)), limit_(limit) {}
  void send(std::string_view bytes) override;

  // Loop's thread. What waits; the bytes count against the limit until written(bytes).
  std::string take();
  void written(std::size_t bytes);
  bool overflowed() const;
  // Nothing is taken any more; the loop may then go away.
  void close();

 private:
  mutable std::mutex mutex_;
  boost::asio::io_context* loop_;  // null once closed
  std::weak_ptr<Channel> channel_;
  std::size_t limit_;
  std::string waiting_;
  std::size_t bytes_out_ = 0;  // waiting, and taken but not written
  bool scheduled_ = false;
  bool overflowed_ = false;
};

// How a channel begins.
struct Handshake {
  bool required = false;  // no greeting, no talk
  // Answers a greeting. "ready" and "replaced" begin LSP, behind "proof" another greeting comes, any other verb ends the
  // channel behind the answer.
  std::function<Greeting(const Greeting&)> answer;
  std::function<void()> on_begin = {};      // LSP begins
  std::chrono::milliseconds limit{10'000};  // for the first line, where it is required
};

// Loop's thread only, owned by shared pointer. `on_end` is called once, when nothing more will happen.
class Channel : public std::enable_shared_from_this<Channel> {
 public:
  using OnEnd = std::function<void(const std::shared_ptr<Channel>&, const std::string& why)>;
  // `in` and `out` may be two descriptors of one socket. Without a handshake, LSP begins at once.
  Channel(boost::asio::io_context& loop, Descriptor in, Descriptor out, std::size_t output_limit);
  void start(Host& host, std::optional<Handshake> handshake, OnEnd on_end);
  // Reads no more; ends when every request has its answer and the answers are written.
  void drain();
  // Ends now.
  void end(const std::string& why);

  // What the client's exit said; none when it ended otherwise.
  std::optional<int> exit_code() const { return exit_code_; }
  // Nothing that is LSP has come yet.
  bool silent() const { return handshake_.has_value(); }
  std::optional<std::int32_t> editor_process() const {
    return connection_ ? connection_->editor_process() : std::nullopt;
  }
  // Called whenever the client has been served.
  void on_turn(std::function<void()> call) { on_turn_ = std::move(call); }

 private:
  friend class Outlet;
  void read();
  void take(std::string_view bytes);
  void greet();
  void begin(std::string_view bytes);
  void turn();
  void finish(const std::string& why);  // ends when all is written
  void flush();

  boost::asio::io_context& loop_;
  boost::asio::posix::stream_descriptor in_;
  boost::asio::posix::stream_descriptor out_;
  boost::asio::steady_timer patience_;
  std::size_t output_limit_;
  std::shared_ptr<Outlet> outlet_;
  Host* host_ = nullptr;
  std::optional<Handshake> handshake_;  // until LSP begins
  OnEnd on_end_;
  std::function<void()> on_turn_;
  std::unique_ptr<Connection> connection_;
  std::string first_bytes_;  // until LSP begins
  std::string piece_;        // being read
  std::string writing_;
  std::optional<int> exit_code_;
  std::string why_;  // it finishes
  bool draining_ = false;
  bool finishing_ = false;
  bool ended_ = false;
};

}  // namespace cinnabar::daemon
