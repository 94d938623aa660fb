// The engine on tiny models of byte tokens: which keys and values are kept from one request to the next, and that
// this never shows in an answer.
#include "engine/engine.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <numeric>
#include <random>

#include "engine/infill_run.h"
#include "engine/mode.h"
#include "kernels/cuda/backend.h"
#include "kernels/cuda/on_host/fibers.h"

namespace cinnabar::engine {
namespace {

const std::string kModels = CINNABAR_SOURCE_DIR "/tests/golden/models/";

std::unique_ptr<Engine> open_engine(int cache_slots = 3, std::int64_t context = 4096, const char* model = "qwen2_block",
                                    bool gated = false) {
  EngineOptions options;
  options.model = kModels + model;
  if (gated) options.adapter = kModels + "qwen2_gated/adapter_gated";
  options.cache_slots = cache_slots;
  options.context = context;
  options.device.cpu.threads = 1;
  auto engine = Engine::open(options);
  REQUIRE(engine);
  return std::move(engine).value();
}

InfillRequest request(std::string prefix, std::string suffix = "\n}\n", int max_tokens = 8) {
  InfillRequest out;
  out.prefix = std::move(prefix);
  out.suffix = std::move(suffix);
  out.end = EndRule::hole;
  out.max_tokens = max_tokens;
  return out;
}

InfillResult answer(Engine& engine, const InfillRequest& request, const DecodeLimits& limits = {}) {
  auto result = engine.infill(request, limits);
  REQUIRE(result);
  return std::move(result).value();
}

// Reads the prompt in advance.
void warm(Engine& engine, const InfillRequest& request, const DecodeLimits& limits = {}) {
  auto warming = engine.begin(request, limits, Purpose::warm);
  REQUIRE(warming);
  while (!(*warming)->finished()) REQUIRE(engine.advance());
}

std::string text(Engine& engine, const InfillRequest& request) { return answer(engine, request).answers.at(0).text; }

// Lines of one length that differ, `bytes` in all.
std::string code(std::size_t bytes, int seed = 1) {
  std::mt19937 random(static_cast<std::uint32_t>(seed));
  std::string out;
  while (out.size() < bytes) out += "v" + std::to_string(1000 + random() % 9000) + " = f(" + char('a' + seed) + ");\n";
  out.resize(bytes);
  return out;
}

TEST_CASE("a mode that the model cannot do is refused, the open one follows the model") {
  const auto infill = [](const char* model, Mode mode) {
    auto asked = request("x = ");
    asked.mode = mode;
    return open_engine(1, 4096, model)->infill(asked, {});
  };
  const auto no_mask = [] {
    ModelSpec spec;
    spec.attention = Attention::block_causal;
    spec.logits_shift = 1;
    return spec;
  }();
  CHECK(mode_for(Mode::automatic, no_mask, false).value() == Mode::verified);
  CHECK(mode_for(Mode::diffusion, no_mask, false).message().find("no mask token") != std::string::npos);
  for (const char* model : {"llada", "dream", "qwen3_block", "fast_dllm"}) {
    INFO(model);
    CHECK(infill(model, Mode::automatic));
    CHECK_FALSE(infill(model, Mode::verified));
    CHECK_FALSE(infill(model, Mode::autoregressive));
  }
  CHECK(mode_for(Mode::automatic, open_engine(1, 4096, "qwen3_block")->spec(), false).value() == Mode::diffusion);
  CHECK(mode_for(Mode::automatic, open_engine(1, 4096, "qwen2_block")->spec(), true).value() == Mode::verified);
}

TEST_CASE("what is known of a model beside its file: the prompt's order, and the mode on each device") {
  EngineOptions options;
  options.model = kModels + "qwen2_block";
  options.device.cpu.threads = 1;
  const auto forwards_of = [&](const EngineOptions& chosen) {
    const auto engine = Engine::open(chosen);
    REQUIRE(engine);
    return answer(**engine, request("x = f(1);\nx = f(1);\nx = ", "\n", 12)).decode.nfe;
  };
  options.modes = {.cpu = Mode::autoregressive, .gpu = Mode::diffusion};
  CHECK(forwards_of(options) == 12);  // a forward for each token
  options.infill = InfillLayout::suffix_then_prefix;
  CHECK(Engine::open(options).value()->spec().infill == InfillLayout::suffix_then_prefix);
  options.infill = InfillLayout::in_place;
  CHECK(Engine::open(options).message().find("needs a model of full attention") != std::string::npos);
  options = {};
  options.model = kModels + "llada";
  options.modes = {.cpu = Mode::verified};
  CHECK(forwards_of(options) > 0);  // it cannot do that, so it does what it can
}

TEST_CASE("options reach a model that denoises in place") {
  const auto engine = open_engine(1, 4096, "llada");
  auto asked = request("x = f(", ")\n", 12);
  asked.denoise.search = false;
  const auto forwards = [&](auto change) {
    auto changed = asked;
    change(changed);
    return answer(*engine, changed);
  };
  // Nothing is too unsure: one forward a block.
  CHECK(forwards([](auto& r) { r.denoise.threshold = 0.0f; }).decode.nfe == 1);
  CHECK(forwards([](auto& r) { r.denoise.threshold = 0.0f, r.denoise.block = 4; }).decode.nfe == 3);
  CHECK(forwards([](auto& r) { r.denoise.quota = 1; }).decode.nfe == 12);
  CHECK(forwards([](auto& r) { r.denoise.quota = 3; }).decode.nfe == 4);
  CHECK(forwards([](auto& r) { r.denoise.steps = 5; }).decode.nfe == 5);
  CHECK(forwards([](auto& r) { r.denoise.threshold = 2.0f, r.denoise.steps = 3; }).decode.nfe == 3);
  CHECK(forwards([](auto& r) { r.denoise.factor = 0.0f; }).decode.nfe == 12);
  CHECK(forwards([](auto& r) { r.denoise.entropy_bound = 1000.0f; }).decode.nfe == 1);
  CHECK(forwards([](auto& r) { r.denoise.quota = 1, r.denoise.first_length = 7; }).decode.nfe == 7);
  const auto rows_and_text = [&](auto change) {
    const auto result = forwards([&](auto& r) {
      r.denoise.quota = 1;
      change(r);
    });
    return std::pair(result.decode.rows, result.answers.at(0).text);
  };
  const auto plain = rows_and_text([](auto&) {});
  CHECK(rows_and_text([](auto& r) { r.denoise.reuse = Reuse::prefix; }).first < plain.first);
  CHECK(rows_and_text([](auto& r) { r.denoise.reuse = Reuse::dual; }).first < plain.first);
  CHECK(rows_and_text([](auto& r) { r.denoise.guidance = 1.0f; }).first == 2 * plain.first);
  CHECK(rows_and_text([](auto& r) { r.denoise.guidance = 1.0f; }).second != plain.second);
  CHECK(rows_and_text([](auto& r) { r.sampling.top_k = 1; }).second.size() > 0);
  CHECK(rows_and_text([](auto& r) { r.denoise.confidence = Confidence::random; }).second != plain.second);
  // A step for each position; then 10 positions of 12, 12 steps that replace one, and the other two.
  CHECK(forwards([](auto& r) { r.denoise.remask = Remask::p2; }).decode.nfe == 12);
  CHECK(forwards([](auto& r) { r.denoise.remask = Remask::p2, r.denoise.steps = 5; }).decode.nfe == 5);
  CHECK(forwards([](auto& r) { r.denoise.quota = 1, r.denoise.remask = Remask::remdm; }).decode.nfe == 24);
  const auto wino = forwards([](auto& r) { r.denoise.remask = Remask::wino, r.denoise.block = 6; }).decode;
  CHECK(wino.rows == wino.nfe * plain.first / 12 + wino.nfe * 6);
  CHECK(wino.nfe <= 12);
  for (const auto& [wrong, part] : std::vector<std::pair<DenoiseOptions, std::string>>{
           {{.block = 4096}, "block is 4096"},
           {{.quota = 1, .steps = 1}, "give one of them"},
           {{.steps = 1, .remask = Remask::wino}, "only a threshold goes with it"}}) {
    auto refused = asked;
    refused.denoise = wrong;
    CHECK(engine->infill(refused, {}).message().find(part) != std::string::npos);
  }
  asked.sampling.top_p = 0;
  CHECK(engine->infill(asked, {}).message().starts_with("top_p is 0"));
  asked.sampling = {};
  const auto warm = [&](std::uint64_t seed) {
    return forwards([&](auto& r) { r.sampling = {.temperature = 1.5f, .seed = seed}; }).answers.at(0).text;
  };
  CHECK(warm(1) == warm(1));
  CHECK(warm(1) != warm(2));
  const auto several = forwards([](auto& r) { r.candidates = 3, r.sampling.temperature = 1.5f; });
  CHECK(several.answers.size() > 1);
  CHECK(several.answers.at(0).text == warm(0));
}

TEST_CASE("what nobody says is as the model's description says it, else as its family decodes") {
  const auto forwards = [](const char* model, const DenoiseOptions& described, const DenoiseOptions& asked) {
    EngineOptions options;
    options.model = kModels + model;
    options.device.cpu.threads = 1;
    options.denoise = described;
    const auto engine = Engine::open(options);
    REQUIRE(engine);
    InfillRequest wanted = request("x = f(", ")\n", 12);
    wanted.denoise = asked;
    return answer(**engine, wanted).decode.nfe;
  };
  CHECK(forwards("llada", {.quota = 4, .search = false}, {}) == 3);
  CHECK(forwards("llada", {.quota = 4, .search = false}, {.quota = 6}) == 2);
  CHECK(forwards("llada", {.quota = 4, .search = false}, {.threshold = 0.0f}) == 1);
  CHECK(forwards("dreamon", {}, {.expand = false, .first_length = 9}) == 9);  // a position a step, as its authors do
  CHECK(forwards("dreamon", {}, {.first_length = 9, .remask = Remask::p2}) == 9);
  CHECK(forwards("dream", {.steps = 5, .first_length = 9, .remask = Remask::p2}, {}) == 5);
  CHECK(forwards("dream", {.steps = 5, .first_length = 9, .remask = Remask::p2}, {.steps = 7}) == 7);
}

TEST_CASE("WINO is refused where a row's logits are not those of its own place, and several holes go by it") {
  const auto shifted = open_engine(1, 4096, "dream");
  auto asked = request("x = f(", ")\n", 12);
  asked.denoise.remask = Remask::wino;
  CHECK(shifted->infill(asked, {}).message().find("(logits shift 1); p2 and remdm go with it") != std::string::npos);
  const auto engine = open_engine(1, 4096, "llada");
  asked.denoise.first_length = 9;
  asked.denoise.guidance = 0.5f;  // whose rows are as many
  asked.next = {{" + g(", EndRule::line, {}, 6}, {" - h(", EndRule::line, {}, 1}};
  const auto several = answer(*engine, asked);
  REQUIRE(several.next.size() == 2);
  CHECK(several.next.at(0).tokens <= 6);
  CHECK(several.decode.nfe <= 9);
}

TEST_CASE("a hole whose length nobody says gets one by a search, and is denoised from it on") {
  const auto engine = open_engine(1, 4096, "llada");
  auto asked = request("x = f(", ")\n", 24);
  asked.denoise.quota = 1;
  const auto found = answer(*engine, asked);
  // Two rounds, each of them one forward, and a forward for each mask.
  const int length = found.answers.at(0).tokens;
  CHECK(length >= 1);
  CHECK(length <= 24);
  CHECK(found.decode.nfe == 2 + length);
  asked.denoise.first_length = length;  // the answer does not know how its length was found
  const auto said = answer(*engine, asked);
  CHECK(said.answers.at(0).text == found.answers.at(0).text);
  CHECK(said.decode.nfe == length);
  CHECK(found.decode.rows > said.decode.rows);
  CHECK(found.decode.tokens_per_step.size() == static_cast<std::size_t>(found.decode.nfe));
  CHECK(std::accumulate(found.decode.tokens_per_step.begin(), found.decode.tokens_per_step.end(), 0) == length);
  asked.denoise.first_length.reset();
  asked.next = {{" + g(", EndRule::line, {}, 6}, {" - h(", EndRule::line, {}, 1}};
  const auto several = answer(*engine, asked);
  CHECK(several.next.size() == 2);
  CHECK(several.next.at(0).tokens <= 6);
  CHECK(several.next.at(1).tokens == 1);
  DecodeLimits none;
  none.deadline = std::chrono::steady_clock::now();
  const auto late = engine->infill(asked, none);
  REQUIRE(late);
  CHECK(late->answers.at(0).reason == StopReason::deadline);
  CHECK(late->next.size() == 2);
}

TEST_CASE("options reach a model that denoises block by block") {
  for (const char* model : {"qwen3_block", "fast_dllm"}) {
    const auto engine = open_engine(1, 4096, model);
    const auto forwards = [&](const DenoiseOptions& said) {
      InfillRequest asked = request("x = f(1", "", 24);
      asked.denoise = said;
      return answer(*engine, asked).decode.nfe;
    };
    INFO(model);
    const int one_each = forwards({.quota = 1});
    CHECK(forwards({.quota = 4}) < one_each);
    CHECK(forwards({.steps = 2}) < one_each);
    CHECK(forwards({.threshold = 2.0f}) == one_each);
    CHECK(forwards({.threshold = 2.0f, .quota = 4}) == forwards({.quota = 4}));
    CHECK(forwards({.threshold = 0.0f, .sub_block = 2}) > forwards({.threshold = 0.0f, .sub_block = 8}));
  }
}

TEST_CASE("a keystroke only appends to the prompt") {
  const auto engine = open_engine();
  const std::string before = code(400);
  const auto first = answer(*engine, request(before));
  CHECK(first.reused_tokens == 0);
  CHECK(first.prompt_tokens > 400);
  std::string typed;
  for (const char c : std::string("x = foo(a")) {
    typed += c;
    const auto next = answer(*engine, request(before + typed));
    CHECK(next.prompt_tokens - next.reused_tokens <= 8);
  }
}

TEST_CASE("a text is as probable as decoding says of the same tokens") {
  const auto engine = open_engine();
  auto asked = request(code(300) + "\nx = ", "\n}\n", 24);
  asked.mode = Mode::autoregressive;
  const auto decoded = answer(*engine, asked).answers.at(0);
  asked.scored = decoded.text;
  const auto result = answer(*engine, asked);
  const auto& scored = result.answers.at(0);
  CHECK(scored.text == decoded.text);
  CHECK(result.decode.nfe == 1);
  const std::size_t tokens = std::min(scored.path.size(), decoded.path.size());
  REQUIRE(tokens >= 20);
  for (std::size_t i = 0; i < tokens; ++i) {
    CHECK(scored.path[i].id == decoded.path[i].id);
    CHECK(scored.path[i].probability == decoded.path[i].probability);
  }
  // A long text runs in several forwards; no token is scored twice.
  asked.scored = code(700);
  const auto longer = answer(*engine, asked);
  CHECK(longer.answers.at(0).text == code(700));
  CHECK(longer.decode.nfe == 3);
  asked.scored = "";
  CHECK(engine->infill(asked, {}).message().find("must not be empty") != std::string::npos);
}

TEST_CASE("a prompt in parts is continued; a token that the model lacks is named") {
  const auto engine = open_engine();
  const ModelSpec& spec = engine->spec();
  auto laid_out = request(code(200) + "\n");
  laid_out.parts = {{laid_out.suffix + laid_out.prefix, false}};
  const auto result = answer(*engine, laid_out);
  // One token a byte; the last ones may be joined with what follows.
  CHECK(result.prompt_tokens == static_cast<int>(engine->tokenizer().last_split(laid_out.parts[0].text)));
  laid_out.parts.insert(laid_out.parts.begin(), {"<|no_such_token|>", true});
  CHECK(engine->infill(laid_out, {}).message() == spec.family + ": the model has no token <|no_such_token|>");
}

TEST_CASE("behind an accepted answer its keys and values are there already") {
  const auto engine = open_engine();
  auto asked = request(code(300) + "\n");
  const auto first = answer(*engine, asked);
  REQUIRE(first.answers[0].tokens == 8);
  const std::string accepted = engine->tokenizer().decode(engine->tokenizer().encode(first.answers[0].text));
  const auto next = answer(*engine, request(asked.prefix + accepted + "\n"));
  CHECK(next.reused_tokens >= first.prompt_tokens - 1);
}

TEST_CASE("cache slots are kept apart: going back and forth reads nothing again") {
  const auto engine = open_engine(3);
  const InfillRequest here = request(code(300, 1), code(100, 4)), there = request(code(300, 2), code(100, 5)),
                      third = request(code(300, 3), code(100, 6));
  for (const auto* one : {&here, &there, &third}) CHECK(answer(*engine, *one).reused_tokens < 10);
  for (const auto* one : {&here, &there, &third, &there, &here}) {
    const auto again = answer(*engine, *one);
    CHECK(again.reused_tokens >= again.prompt_tokens - 8);
  }
}

TEST_CASE("the slot that was not used for longest makes room") {
  const auto engine = open_engine(2);
  const InfillRequest a = request(code(300, 1), code(100, 4)), b = request(code(300, 2), code(100, 5)),
                      c = request(code(300, 3), code(100, 6));
  answer(*engine, a);
  answer(*engine, b);
  answer(*engine, a);
  answer(*engine, c);  // instead of b
  CHECK(answer(*engine, a).reused_tokens > 300);
  CHECK(answer(*engine, c).reused_tokens > 300);
  CHECK(answer(*engine, b).reused_tokens < 10);
}

TEST_CASE("a changed suffix is a place of its own, so its return costs nothing") {
  const auto engine = open_engine();
  const std::string before = code(300);
  answer(*engine, request(before, "\nend\n"));
  CHECK(answer(*engine, request(before + "(", ")\nend\n")).reused_tokens < 10);
  const auto back = answer(*engine, request(before + "()", "\nend\n"));
  CHECK(back.prompt_tokens - back.reused_tokens <= 8);
}

TEST_CASE("what changed far in front costs what stands behind it, no more") {
  const auto engine = open_engine();
  const std::string before = code(600);
  answer(*engine, request(before));
  std::string edited = before;
  edited[450] = '#';
  const auto again = answer(*engine, request(edited));
  CHECK(again.reused_tokens >= 450);
  CHECK(again.reused_tokens < 470);
}

TEST_CASE("warmed: the request only decodes, and its answer is the cold one") {
  const auto engine = open_engine(), cold = open_engine();
  const InfillRequest asked = request(code(700));
  warm(*engine, asked);
  const auto warm = answer(*engine, asked);
  CHECK(warm.prompt_tokens - warm.reused_tokens <= 9);
  CHECK(warm.answers[0].text == text(*cold, asked));
}

TEST_CASE("as much of a prompt is read at once as keeps a cancellation quick") {
  struct Case {
    double row_milliseconds;
    bool somebody_waits;
    int rows;
  };
  for (const auto& c :
       {Case{0, false, 16}, Case{0, true, 16}, Case{0.05, false, 256}, Case{0.05, true, 256}, Case{1, false, 192},
        Case{1, true, 64}, Case{3, true, 16}, Case{14, false, 16}, Case{1e9, true, 16}})
    CHECK(prompt_rows(c.row_milliseconds, c.somebody_waits, kLeastPromptRows) == c.rows);
  for (const auto& c : {Case{0, false, 64}, Case{14, true, 64}, Case{1, false, 192}})
    CHECK(prompt_rows(c.row_milliseconds, c.somebody_waits, kLeastNarrowRows) == c.rows);
}

TEST_CASE("stopped before it begins: no text, the reason, and an engine as good as before") {
  const auto engine = open_engine(), fresh = open_engine();
  const InfillRequest asked = request(code(500));
  std::stop_source stop;
  stop.request_stop();
  DecodeLimits cancelled, late;
  cancelled.cancel = stop.get_token();
  late.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  for (const auto& [limits, reason] : {std::pair(cancelled, StopReason::cancelled), {late, StopReason::deadline}}) {
    const auto stopped = answer(*engine, asked, limits);
    CHECK(stopped.answers.at(0).text.empty());
    CHECK(stopped.answers.at(0).reason == reason);
    warm(*engine, asked, limits);
  }
  CHECK(text(*engine, asked) == text(*fresh, asked));
}

TEST_CASE("stopped between two steps: the answer so far, and no further forward") {
  const auto engine = open_engine();
  InfillRequest asked = request(code(200), "\n}\n", 12);
  asked.mode = Mode::autoregressive;
  const std::string whole = text(*engine, asked);
  std::stop_source stop;
  DecodeLimits limits;
  limits.cancel = stop.get_token();
  const auto stopped = engine->infill(asked, limits, [&](auto, const DecodeStats& stats) {
    if (stats.nfe == 3) stop.request_stop();
  });
  REQUIRE(stopped);
  CHECK(stopped->decode.nfe == 3);
  CHECK(stopped->answers.at(0).tokens == 3);
  CHECK(stopped->answers[0].reason == StopReason::cancelled);
  CHECK(whole.starts_with(stopped->answers[0].text));
}

TEST_CASE("kept keys and values and former answers never change an answer") {
  const auto engine = open_engine(2);
  std::mt19937 random(3);
  std::string prefix = code(120), suffix = "\n}\n";
  for (int round = 0; round < 12; ++round) {
    switch (random() % 4) {
      case 0:
        prefix += static_cast<char>('a' + random() % 26);
        break;
      case 1:
        prefix.resize(prefix.size() - random() % 8);
        break;
      case 2:
        prefix[random() % 24] = '!';
        break;
      default:
        suffix = random() % 2 == 0 ? "\n}\n" : ")\n}\n";
    }
    InfillRequest asked = request(prefix, suffix);
    if (round % 3 == 0) asked.former = code(20, round % 7);
    if (round % 5 == 0) warm(*engine, asked);
    const auto fresh = open_engine(1);
    REQUIRE(text(*engine, asked) == text(*fresh, request(prefix, suffix)));
  }
}

TEST_CASE("the CUDA backend gives the CPU's answer, and a device that fails is the request's error") {
  struct Healthy {
    ~Healthy() { kernels::cuda::on_host::plan_failure({}); }
  } afterwards;
  EngineOptions options;
  options.model = kModels + "qwen2_block";
  options.compute = kernels::Compute::f32;
  options.device.cpu = {.threads = 1, .isa = kernels::cpu::Isa::plain};
  auto device = kernels::cuda::make_backend();  // on this machine's processor
  REQUIRE(device);
  auto cuda = Engine::open(options, std::move(device).value());
  auto cpu = Engine::open(options);
  REQUIRE(cuda);
  REQUIRE(cpu);
  const InfillRequest asked = request("int f() {\n  return ", "\n}\n", 4);
  CHECK(text(**cuda, asked) == text(**cpu, asked));
  kernels::cuda::on_host::plan_failure(Status::error("the GPU is gone"));
  const auto failed = (*cuda)->infill(request("else"), {});
  REQUIRE_FALSE(failed);
  CHECK(failed.message().find("the GPU is gone") != std::string::npos);
  CHECK_FALSE((*cuda)->failure());
}

TEST_CASE("as many tokens are drafted as the device runs nearly for free, or as one says") {
  EngineOptions options;
  options.model = kModels + "qwen2_block";
  options.device.cpu = {.threads = 1, .isa = kernels::cpu::Isa::plain};
  auto engine = Engine::open(options);
  REQUIRE(engine);
  InfillRequest asked = request("int f() {\n  return ");
  asked.end = EndRule::hole;
  const auto first = (*engine)->infill(asked, {});
  REQUIRE(first);
  asked.former = first->answers.front().text;
  for (const auto& [limit, drafted] : {std::pair{-1, 5U}, {6, 6U}, {0, 0U}}) {
    asked.drafts.limit = limit;
    const auto again = (*engine)->infill(asked, {});
    REQUIRE(again);
    CHECK(again->answers.front().text == asked.former);
    REQUIRE(again->decode.drafts.size() == drafted);
    for (const DraftCount& count : again->decode.drafts) CHECK(count.accepted >= 1);
  }
}

TEST_CASE("several answers: the first is the one alone, equal ones come once") {
  const auto engine = open_engine(), alone = open_engine();
  InfillRequest asked = request(code(200));
  asked.sampling.temperature = 4;
  const std::string one = text(*alone, asked);
  asked.candidates = 4;
  const auto several = answer(*engine, asked);
  CHECK(several.answers.at(0).text == one);
  CHECK(several.answers.size() > 1);
  for (std::size_t i = 1; i < several.answers.size(); ++i)
    for (std::size_t k = 0; k < i; ++k) CHECK(several.answers[i].text != several.answers[k].text);
}

TEST_CASE("requests under way together get the answers they get alone, whenever they join") {
  const bool gated = GENERATE(false, true);
  std::vector<InfillRequest> asked;
  for (int i = 0; i < 6; ++i) {
    asked.push_back(request(code(100 + 150 * static_cast<std::size_t>(i), i + 1), code(40, i + 7), 6 + 3 * i));
    if (i % 3 == 1) asked.back().mode = Mode::diffusion;
    if (i % 3 == 2) asked.back().candidates = 3;
  }
  const auto engine = open_engine(3, 4096, "qwen2_block", gated);
  CHECK(engine->most_together() == 3);
  std::vector<std::unique_ptr<Infill>> under_way(asked.size());
  std::vector<InfillResult> results(asked.size());
  std::size_t next = 0, done = 0;
  for (int round = 0; done < asked.size(); ++round) {
    REQUIRE(round < 1000);
    int open = 0;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      if (!under_way[i]) continue;
      if (!under_way[i]->finished()) {
        ++open;
        continue;
      }
      results[i] = under_way[i]->take();
      under_way[i].reset();
      ++done;
    }
    if (open < 3 && next < asked.size() && round % 2 == 0) {
      auto begun = engine->begin(asked[next], {}, Purpose::fill);
      REQUIRE(begun);
      under_way[next++] = std::move(begun).value();
    }
    REQUIRE(engine->advance());
  }
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const auto alone = answer(*open_engine(3, 4096, "qwen2_block", gated), asked[i]);
    INFO("request " << i);
    REQUIRE(results[i].answers.size() == alone.answers.size());
    for (std::size_t k = 0; k < alone.answers.size(); ++k) CHECK(results[i].answers[k].text == alone.answers[k].text);
    CHECK(results[i].decode.nfe == alone.decode.nfe);
  }
}

