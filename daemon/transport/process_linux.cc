#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>
#include <string_view>

#include "daemon/transport/process.h"

namespace cinnabar::daemon {
namespace {

std::optional<ucred> peer_of(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  return peer;
}

bool is_stopped(pid_t process) {
  const Descriptor file(open(("/proc/" + std::to_string(process) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 512> bytes{};
  const auto count = file ? read(file.get(), bytes.data(), bytes.size()) : 0;
  const std::string_view text(bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  const auto name_end = text.rfind(')');  // "PID (NAME) STATE ..."
  return name_end != std::string_view::npos && text.substr(name_end).starts_with(") T");
}

}  // namespace

std::optional<uid_t> peer_user(int socket) {
  const auto peer = peer_of(socket);
  return peer ? std::optional(peer->uid) : std::nullopt;
}

std::optional<pid_t> peer_process(int socket) {
  const auto peer = peer_of(socket);
  return peer && peer->pid > 0 ? std::optional(peer->pid) : std::nullopt;
}

std::variant<ProcessGone, Descriptor> watch_process(std::int32_t process) {
  Descriptor handle(static_cast<int>(syscall(SYS_pidfd_open, process, 0)));
  if (!handle && errno == ESRCH) return ProcessGone{};
  return handle;
}

// By a descriptor that was opened before it was looked at: its number may be another's by now.
bool kill_if_stopped(pid_t process) {
  const auto watched = watch_process(process);
  const auto* handle = std::get_if<Descriptor>(&watched);
  return handle != nullptr && *handle && is_stopped(process) &&
         syscall(SYS_pidfd_send_signal, handle->get(), SIGKILL, nullptr, 0) == 0;
}

}  // namespace cinnabar::daemon
