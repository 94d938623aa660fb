// What POSIX leaves to each system: where this program lies, memory, sockets and pipes that close on exec. The build picks one
// of the files that define it: system_linux.cc or system_darwin.cc.
//
// May be called from any thread. Failures are values (empty, 0, no descriptor with errno set); nothing throws.
#pragma once

#include <sys/stat.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/file.h"

namespace cinnabar {

// Absolute path that this program was started from: of the one that has taken its place, after an upgrade. Empty: the system
// does not say.
std::string own_program();
// A path that names the file this process runs. On Linux also after another has taken its place; elsewhere own_program().
std::string own_image();

// Bytes of this process that are in memory, and bytes that programs can have without others being driven out; 0 where the
// system does not say.
std::uint64_t resident_bytes();
std::uint64_t available_bytes();

// Gives freed memory back to the system as far as it lies in one piece.
void return_freed_memory();
// Whether huge pages are given costs and saves time, never changes anything else.
void ask_for_huge_pages(void* begin, std::size_t bytes);

// Nanoseconds since 1970.
struct FileTimes {
  std::int64_t modified = 0;
  std::int64_t changed = 0;
};
FileTimes times_of(const struct stat& file);

// A stream socket of AF_UNIX or AF_INET, and the next client of a listener; they close on exec and do not block.
Descriptor stream_socket(int family);
Descriptor accept_client(int listener);
// Reading and writing end; both close on exec.
std::array<Descriptor, 2> make_pipe();

// For send() with these sockets: no SIGPIPE when the other side is gone.
extern const int kNoSignal;
// For poll(): the other side of a socket writes no more. 0 where poll() says that only when all has been read.
extern const short kNothingFollows;

// Closes every descriptor from `first` on. May be called between fork and exec.
void close_from(int first);

}  // namespace cinnabar
