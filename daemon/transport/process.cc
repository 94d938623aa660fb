#include "daemon/transport/process.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

namespace cinnabar::daemon {

std::variant<ProcessGone, Descriptor> watch_process(std::int32_t process) {
  Descriptor handle(static_cast<int>(syscall(SYS_pidfd_open, process, 0)));
  if (!handle && errno == ESRCH) return ProcessGone{};
  return handle;
}

bool is_stopped(pid_t process) {
  const Descriptor file(open(("/proc/" + std::to_string(process) + "/stat").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 512> bytes{};
  const auto count = file ? read(file.get(), bytes.data(), bytes.size()) : 0;
  const std::string_view text(bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  const auto name_end = text.rfind(')');  // "PID (NAME) STATE ..."
  return name_end != std::string_view::npos && text.substr(name_end).starts_with(") T");
}

}  // namespace cinnabar::daemon
