// Which device the model runs on, and opening it: the CPU, or a GPU by the library that is opened at run time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "kernels/cpu/backend.h"

namespace cinnabar::engine {

// automatic: the GPU where there is one that can be used, else the CPU.
enum class DeviceKind : std::uint8_t { automatic, cpu, cuda };
std::optional<DeviceKind> parse_device_kind(std::string_view text);  // "auto", "cpu", "cuda"
std::string_view name(DeviceKind kind);

struct DeviceOptions {
  DeviceKind kind = DeviceKind::automatic;
  kernels::cpu::CpuOptions cpu;
  std::string cuda_library;  // where libcinnabar_cuda.so lies; empty: it is not installed
};

// Errors: what the device asked for lacks. A GPU that cannot be used is no error where nobody insists on it.
Result<std::unique_ptr<kernels::Backend>> open_device(const DeviceOptions& options);

}  // namespace cinnabar::engine
