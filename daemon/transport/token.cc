#include "daemon/transport/token.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/file.h"
#include "daemon/transport/handshake.h"

namespace cinnabar::daemon {
namespace {

constexpr std::size_t kShortest = 16, kLongest = 128;  // characters

Status system_error(const std::string& what) { return Status::error(what + ": " + std::strerror(errno)); }

Status check(const struct stat& found, const std::string& path) {
  if (!S_ISREG(found.st_mode)) return Status::error("the token file " + path + " is no file");
  if (found.st_uid == geteuid() && (found.st_mode & 077) == 0) return {};
  return Status::error("the token file " + path + " can be read by others; expected mode 0600 and your own");
}

}  // namespace

std::string token_file_of(const std::string& chosen, const std::string& socket) {
  return chosen.empty() ? socket.substr(0, socket.rfind('/')) + "/token" : chosen;
}

Status check_token_file(const std::string& path) {
  struct stat found {};
  if (lstat(path.c_str(), &found) == 0) return check(found, path);
  return errno == ENOENT ? Status() : system_error("cannot look at the token file " + path);
}

Result<std::string> write_new_token(const std::string& path) {
  if (const Status usable = check_token_file(path); !usable.ok()) return usable;
  auto token = new_nonce();
  if (!token) return token;
  std::string temporary = path + ".XXXXXX";
  const Descriptor file(mkostemp(temporary.data(), O_CLOEXEC));  // 0600
  const std::string line = *token + "\n";
  if (!file) return system_error("cannot write the token file " + path);
  if (write(file.get(), line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
      rename(temporary.c_str(), path.c_str()) == 0)
    return token;
  const Status error = system_error("cannot write the token file " + path);
  unlink(temporary.c_str());
  return error;
}

Result<std::string> read_token(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) {
    return Status::error("cannot read the token file " + path + ": " + std::strerror(errno) +
                         "; a daemon that is started with --tcp writes it");
  }
  struct stat found {};
  if (fstat(file.get(), &found) != 0) return system_error("cannot look at the token file " + path);
  if (const Status usable = check(found, path); !usable.ok()) return usable;
  std::array<char, 2 * kLongest> bytes{};
  const auto count = read(file.get(), bytes.data(), bytes.size());
  std::string token(bytes.data(), count < 0 ? 0 : static_cast<std::size_t>(count));
  token.erase(std::min(token.find_first_of(" \r\n"), token.size()));
  if (token.size() >= kShortest && token.size() <= kLongest) return token;
  return Status::error("the token in " + path + " has " + std::to_string(token.size()) + " characters, expected " +
                       std::to_string(kShortest) + " to " + std::to_string(kLongest));
}

}  // namespace cinnabar::daemon
