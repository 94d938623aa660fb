#include "daemon/transport/channel.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include "base/text.h"

namespace cinnabar::daemon {
namespace {

constexpr std::size_t kPiece = 64 * 1024;                // bytes read at once
constexpr std::chrono::milliseconds kLastWrites{2'000};  // for what is written behind the end

}  // namespace

void Outlet::send(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (loop_ == nullptr || overflowed_) return;
  if (bytes_out_ + bytes.size() > limit_) {
    overflowed_ = true;
    bytes_out_ -= waiting_.size();
    release(waiting_);
  } else {
    waiting_ += bytes;
    bytes_out_ += bytes.size();
  }
  // While a write is under way nothing is taken, so the flush that is scheduled may be long past: an overflow needs its
  // own.
  if (std::exchange(scheduled_, true) && !overflowed_) return;
  boost::asio::post(*loop_, [channel = channel_] {
    if (const auto alive = channel.lock()) alive->flush();
  });
}

std::string Outlet::take() {
  const std::lock_guard lock(mutex_);
  scheduled_ = false;
  return std::exchange(waiting_, {});
}

void Outlet::written(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  bytes_out_ -= bytes;
}

bool Outlet::overflowed() const {
  const std::lock_guard lock(mutex_);
  return overflowed_;
}

void Outlet::close() {
  const std::lock_guard lock(mutex_);
  loop_ = nullptr;
  release(waiting_);
}

Channel::Channel(boost::asio::io_context& loop, Descriptor in, Descriptor out, std::size_t output_limit)
    : loop_(loop), in_(loop, in.release()), out_(loop, out.release()), patience_(loop), output_limit_(output_limit) {}

void Channel::start(Host& host, std::optional<Handshake> handshake, OnEnd on_end) {
  host_ = &host;
  handshake_ = std::move(handshake);
  on_end_ = std::move(on_end);
  outlet_ = std::make_shared<Outlet>(loop_, weak_from_this(), output_limit_);
  if (handshake_ && handshake_->required) {
    patience_.expires_after(handshake_->limit);
    patience_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error && self->handshake_) self->end("it did not say who it is");
    });
  }
  if (!handshake_) connection_ = host_->connect(outlet_);
  read();
}

void Channel::read() {
  piece_.resize(kPiece);
  in_.async_read_some(boost::asio::buffer(piece_),
                      [self = shared_from_this()](const boost::system::error_code& error, std::size_t count) {
                        if (self->ended_ || self->finishing_ || self->draining_) return;
                        if (error) return self->finish("it went away");
                        self->take(std::string_view(self->piece_).substr(0, count));
                      });
}

void Channel::take(std::string_view bytes) {
  if (!handshake_) {
    connection_->receive(bytes);
    return turn();
  }
  first_bytes_ += bytes;
  const Opening opening = opening_of(first_bytes_);
  if (opening == Opening::undecided) return read();
  if (opening == Opening::greeting) return greet();
  if (handshake_->required) return end("it did not say who it is");
  begin(std::exchange(first_bytes_, {}));
}

void Channel::greet() {
  const auto line_end = first_bytes_.find('\n');
  const auto greeting = parse_greeting(std::string_view(first_bytes_).substr(0, line_end));
  if (!greeting) return end("its greeting is none");
  const std::string rest = std::exchange(first_bytes_, {}).substr(line_end + 1);
  const Greeting answer = handshake_->answer(*greeting);
  outlet_->send(to_line(answer));
  if (answer.verb == "proof") return rest.empty() ? read() : take(rest);
  if (answer.verb != "ready" && answer.verb != "replaced") return finish(answer.verb);
  begin(rest);
}

void Channel::begin(std::string_view bytes) {
  const auto handshake = std::exchange(handshake_, std::nullopt);
  patience_.cancel();
  if (handshake->on_begin) handshake->on_begin();
  connection_ = host_->connect(outlet_);
  if (!bytes.empty()) connection_->receive(bytes);
  turn();
}

// What the client asked for, a little at a time: others who share the loop come in between.
void Channel::turn() {
  if (ended_ || finishing_) return;
  const bool more = connection_->turn();
  if (on_turn_) on_turn_();
  if (ended_ || finishing_) return;
  if (connection_->closed()) {
    exit_code_ = connection_->exit_code();
    return finish("it said exit");
  }
  if (more) return boost::asio::post(loop_, [self = shared_from_this()] { self->turn(); });
  if (draining_) return flush();
  read();
}

void Channel::drain() {
  if (draining_ || ended_ || finishing_) return;
  if (!connection_) return end("the daemon ends");
  draining_ = true;
  why_ = "the daemon ends";
  boost::system::error_code ignored;
  in_.cancel(ignored);
  while (connection_->turn()) continue;
  flush();
}

void Channel::finish(const std::string& why) {
  if (ended_ || std::exchange(finishing_, true)) return;
  why_ = why;
  connection_.reset();
  patience_.expires_after(kLastWrites);
  patience_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->end(self->why_);
  });
  flush();
}

void Channel::flush() {
  if (ended_) return;
  if (outlet_->overflowed()) return end("it does not read: too many bytes wait for it");
  if (!writing_.empty()) return;
  writing_ = outlet_->take();
  if (writing_.empty()) {
    if (finishing_) return end(why_);
    if (draining_ && connection_->requests_in_flight() == 0) finish(why_);
    return;
  }
  boost::asio::async_write(out_, boost::asio::buffer(writing_),
                           [self = shared_from_this()](const boost::system::error_code& error, std::size_t) {
                             self->outlet_->written(self->writing_.size());
                             release(self->writing_);
                             if (error) return self->end("it went away");
                             self->flush();
                           });
}

void Channel::end(const std::string& why) {
  if (std::exchange(ended_, true)) return;
  const auto self = shared_from_this();
  connection_.reset();
  outlet_->close();
  patience_.cancel();
  boost::system::error_code ignored;
  in_.close(ignored);
  out_.close(ignored);
  if (on_end_) std::exchange(on_end_, nullptr)(self, why);
}

}  // namespace cinnabar::daemon
