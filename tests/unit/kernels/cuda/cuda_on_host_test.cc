// The device that is this machine's processor: what it must notice, and how the backend meets a device that fails.
#include <algorithm>
#include <stdexcept>

#include "kernels/cuda/device.h"
#include "kernels/cuda/reduce.h"
#include "tests/unit/kernels/cuda/cuda_fixture.h"

namespace cinnabar::kernels::cuda {
namespace {

using namespace testing;
using on_host::Order;

constexpr unsigned kThreads = 64;

struct Forward {  // puts the usual order back
  ~Forward() { on_host::set_order(Order::forward); }
};

// Every thread's neighbour's value, through shared memory, which still holds what the block before has left there.
__global__ void neighbours(const float* in, float* out, bool barrier) {
  __shared__ float shared[kThreads];
  shared[threadIdx.x] = in[blockIdx.x * kThreads + threadIdx.x];
  if (barrier) __syncthreads();
  out[blockIdx.x * kThreads + threadIdx.x] = shared[(threadIdx.x + 1) % kThreads];
}

__global__ void sums(const float* in, float* out) {
  const float lanes = reduce_warp(in[threadIdx.x], Add());
  out[threadIdx.x] = reduce_block<kThreads>(lanes, Larger()) + static_cast<float>(blockIdx.y * blockDim.x);
}

__global__ void half_of_them_wait(int) {
  if (threadIdx.x < kThreads / 2) __syncthreads();
}

std::vector<Values> in_every_order(const std::function<Values()>& run) {
  const Forward afterwards;
  std::vector<Values> results;
  for (const Order order : {Order::forward, Order::backward, Order::mixed}) {
    on_host::set_order(order);
    results.push_back(run());
  }
  return results;
}

TEST_CASE("on_host: a missing barrier shows in another order of the threads") {
  auto device = Device::open(kAnyGpu);
  REQUIRE(device);
  const Values in = random_values(2 * kThreads, 1);
  for (const bool barrier : {true, false}) {
    const auto results = in_every_order([&] {
      Values out(2 * kThreads);
      (*device)->launch({2}, kThreads, neighbours, in.data(), out.data(), barrier);
      return out;
    });
    CHECK((results[0] == results[1] && results[0] == results[2]) == barrier);
  }
}

TEST_CASE("on_host: sums of warps, maxima of blocks, and where a block stands") {
  auto device = Device::open(kAnyGpu);
  REQUIRE(device);
  Values in(kThreads, 1.0f), out(kThreads);
  in[40] = 5.0f;
  (*device)->launch({1, 2}, kThreads, sums, in.data(), out.data());
  CHECK(out == Values(kThreads, 36.0f + kThreads));
}

TEST_CASE("on_host: threads that wait for others in vain are an error, and the next launch works") {
  auto device = Device::open(kAnyGpu);
  REQUIRE(device);
  CHECK_THROWS_AS((*device)->launch({1}, kThreads, half_of_them_wait, 0), std::logic_error);
  const Values in = random_values(kThreads, 1);
  Values out(kThreads);
  (*device)->launch({1}, kThreads, neighbours, in.data(), out.data(), true);
  CHECK(out[0] == in[1]);
}

// Layers of a small forward: a norm, products of each kind, attention, scores.
Values some_of_everything() {
  auto cuda = make_backend();
  REQUIRE(cuda);
  Backend& b = **cuda;
  const Values w = random_values(70 * 200, 2);
  const StoredMatrix weight = stored(w, 70, 200);
  Values all;
  for (const Compute compute : {Compute::f32, Compute::bf16, Compute::int8, Compute::int4}) {
    auto packed = b.pack({&weight, 1}, compute);
    auto ones = b.upload(Values(200, 1.0f));
    REQUIRE(packed);
    REQUIRE(ones);
    const Values out = run_on(b, random_values(11 * 200, 3), Values(11 * 70), [&](float* in, float* to) {
      b.rms_norm(Rows(in, 11, 200), ones.value()->data(), 1e-6f, Rows(in, 11, 200));
      b.linear(Rows(in, 11, 200), **packed, nullptr, Rows(to, 11, 70));
      std::vector<Score> scores(11);
      const std::vector<ScoreRequest> requests(11, {nullptr, 0.9f, 1, 2, 3});
      b.score_rows(Rows(in, 11, 200), **packed, requests, scores);
      for (const Score& score : scores)
        all.insert(all.end(), {static_cast<float>(score.token), score.entropy, score.log_sum_exp});
    });
    all.insert(all.end(), out.begin(), out.end());
  }
  auto kv = b.make_kv({1, 1, 64, 300});
  REQUIRE(kv);
  const std::vector<std::int32_t> slots = {0, 1, 2}, limits = {1, 2, 3};
  const AttentionSegment segment{kv->get(), 0, limits};
  const Values attended = run_on(b, random_values(3 * 128, 4), Values(3 * 128), [&](float* in, float* to) {
    b.kv_write(**kv, 0, Rows(in, 3, 64, 128), Rows(in + 64, 3, 64, 128), slots);
    b.attention(Rows(in, 3, 128), {&segment, 1}, 0, 0.125f, Rows(to, 3, 128));
  });
  all.insert(all.end(), attended.begin(), attended.end());
  return all;
}

TEST_CASE("on_host: the backend's results do not depend on the order of threads") {
  const auto results = in_every_order(some_of_everything);
  CHECK(same_bits(results[0].data(), results[1].data(), std::ssize(results[0])));
  CHECK(same_bits(results[0].data(), results[2].data(), std::ssize(results[0])));
}

TEST_CASE("on_host: a library of this build opens, and computes") {
  auto opened = open_backend(CINNABAR_REHEARSAL);
  INFO((opened ? "" : opened.message()));
  REQUIRE(opened);
  CHECK((*opened)->description() == "cuda (this processor)");
  auto x = (*opened)->upload(Values{3, 4});
  auto ones = (*opened)->upload(Values(2, 1.0f));
  REQUIRE(x);
  REQUIRE(ones);
  (*opened)->rms_norm(Rows(x.value()->data(), 1, 2), ones.value()->data(), 0, Rows(x.value()->data(), 1, 2));
  Values out(2);
  (*opened)->download(x.value()->data(), out);
  CHECK(out[1] == Approx(4 / std::sqrt(12.5)));
}

struct Unlimited {  // takes a limit of memory back
  ~Unlimited() { on_host::set_memory_limit(-1); }
};

TEST_CASE("on_host: memory that is not there is an error that says how much was wanted") {
  const Unlimited afterwards;
  auto made = make_backend();
  REQUIRE(made);
  Backend& cuda = **made;
  on_host::set_memory_limit(100'000);
  CHECK(cuda.allocate(20'000).ok());
  const auto buffer = cuda.allocate(30'000);
  REQUIRE_FALSE(buffer);
  CHECK(buffer.message() == "no memory on the GPU for 30000 values");
  const Values w(300 * 300);
  const StoredMatrix weight = stored(w, 300, 300);
  const auto packed = cuda.pack({&weight, 1}, Compute::int8);
  REQUIRE_FALSE(packed);
  CHECK(packed.message() == "no memory on the GPU for weights of 300 x 300");
  const auto kv = cuda.make_kv({24, 2, 64, 4096});
  REQUIRE_FALSE(kv);
  CHECK(kv.message() == "no memory on the GPU for keys and values: 50331648 bytes");
  CHECK(cuda.failure());
}

TEST_CASE("on_host: what is free of the device's memory follows what is allocated and given back") {
  const Unlimited afterwards;
  auto made = make_backend();
  REQUIRE(made);
  const Backend& cuda = **made;
  on_host::set_memory_limit(100'000);
  const DeviceMemory before = cuda.memory();
  CHECK(before.total == 100'000);
  {
    const auto buffer = (*made)->allocate(10'000);
    REQUIRE(buffer);
    CHECK(before.free - cuda.memory().free == 40'000);
  }
  CHECK(cuda.memory().free == before.free);
  on_host::set_memory_limit(0);
  CHECK(cuda.memory().free == 0);
}

TEST_CASE("on_host: an operation without memory computes nothing and says so from then on") {
  const Unlimited afterwards;
  auto made = make_backend();
  REQUIRE(made);
  Backend& cuda = **made;
  const Values w = random_values(16 * 64, 1);
  const StoredMatrix weight = stored(w, 16, 64);
  auto packed = cuda.pack({&weight, 1}, Compute::int8);
  auto x = cuda.upload(Values(64, 1.0f));
  REQUIRE(packed);
  REQUIRE(x);
  on_host::set_memory_limit(1);
  std::vector<Score> scores(1);
  cuda.score_rows(Rows(x.value()->data(), 1, 64), **packed, std::vector<ScoreRequest>(1), scores);
  CHECK(scores[0].token == -1);
  REQUIRE_FALSE(cuda.failure());
  CHECK(cuda.failure().message() == "no memory on the GPU for 64 bytes of activations");
}

TEST_CASE("on_host: a device that fails is noticed where results are fetched, and stays failed") {
  struct Healthy {
    ~Healthy() { on_host::plan_failure({}); }
  } afterwards;
  auto made = make_backend();
  REQUIRE(made);
  Backend& cuda = **made;
  auto x = cuda.upload(Values(64, 1.0f));
  REQUIRE(x);
  on_host::plan_failure(Status::error("the GPU is gone"));
  Values out(64, 7.0f);
  cuda.download(x.value()->data(), out);
  REQUIRE_FALSE(cuda.failure());
  CHECK(cuda.failure().message() == "the GPU is gone");
  CHECK(out == Values(64, 7.0f));
  on_host::plan_failure({});
  cuda.download(x.value()->data(), out);
  CHECK(out == Values(64, 7.0f));
}

}  // namespace
}  // namespace cinnabar::kernels::cuda
