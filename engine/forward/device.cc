#include "engine/forward/device.h"

#include "kernels/cuda/backend.h"

namespace cinnabar::engine {

std::optional<DeviceKind> parse_device_kind(std::string_view text) {
  for (const DeviceKind kind : {DeviceKind::automatic, DeviceKind::cpu, DeviceKind::cuda}) {
    if (text == name(kind)) return kind;
  }
  return std::nullopt;
}

std::string_view name(DeviceKind kind) {
  switch (kind) {
    case DeviceKind::automatic:
      return "auto";
    case DeviceKind::cpu:
      return "cpu";
    case DeviceKind::cuda:
      return "cuda";
  }
  return "";
}

Result<std::unique_ptr<kernels::Backend>> open_device(const DeviceOptions& options) {
  if (options.kind != DeviceKind::cpu) {
    auto opened = options.cuda_library.empty()
                      ? Status::error("libcinnabar_cuda.so is not beside this program; build it with the preset cuda")
                      : kernels::cuda::open_backend(options.cuda_library);
    if (opened || options.kind == DeviceKind::cuda) return opened;
  }
  return kernels::cpu::make_backend(options.cpu);
}

}  // namespace cinnabar::engine