TEST_CASE("a cache slot belongs to one request at a time, and there are only so many") {
  const auto engine = open_engine(2);
  const InfillRequest asked = request(code(200));
  auto first = engine->begin(asked, {}, Purpose::fill), second = engine->begin(asked, {}, Purpose::warm);
  REQUIRE(first);
  REQUIRE(second);
  const auto third = engine->begin(asked, {}, Purpose::fill);
  REQUIRE_FALSE(third);
  CHECK(third.message().find("2 cache slots") != std::string::npos);
  while (!(*first)->finished() || !(*second)->finished()) REQUIRE(engine->advance());
  const std::string shared = (*first)->take().answers.at(0).text;
  CHECK((*second)->take().answers.empty());
  first->reset();
  second->reset();
  CHECK(shared == text(*engine, asked));
}

TEST_CASE("one of several that is stopped leaves the others alone") {
  const auto engine = open_engine(2);
  const InfillRequest asked = request(code(300), "\n}\n", 12);
  std::stop_source stop;
  DecodeLimits limits;
  limits.cancel = stop.get_token();
  auto stopped = engine->begin(request(code(200, 2)), limits, Purpose::fill),
       stays = engine->begin(asked, {}, Purpose::fill);
  REQUIRE(stopped);
  REQUIRE(stays);
  REQUIRE(engine->advance());
  stop.request_stop();
  while (!(*stays)->finished()) REQUIRE(engine->advance());
  REQUIRE((*stopped)->finished());
  CHECK((*stopped)->take().answers.at(0).reason == StopReason::cancelled);
  CHECK((*stays)->take().answers.at(0).text == text(*open_engine(), asked));
}

