#include "base/file.h"

#include <fcntl.h>
#include <unistd.h>

namespace cinnabar {

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    close();
    number_ = other.release();
  }
  return *this;
}

bool set_blocking(int descriptor, bool blocks) {
  const int flags = fcntl(descriptor, F_GETFL);
  return flags >= 0 && fcntl(descriptor, F_SETFL, blocks ? flags & ~O_NONBLOCK : flags | O_NONBLOCK) == 0;
}

void keep_standard_descriptors() {
  for (int number = 0; number <= 2; ++number) {
    if (fcntl(number, F_GETFD) >= 0) continue;
    // The lowest free number, which is this one. Opened the wrong way round, so that it cannot be used.
    if (open("/dev/null", number == 0 ? O_WRONLY : O_RDONLY) < 0) return;
  }
}

void Descriptor::close() {
  if (number_ >= 0) ::close(std::exchange(number_, -1));
}

}  // namespace cinnabar
