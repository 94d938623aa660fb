// Which device the model runs on, and opening it: the CPU, or a GPU by the library that is opened at run time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/model/weights.h"
#include "kernels/cpu/backend.h"

namespace cinnabar::engine {

// automatic: the GPU where there is one that can be used, else the CPU.
enum class DeviceKind : std::uint8_t { automatic, cpu, cuda };

// A kind, and of several GPUs the one that is meant; -1: the one with the most free memory.
struct DeviceChoice {
  DeviceKind kind = DeviceKind::automatic;
  int gpu = -1;
  bool operator==(const DeviceChoice&) const = default;
};
std::optional<DeviceChoice> parse_device(std::string_view text);  // "auto", "cpu", "cuda", "cuda:1"
std::string name(const DeviceChoice& choice);

struct DeviceOptions {
  DeviceChoice choice;
  kernels::cpu::CpuOptions cpu;
  std::string cuda_library;  // where libcinnabar_cuda.so lies; empty: it is not installed
};

struct OpenedDevice {
  std::unique_ptr<kernels::Backend> backend;
  std::string no_gpu;  // where automatic came to the CPU: why, in a line
};

// Errors: what the device asked for lacks. A GPU that cannot be used is no error where nobody insists on it.
Result<OpenedDevice> open_device(const DeviceOptions& options);

// The arithmetic of a model's products where nobody has asked for one: int8, or int4 where the weights would take more
// than kMostOfMemory of the device's free memory: keys, values and activations need the rest. In the host's memory
// (`memory` says nothing) narrow where they would take more than kMostInt8 bytes.
inline constexpr double kMostOfMemory = 0.8;
inline constexpr double kMostInt8 = 3.0 * (1 << 30);
kernels::Compute choose_compute(const Weights& weights, const kernels::DeviceMemory& memory);

}  // namespace cinnabar::engine
