#include <sys/sysctl.h>

#include <algorithm>
#include <thread>

#include "kernels/cpu/parallel.h"

namespace cinnabar::kernels::cpu {

// The fast cores where there are two kinds: a region waits for the slowest of its threads.
int default_threads() {
  int cores = 0;
  std::size_t size = sizeof cores;
  for (const char* name : {"hw.perflevel0.physicalcpu", "hw.physicalcpu"}) {
    if (sysctlbyname(name, &cores, &size, nullptr, 0) == 0 && cores > 0) return cores;
    size = sizeof cores;
  }
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace cinnabar::kernels::cpu
