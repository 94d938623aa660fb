#include "daemon/transport/serve.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <cerrno>
#include <csignal>
#include <map>
#include <utility>  // before asio: Boost 1.74 forgets it

#include "base/system.h"
#include "daemon/transport/bounded_log.h"
#include "daemon/transport/channel.h"
#include "daemon/transport/process.h"
#include "daemon/transport/refusal.h"
#include "daemon/transport/token.h"

namespace cinnabar::daemon {
namespace {

namespace asio = boost::asio;
constexpr std::chrono::seconds kTcpPatience{5};  // with who does not say who it is

Descriptor duplicate(int number) { return Descriptor(fcntl(number, F_DUPFD_CLOEXEC, 0)); }

// SIG_BLOCK: they wait, for this thread and those that it starts. SIG_UNBLOCK: they come.
void hold_ending_signals(int how) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(how, &signals, nullptr);
}

// The program's file when this process began. It differs later when the program has been upgraded.
std::optional<FileIdentity> program_file() { return identity_of(own_image()); }

bool program_replaced(const std::optional<FileIdentity>& at_start) {
  const std::string program = own_program();
  return !program.empty() && at_start && identity_of(program) != at_start;
}

// The daemon's part in proving who is who on one TCP connection.
class Gate {
 public:
  Gate(const std::string& token, std::uint16_t port) : token_(token) { challenge_.port = port; }

  // The answer to a knock; none: it is none, or not the first.
  std::optional<Greeting> prove(const Greeting& knock, const std::string& version) {
    auto nonce = new_nonce();
    if (knock.verb != "knock" || knock.nonce.size() < kShortestNonce || knocked_ || !nonce) return std::nullopt;
    knocked_ = true;
    challenge_.proxy_nonce = knock.nonce;
    challenge_.daemon_nonce = *nonce;
    return Greeting{"proof", version, *nonce, proof_of(token_, "proof", challenge_)};
  }

  bool lets_in(const Greeting& greeting) const {
    return knocked_ && equal_tokens(greeting.proof, proof_of(token_, greeting.verb, challenge_));
  }

 private:
  static constexpr std::size_t kShortestNonce = 32;
  const std::string token_;
  Challenge challenge_;
  bool knocked_ = false;
};

// Many clients on one loop.
class SocketServer {
 public:
  SocketServer(Host& host, Listeners listeners, const ServeOptions& options)
      : host_(host),
        options_(options),
        refusing_(make_refusing_host("Cinnabar: the daemon has " + std::to_string(options.clients) +
                                     " clients, no more are taken; close an editor")),
        log_(options.log),
        listeners_(std::move(listeners)),
        local_(loop_),
        tcp_(loop_),
        breath_(loop_),
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
  struct Client {
    std::shared_ptr<Channel> channel;
    bool tcp = false;
    bool refused = false;  // there to be told that there is no room
    bool logged = false;
  };
  static constexpr std::size_t kStrangers = 64;  // on TCP, and refused ones; the one that came first has to go

  void log(const std::string& line) { log_.add(line); }

