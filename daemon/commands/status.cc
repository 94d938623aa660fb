// `cinnabar status`: asks the daemon that runs how it is, as one more client of its socket.
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <iostream>
#include <thread>
#include <utility>

#include "base/system.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/setup.h"
#include "daemon/proxy/finder.h"
#include "lsp/framing.h"
#include "lsp/json.h"
#include "lsp/message.h"

namespace cinnabar::daemon {
namespace {

using Clock = std::chrono::steady_clock;
using lsp::Json;

constexpr int kNoDaemon = 3;
constexpr std::chrono::seconds kLimit{10};  // for the greeting, and for each answer
constexpr std::chrono::milliseconds kSearchStep{20};

// A connection that asks one thing after the other; what the daemon says unasked is passed over.
class Caller {
 public:
  explicit Caller(Descriptor socket) : socket_(std::move(socket)) {}

  Result<Json> ask(std::string_view method, Json params) {
    const lsp::RequestId id = ++last_id_;
    if (Status sent = send_all(lsp::make_request(id, method, std::move(params))); !sent) return sent;
    const auto until = Clock::now() + kLimit;
    while (true) {
      auto message = next(until);
      if (!message) return message.status();
      if (message->value("id", Json()) != lsp::to_json(id) || message->contains("method")) continue;
      if (message->contains("result")) return std::move((*message)["result"]);
      return Status::error("the daemon answers " + std::string(method) +
                           " with an error: " + lsp::write_json(*message));
    }
  }

 private:
  Status send_all(const Json& message) {
    const std::string bytes = lsp::encode_frame(lsp::write_json(message));
    // A request of ours is far smaller than the buffer of a fresh socket.
    const auto sent = send(socket_.get(), bytes.data(), bytes.size(), kNoSignal);
    return sent == static_cast<ssize_t>(bytes.size()) ? Status() : Status::error("the daemon went away");
  }

  Result<Json> next(Clock::time_point until) {
    while (arrived_.empty()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
      pollfd watched{socket_.get(), POLLIN, 0};
      if (left.count() <= 0 || poll(&watched, 1, static_cast<int>(left.count())) == 0)
        return Status::error("the daemon does not answer");
      std::array<char, 64 * 1024> bytes;
      const auto count = recv(socket_.get(), bytes.data(), bytes.size(), 0);
      if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (count <= 0) return Status::error("the daemon went away");
      arrived_ = decoder_.push({bytes.data(), static_cast<std::size_t>(count)});
    }
    const lsp::Frame frame = std::move(arrived_.front());
    arrived_.erase(arrived_.begin());
    const auto* body = std::get_if<std::string>(&frame);
    auto message = body != nullptr ? lsp::parse_json(*body) : lsp::Expected<Json>(lsp::ResponseError{});
    if (!message.ok() || !message->is_object()) return Status::error("what the daemon says cannot be read");
    return std::move(message).value();
  }

