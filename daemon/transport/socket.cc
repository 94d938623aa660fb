#include "daemon/transport/socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/system.h"
#include "daemon/transport/process.h"

namespace cinnabar::daemon {
namespace {

Status system_error(const std::string& what) { return Status::error(what + ": " + std::strerror(errno)); }

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

template <typename Address>
const sockaddr* generic(const Address& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

int socket_option(int socket, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  return getsockopt(socket, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

int family_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  return getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0 ? address.ss_family : -1;
}

constexpr std::string_view kInRuntimeFolder = "/cinnabar/cinnabar.sock";

// Why no socket can be below the folder that XDG_RUNTIME_DIR names; empty: one can.
std::string problem_of_runtime_folder(const std::string& folder) {
  struct stat found {};
  if (folder[0] != '/') return "does not begin with '/'";
  if (folder.size() + kInRuntimeFolder.size() >= sizeof(sockaddr_un::sun_path)) return "is too long for a socket";
  if (stat(folder.c_str(), &found) != 0) return std::string("cannot be looked at (") + std::strerror(errno) + ")";
  if (!S_ISDIR(found.st_mode)) return "is no folder";
  if (found.st_uid != geteuid()) return "belongs to user " + std::to_string(found.st_uid);
  if (access(folder.c_str(), W_OK | X_OK) != 0) return std::string("cannot be used (") + std::strerror(errno) + ")";
  return {};
}

std::string own_socket(std::string* notice) {
  const char* set = std::getenv("XDG_RUNTIME_DIR");
  const std::string folder = set != nullptr ? set : "";
  const std::string problem = folder.empty() ? "" : problem_of_runtime_folder(folder);
  if (!folder.empty() && problem.empty()) return folder + std::string(kInRuntimeFolder);
  const std::string place = "/tmp/cinnabar-" + std::to_string(geteuid());
  if (!problem.empty() && notice != nullptr)
    *notice = "XDG_RUNTIME_DIR (" + folder + ") " + problem + ": the daemon's place is " + place;
  return place + "/cinnabar.sock";
}

}  // namespace

Result<std::string> socket_path(const std::string& chosen, std::string* notice) {
  const std::string path = chosen.empty() ? own_socket(notice) : chosen;
  if (path[0] != '/') return Status::error("the socket's path is '" + path + "', expected one that begins with '/'");
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return Status::error("the socket's path has " + std::to_string(path.size()) + " bytes, at most " +
                         std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " are possible: " + path);
  }
  return path;
}

Status prepare_folder(const std::string& socket) {
  const std::string folder = folder_of(socket);
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return system_error("cannot make the folder " + folder);
  struct stat found {};
  if (lstat(folder.c_str(), &found) != 0) return system_error("cannot look at the folder " + folder);
  std::string wrong;
  if (!S_ISDIR(found.st_mode)) {
    wrong = "is no folder";
  } else if (found.st_uid != geteuid()) {
    wrong = "belongs to user " + std::to_string(found.st_uid) + ", expected " + std::to_string(geteuid());
  } else if ((found.st_mode & 077) != 0) {
    wrong = "can be entered by others, expected mode 0700";
  }
  if (wrong.empty()) return {};
  return Status::error(folder + " " + wrong + "; remove it, or set XDG_RUNTIME_DIR to a folder of your own");
}

Result<std::optional<Descriptor>> try_lock(const std::string& path) {
  Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return system_error("cannot open the lock file " + path);
  if (flock(file.get(), LOCK_EX | LOCK_NB) == 0) return std::optional(std::move(file));
  if (errno == EWOULDBLOCK) return std::optional<Descriptor>();
  return system_error("cannot lock " + path);
}

Result<Descriptor> listen_at(const std::string& path) {
  const Attempt there = connect_to(path);
  if (there.reach != Reach::nobody) return Status::error("another program answers at " + path);
  struct stat found {};
  if (lstat(path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode)) return Status::error(path + " is in the way: it is no socket; remove it");
    if (unlink(path.c_str()) != 0) return system_error("cannot remove the stale socket " + path);
  }
  Descriptor listener = stream_socket(AF_UNIX);
  if (!listener) return system_error("cannot make a socket");
  const sockaddr_un address = address_of(path);
  const mode_t before = umask(0177);
  const int bound = bind(listener.get(), generic(address), sizeof address);
  umask(before);
  if (bound != 0) return system_error("cannot make the socket " + path);
  if (listen(listener.get(), 128) != 0) return system_error("cannot listen at " + path);
  return listener;
}

std::optional<FileIdentity> identity_of(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return std::nullopt;
  return FileIdentity{found.st_dev, found.st_ino};
}

Attempt connect_to(const std::string& path) {
  Descriptor socket = stream_socket(AF_UNIX);
  if (!socket) return {Reach::busy, {}, std::string("no socket can be made (") + std::strerror(errno) + ")"};
  const sockaddr_un address = address_of(path);
  if (connect(socket.get(), generic(address), sizeof address) != 0) {
    const bool busy = errno == EAGAIN || errno == EINTR;
    return {busy ? Reach::busy : Reach::nobody, {}, "the daemon at " + path + " lets nobody in"};
  }
  const auto user = peer_user(socket.get());
  if (!user || *user != geteuid()) return {Reach::foreign, {}, {}};
  return {Reach::connected, std::move(socket), {}};
}

Attempt connect_to_port(std::uint16_t port) {
  Descriptor socket = stream_socket(AF_INET);
  if (!socket) return {Reach::busy, {}, std::string("no socket can be made (") + std::strerror(errno) + ")"};
  set_blocking(socket.get(), true);
  const timeval limit{2, 0};  // a listener whose queue is full drops what knocks
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const sockaddr_in address = loopback(port);
  if (connect(socket.get(), generic(address), sizeof address) != 0) {
    const bool busy = errno == EAGAIN || errno == EINPROGRESS || errno == EINTR;
    return {busy ? Reach::busy : Reach::nobody, {}, "port " + std::to_string(port) + " lets nobody in"};
  }
  set_blocking(socket.get(), false);
  return {Reach::connected, std::move(socket), {}};
}

Result<Descriptor> listen_on_port(std::uint16_t port) {
  Descriptor listener = stream_socket(AF_INET);
  if (!listener) return system_error("cannot make a socket");
  const int yes = 1;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  const sockaddr_in address = loopback(port);
  if (bind(listener.get(), generic(address), sizeof address) != 0 || listen(listener.get(), 128) != 0)
    return system_error("cannot listen on port " + std::to_string(port) + " of 127.0.0.1");
  return listener;
}

Result<std::optional<Descriptor>> activated_listener() {
  constexpr int kFirst = 3;  // systemd's SD_LISTEN_FDS_START
  const char* process = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  if (process == nullptr || count == nullptr || std::to_string(getpid()) != process) return std::optional<Descriptor>();
  if (std::string_view(count) != "1") return Status::error("LISTEN_FDS is " + std::string(count) + ", expected 1");
  if (family_of(kFirst) != AF_UNIX || socket_option(kFirst, SO_TYPE) != SOCK_STREAM ||
      socket_option(kFirst, SO_ACCEPTCONN) != 1) {
    return Status::error("the descriptor handed over by LISTEN_FDS is no listening unix stream socket");
  }
  Descriptor listener(kFirst);
  fcntl(kFirst, F_SETFD, FD_CLOEXEC);
  set_blocking(kFirst, false);
  return std::optional(std::move(listener));
}

}  // namespace cinnabar::daemon
