// Where the user's one daemon listens and who may speak to it: its folder, socket and locks.
//
// All files lie in one folder that belongs to the user alone (0700): PATH is the socket (0600), PATH.lock is held by
// the daemon that owns it for as long as it takes new clients, PATH.start by a proxy that is starting one, PATH.log is
// what a daemon started by a proxy prints. Plain POSIX, no threads; errors name the path, what was found and what to
// do.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/file.h"
#include "base/result.h"

namespace cinnabar::daemon {

// `chosen`, or cinnabar.sock in $XDG_RUNTIME_DIR/cinnabar, or in /tmp/cinnabar-UID where that variable is not set or
// names no folder that can be used: missing, another user's, not to be written to, or too long. `notice`, where given,
// gets a sentence then. Error: longer than a socket's address can be, or not absolute.
Result<std::string> socket_path(const std::string& chosen, std::string* notice = nullptr);

// Makes the folder that holds `socket` (0700) where it is missing. Error: it is a link or no folder, belongs to another
// user, or others may enter it.
Status prepare_folder(const std::string& socket);

// Takes the lock file at `path` for as long as the descriptor is open, in whatever process. None: another holds it.
Result<std::optional<Descriptor>> try_lock(const std::string& path);

// A listening socket at `path`, mode 0600. A socket file that nobody answers at is removed first: the caller must hold
// PATH.lock. Error: somebody does answer, or a file that is no socket is in the way.
Result<Descriptor> listen_at(const std::string& path);

// Which file a path names at the moment; equal for the same file only. None: there is none.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};
std::optional<FileIdentity> identity_of(const std::string& path);

// What connecting found.
enum class Reach { connected, nobody, busy, foreign };
struct Attempt {
  Reach reach = Reach::nobody;
  Descriptor socket;      // with kConnected; non-blocking
  std::string hindrance;  // with kBusy: what it is, in words
};
// Never blocks. kNobody: no file, or nobody listens; kBusy: its queue is full, or this process may open no more files,
// try again; kForeign: the one who listens is another user, so nothing must be sent.
Attempt connect_to(const std::string& path);

// To 127.0.0.1; blocks for two seconds at most.
Attempt connect_to_port(std::uint16_t port);
Result<Descriptor> listen_on_port(std::uint16_t port);

// The listening unix socket that systemd (or another) handed to this process by LISTEN_PID and LISTEN_FDS; none when it
// did not. Error: it handed something else.
Result<std::optional<Descriptor>> activated_listener();

}  // namespace cinnabar::daemon
