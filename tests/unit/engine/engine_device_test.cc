// A GPU that fails when the model is loaded: the library that computes on this machine's processor is opened as the real one
// is, and told to fail.
#include <dlfcn.h>

#include <catch2/catch.hpp>
#include <functional>

#include "engine/engine.h"

namespace cinnabar::engine {
namespace {

// What the library's device is told (kernels/cuda/on_host/fibers.h), in the library's own copy.
class Rehearsal {
 public:
  Rehearsal() : library_(dlopen(CINNABAR_REHEARSAL, RTLD_NOW | RTLD_LOCAL)) { REQUIRE(library_ != nullptr); }
  ~Rehearsal() {
    set_memory_limit(-1);
    plan_failure({});
    dlclose(library_);
  }
  Rehearsal(const Rehearsal&) = delete;
  Rehearsal& operator=(const Rehearsal&) = delete;

  void set_memory_limit(std::int64_t bytes) const {
    function<void(std::int64_t)>("_ZN8cinnabar7kernels4cuda7on_host16set_memory_limitEl")(bytes);
  }
  void plan_failure(Status failure) const {
    function<void(Status)>("_ZN8cinnabar7kernels4cuda7on_host12plan_failureENS_6StatusE")(std::move(failure));
  }

 private:
  template <typename Function>
  Function* function(const char* name) const {
    auto* found = reinterpret_cast<Function*>(dlsym(library_, name));
    REQUIRE(found != nullptr);
    return found;
  }
  void* library_;
};

std::string text(Engine& engine) {
  InfillRequest request;
  request.prefix = "int f() {\n  return ";
  request.suffix = "\n}\n";
  request.max_tokens = 4;
  auto result = engine.infill(request, {});
  REQUIRE(result);
  REQUIRE_FALSE(result->answers.empty());
  return result->answers[0].text;
}

TEST_CASE("where the device is left to us, a GPU that fails when the model is loaded gives way to the CPU") {
  const Rehearsal rehearsal;
  EngineOptions options;
  options.model = CINNABAR_SOURCE_DIR "/tests/golden/models/qwen2_block";
  options.compute = kernels::Compute::f32;
  options.context = 256;
  options.device.cpu = {.threads = 1, .isa = kernels::cpu::Isa::plain};
  options.device.cuda_library = CINNABAR_REHEARSAL;
  const auto cuda = Engine::open(options);
  REQUIRE(cuda);
  CHECK((*cuda)->device().starts_with("cuda ("));
  CHECK((*cuda)->no_gpu().empty());
  const std::string expected = text(**cuda);
  const std::pair<const char*, std::function<void()>> troubles[] = {
      {"no memory on the GPU for", [&] { rehearsal.set_memory_limit(1); }},
      {"the GPU is gone", [&] { rehearsal.plan_failure(Status::error("the GPU is gone")); }},
  };
  for (const auto& [why, begin] : troubles) {
    INFO(why);
    begin();
    options.device.choice.kind = DeviceKind::automatic;
    const auto fallen_back = Engine::open(options);
    REQUIRE(fallen_back);
    CHECK((*fallen_back)->device().starts_with("cpu ("));
    CHECK((*fallen_back)->no_gpu().find(why) != std::string::npos);
    CHECK(text(**fallen_back) == expected);
    options.device.choice.kind = DeviceKind::cuda;  // who insists on it is told
    const auto insisted = Engine::open(options);
    REQUIRE_FALSE(insisted);
    CHECK(insisted.message().find(why) != std::string::npos);
    rehearsal.set_memory_limit(-1);
    rehearsal.plan_failure({});
  }
}

TEST_CASE("the GPU that was asked for is the one that is opened, and what there is instead is said") {
  const Rehearsal rehearsal;  // has one GPU
  DeviceOptions options;
  options.cuda_library = CINNABAR_REHEARSAL;
  options.choice = {DeviceKind::cuda, 0};
  const auto first = open_device(options);
  REQUIRE(first);
  CHECK(first->backend->description().starts_with("cuda ("));
  options.choice.gpu = 3;
  const auto missing = open_device(options);
  REQUIRE_FALSE(missing);
  CHECK(missing.message() == "there is no GPU 3; there are 0 (this processor)");
}

}  // namespace
}  // namespace cinnabar::engine
