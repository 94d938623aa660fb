// What forwards take of a GPU, beside the least that its memory and its arithmetic allow:
//   gpu_table LIBRARY OUT [--tiny] [--gemm TFLOPS] [--seconds N]
//
// LIBRARY is a libcinnabar_cuda.so. Writes the table to standard output, and to the file OUT as JSON, again after each part, so
// that a run that is cut short leaves what it had. --gemm: the bf16 rate of a large product by a vendor's library
// (tests/gpu/ceilings.py), without which floors are those of bytes alone. --seconds: begins no part after so many.
// --tiny: shapes for a rehearsal without a GPU. Exits 1 when the device failed.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/forward/network.h"
#include "kernels/cuda/backend.h"
#include "tests/support/random_model.h"

namespace cinnabar::tests {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;

struct Asked {
  std::string library, out;
  bool tiny = false;
  double gemm = 0, seconds = 1e9;
};

struct Ceilings {
  double bytes = 0;       // a second, read
  double operations = 0;  // of bf16 a second, a multiply-add counted as two; 0: unknown
};

struct Subject {
  std::string name;
  engine::ModelSpec spec;
  kernels::Compute compute;
  bool adapter;
};

std::string_view compute_name(kernels::Compute compute) {
  switch (compute) {
    case kernels::Compute::f32:
      return "f32";
    case kernels::Compute::bf16:
      return "bf16";
    case kernels::Compute::int8:
      return "int8";
    case kernels::Compute::int4:
      return "int4";
    case kernels::Compute::narrow:
      return "narrow";
  }
  return "";
}

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// The median of several runs after some that warm up and record.
double median_of(int runs, const std::function<void()>& run) {
  std::vector<double> times;
  for (int i = -3; i < runs; ++i) {
    const auto start = Clock::now();
    run();
    if (i >= 0) times.push_back(milliseconds_since(start));
  }
  std::nth_element(times.begin(), times.begin() + runs / 2, times.end());
  return times[static_cast<std::size_t>(runs / 2)];
}

class Table {
 public:
  Table(Asked asked, std::unique_ptr<kernels::Backend> device) : asked_(std::move(asked)), device_(std::move(device)) {
    all_["device"] = device_->description();
    std::printf("%s\n", device_->description().c_str());
  }

  Status run() {
    if (Status measured = measure_ceilings(); !measured) return measured;
    for (const Subject& subject : subjects()) {
      if (milliseconds_since(start_) > 1000 * asked_.seconds) {
        std::printf("%s, %s: left out, %.0f s are over\n", subject.name.c_str(),
                    std::string(compute_name(subject.compute)).c_str(), asked_.seconds);
        continue;
      }
      if (Status measured = measure(subject); !measured) return measured.in(subject.name);
    }
    return {};
  }

 private:
  std::vector<Subject> subjects() const {
    using kernels::Compute;
    if (asked_.tiny) return {{"tiny", tiny_shape(), Compute::int8, true}, {"tiny", tiny_shape(), Compute::int4, true}};
    return {{"default", default_shape(), Compute::int8, true},
            {"7B", qwen_7b_shape(), Compute::int8, false},
            {"7B", qwen_7b_shape(), Compute::int4, false},
            {"7B", qwen_7b_shape(), Compute::bf16, false},
            {"default", default_shape(), Compute::bf16, true}};
  }
  int runs() const { return asked_.tiny ? 1 : 25; }

  // Half a copy's time is reading's: it reads and writes as many bytes.
  Status measure_ceilings() {
    const kernels::KvShape shape{1, 1, 256, asked_.tiny ? 64 : 2 << 20};  // 2 GB
    auto from = device_->make_kv(shape), to = device_->make_kv(shape);
    if (!from || !to) return from ? to.status() : from.status();
    const double copy = median_of(runs(), [&] {
      device_->copy_kv(**from, **to, shape.capacity);
      device_->wait();
    });
    ceilings_ = {2 * static_cast<double>((*from)->bytes()) / copy * 1e3, asked_.gemm * 1e12};
    std::printf("ceilings: a copy reads and writes %.2f TB/s; bf16 products of a library %.0f TFLOP/s%s\n",
                ceilings_.bytes / 1e12, asked_.gemm, asked_.gemm == 0 ? " (not measured: floors are of bytes)" : "");
    all_["copy_bytes_per_second"] = ceilings_.bytes;
    all_["gemm_bf16_flops"] = ceilings_.operations;
    for (const kernels::Compute compute : {kernels::Compute::int8, kernels::Compute::bf16, kernels::Compute::int4}) {
      if (Status measured = measure_product(compute); !measured) return measured;
    }
    return save();
  }

