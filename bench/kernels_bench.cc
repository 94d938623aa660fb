// Times the CPU kernels at the default model's shapes: the products of one forward over 24 layers of distinct weights
// and the head, attention over 24 layers, and the scoring of rows. Prints the median and the least of N runs, GB/s of
// weights or keys and values, and beside the products the time in which a plain loop reads as many bytes.
//
//   kernels_bench [--threads N] [--isa plain|avx2|avx512|amx] [--repeats N] [--only
//   products|attention|score|rows]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "kernels/cpu/backend.h"

namespace cinnabar::bench {
namespace {

struct ProductShape {
  std::int64_t inputs, outputs;  // K, N
};

using kernels::Backend;
using kernels::Compute;
using kernels::Matrix;
using kernels::Rows;

constexpr int kLayers = 24;
constexpr std::int64_t kWidth = 896;
constexpr std::int64_t kFeedForward = 4864;
constexpr std::int64_t kVocabulary = 40960;
const std::vector<ProductShape> kLayer = {
    {kWidth, 1152}, {kWidth, kWidth}, {kWidth, 2 * kFeedForward}, {kFeedForward, kWidth}};

struct Options {
  int threads = 0;
  int repeats = 20;
  std::string isa, only;
};

struct Timing {
  double median_ms, least_ms;
};

Timing time(int repeats, const std::function<void()>& body) {
  body();
  std::vector<double> ms;
  for (int i = 0; i < repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    body();
    ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(ms.begin(), ms.end());
  return {ms[ms.size() / 2], ms[0]};
}

std::vector<float> random_values(std::int64_t count, std::uint32_t seed, float scale) {
  std::vector<float> values(count);
  for (float& value : values) {
    seed = seed * 1664525u + 1013904223u;
    value = scale * (static_cast<float>(seed >> 8) / 8388608.0f - 1.0f);
  }
  return values;
}

struct Model {
  std::vector<std::unique_ptr<Matrix>> layers;  // kLayer, kLayers times
  std::unique_ptr<Matrix> head;
};

std::unique_ptr<Matrix> random_matrix(Backend& cpu, const ProductShape& shape, std::uint32_t seed) {
  const std::vector<float> values = random_values(shape.inputs * shape.outputs, seed, 0.05f);
  const kernels::StoredMatrix matrix{kernels::DType::f32, reinterpret_cast<const std::byte*>(values.data()),
                                     shape.outputs, shape.inputs};
  auto packed = cpu.pack({&matrix, 1}, Compute::int8);
  if (!packed.ok()) {
    std::fprintf(stderr, "%s\n", packed.message().c_str());
    std::exit(1);
  }
  return std::move(packed.value());
}

Model make_model(Backend& cpu) {
  Model model;
  std::uint32_t seed = 1;
  for (int layer = 0; layer < kLayers; ++layer) {
    for (const ProductShape& shape : kLayer) model.layers.push_back(random_matrix(cpu, shape, seed++));
  }
  model.head = random_matrix(cpu, {kWidth, kVocabulary}, seed);
  return model;
}

// Least time to read `bytes` with all threads, each its own part.
double read_ms(std::int64_t bytes, int threads, int repeats) {
  std::vector<std::uint64_t> memory(bytes / 8, 1);
  std::uint64_t sink = 0;
  const Timing timing = time(repeats, [&] {
    std::vector<std::uint64_t> sums(threads);
    std::vector<std::thread> workers;
    workers.reserve(threads);
    for (int t = 0; t < threads; ++t) {
      workers.emplace_back([&, t] {
        const std::size_t part = memory.size() / threads;
        std::uint64_t lanes[32] = {};
        for (std::size_t i = part * t; i + 32 <= part * (t + 1); i += 32) {
          for (int lane = 0; lane < 32; ++lane) lanes[lane] += memory[i + lane];
        }
        for (const std::uint64_t lane : lanes) sums[t] += lane;
      });
    }
    for (std::thread& worker : workers) worker.join();
    for (const std::uint64_t sum : sums) sink += sum;
  });
  if (sink == 1) std::puts("");
  return timing.least_ms;
}

void bench_products(Backend& cpu, const Options& options, int threads) {
  const Model model = make_model(cpu);
  std::int64_t bytes = 0;
  for (const auto& matrix : model.layers) bytes += matrix->bytes();
  const double floor = read_ms(bytes + model.head->bytes(), threads, 10);
  std::printf("int8 products of a forward: layers %.1f MB, head %.1f MB; reading both: least %.2f ms\n",
              static_cast<double>(bytes) / 1e6, static_cast<double>(model.head->bytes()) / 1e6, floor);
  std::printf("%6s %10s %10s %8s %8s %8s | %10s %8s\n", "rows", "layers ms", "least", "GB/s", "TOP/s", "of floor",
              "head ms", "least");
  for (const std::int64_t rows : {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}) {
    std::vector<float> x = random_values(rows * kFeedForward, 5, 1);
    std::vector<float> out(rows * kVocabulary);
    const int repeats = rows >= 512 ? std::max(3, options.repeats / 4) : options.repeats;
    const Timing layers = time(repeats, [&] {
      for (const auto& matrix : model.layers) {
        cpu.linear(Rows(x.data(), rows, matrix->cols()), *matrix, nullptr, Rows(out.data(), rows, matrix->rows()));
      }
    });
    const Timing head = rows > 64 ? Timing{0, 0} : time(repeats, [&] {
      cpu.linear(Rows(x.data(), rows, kWidth), *model.head, nullptr, Rows(out.data(), rows, kVocabulary));
    });
    const double operations = 2.0 * 357.9e6 * static_cast<double>(rows);
    std::printf("%6ld %10.2f %10.2f %8.1f %8.2f %8.2f | %10.2f %8.2f\n", static_cast<long>(rows), layers.median_ms,
                layers.least_ms, static_cast<double>(bytes) / layers.least_ms / 1e6, operations / layers.least_ms / 1e9,
                (layers.least_ms + head.least_ms) / floor, head.median_ms, head.least_ms);
    std::fflush(stdout);
  }
}

void bench_attention(Backend& cpu, const Options& options) {
  constexpr int kHeads = 14;
  constexpr int kSize = 64;
  std::printf("attention, %d layers, %d/2 heads of %d\n%6s %8s %10s %10s %8s\n", kLayers, kHeads, kSize, "rows",
              "context", "median ms", "least", "GB/s");
  auto kv = cpu.make_kv({kLayers, 2, kSize, 4096});
  if (!kv.ok()) return;
  std::vector<float> k = random_values(4096 * 2 * kSize, 8, 1);
  std::vector<std::int32_t> slots(4096);
  for (int i = 0; i < 4096; ++i) slots[i] = i;
  for (int layer = 0; layer < kLayers; ++layer)
    cpu.kv_write(**kv, layer, Rows(k.data(), 4096, 128), Rows(k.data(), 4096, 128), slots);
  for (const int rows : {1, 16, 32, 1024}) {
    for (const int context : {256, 1024, 4096}) {
      if (rows > context) continue;
      std::vector<float> q = random_values(static_cast<std::int64_t>(rows) * kHeads * kSize, 9, 1);
      std::vector<float> out(q.size());
      std::vector<std::int32_t> limits(rows);
      for (int i = 0; i < rows; ++i) limits[i] = context - rows + i + 1;
      const kernels::AttentionSegment segment{kv->get(), 0, limits};
      const Timing timing = time(rows >= 512 ? std::max(3, options.repeats / 4) : options.repeats, [&] {
        for (int layer = 0; layer < kLayers; ++layer) {
          cpu.attention(Rows(q.data(), rows, kHeads * kSize), {&segment, 1}, layer, 0.125f,
                        Rows(out.data(), rows, kHeads * kSize));
        }
      });
      std::printf("%6d %8d %10.3f %10.3f %8.1f\n", rows, context, timing.median_ms, timing.least_ms,
                  context * 512.0 * kLayers / timing.least_ms / 1e6);
    }
  }
}

void bench_score(Backend& cpu, const Options& options) {
  const std::unique_ptr<Matrix> head = random_matrix(cpu, {kWidth, kVocabulary}, 3);
  std::printf("head and scores, %ld tokens\n%6s %12s %10s %10s\n", static_cast<long>(kVocabulary), "rows",
              "temperature", "median ms", "least");
  for (const std::int64_t rows : {1, 4, 16, 32, 64}) {
    std::vector<float> x = random_values(rows * kWidth, 4, 1);
    for (const float temperature : {0.0f, 0.8f}) {
      const std::vector<kernels::ScoreRequest> requests(rows, kernels::ScoreRequest{nullptr, temperature, 1, 2, 3});
      std::vector<kernels::Score> scores(rows);
      const Timing timing =
          time(options.repeats, [&] { cpu.score_rows(Rows(x.data(), rows, kWidth), *head, requests, scores); });
      std::printf("%6ld %12.1f %10.3f %10.3f\n", static_cast<long>(rows), static_cast<double>(temperature),
                  timing.median_ms, timing.least_ms);
    }
  }
}

void bench_rows(Backend& cpu, const Options& options) {
  std::printf("row operations of a forward (%d layers)\n%6s %10s %10s %10s %10s %10s\n", kLayers, "rows", "rms_norm x2",
              "rope q+k", "kv_write", "gated_silu", "(least ms)");
  auto kv = cpu.make_kv({1, 2, 64, 1024});
  if (!kv.ok()) return;
  const std::vector<float> weight = random_values(kWidth, 6, 1);
  for (const std::int64_t rows : {1, 16, 64, 1024}) {
    std::vector<float> x = random_values(rows * 2 * kFeedForward, 7, 1);
    std::vector<float> out(rows * kFeedForward);
    std::vector<std::int32_t> positions(rows);
    for (std::int64_t i = 0; i < rows; ++i) positions[i] = static_cast<std::int32_t>(i);
    const auto layers = [&](const std::function<void()>& body) {
      return time(options.repeats,
                  [&] {
                    for (int layer = 0; layer < kLayers; ++layer) body();
                  })
          .least_ms;
    };
    const double norm =
        2 * layers([&] {
          cpu.rms_norm(Rows(x.data(), rows, kWidth), weight.data(), 1e-6f, Rows(out.data(), rows, kWidth));
        });
    const double rope = layers([&] { cpu.rope(Rows(out.data(), rows, 1024), positions, {1e6f, 64}); });
    const double write =
        layers([&] { cpu.kv_write(**kv, 0, Rows(x.data(), rows, 128), Rows(x.data(), rows, 128), positions); });
    const double silu =
        layers([&] { cpu.gated_silu(Rows(x.data(), rows, 2 * kFeedForward), Rows(out.data(), rows, kFeedForward)); });
    std::printf("%6ld %10.3f %10.3f %10.3f %10.3f\n", static_cast<long>(rows), norm, rope, write, silu);
  }
}

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; i += 2) {
    const std::string flag = argv[i];
    if (i + 1 >= argc) return false;
    if (flag == "--threads") {
      options.threads = std::atoi(argv[i + 1]);
    } else if (flag == "--repeats") {
      options.repeats = std::max(1, std::atoi(argv[i + 1]));
    } else if (flag == "--isa") {
      options.isa = argv[i + 1];
    } else if (flag == "--only") {
      options.only = argv[i + 1];
    } else {
      return false;
    }
  }
  return true;
}

int run(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  Options options;
  if (!parse(argc, argv, options)) {
    std::fprintf(stderr,
                 "usage: kernels_bench [--threads N] [--isa LEVEL] [--repeats N] [--only "
                 "products|attention|score|rows]\n");
    return 2;
  }
  auto cpu = kernels::cpu::make_backend(
      {options.threads, options.isa.empty() ? std::nullopt : kernels::cpu::parse_isa(options.isa)});
  if (!cpu.ok()) {
    std::fprintf(stderr, "%s\n", cpu.message().c_str());
    return 1;
  }
  std::printf("%s, %d repeats\n", (*cpu)->description().c_str(), options.repeats);
  const auto wanted = [&](const char* what) { return options.only.empty() || options.only == what; };
  const int threads = options.threads > 0 ? options.threads : static_cast<int>(std::thread::hardware_concurrency());
  if (wanted("products")) bench_products(**cpu, options, threads);
  if (wanted("attention")) bench_attention(**cpu, options);
  if (wanted("score")) bench_score(**cpu, options);
  if (wanted("rows")) bench_rows(**cpu, options);
  return 0;
}

}  // namespace
}  // namespace cinnabar::bench

int main(int argc, char** argv) { return cinnabar::bench::run(argc, argv); }
