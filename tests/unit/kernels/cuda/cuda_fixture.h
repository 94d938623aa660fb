// What the tests of the CUDA backend share: the backend, on this machine's processor, or on a GPU through the library
// that CINNABAR_TEST_CUDA names (./dev gpu-check), and operations on copies of host values, for any backend.
#pragma once

#include <catch2/catch.hpp>
#include <cstdlib>
#include <functional>

#include "kernels/cuda/backend.h"
#include "tests/unit/kernels/kernel_fixture.h"

namespace cinnabar::kernels::cuda::testing {

using cpu::testing::random_values;
using cpu::testing::same_bits;
using cpu::testing::stored;
using Values = std::vector<float>;

inline const char* gpu_library() { return std::getenv("CINNABAR_TEST_CUDA"); }

inline std::unique_ptr<Backend> cuda_backend() {
  auto made = gpu_library() == nullptr ? make_backend() : open_backend(gpu_library());
  INFO((made ? "" : made.message()));
  REQUIRE(made);
  return std::move(made).value();
}

inline std::unique_ptr<Backend> plain_cpu() { return cpu::testing::backend(cpu::Isa::plain, 1); }

// run(in, out) on device copies of `in` and `out`; what `out` holds afterwards.
inline Values run_on(Backend& backend, const Values& in, Values out,
                     const std::function<void(float* in, float* out)>& run) {
  auto device_in = backend.upload(in), device_out = backend.upload(out);
  REQUIRE(device_in);
  REQUIRE(device_out);
  run(device_in.value()->data(), device_out.value()->data());
  backend.download(device_out.value()->data(), out);
  REQUIRE(backend.failure());
  return out;
}

// The largest difference in relation to 1 + |expected|.
inline double distance(const Values& got, const Values& expected) {
  REQUIRE(got.size() == expected.size());
  double worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double apart = std::abs(static_cast<double>(got[i]) - expected[i]) / (1 + std::abs(expected[i]));
    worst = std::isnan(apart) ? 1e30 : std::max(worst, apart);
  }
  return worst;
}

}  // namespace cinnabar::kernels::cuda::testing