  void watch_signals() {
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (error) return;
      if (draining_) return end_all("the daemon ends at once");
      watch_signals();
      drain("a signal");
    });
    hold_ending_signals(SIG_UNBLOCK);
  }

  void accept_from(Acceptor& acceptor, Descriptor& listener, bool tcp) {
    acceptor.assign(duplicate(listener.get()).release());
    wait_for_client(acceptor, tcp);
  }

  void wait_for_client(Acceptor& acceptor, bool tcp) {
    acceptor.async_wait(Acceptor::wait_read, [this, &acceptor, tcp](const boost::system::error_code& error) {
      if (error || draining_) return;
      while (true) {
        Descriptor client = accept_client(acceptor.native_handle());
        if (client) {
          welcome(std::move(client), tcp);
        } else if (errno == EMFILE || errno == ENFILE) {
          return turn_one_away(acceptor, tcp);
        } else if (errno != ECONNABORTED && errno != EINTR) {
          break;
        }
      }
      wait_for_client(acceptor, tcp);
    });
  }

  // Without descriptors one is spent on saying so; without even that one, the next look comes later.
  void turn_one_away(Acceptor& acceptor, bool tcp) {
    spare_.close();
    say_full(accept_client(acceptor.native_handle()));
    spare_ = Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
    log("a client was sent away: no descriptors are left (ulimit -n)");
    breath_.expires_after(std::chrono::milliseconds(100));
    breath_.async_wait([this, &acceptor, tcp](const boost::system::error_code& error) {
      if (!error) wait_for_client(acceptor, tcp);
    });
  }

  void say_full(const Descriptor& client) const {
    const std::string line = to_line({"full", options_.version, {}, {}});
    if (client) (void)send(client.get(), line.data(), line.size(), kNoSignal | MSG_DONTWAIT);
  }

  // How many there are, and the silent one that came first, of those that `counts` says.
  template <typename Counts>
  std::pair<std::size_t, std::shared_ptr<Channel>> look(Counts counts) const {
    std::size_t number = 0;
    std::shared_ptr<Channel> silent;
    for (const auto& [id, client] : clients_) {
      if (!counts(client)) continue;
      ++number;
      if (!silent && client.channel->silent()) silent = client.channel;
    }
    return {number, silent};
  }

  // Whether there is room for one more; those who say nothing make it. Connections that only stand there, however many
  // and whoever opened them, keep nobody out.
  bool make_room(bool tcp) {
    if (tcp) {
      const auto [strangers, first] = look([](const Client& c) { return c.tcp && c.channel->silent(); });
      if (strangers >= kStrangers) first->end("it says nothing, and others wait");
    }
    const auto [clients, silent] = look([](const Client& c) { return !c.refused; });
    if (clients < options_.clients) return true;
    if (silent) silent->end("it says nothing, and others wait");
    return silent != nullptr;
  }

  void welcome(Descriptor client, bool tcp) {
    const int number = ++last_number_;
    const std::string name = "client " + std::to_string(number);
    if (!tcp && peer_user(client.get()) != geteuid()) return log(name + " is another user: sent away");
    const bool refused = !make_room(tcp);
    if (refused) {
      log(name + " sent away: too many clients");
      const auto [turned_away, first] = look([](const Client& c) { return c.refused; });
      if (turned_away >= kStrangers) return say_full(client);
    }
    Descriptor out = duplicate(client.get());
    if (!out) {
      log(name + " sent away: no descriptors are left (ulimit -n)");
      return say_full(client);
    }
    const auto channel = std::make_shared<Channel>(loop_, std::move(client), std::move(out), options_.output_limit);
    clients_[number] = {channel, tcp, refused};
    idle_.cancel();
    channel->start(refused ? *refusing_ : host_, handshake_for(number, tcp),
                   [this, name, number](const std::shared_ptr<Channel>&, const std::string& why) {
                     if (clients_[number].logged) log(name + " left: " + why);
                     clients_.erase(number);
                     rest();
                   });
  }

  Handshake handshake_for(int number, bool tcp) {
    Handshake handshake;
    const auto gate = tcp ? std::make_shared<Gate>(listeners_.token, options_.tcp_port) : nullptr;
    const auto looks = std::make_shared<bool>(false);
    handshake.required = tcp;
    handshake.limit = kTcpPatience;
    handshake.answer = [this, number, gate, looks](const Greeting& greeting) {
      *looks = greeting.verb == "look";
      return answer(greeting, gate.get(), clients_[number].refused);
    };
    handshake.on_begin = [this, number, tcp, looks] {
      Client& client = clients_[number];
      client.logged = !*looks && !client.refused;
      if (client.logged) log("client " + std::to_string(number) + " came" + (tcp ? " by TCP" : ""));
    };
    return handshake;
  }

  Greeting answer(const Greeting& greeting, Gate* gate, bool no_room) {
    const auto plain = [this](const char* verb) { return Greeting{verb, options_.version, {}, {}}; };
    if (gate != nullptr && !gate->lets_in(greeting)) {
      auto proof = gate->prove(greeting, options_.version);
      return proof ? std::move(*proof) : plain("refused");
    }
    if (greeting.verb == "drain") {
      asio::post(loop_, [this] { drain("a newer program asks for its place"); });
      return plain("draining");
    }
    if (no_room) return plain("full");
    return plain(program_replaced(program_) ? "replaced" : "ready");
  }

  // Without clients the daemon waits a while for the next one, then ends.
  void rest() {
    if (!clients_.empty()) return;
    if (draining_) return stop();
    if (options_.idle_exit.count() == 0) return;
    idle_.expires_after(options_.idle_exit);
    idle_.async_wait([this](const boost::system::error_code& error) {
      if (!error && clients_.empty() && !draining_) drain("nobody has been here for a while");
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
    for (const auto& channel : channels()) channel->drain();
    if (clients_.empty()) stop();
  }

  std::vector<std::shared_ptr<Channel>> channels() const {
    std::vector<std::shared_ptr<Channel>> all;
    for (const auto& [number, client] : clients_) all.push_back(client.channel);
    return all;
  }

  void end_all(const std::string& why) {
    for (const auto& channel : channels()) channel->end(why);
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
    breath_.cancel();
    last_moment_.cancel();
    signals_.cancel();
  }

  Host& host_;
  const ServeOptions& options_;
  const std::unique_ptr<Host> refusing_;
  BoundedLog log_;
  Listeners listeners_;
  asio::io_context loop_{1};
  Acceptor local_;
  Acceptor tcp_;
  asio::steady_timer breath_;
  asio::signal_set signals_;
  asio::steady_timer idle_;
  asio::steady_timer last_moment_;
  std::map<int, Client> clients_;  // by their number, which grows
  Descriptor spare_{open("/dev/null", O_RDONLY | O_CLOEXEC)};
  std::optional<FileIdentity> program_ = program_file();
  int last_number_ = 0;
  bool draining_ = false;
};

// One client on standard input and output, until it leaves, its editor's process has gone, or a signal comes.
class StdioServer {
 public:
  explicit StdioServer(const ServeOptions& options)
      : options_(options), signals_(loop_, SIGTERM, SIGINT), last_moment_(loop_), editor_(loop_) {}

  int run(Host& host) {
    channel_ =
        std::make_shared<Channel>(loop_, duplicate(STDIN_FILENO), duplicate(STDOUT_FILENO), options_.output_limit);
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (!error) drain();
    });
    channel_->on_turn([this] { watch_editor(); });
    channel_->start(host, std::nullopt, [this](const std::shared_ptr<Channel>& ended, const std::string& why) {
      if (options_.log) options_.log("the client left: " + why);
      if (!status_) status_ = ended->exit_code().value_or(1);
      last_moment_.cancel();
      signals_.cancel();
      boost::system::error_code ignored;
      editor_.close(ignored);
    });
    loop_.run();
    return status_.value_or(1);
  }

 private:
  void drain() {
    status_ = 0;
    last_moment_.expires_after(options_.drain_limit);
    last_moment_.async_wait([this](const boost::system::error_code& cancelled) {
      if (!cancelled) channel_->end("it took too long to answer");
    });
    channel_->drain();
  }

  void watch_editor() {
    const auto process = watches_ ? std::nullopt : channel_->editor_process();
    if (!process) return;
    watches_ = true;
    auto watched = watch_process(*process);
    if (std::holds_alternative<ProcessGone>(watched)) return channel_->end("its editor has gone");
    auto& handle = std::get<Descriptor>(watched);
    if (!handle) return;
    editor_.assign(handle.release());
    editor_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
      if (!error) channel_->end("its editor has gone");
    });
  }

  const ServeOptions& options_;
  asio::io_context loop_{1};
  asio::signal_set signals_;
  asio::steady_timer last_moment_;
  asio::posix::stream_descriptor editor_;  // readable once its process has ended
  std::shared_ptr<Channel> channel_;
  std::optional<int> status_;
  bool watches_ = false;
};

