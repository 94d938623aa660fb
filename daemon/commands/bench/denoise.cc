// `cinnabar bench denoise` and `cinnabar bench ops`: what a forward costs on this machine at this moment.
//
// Two floors stand beside a forward's time, measured in the same run: reading all weights once, as fast as several ways to read do it, and
// the forward's own matrix products alone.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <iterator>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include "base/system.h"
#include "daemon/commands/bench/timed_backend.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/setup.h"
#include "engine/infill_run.h"
#include "engine/model/products.h"

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

// Memory as weights lie in it: in huge pages where the system gives them.
class Memory {
 public:
  explicit Memory(std::size_t bytes)
      : bytes_((bytes + kAlignment - 1) / kAlignment * kAlignment), data_(std::aligned_alloc(kAlignment, bytes_)) {
    if (data_ == nullptr) return;
    ask_for_huge_pages(data_, bytes_);
    std::memset(data_, 1, bytes_);
  }
  ~Memory() { std::free(data_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  const std::uint64_t* values() const { return static_cast<const std::uint64_t*>(data_); }
  std::size_t lines() const { return bytes_ / 64; }

 private:
  static constexpr std::size_t kAlignment = 2 << 20;
  std::size_t bytes_;
  void* data_;
};

// Reads `count` lines of 64 bytes, `streams` parts of them side by side, each asked for well ahead.
std::uint64_t read_lines(const std::uint64_t* values, std::size_t count, std::size_t streams) {
  constexpr std::size_t kAhead = 8 * 128;  // values: 8 KB
  std::uint64_t sums[8] = {};
  const std::size_t part = count / streams;
  for (std::size_t line = 0; line < part; ++line) {
    for (std::size_t stream = 0; stream < streams; ++stream) {
      const std::uint64_t* from = values + (stream * part + line) * 8;
      __builtin_prefetch(from + kAhead);
      for (std::size_t i = 0; i < 8; ++i) sums[i] += from[i];
    }
  }
  return std::accumulate(std::begin(sums), std::end(sums), std::uint64_t{0});
}

// Milliseconds to read `bytes` once with as many threads as the backend has: the bandwidth floor. One plain stream is
// none where a product reads faster, by several streams and by asking ahead; so the best of several ways, of eight
// rounds each.
double read_floor(std::int64_t bytes, int threads) {
  const Memory memory(static_cast<std::size_t>(bytes));
  if (memory.values() == nullptr) return 0;
  const auto parts = static_cast<std::size_t>(threads);
  std::vector<std::uint64_t> sums(parts * 16);
  double best = 1e9;
  for (int round = 0; round < 8; ++round) {
    for (const std::size_t streams : {1, 2, 4, 8}) {
      const auto start = Clock::now();
      std::vector<std::jthread> workers;
      workers.reserve(parts);
      for (std::size_t part = 0; part < parts; ++part) {
        workers.emplace_back([&, part] {
          const std::size_t share = memory.lines() / parts;
          sums[part * 16] = read_lines(memory.values() + part * share * 8, share, streams);
        });
      }
      workers.clear();
      best = std::min(best, std::chrono::duration<double, std::milli>(Clock::now() - start).count());
    }
  }
  return best;
}

// An engine whose operations are timed, and room for the largest context.
struct Subject {
  std::unique_ptr<engine::Engine> engine;
  TimedBackend* clock = nullptr;  // the engine's
  std::optional<engine::KvCache> cache;

  engine::Network& network() { return engine->network(); }
};

Result<Subject> open_subject(const Options& options) {
  auto device = open_device(options.model);
  if (!device) return device.status();
  auto timed_backend = std::make_unique<TimedBackend>(std::move(device->backend));
  Subject subject;
  subject.clock = timed_backend.get();
  auto opened = open_engine(options.model, std::move(timed_backend));
  if (!opened) return opened.status();
  subject.engine = std::move(opened).value();
  auto cache = engine::KvCache::create(subject.network(), 5200);
  if (!cache) return cache.status();
  subject.cache = std::move(cache).value();
  return subject;
}

// The same in a device's own memory: half the time of a copy, which reads and writes as many.
Result<double> device_read_floor(Subject& subject, std::int64_t bytes) {
  kernels::Backend& device = *subject.clock;
  const kernels::KvShape shape{1, 1, 256, bytes / (2 * 256 * 2)};
  auto from = device.make_kv(shape), to = device.make_kv(shape);
  if (!from || !to) return from ? to.status() : from.status();
  const auto copied = timed(20, [&]() -> Status {
    device.copy_kv(**from, **to, shape.capacity);
    device.wait();
    return device.failure();
  });
  if (!copied) return copied.status();
  return copied->median / 2;
}

// `rows` clean rows behind `context` cached tokens and a block of `masks` behind those, all of them judged or none.
Status run_rows(Subject& subject, int context, int rows, bool judged, int masks = 0) {
  engine::ForwardSegment segment{&subject.cache->store(), {}};
  for (int i = 0; i < rows; ++i) {
    segment.rows.push_back({.token = 100 + i, .slot = context + i, .limit = context + i + 1, .judged = judged});
  }
  const int first = context + rows, end = first + masks;
  for (int slot = first; slot < end; ++slot) {
    const std::int32_t mask = subject.network().spec().mask;
    segment.rows.push_back({.token = mask, .slot = slot, .limit = end, .in_block = true, .judged = judged});
  }
  rows += masks;
  const std::vector<kernels::ScoreRequest> requests(judged ? static_cast<std::size_t>(rows) : 0);
  std::vector<kernels::Score> scores(requests.size());
  const Status ran = subject.network().forward({&segment, 1}, requests, scores);
  subject.clock->wait();
  return ran;
}

// A prompt as the engine reads it.
Status run_prompt(Subject& subject, int tokens) {
  for (int done = 0; done < tokens; done += engine::kMostPromptRows) {
    if (Status ran = run_rows(subject, done, std::min(engine::kMostPromptRows, tokens - done), false); !ran) return ran;
  }
  return {};
}

struct ForwardTiming {
  Timing whole;
  OperationTimes operations{};  // mean milliseconds of a run that is divided among them
  double products() const {
    return operations[static_cast<std::size_t>(Operation::linear)] +
           operations[static_cast<std::size_t>(Operation::score)];
  }
};

template <typename Run>
Result<ForwardTiming> time_forward(Subject& subject, int repetitions, const Run& run) {
  const auto whole = timed(repetitions, run);
  if (!whole) return whole.status();
  constexpr int kDivided = 4;
  subject.clock->divide(true);
  subject.clock->reset();
  const auto divided = timed(kDivided, run);
  subject.clock->divide(false);
  if (!divided) return divided.status();
  ForwardTiming timing{*whole, subject.clock->times()};
  for (double& each : timing.operations) each /= kDivided + 1;  // the first run, which warms, is counted too
  return timing;
}

// Another process that computes all the time, as a compiler beside an editor does; gone at the end of scope.
class BusyNeighbour {
 public:
  BusyNeighbour() : child_(fork()) {
    if (child_ != 0) return;
    for (;;) asm volatile("");
  }
  ~BusyNeighbour() {
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  BusyNeighbour(const BusyNeighbour&) = delete;
  BusyNeighbour& operator=(const BusyNeighbour&) = delete;

 private:
  pid_t child_;
};

void run_llama_bench(const Options& options) {
  std::cout << "\nllama-bench on " << options.command.gguf
            << " (generation at 1024 tokens of context, then the prompt):\n"
            << std::flush;
  const std::string quoted = "'" + options.command.llama_bench + "' -m '" + options.command.gguf +
                             "' -fa 1 -r 3 -n 32 -p 0 -d 1024 && '" + options.command.llama_bench + "' -m '" +
                             options.command.gguf + "' -fa 1 -r 3 -n 0 -p 1024";
  if (std::system(quoted.c_str()) != 0) std::cout << "llama-bench failed\n";  // NOLINT: a person's own command line
}

Status print_forwards(Subject& subject, double floor) {
  std::printf("%8s %6s %10s %10s %10s %12s %12s\n", "context", "rows", "median ms", "min", "max", "x bandwidth",
              "x products");
  for (const int context : {256, 1024, 4096}) {
    for (const int rows : {1, 4, 8, 16, 32, 64}) {
      const auto timing = time_forward(subject, 15, [&] { return run_rows(subject, context, rows, true); });
      if (!timing) return timing.status();
      const Timing& whole = timing->whole;
      std::printf("%8d %6d %10.2f %10.2f %10.2f %12.2f %12.2f\n", context, rows, whole.median, whole.least, whole.most,
                  whole.median / floor, whole.median / timing->products());
      std::fflush(stdout);
    }
  }
  return {};
}

Status print_speeds(Subject& subject) {
  const auto one_row = [&] { return run_rows(subject, 1024, 1, true); };
  const auto prompt = time_forward(subject, 5, [&] { return run_prompt(subject, 1024); });
  const auto one = time_forward(subject, 25, one_row);
  if (!prompt || !one) return prompt ? one.status() : prompt.status();
  std::printf("\nprompt of 1024 tokens: %.0f ms = %.0f tokens/s, %.2f x its products\n", prompt->whole.median,
              1024e3 / prompt->whole.median, prompt->whole.median / prompt->products());
  std::printf("autoregressive at 1024 tokens of context: %.2f ms = %.1f tokens/s\n", one->whole.median,
              1e3 / one->whole.median);
  std::fflush(stdout);
  const BusyNeighbour neighbour;
  const auto beside = time_forward(subject, 50, one_row);
  if (!beside) return beside.status();
  std::printf("the same with another process busy: %.2f ms, %.2f x\n", beside->whole.median,
              beside->whole.median / one->whole.median);
  std::fflush(stdout);
  return {};
}

// A request behind about 1,024 tokens, other ones for each client.
engine::InfillRequest clients_request(int client) {
  engine::InfillRequest request;
  for (int line = 0; request.prefix.size() < 3300; ++line) {
    request.prefix += "total_" + std::to_string(client) + " = add(total, " + std::to_string(line * 7) + ")\n";
  }
  request.mode = engine::Mode::autoregressive;
  request.end = engine::EndRule::hole;
  request.max_tokens = 24;
  return request;
}

Status run_together(engine::Engine& engine, std::span<const engine::InfillRequest> requests) {
  std::vector<std::unique_ptr<engine::Infill>> all;
  for (const auto& request : requests) {
    auto begun = engine.begin(request, {}, engine::Purpose::fill);
    if (!begun) return begun.status();
    all.push_back(std::move(begun).value());
  }
  while (!std::all_of(all.begin(), all.end(), [](const auto& infill) { return infill->finished(); })) {
    if (Status ran = engine.advance(); !ran) return ran;
  }
  return {};
}

// Answers of several clients whose prompts have been read, one after another and in common forwards.
Status print_clients(Subject& subject) {
  const int clients = subject.engine->most_together();
  std::vector<engine::InfillRequest> requests;
  requests.reserve(static_cast<std::size_t>(clients));
  for (int client = 0; client < clients; ++client) requests.push_back(clients_request(client));
  const auto in_turn = timed(5, [&]() -> Status {
    for (const auto& request : requests) {
      if (auto filled = subject.engine->infill(request, {}); !filled) return filled.status();
    }
    return {};
  });
  if (!in_turn) return in_turn.status();
  const auto together = timed(5, [&] { return run_together(*subject.engine, requests); });
  if (!together) return together.status();
  std::printf("answers of %zu clients: %.0f ms one after another, %.0f ms together, %.2f x\n", requests.size(),
              in_turn->median, together->median, in_turn->median / together->median);
  std::fflush(stdout);
  return {};
}

// Multiply-adds of the products of a forward of so many rows, the output head's where they are judged.
double product_work(const engine::ModelSpec& spec, int rows, bool judged) {
  std::int64_t of_row = judged ? std::int64_t{spec.vocabulary} * spec.width : 0;
  for (const engine::ProductInfo& info : engine::kProductList)
    of_row += spec.layers * size_of(info.outputs, spec) * size_of(info.inputs, spec);
  return static_cast<double>(of_row * rows);
}

// The multiply-adds of a millisecond where a product's weights stay in the caches: the ceiling of so many rows, the best
// of several rounds. A matrix of the model's width and half a megabyte.
Result<double> product_ceiling(Subject& subject, int rows) {
  kernels::Backend& device = *subject.clock;
  const std::int64_t inputs = subject.network().spec().width,
                     outputs = std::max<std::int64_t>(64, (512 << 10) / inputs / 64 * 64);
  const std::vector<float> values(static_cast<std::size_t>(outputs * inputs), 0.5f);
  const kernels::StoredMatrix stored{kernels::DType::f32, reinterpret_cast<const std::byte*>(values.data()), outputs,
                                     inputs};
  auto weight = device.pack({&stored, 1}, kernels::Compute::int8);
  auto x = device.upload(std::vector<float>(static_cast<std::size_t>(rows * inputs), 0.25f));
  auto out = device.allocate(rows * outputs);
  if (!weight || !x || !out) return !weight ? weight.status() : !x ? x.status() : out.status();
  constexpr int kProductsOfRun = 50;
  const auto run = [&]() -> Status {
    for (int i = 0; i < kProductsOfRun; ++i)
      device.linear({(*x)->data(), rows, inputs}, **weight, nullptr, {(*out)->data(), rows, outputs});
    device.wait();
    return device.failure();
  };
  const auto timing = timed(10, run);
  if (!timing) return timing.status();
  return static_cast<double>(kProductsOfRun * rows * outputs * inputs) / timing->least;
}

// A forward's time by operation, beside the least that its weights take to be read and its products to be computed.
Status print_operations(Subject& subject, double read_floor_ms) {
  std::printf("\n%8s %6s %6s %9s %9s %9s", "context", "rows", "masks", "whole", "reading", "products");
  for (std::size_t i = 0; i < kOperations; ++i)
    std::printf(" %10s", std::string(name(static_cast<Operation>(i))).c_str());
  // Clean rows and mask rows. The latter go through the adapter, where there is one. 256 rows: a prompt's.
  std::vector<std::pair<int, int>> row_counts = {{1, 0}, {4, 0}, {8, 0}, {16, 0}, {32, 0}, {64, 0}, {256, 0}};
  if (subject.network().has_adapter()) row_counts.insert(row_counts.begin() + 4, {{1, 7}, {4, 12}});
  for (const int context : {0, 1024, 4096}) {
    for (const auto& [rows, masks] : row_counts) {
      const bool judged = rows <= 64;
      const auto ceiling = product_ceiling(subject, rows + masks);
      if (!ceiling) return ceiling.status();
      const auto run = [&, rows = rows, masks = masks] { return run_rows(subject, context, rows, judged, masks); };
      const auto timing = time_forward(subject, 10, run);
      if (!timing) return timing.status();
      std::printf("\n%8d %6d %6d %9.2f %9.2f %9.2f", context, rows, masks, timing->whole.median, read_floor_ms,
                  product_work(subject.network().spec(), rows + masks, judged) / *ceiling);
      for (const double each : timing->operations) std::printf(" %10.3f", each);
      std::fflush(stdout);
    }
  }
  std::printf("\n");
  return {};
}

// Milliseconds to read a forward's weights.
Result<double> weights_floor(const Options& options, Subject& subject) {
  const int threads = options.model.device.cpu.threads > 0 ? options.model.device.cpu.threads
                                                           : static_cast<int>(std::thread::hardware_concurrency());
  const std::int64_t bytes = subject.network().streamed_bytes();
  return subject.clock->host_memory() ? read_floor(bytes, threads) : device_read_floor(subject, bytes);
}

}  // namespace

int run_bench_denoise(Options& options) {
  auto subject = open_subject(options);
  if (!subject) return failed(subject.status());
  const Result<double> floor = weights_floor(options, *subject);
  if (!floor) return failed(floor.status());
  std::cout << subject->engine->device() << "; weights streamed " << subject->network().streamed_bytes() / 1000000
            << " MB, reading as many bytes " << *floor << " ms\n\n"
            << std::flush;
  if (Status printed = print_forwards(*subject, *floor); !printed) return failed(printed);
  if (Status printed = print_speeds(*subject); !printed) return failed(printed);
  if (Status printed = print_clients(*subject); !printed) return failed(printed);
  if (!options.command.llama_bench.empty() && !options.command.gguf.empty()) run_llama_bench(options);
  return 0;
}

int run_bench_operations(Options& options) {
  auto subject = open_subject(options);
  if (!subject) return failed(subject.status());
  const Result<double> floor = weights_floor(options, *subject);
  if (!floor) return failed(floor.status());
  subject->clock->wait_after_each(true);
  std::printf("%s; milliseconds of a forward; reading: all weights once; products: with weights from the caches",
              subject->engine->device().c_str());
  if (Status printed = print_operations(*subject, *floor); !printed) return failed(printed);
  return 0;
}

}  // namespace cinnabar::daemon
