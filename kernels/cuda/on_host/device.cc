#include "kernels/cuda/on_host/device.h"

#include <algorithm>

namespace cinnabar::kernels::cuda {

Result<std::unique_ptr<Device>> Device::open(int wanted) {
  const auto gpus = on_host::shown_gpus();
  if (!gpus) return gpus.status();
  const auto chosen = choose_gpu(*gpus, wanted);
  if (!chosen) return chosen.status();
  return std::unique_ptr<Device>(new Device((*gpus)[static_cast<std::size_t>(*chosen)].name));
}

DeviceMemory Device::memory() const {
  const auto [total, used] = on_host::memory_state();
  return {total, std::max<std::int64_t>(0, total - used)};
}

void* Device::allocate(std::int64_t bytes) {
  ++traffic_.allocations;
  return on_host::allocate(bytes);
}

void Device::release(void* memory) {
  ++releases_;
  finish_copies();
  on_host::release(memory);
}

void Device::to_device(void* to, const void* from, std::int64_t bytes) {
  count_copy(bytes);
  for (std::int64_t done = 0; done < bytes;) {
    const StagedPiece piece = staging_.next(bytes - done);
    if (piece.turns) finish_copies();
    std::memcpy(staged_.get() + piece.offset, static_cast<const std::byte*>(from) + done,
                static_cast<std::size_t>(piece.bytes));
    late_.push_back({static_cast<std::byte*>(to) + done, piece});
    done += piece.bytes;
  }
}

void Device::to_host(void* to, const void* from, std::int64_t bytes) {
  count_copy(bytes);
  ++traffic_.waits;
  move(to, from, bytes);
}

void Device::clear(void* memory, std::int64_t bytes) {
  finish_copies();
  if (failure_ && bytes > 0 && on_host::computes()) std::memset(memory, 0, static_cast<std::size_t>(bytes));
}

void Device::wait() {
  ++traffic_.waits;
  finish_copies();
  meet_failure();
}

void Device::meet_failure() {
  if (failure_) failure_ = on_host::planned_failure();
}

void Device::move(void* to, const void* from, std::int64_t bytes) {
  finish_copies();
  meet_failure();
  if (failure_ && bytes > 0 && on_host::computes()) std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

// Not while recording, as on a GPU: what a copy would read is not there when the recording is replayed.
void Device::count_copy(std::int64_t bytes) {
  if (recording_ != nullptr) throw std::logic_error("a copy between host and device in a recording");
  ++traffic_.copies;
  traffic_.bytes += bytes;
}

void Device::finish_copies() {
  for (const auto& [to, piece] : std::exchange(late_, {})) {
    if (failure_ && on_host::computes())
      std::memcpy(to, staged_.get() + piece.offset, static_cast<std::size_t>(piece.bytes));
  }
}

}  // namespace cinnabar::kernels::cuda