  Descriptor socket_;
  lsp::FrameDecoder decoder_;
  std::vector<lsp::Frame> arrived_;
  std::int64_t last_id_ = 0;
};

Result<Descriptor> find(Finder& finder) {
  const auto until = Clock::now() + kLimit;
  while (Clock::now() < until) {
    auto found = finder.step();
    if (auto* socket = std::get_if<Descriptor>(&found)) return std::move(*socket);
    if (auto* error = std::get_if<Status>(&found)) return *error;
    std::this_thread::sleep_for(kSearchStep);
  }
  return Status::error("the daemon takes no clients: it is busy, or ending");
}

bool nobody_listens(const FinderOptions& place) {
  const Attempt attempt = place.tcp_port != 0 ? connect_to_port(place.tcp_port) : connect_to(place.socket);
  return attempt.reach == Reach::nobody;
}

// Members as they are printed; one that is not there (another version's daemon) is empty or 0.
std::string text(const Json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}
double number(const Json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() && found->is_number() ? found->get<double>() : 0;
}
Json member(const Json& object, const char* name) {
  return object.is_object() && object.contains(name) ? object[name] : Json();
}
std::string count(const Json& object, const char* name) {
  return std::to_string(static_cast<long long>(number(object, name)));
}

std::string duration(double seconds) {
  const auto minutes = static_cast<long long>(seconds) / 60;
  if (minutes == 0) return std::to_string(static_cast<long long>(seconds)) + " s";
  if (minutes < 120) return std::to_string(minutes) + " min";
  return std::to_string(minutes / 60) + " h " + std::to_string(minutes % 60) + " min";
}

void print_times(const Json& stages) {
  std::printf("%-12s %8s %10s %10s %10s\n", "times, ms", "n", "p50", "p95", "p99");
  for (const char* name : {"queue", "prompt", "denoise", "post", "total", "cached"}) {
    const Json stage = member(stages, name);
    std::printf("  %-10s %8s", name, count(stage, "n").c_str());
    for (const char* p : {"p50", "p95", "p99"}) {
      if (stage.is_object())
        std::printf(" %10.2f", number(stage, p));
      else
        std::printf(" %10s", "-");
    }
    std::printf("\n");
  }
}

void print(const Json& status, const std::string& socket) {
  const Json model = member(status, "model"), queue = member(status, "queue"), counts = member(status, "counts");
  const auto n = [&counts](const char* name) { return count(counts, name); };
  std::printf("daemon       %s, process %s, up %s, at %s\n", text(status, "version").c_str(),
              count(status, "pid").c_str(), duration(number(status, "uptimeSeconds")).c_str(), socket.c_str());
  std::printf("model        %s (%s)\n", text(model, "path").c_str(), text(model, "state").c_str());
  const bool ready = text(model, "state") == "ready";
  if (!ready && !text(model, "description").empty())
    std::printf("             %s\n", text(model, "description").c_str());
  std::printf("device       %s\n", text(model, "device").c_str());
  if (!text(model, "noGpu").empty()) std::printf("gpu          not used: %s\n", text(model, "noGpu").c_str());
  std::printf("memory       %.0f MiB resident\n", number(status, "residentBytes") / (1 << 20));
  std::printf("clients      %s\n", count(status, "clients").c_str());
  std::printf("queue        %s waiting, %s running\n", count(queue, "waiting").c_str(),
              count(queue, "running").c_str());
  print_times(member(status, "milliseconds"));
  std::printf(
      "requests     %s: %s by the model, %s without it, %s nothing to show, %s superseded, %s cancelled, %s stale\n",
      n("requests").c_str(), n("fromModel").c_str(), n("fromCache").c_str(), n("empty").c_str(),
      n("superseded").c_str(), n("cancelled").c_str(), n("stale").c_str());
  std::printf("acceptance   %s offered, %s shown, %s partly accepted, %s accepted (%s bytes)\n", n("offered").c_str(),
              n("shown").c_str(), n("partlyAccepted").c_str(), n("accepted").c_str(), n("acceptedBytes").c_str());
  std::printf(
      "trouble      %s requests failed, %s had nothing to show in time, %s of %s model loads failed, %s sessions "
      "resumed after a daemon's end\n",
      n("failed").c_str(), n("late").c_str(), n("modelFailures").c_str(), n("modelLoads").c_str(),
      n("resumed").c_str());
}

}  // namespace

int run_status(Options& options) {
  auto place = finder_options(options.place);
  if (!place) return failed(place.status());
  place->looks = true;
  Finder finder(*place);
  auto socket = find(finder);
  if (!socket) {
    if (!nobody_listens(*place)) return failed(socket.status());
    std::cerr << "cinnabar: no daemon runs (" << socket.message() << ")\n";
    return kNoDaemon;
  }
  Caller caller(std::move(socket).value());
  auto begun = caller.ask("initialize", {{"processId", nullptr}, {"capabilities", Json::object()}});
  if (!begun) return failed(begun.status());
  auto status = caller.ask("cinnabar/status", nullptr);
  if (!status) return failed(status.status());
  if (const Json clients = member(*status, "clients"); clients.is_number_unsigned() && clients > 0)
    (*status)["clients"] = clients.get<std::uint64_t>() - 1;  // without this one
  if (options.command.json)
    std::cout << status->dump(2) << "\n";
  else
    print(*status, place->socket);
  return 0;
}

}  // namespace cinnabar::daemon