TEST_CASE("text of more tokens than the context holds is shown in part instead of refused") {
  const auto engine = open_engine(1, 1024);
  const auto result = answer(*engine, request(code(9000), code(4000, 2)));
  CHECK(result.prompt_tokens <= 1024 - 8 - 64);
  CHECK(result.prompt_tokens > 256);
  warm(*engine, request(code(9000), code(4000, 2)));
  const auto tiny = open_engine(1, 256);
  const auto refused = tiny->infill(request(code(9000), {}, 250), {});
  REQUIRE_FALSE(refused);
  CHECK(refused.message().find("256") != std::string::npos);
}

TEST_CASE("models that see the whole canvas fill holes too, within the context") {
  const auto engine = open_engine(2, 512, "dream");
  InfillRequest asked = request(code(60), "\n}\n");
  asked.mode = Mode::diffusion;
  const auto first = answer(*engine, asked);
  CHECK(first.prompt_tokens >= 60);
  CHECK(first.answers.at(0).tokens > 0);
  CHECK(text(*engine, asked) == first.answers[0].text);
  warm(*engine, asked);
  CHECK(answer(*engine, request(code(5000))).prompt_tokens < 512);
}

TEST_CASE("an answer goes on from its own beginning, and elsewhere when the next token is forbidden") {
  struct Way {
    const char* model;
    Mode mode;
    bool gated = false;
  };
  const Way ways[] = {{"qwen2_block", Mode::verified},
                      {"qwen2_block", Mode::autoregressive},
                      {"qwen2_block", Mode::diffusion},
                      {"qwen2_block", Mode::diffusion, true},
                      {"dream", Mode::diffusion}};
  for (const Way& way : ways) {
    INFO(way.model << " " << name(way.mode) << (way.gated ? " gated" : ""));
    const auto engine = open_engine(2, 1024, way.model, way.gated);
    InfillRequest asked = request(code(200) + "\nx = ", "\n}\n", 16);
    asked.mode = way.mode;
    const auto first = answer(*engine, asked).answers.at(0);
    // Behind the tokens that only spell what stands in front of the hole.
    const auto kept = static_cast<std::size_t>(std::count_if(first.path.begin(), first.path.end(),
                                                             [](const InfillToken& t) { return t.end == 0; })) +
                      2;
    REQUIRE(first.path.size() > kept);
    CHECK(static_cast<int>(first.path.size()) == first.tokens);
    CHECK(first.path.back().end == first.text.size());
    const auto begins_as_first = [&](const InfillAnswer& answer) {
      for (std::size_t i = 0; i < kept; ++i) {
        const InfillToken &is = answer.path.at(i), &was = first.path.at(i);
        if (is.id != was.id || is.probability != was.probability || is.margin != was.margin) return false;
      }
      return true;
    };
    asked.resume.tokens.assign(first.path.begin(), first.path.begin() + static_cast<std::ptrdiff_t>(kept));
    const auto same = answer(*engine, asked);
    if (way.mode != Mode::diffusion) CHECK(same.answers.at(0).text == first.text);
    CHECK(begins_as_first(same.answers.at(0)));
    if (way.model == std::string_view("qwen2_block")) CHECK(same.prompt_tokens - same.reused_tokens <= 8);
    asked.resume.forbidden = {first.path[kept].id, same.answers[0].path.at(kept).id};
    const auto other = answer(*engine, asked).answers.at(0);
    CHECK(begins_as_first(other));
    CHECK(other.path.at(kept).id != first.path[kept].id);
    CHECK(other.path[kept].id != same.answers[0].path[kept].id);
    CHECK(other.tokens <= asked.max_tokens);
  }
}