// asio throws where the system gives it no descriptors.
Status without_exceptions(const std::function<void()>& run) {
  try {
    run();
    return {};
  } catch (const boost::system::system_error& error) {
    return Status::error(std::string("the system refuses what serving needs: ") + error.what() +
                         "; more open files may have to be allowed (ulimit -n)");
  }
}

}  // namespace

Result<int> serve_stdio(Host& host, const ServeOptions& options) {
  const int in_flags = fcntl(STDIN_FILENO, F_GETFL);
  const int out_flags = fcntl(STDOUT_FILENO, F_GETFL);
  int exit_status = 1;
  const Status served = without_exceptions([&] { exit_status = StdioServer(options).run(host); });
  // These belong to the terminal or pipe, which others may share.
  fcntl(STDIN_FILENO, F_SETFL, in_flags);
  fcntl(STDOUT_FILENO, F_SETFL, out_flags);
  if (!served.ok()) return served;
  return exit_status;
}

Result<std::optional<Listeners>> open_listeners(const ServeOptions& options) {
  hold_ending_signals(SIG_BLOCK);
  Listeners listeners;
  std::string notice;
  auto path = socket_path(options.socket, &notice);
  if (!path) return path.status();
  if (options.log && !notice.empty()) options.log(notice);
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
    // A token in use is not replaced before the port is ours.
    const std::string file = token_file_of(options.token_file, listeners.socket);
    if (const Status usable = check_token_file(file); !usable.ok()) return usable;
    auto tcp = listen_on_port(options.tcp_port);
    if (!tcp) return tcp.status();
    auto token = write_new_token(file);
    if (!token) return token.status();
    listeners.token = *token;
    listeners.tcp = std::move(*tcp);
  }
  return std::optional(std::move(listeners));
}

Status serve(Host& host, Listeners listeners, const ServeOptions& options) {
  return without_exceptions([&] { SocketServer(host, std::move(listeners), options).run(); });
}

}  // namespace cinnabar::daemon
