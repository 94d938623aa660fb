#include "engine/forward/device.h"

#include <catch2/catch.hpp>

namespace cinnabar::engine {
namespace {

TEST_CASE("devices have names, which are read back") {
  for (const DeviceKind kind : {DeviceKind::automatic, DeviceKind::cpu, DeviceKind::cuda})
    CHECK(parse_device_kind(name(kind)) == kind);
  CHECK_FALSE(parse_device_kind("gpu"));
}

TEST_CASE("a GPU that cannot be used is an error only where it was asked for") {
  DeviceOptions options;
  options.cpu.threads = 1;
  for (const char* library : {"", CINNABAR_SOURCE_DIR "/README.md"}) {
    options.cuda_library = library;
    options.kind = DeviceKind::automatic;
    const auto fallen_back = open_device(options);
    REQUIRE(fallen_back);
    CHECK((*fallen_back)->description().starts_with("cpu ("));
    options.kind = DeviceKind::cuda;
    const auto insisted = open_device(options);
    REQUIRE_FALSE(insisted);
    CHECK(insisted.message().find("libcinnabar_cuda.so is not beside") + 1 == (*library == 0 ? 1U : 0U));
    options.kind = DeviceKind::cpu;
    CHECK(open_device(options));
  }
}

}  // namespace
}  // namespace cinnabar::engine
