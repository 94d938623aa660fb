#include "daemon/transport/serve.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <set>
#include <utility>  // before asio: Boost 1.74 forgets it

#include "daemon/transport/channel.h"

namespace cinnabar::daemon {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

Descriptor duplicate(int number) { return Descriptor(fcntl(number, F_DUPFD_CLOEXEC, 0)); }

// The program's file when this process began. It differs later when the program has been upgraded.
std::optional<FileIdentity> program_file() { return identity_of("/proc/self/exe"); }

bool program_replaced(const std::optional<FileIdentity>& at_start) {
  char path[4096];
  const auto length = readlink("/proc/self/exe", path, sizeof path);
  if (length <= 0 || !at_start) return false;
  return identity_of(std::string(path, static_cast<std::size_t>(length))) != at_start;
}

// Many clients on one loop.
class Server {
 public:
  Server(Host& host, Listeners listeners, const ServeOptions& options)
      : host_(host),
        options_(options),
        listeners_(std::move(listeners)),
        local_(loop_),
        tcp_(loop_),
        signals_(loop_, SIGTERM, SIGINT),
        idle_(loop_),
        last_moment_(loop_) {}

  void run() {
    watch_signals();
    accept_from(local_, listeners_.local, false);
    if (listeners_.tcp) accept_from(tcp_, listeners_.tcp, true);
    rest();
    loop_.run();
    give_up_place();
  }

 private:
  using Acceptor = asio::posix::stream_descriptor;

  void log(const std::string& line) const {
    if (options_.log) options_.log(line);
  }

  void watch_signals() {
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (error) return;
      if (draining_) return end_all("the daemon ends at once");
      watch_signals();
      drain("a signal");
    });
  }

  void accept_from(Acceptor& acceptor, Descriptor& listener, bool tcp) {
    acceptor.assign(duplicate(listener.get()).release());
    wait_for_client(acceptor, tcp);
  }

  void wait_for_client(Acceptor& acceptor, bool tcp) {
    acceptor.async_wait(Acceptor::wait_read, [this, &acceptor, tcp](const boost::system::error_code& error) {
      if (error || draining_) return;
      while (true) {
        Descriptor client(accept4(acceptor.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!client) break;
        welcome(std::move(client), tcp);
      }
      wait_for_client(acceptor, tcp);
    });
  }

  void welcome(Descriptor client, bool tcp) {
    const int number = ++last_number_;
    const std::string name = "client " + std::to_string(number);
    if (!tcp && peer_user(client.get()) != geteuid()) return log(name + " is another user: sent away");
    if (channels_.size() >= options_.clients) return log(name + " sent away: too many clients");
    Descriptor out = duplicate(client.get());
    if (!out) return log(name + " sent away: no descriptors are left");
    const auto channel = std::make_shared<Channel>(loop_, std::move(client), std::move(out), options_.output_limit);
    channels_.insert(channel);
    idle_.cancel();
    log(name + " came" + (tcp ? " by TCP" : ""));
    Opener opener;
    opener.required = tcp;
    opener.answer = [this, tcp](const Greeting& greeting) { return answer(greeting, tcp); };
    channel->start(host_, std::move(opener),
                   [this, name](const std::shared_ptr<Channel>& ended, const std::string& why) {
                     log(name + " left: " + why);
                     channels_.erase(ended);
                     rest();
                   });
  }

  Greeting answer(const Greeting& greeting, bool tcp) {
    if (tcp && !equal_tokens(greeting.token, listeners_.token)) return {"refused", options_.version, ""};
    if (greeting.verb == "drain") {
      asio::post(loop_, [this] { drain("a newer program asks for its place"); });
      return {"draining", options_.version, ""};
    }
    return {program_replaced(program_) ? "replaced" : "ready", options_.version, ""};
  }

  // Without clients the daemon waits a while for the next one, then ends.
  void rest() {
    if (!channels_.empty()) return;
    if (draining_) return stop();
    if (options_.idle_exit.count() == 0) return;
    idle_.expires_after(options_.idle_exit);
    idle_.async_wait([this](const boost::system::error_code& error) {
      if (!error && channels_.empty() && !draining_) drain("nobody has been here for a while");
    });
  }

  void drain(const std::string& why) {
    if (std::exchange(draining_, true)) return;
    log("ending: " + why);
    give_up_place();
    last_moment_.expires_after(options_.drain_limit);
    last_moment_.async_wait([this](const boost::system::error_code& error) {
      if (!error) end_all("it took too long to answer");
    });
    for (const auto& channel : std::set(channels_)) channel->drain();
    if (channels_.empty()) stop();
  }

  void end_all(const std::string& why) {
    for (const auto& channel : std::set(channels_)) channel->end(why);
    stop();
  }

  // The socket's file goes before the lock: whoever gets the lock next finds nothing of ours.
  void give_up_place() {
    boost::system::error_code ignored;
    local_.close(ignored);
    tcp_.close(ignored);
    listeners_.local.close();
    listeners_.tcp.close();
    if (listeners_.file && identity_of(listeners_.socket) == listeners_.file) unlink(listeners_.socket.c_str());
    listeners_.file.reset();
    listeners_.lock.reset();
  }

  void stop() {
    idle_.cancel();
    last_moment_.cancel();
    signals_.cancel();
  }

  Host& host_;
  const ServeOptions& options_;
  Listeners listeners_;
  asio::io_context loop_{1};
  Acceptor local_;
  Acceptor tcp_;
  asio::signal_set signals_;
  asio::steady_timer idle_;
  asio::steady_timer last_moment_;
  std::set<std::shared_ptr<Channel>> channels_;
  std::optional<FileIdentity> program_ = program_file();
  int last_number_ = 0;
  bool draining_ = false;
};

}  // namespace

