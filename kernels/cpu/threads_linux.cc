#include <sched.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <utility>

#include "kernels/cpu/parallel.h"

namespace cinnabar::kernels::cpu {
namespace {

int topology(int cpu, const char* file) {
  std::ifstream in("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/" + file);
  int id = -1;
  return in >> id ? id : -1;
}

}  // namespace

int default_threads() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  std::set<std::pair<int, int>> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    const int core = topology(cpu, "core_id");
    // Without topology every CPU counts as a core of its own.
    cores.insert(core < 0 ? std::pair(-1, cpu) : std::pair(topology(cpu, "physical_package_id"), core));
  }
  return std::max<int>(1, static_cast<int>(cores.size()));
}

}  // namespace cinnabar::kernels::cpu