TEST_CASE("diffusion under a gated adapter takes the options for what it keeps and ends") {
  const auto engine = open_engine(1, 1024, "qwen2_block", true);
  int against = 0, unread = 0;
  for (int seed = 1; seed <= 8; ++seed) {
    InfillRequest asked = request(code(200, seed) + "\nx = ", "\n}\n", 24);
    const auto verified = answer(*engine, asked);
    asked.mode = Mode::diffusion;
    asked.keep = 1;
    asked.denoise.threshold = 2.0f;  // never sure enough
    const auto same = answer(*engine, asked);
    CHECK(same.answers[0].text == verified.answers[0].text);
    CHECK(same.decode.tokens_per_step == verified.decode.tokens_per_step);
    asked.denoise.threshold = 0.3f;
    const auto ended = answer(*engine, asked);
    CHECK(ended.decode.nfe <= verified.decode.nfe);
    unread += verified.decode.nfe - ended.decode.nfe;
    asked.keep = 0.01f;
    against += answer(*engine, asked).answers[0].text != ended.answers[0].text ? 1 : 0;
  }
  CHECK(against > 0);
  CHECK(unread > 0);
  InfillRequest wrong = request(code(60));
  for (const float keep : {-0.1f, 1.5f, std::numeric_limits<float>::quiet_NaN()}) {
    wrong.keep = keep;
    const auto refused = engine->infill(wrong, {});
    REQUIRE_FALSE(refused);
    CHECK(refused.message().starts_with("keep is "));
  }
}

