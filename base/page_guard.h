// Files that are mapped and cut by another process while they are read: the pages that are gone read as zeros instead of
// ending this process (SIGBUS), and are counted, so that who reads can tell.
//
// A signal's handler is the whole process's, and can only know what is global: hence the table behind this.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cinnabar {

// Installs the handler. The program's main() decides whether to; without it a page that is gone ends the process.
void guard_mapped_pages();

// Pages that were gone when they were read, in all guarded ranges so far.
std::uint64_t lost_pages();

// A mapped range, guarded while this lives. Beyond so many at a time (256) one stays unguarded.
class GuardedPages {
 public:
  GuardedPages(const void* begin, std::size_t bytes);
  ~GuardedPages();
  GuardedPages(const GuardedPages&) = delete;
  GuardedPages& operator=(const GuardedPages&) = delete;

 private:
  std::size_t place_;  // in the table; its size: none was free
};

}  // namespace cinnabar