  // Our own product of many rows, as prompts have them.
  Status measure_product(kernels::Compute compute) {
    const std::int64_t rows = asked_.tiny ? 16 : 1024, cols = asked_.tiny ? 64 : 4096;
    const std::vector<float> values(static_cast<std::size_t>(std::max(rows, cols) * cols), 0.5f);
    const kernels::StoredMatrix stored{kernels::DType::f32, reinterpret_cast<const std::byte*>(values.data()), cols,
                                       cols};
    auto weight = device_->pack({&stored, 1}, compute);
    auto x = device_->upload(values), out = device_->allocate(rows * cols);
    if (!weight || !x || !out) return Status::error("no memory for a product");
    const double time = median_of(runs(), [&] {
      device_->linear({(*x)->data(), rows, cols}, **weight, nullptr, {(*out)->data(), rows, cols});
      device_->wait();
    });
    const double rate = 2 * static_cast<double>(rows * cols * cols) / time * 1e3;
    std::printf("own %s product of %lld rows, %lld x %lld: %.1f TFLOP/s\n", std::string(compute_name(compute)).c_str(),
                static_cast<long long>(rows), static_cast<long long>(cols), static_cast<long long>(cols), rate / 1e12);
    all_["own_product_flops"][std::string(compute_name(compute))] = rate;
    return device_->failure();
  }

  Status measure(const Subject& subject) {
    const auto start = Clock::now();
    std::optional<engine::Adapter> adapter;
    if (subject.adapter) adapter = random_adapter(subject.spec, asked_.tiny ? 8 : 64, 2);
    auto network = engine::Network::create(random_model(subject.spec, 1), adapter ? &*adapter : nullptr, *device_,
                                           subject.compute);
    const std::string title = subject.name + ", " + std::string(compute_name(subject.compute));
    if (!network) {  // a smaller GPU: what fits was measured
      std::printf("\n%s: left out: %s\n", title.c_str(), network.status().message().c_str());
      return device_->failure();
    }
    const std::int64_t capacity = contexts().back() + 128;
    auto kv = device_->make_kv({subject.spec.layers, subject.spec.kv_heads, subject.spec.head_size, capacity});
    if (!kv) return kv.status();
    std::printf("\n%s: %.2f GB of weights a forward, packed in %.1f s\n", title.c_str(),
                static_cast<double>((*network)->streamed_bytes()) / 1e9, milliseconds_since(start) / 1e3);
    json part{{"model", subject.name},
              {"compute", compute_name(subject.compute)},
              {"weight_bytes", (*network)->streamed_bytes()}};
    if (Status measured = measure_prompt(**network, **kv, part); !measured) return measured;
    if (Status measured = measure_steps(**network, **kv, subject.compute, part); !measured) return measured;
    all_["models"].push_back(std::move(part));
    return save();
  }

  std::vector<int> contexts() const { return asked_.tiny ? std::vector{8} : std::vector{256, 1024, 4096, 8192}; }

  // Fills all slots that later steps read, so that these are no zeros.
  Status measure_prompt(engine::Network& network, kernels::KvStore& kv, json& part) {
    const int all = contexts().back(), timed = asked_.tiny ? 8 : 1024, at_once = asked_.tiny ? 40 : 256;
    const auto read = [&](int count) -> Status {
      for (int done = 0; done < count; done += at_once) {
        const Status ran = forward(network, kv, done, std::min(at_once, count - done), 0, false);
        if (!ran) return ran;
      }
      return {};
    };
    if (Status ran = read(all); !ran) return ran;
    device_->wait();
    Status ran;
    const double time = median_of(asked_.tiny ? 1 : 5, [&] {
      if (ran) ran = read(timed);
      device_->wait();
    });
    part["prompt_tokens_per_second"] = timed / time * 1e3;
    std::printf("prompt of %d tokens: %.2f ms, %.0f tokens/s\n", timed, time, timed / time * 1e3);
    return ran;
  }

  std::vector<int> row_counts() const { return asked_.tiny ? std::vector{1, 8, 40} : std::vector{1, 8, 16, 32, 64}; }