TEST_CASE("each request says how much of its surroundings is read") {
  const auto engine = open_engine();
  InfillRequest whole = request(code(600), code(300, 2)), part = whole;
  part.budget = {.prefix_bytes = 200, .suffix_bytes = 100};
  const int all = answer(*engine, whole).prompt_tokens, less = answer(*engine, part).prompt_tokens;
  CHECK(all >= 900);
  CHECK(less <= 310);
  CHECK(less >= 200);
  CHECK(answer(*engine, whole).prompt_tokens == all);
}

TEST_CASE("several holes of one request: one canvas, an answer each, and each ends by its own rule") {
  const auto engine = open_engine(1, 1024, "dream");
  REQUIRE(engine->fills_together());
  InfillRequest asked = request("a = ", "\nend\n", 6);
  asked.mode = Mode::diffusion;
  asked.denoise.search = false;
  asked.next.push_back(
      {"\nb = ", EndRule::hole, [](std::string_view text) { return std::min<std::size_t>(text.size(), 2); }, 5});
  asked.next.push_back({"\nc = ", EndRule::hole, {}, 3});
  const auto found = answer(*engine, asked);
  REQUIRE(found.answers.size() == 1);
  REQUIRE(found.next.size() == 2);
  CHECK(found.answers[0].tokens == 6);
  CHECK(found.next[0].text.size() <= 2);
  CHECK(found.next[1].tokens == 3);
  InfillRequest all = request("a = ", "\nend\n", 6);
  all.mode = Mode::diffusion;
  CHECK(found.prompt_tokens == answer(*engine, all).prompt_tokens + 10);
  CHECK(found.decode.nfe < 6 + 5 + 3);
}

