#include "engine/forward/device.h"

#include <charconv>

#include "kernels/cuda/backend.h"

namespace cinnabar::engine {
namespace {

Result<std::unique_ptr<kernels::Backend>> open_gpu(const DeviceOptions& options) {
  if (options.cuda_library.empty())
    return Status::error(
        "libcinnabar_cuda.so is not beside this program; ./dev build makes it where there is CUDA's nvcc");
  return kernels::cuda::open_backend(options.cuda_library, options.choice.gpu);
}

}  // namespace

std::optional<DeviceChoice> parse_device(std::string_view text) {
  if (text == "auto") return DeviceChoice{};
  if (text == "cpu") return DeviceChoice{DeviceKind::cpu};
  if (text == "cuda") return DeviceChoice{DeviceKind::cuda};
  constexpr std::string_view kNumbered = "cuda:";
  if (!text.starts_with(kNumbered)) return std::nullopt;
  text.remove_prefix(kNumbered.size());
  int gpu = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), gpu);
  if (error != std::errc() || end != text.data() + text.size() || gpu < 0) return std::nullopt;
  return DeviceChoice{DeviceKind::cuda, gpu};
}

std::string name(const DeviceChoice& choice) {
  switch (choice.kind) {
    case DeviceKind::automatic:
      return "auto";
    case DeviceKind::cpu:
      return "cpu";
    case DeviceKind::cuda:
      return choice.gpu < 0 ? "cuda" : "cuda:" + std::to_string(choice.gpu);
  }
  return "";
}

Result<OpenedDevice> open_device(const DeviceOptions& options) {
  OpenedDevice opened;
  if (options.choice.kind != DeviceKind::cpu) {
    auto gpu = open_gpu(options);
    if (gpu) {
      opened.backend = std::move(gpu).value();
      return opened;
    }
    if (options.choice.kind == DeviceKind::cuda) return gpu.status();
    opened.no_gpu = gpu.message();
  }
  auto cpu = kernels::cpu::make_backend(options.cpu);
  if (!cpu) return cpu.status();
  opened.backend = std::move(cpu).value();
  return opened;
}

namespace {

// Packed in int8: a byte a value and a scale of four bytes a group.
double int8_bytes(const kernels::StoredMatrix& matrix) {
  const double values = static_cast<double>(matrix.rows) * static_cast<double>(matrix.cols);
  return matrix.data == nullptr ? 0 : values * (1 + 4.0 / kernels::kGroup);
}

}  // namespace

kernels::Compute choose_compute(const Weights& weights, const kernels::DeviceMemory& memory) {
  double bytes = int8_bytes(weights.head);
  for (const LayerWeights& layer : weights.layers) {
    for (const kernels::StoredMatrix& matrix : layer.matrices.values) bytes += int8_bytes(matrix);
    bytes += int8_bytes(layer.shared.gate) + int8_bytes(layer.shared.up) + int8_bytes(layer.shared.down);
    for (const ExpertWeights& expert : layer.experts)
      bytes += int8_bytes(expert.gate) + int8_bytes(expert.up) + int8_bytes(expert.down);
  }
  if (memory.total == 0) return bytes <= kMostInt8 ? kernels::Compute::int8 : kernels::Compute::narrow;
  const bool fits = bytes <= kMostOfMemory * static_cast<double>(memory.free);
  return fits ? kernels::Compute::int8 : kernels::Compute::int4;
}

}  // namespace cinnabar::engine
