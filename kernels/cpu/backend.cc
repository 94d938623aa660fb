#include "kernels/cpu/backend.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "kernels/cpu/backend_impl.h"
#include "kernels/cpu/cpu_features.h"
#include "kernels/cpu/memory.h"

namespace cinnabar::kernels::cpu {

std::string CpuBackend::description() const {
  const int threads = context_.pool.threads();
  return "cpu (" + std::string(name(context_.isa)) + ", " + std::to_string(threads) +
         (threads == 1 ? " thread)" : " threads)");
}

int CpuBackend::cheap_rows() const {
  switch (context_.isa) {
    case Isa::plain:
    case Isa::avx2:
      return 6;
    case Isa::neon:
      return 4;  // not measured yet, as those of the next
    case Isa::neon_dot:
    case Isa::neon_i8mm:
    case Isa::avx_vnni:
      return 8;
    case Isa::avx512:
    case Isa::avx512_bf16:
      return 16;
    case Isa::amx:
      return 32;
  }
  return 1;
}

Result<std::unique_ptr<Buffer>> CpuBackend::allocate(std::int64_t values) {
  auto pages = values < 0 ? std::nullopt : Pages::map(values * static_cast<std::int64_t>(sizeof(float)));
  if (!pages) return Status::error("no memory for " + std::to_string(values) + " values");
  return std::unique_ptr<Buffer>(std::make_unique<HostBuffer>(std::move(*pages), values));
}

Result<std::unique_ptr<Buffer>> CpuBackend::upload(std::span<const float> values) {
  auto buffer = allocate(static_cast<std::int64_t>(values.size()));
  if (buffer.ok() && !values.empty()) std::memcpy(buffer.value()->data(), values.data(), values.size_bytes());
  return buffer;
}

void CpuBackend::download(const float* device, std::span<float> host) {
  if (!host.empty()) std::memcpy(host.data(), device, host.size_bytes());
}

Context::Context(Isa level, int threads)
    : Forms(forms_of(level)), isa(level), pool(threads), worker_scratch(threads), worker_weights(threads) {}

namespace {

float* aligned(std::vector<float>& memory, std::int64_t values) {
  if (static_cast<std::int64_t>(memory.size()) < values + 16) memory.resize(values + 16);
  const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
  return memory.data() + (64 - address % 64) % 64 / sizeof(float);
}

}  // namespace

float* scratch(Context& context, int worker, std::int64_t values) {
  return aligned(context.worker_scratch[worker], values);
}

unsigned char* weight_scratch(Context& context, int worker, std::int64_t bytes) {
  return reinterpret_cast<unsigned char*>(aligned(context.worker_weights[worker], (bytes + 3) / 4));
}

Result<std::unique_ptr<Backend>> make_backend(const CpuOptions& options) {
  const Isa isa = options.isa.value_or(available_isas().back());
  const std::string missing = missing_features(isa);
  if (!missing.empty()) {
    return Status::error("instruction set " + std::string(name(isa)) + " is not available here, missing: " + missing);
  }
  if (options.threads < 0) {
    return Status::error("number of threads is " + std::to_string(options.threads) +
                         ", expected 0 (automatic) or more");
  }
  const int threads = options.threads == 0 ? default_threads() : std::min(options.threads, 1024);
  return std::unique_ptr<Backend>(std::make_unique<CpuBackend>(isa, threads));
}

}  // namespace cinnabar::kernels::cpu
