// `cinnabar bench denoise`: time of a forward by rows and context, beside what reading the weights alone costs on this
// machine at this moment; prompt and autoregressive speed; llama-bench on the same file where its binary is given.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <numeric>
#include <thread>

#include "daemon/commands/commands.h"
#include "daemon/commands/setup.h"

namespace cinnabar::daemon {
namespace {

using Clock = std::chrono::steady_clock;

struct Timing {
  double median = 0, least = 0, most = 0;  // milliseconds
};

template <typename Run>
Result<Timing> timed(int repetitions, const Run& run) {
  std::vector<double> times;
  if (Status warm = run(); !warm) return warm;
  for (int i = 0; i < repetitions; ++i) {
    const auto start = Clock::now();
    if (Status ran = run(); !ran) return ran;
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return Timing{times[times.size() / 2], times.front(), times.back()};
}

// Milliseconds to read `bytes` once with as many threads as the backend has, best of five: the bandwidth floor.
double read_floor(std::int64_t bytes, int threads) {
  std::vector<std::uint64_t> memory(static_cast<std::size_t>(bytes) / 8, 1);
  std::vector<std::uint64_t> sums(static_cast<std::size_t>(threads) * 16);
  double best = 1e9;
  for (int round = 0; round < 5; ++round) {
    const auto start = Clock::now();
    std::vector<std::jthread> workers;
    for (int t = 0; t < threads; ++t) {
      workers.emplace_back([&, t] {
        const std::size_t share = memory.size() / static_cast<std::size_t>(threads);
        const auto first = memory.begin() + static_cast<std::ptrdiff_t>(share * static_cast<std::size_t>(t));
        sums[static_cast<std::size_t>(t) * 16] =
            std::accumulate(first, first + static_cast<std::ptrdiff_t>(share), std::uint64_t{0});
      });
    }
    workers.clear();
    best = std::min(best, std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  return best;
}

// `rows` clean rows behind `context` cached tokens, every one judged when `judged`.
Result<Timing> time_rows(engine::Network& network, engine::KvCache& cache, int context, int rows, bool judged,
                         int repetitions) {
  engine::ForwardSegment segment{&cache.store(), {}};
  for (int i = 0; i < rows; ++i) {
    segment.rows.push_back(
        {.token = 100 + i, .slot = context + i, .limit = context + i + 1, .judged = judged || i + 1 == rows});
  }
  std::vector<kernels::ScoreRequest> requests(judged ? static_cast<std::size_t>(rows) : 1);
  std::vector<kernels::Score> scores(requests.size());
  return timed(repetitions, [&] { return network.forward({&segment, 1}, requests, scores); });
}

void run_llama_bench(const Options& options) {
  std::cout << "\nllama-bench on " << options.gguf << " (generation at 1024 tokens of context, then the prompt):\n"
            << std::flush;
  const std::string quoted = "'" + options.llama_bench + "' -m '" + options.gguf +
                             "' -fa 1 -r 3 -n 32 -p 0 -d 1024 && '" + options.llama_bench + "' -m '" + options.gguf +
                             "' -fa 1 -r 3 -n 0 -p 1024";
  if (std::system(quoted.c_str()) != 0) std::cout << "llama-bench failed\n";  // NOLINT: a person's own command line
}

}  // namespace

int run_bench_denoise(Options& options) {
  auto engine = open_engine(options);
  if (!engine) return failed(engine.status());
  engine::Network& network = (*engine)->network();
  const int threads = options.engine.cpu.threads > 0 ? options.engine.cpu.threads
                                                     : static_cast<int>(std::thread::hardware_concurrency());
  const double floor = read_floor(network.streamed_bytes(), threads);
  std::cout << (*engine)->device() << "; weights streamed " << network.streamed_bytes() / 1000000
            << " MB, reading as many bytes " << floor << " ms\n\n";
  auto cache = engine::KvCache::create(network, 5200);
  if (!cache) return failed(cache.status());
  std::printf("%8s %6s %10s %10s %10s %8s\n", "context", "rows", "median ms", "min", "max", "x floor");
  for (const int context : {256, 1024, 4096}) {
    for (const int rows : {1, 4, 8, 16, 32, 64}) {
      const auto timing = time_rows(network, *cache, context, rows, true, 15);
      if (!timing) return failed(timing.status());
      std::printf("%8d %6d %10.2f %10.2f %10.2f %8.2f\n", context, rows, timing->median, timing->least, timing->most,
                  timing->median / floor);
      std::fflush(stdout);
    }
  }
  const auto prompt = time_rows(network, *cache, 0, 1024, false, 5);
  const auto one = time_rows(network, *cache, 1024, 1, true, 25);
  if (!prompt || !one) return failed(prompt ? one.status() : prompt.status());
  std::printf(
      "\nprompt of 1024 tokens: %.0f ms = %.0f tokens/s; autoregressive at 1024 tokens of context: %.2f ms = %.1f "
      "tokens/s\n",
      prompt->median, 1024e3 / prompt->median, one->median, 1e3 / one->median);
  std::fflush(stdout);
  if (!options.llama_bench.empty() && !options.gguf.empty()) run_llama_bench(options);
  return 0;
}

}  // namespace cinnabar::daemon