  Status measure_steps(engine::Network& network, kernels::KvStore& kv, kernels::Compute compute, json& part) {
    std::printf("%8s %5s %5s %9s %9s %8s %9s %6s %7s %12s %7s\n", "context", "clean", "block", "ms", "floor ms",
                "x floor", "launches", "waits", "copies", "allocations", "GB used");
    for (const int context : contexts()) {
      for (const int rows : row_counts()) {
        const int block = network.has_adapter() && rows > 1 ? rows / 2 : 0;
        Status ran;
        kernels::Traffic taken;
        const double time = median_of(runs(), [&] {
          const kernels::Traffic before = device_->traffic();
          if (ran) ran = forward(network, kv, context, rows - block, block, true);
          taken = device_->traffic() - before;
        });
        if (!ran) return ran;
        const double floor = floor_of(network, compute, context, rows);
        const kernels::DeviceMemory memory = device_->memory();
        const std::int64_t used = memory.total - memory.free;  // others' on that GPU, too
        std::printf("%8d %5d %5d %9.3f %9.3f %8.2f %9lld %6lld %7lld %12lld %7.2f\n", context, rows - block, block,
                    time, floor, time / floor, static_cast<long long>(taken.launches),
                    static_cast<long long>(taken.waits), static_cast<long long>(taken.copies),
                    static_cast<long long>(taken.allocations), static_cast<double>(used) / 1e9);
        std::fflush(stdout);
        part["steps"].push_back({{"context", context},
                                 {"rows", rows},
                                 {"block_rows", block},
                                 {"ms", time},
                                 {"floor_ms", floor},
                                 {"launches", taken.launches},
                                 {"graphs", taken.graphs},
                                 {"waits", taken.waits},
                                 {"copies", taken.copies},
                                 {"allocations", taken.allocations},
                                 {"memory_bytes", used}});
      }
    }
    return {};
  }

  // `clean` rows behind `context` tokens, and a block behind those.
  Status forward(engine::Network& network, kernels::KvStore& kv, int context, int clean, int block, bool judged) {
    engine::ForwardSegment segment{&kv, {}};
    const int end = context + clean + block;
    for (int slot = context; slot < end; ++slot) {
      const bool in_block = slot >= context + clean;
      segment.rows.push_back({.token = slot * 7 % network.spec().vocabulary,
                              .slot = slot,
                              .limit = in_block ? end : slot + 1,
                              .in_block = in_block,
                              .judged = judged});
    }
    const std::vector<kernels::ScoreRequest> requests(judged ? segment.rows.size() : 0);
    std::vector<kernels::Score> scores(requests.size());
    return network.forward({&segment, 1}, requests, scores);
  }

  // The larger of reading all weights, keys and values once, and of computing; milliseconds.
  double floor_of(const engine::Network& network, kernels::Compute compute, int context, int rows) const {
    const engine::ModelSpec& spec = network.spec();
    const double kept = 4.0 * spec.layers * spec.kv_heads * spec.head_size * context;  // keys and values of bf16
    const double read = (static_cast<double>(network.streamed_bytes()) + kept) / ceilings_.bytes;
    if (ceilings_.operations == 0) return 1e3 * read;
    double weights = static_cast<double>(spec.vocabulary) * spec.width;
    for (const engine::ProductInfo& info : engine::kProductList)
      weights += static_cast<double>(spec.layers * size_of(info.outputs, spec) * size_of(info.inputs, spec));
    const double attention = 2.0 * spec.layers * spec.heads * spec.head_size * context;
    const double rate = ceilings_.operations * (compute == kernels::Compute::int8 ? 2 : 1);
    return 1e3 * std::max(read, 2 * rows * (weights / rate + attention / ceilings_.operations));
  }

  Status save() {
    std::ofstream out(asked_.out);
    out << all_.dump(1) << "\n";
    return out ? device_->failure() : Status::error("cannot write " + asked_.out);
  }

  Asked asked_;
  std::unique_ptr<kernels::Backend> device_;
  Ceilings ceilings_;
  json all_;
  Clock::time_point start_ = Clock::now();
};

int run(const Asked& asked) {
  auto device = kernels::cuda::open_backend(asked.library);
  if (!device) {
    std::cerr << device.status().message() << "\n";
    return 1;
  }
  if (Status ran = Table(asked, std::move(device).value()).run(); !ran) {
    std::cerr << ran.message() << "\n";
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace cinnabar::tests

int main(int count, char** arguments) {
  const std::vector<std::string> given(arguments + 1, arguments + count);
  if (given.size() < 2) {
    std::cerr << "usage: gpu_table LIBRARY OUT [--tiny] [--gemm TFLOPS] [--seconds N]\n";
    return 2;
  }
  cinnabar::tests::Asked asked{given[0], given[1]};
  for (std::size_t i = 2; i < given.size(); ++i) {
    if (given[i] == "--tiny") asked.tiny = true;
    if (given[i] == "--gemm" && i + 1 < given.size()) asked.gemm = std::atof(given[++i].c_str());
    if (given[i] == "--seconds" && i + 1 < given.size()) asked.seconds = std::atof(given[++i].c_str());
  }
  return cinnabar::tests::run(asked);
}