TEST_CASE("several holes are refused where they cannot be filled together") {
  const auto causal = open_engine(1, 512);
  CHECK_FALSE(causal->fills_together());
  InfillRequest asked = request("a = ");
  asked.next.push_back({"\nb = "});
  auto refused = causal->infill(asked, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.message().find("full attention") != std::string::npos);
  const auto full = open_engine(1, 512, "dream");
  asked.next[0].max_tokens = 0;
  refused = full->infill(asked, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.message().find("further hole is 0") != std::string::npos);
  asked.next[0] = {std::string(2000, 'b')};
  refused = full->infill(asked, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.message().find("do not fit the context") != std::string::npos);
}

TEST_CASE("tokens to go on from that no model has are refused") {
  const auto engine = open_engine(1, 512);
  for (const Resume& resume :
       {Resume{{{.id = -1}}, {}}, Resume{{}, {1 << 30}}, Resume{std::vector<InfillToken>(8, {.id = 5}), {}}}) {
    InfillRequest asked = request("x");
    asked.resume = resume;
    const auto refused = engine->infill(asked, {});
    REQUIRE_FALSE(refused);
    CHECK(refused.message().find("go on from") != std::string::npos);
  }
}

TEST_CASE("requests out of bounds are refused by name") {
  const auto engine = open_engine(1, 512);
  for (const int tokens : {0, 1025}) {
    const auto refused = engine->infill(request("x", "", tokens), {});
    REQUIRE_FALSE(refused);
    CHECK(refused.message().find("max_tokens") == 0);
  }
  InfillRequest many = request("x");
  many.candidates = 9;
  const auto refused = engine->infill(many, {});
  REQUIRE_FALSE(refused);
  CHECK(refused.message().find("candidates") == 0);
}

TEST_CASE("modes by name") {
  for (const Mode mode : {Mode::autoregressive, Mode::verified, Mode::diffusion}) CHECK(parse_mode(name(mode)) == mode);
  CHECK_FALSE(parse_mode("magic"));
}

}  // namespace
}  // namespace cinnabar::engine
