#include <fcntl.h>
#include <sys/event.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "daemon/transport/process.h"

namespace cinnabar::daemon {
namespace {

bool is_stopped(pid_t process) {
  std::array<int, 4> name{CTL_KERN, KERN_PROC, KERN_PROC_PID, process};
  kinfo_proc found{};
  std::size_t size = sizeof found;
  return sysctl(name.data(), name.size(), &found, &size, nullptr, 0) == 0 && size == sizeof found &&
         found.kp_proc.p_stat == SSTOP;
}

}  // namespace

std::optional<uid_t> peer_user(int socket) {
  uid_t user = 0;
  gid_t group = 0;
  return getpeereid(socket, &user, &group) == 0 ? std::optional(user) : std::nullopt;
}

std::optional<pid_t> peer_process(int socket) {
  pid_t process = 0;
  socklen_t size = sizeof process;
  const bool said = getsockopt(socket, SOL_LOCAL, LOCAL_PEERPID, &process, &size) == 0;
  return said && process > 0 ? std::optional(process) : std::nullopt;
}

// A queue polls readable while an event is in it, and nobody takes this one out.
std::variant<ProcessGone, Descriptor> watch_process(std::int32_t process) {
  Descriptor queue(kqueue());
  if (!queue) return queue;
  fcntl(queue.get(), F_SETFD, FD_CLOEXEC);
  struct kevent end {};
  end.ident = static_cast<std::uintptr_t>(process);
  end.filter = EVFILT_PROC;
  end.flags = EV_ADD;
  end.fflags = NOTE_EXIT;
  if (kevent(queue.get(), &end, 1, nullptr, 0, nullptr) == 0) return queue;
  if (errno == ESRCH) return ProcessGone{};
  return Descriptor();
}

// By its number, which no descriptor can stand for here.
bool kill_if_stopped(pid_t process) { return is_stopped(process) && kill(process, SIGKILL) == 0; }

}  // namespace cinnabar::daemon