int serve_stdio(Host& host, const ServeOptions& options) {
  const int in_flags = fcntl(STDIN_FILENO, F_GETFL);
  const int out_flags = fcntl(STDOUT_FILENO, F_GETFL);
  std::optional<int> status;
  {
    asio::io_context loop{1};
    asio::signal_set signals(loop, SIGTERM, SIGINT);
    asio::steady_timer last_moment(loop);
    const auto channel =
        std::make_shared<Channel>(loop, duplicate(STDIN_FILENO), duplicate(STDOUT_FILENO), options.output_limit);
    signals.async_wait([&](const boost::system::error_code& error, int) {
      if (error) return;
      status = 0;
      last_moment.expires_after(options.drain_limit);
      last_moment.async_wait([&](const boost::system::error_code& cancelled) {
        if (!cancelled) channel->end("it took too long to answer");
      });
      channel->drain();
    });
    channel->start(host, std::nullopt, [&](const std::shared_ptr<Channel>& ended, const std::string& why) {
      if (options.log) options.log("the client left: " + why);
      if (!status) status = ended->exit_code().value_or(1);
      last_moment.cancel();
      signals.cancel();
    });
    loop.run();
  }
  // These belong to the terminal or pipe, which others may share.
  fcntl(STDIN_FILENO, F_SETFL, in_flags);
  fcntl(STDOUT_FILENO, F_SETFL, out_flags);
  return status.value_or(1);
}

Result<std::optional<Listeners>> open_listeners(const ServeOptions& options) {
  Listeners listeners;
  auto path = socket_path(options.socket);
  if (!path) return path.status();
  listeners.socket = *path;
  auto handed = activated_listener();
  if (!handed) return handed.status();
  if (const Status folder = prepare_folder(listeners.socket); !folder.ok()) return folder;
  if (*handed) {
    listeners.local = std::move(**handed);
  } else {
    auto lock = try_lock(listeners.socket + ".lock");
    if (!lock) return lock.status();
    if (!*lock) return std::optional<Listeners>();
    listeners.lock = std::move(*lock);
    auto local = listen_at(listeners.socket);
    if (!local) return local.status();
    listeners.local = std::move(*local);
    listeners.file = identity_of(listeners.socket);
  }
  if (options.tcp_port != 0) {
    const auto folder = listeners.socket.substr(0, listeners.socket.rfind('/'));
    auto token = token_in(options.token_file.empty() ? folder + "/token" : options.token_file);
    if (!token) return token.status();
    listeners.token = *token;
    auto tcp = listen_on_port(options.tcp_port);
    if (!tcp) return tcp.status();
    listeners.tcp = std::move(*tcp);
  }
  return std::optional(std::move(listeners));
}

void serve(Host& host, Listeners listeners, const ServeOptions& options) {
  Server(host, std::move(listeners), options).run();
}

}  // namespace cinnabar::daemon
