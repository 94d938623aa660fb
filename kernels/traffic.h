// What a device has done for the host and what memory it has, as its backend tells.
#pragma once

#include <cstdint>

namespace cinnabar::kernels {

// What has gone between the host and a device so far; nothing where the device is the host. `launches` of kernels, those
// that `graphs` (recorded forwards) start among them; `waits` of the host; `copies` of `bytes` either way.
struct Traffic {
  std::int64_t launches = 0, graphs = 0, waits = 0, copies = 0, bytes = 0, allocations = 0;
  Traffic operator-(const Traffic& before) const {
    return {launches - before.launches, graphs - before.graphs, waits - before.waits,
            copies - before.copies,     bytes - before.bytes,   allocations - before.allocations};
  }
};

// Bytes of a device's own memory, whoever uses them; nothing where the device is the host, or does not say.
struct DeviceMemory {
  std::int64_t total = 0, free = 0;
};

}  // namespace cinnabar::kernels
