#include "engine/engine.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "engine/infill_run.h"
#include "engine/mode.h"

namespace cinnabar::engine {
namespace {

// The adapter that the options name, or the one that lies in the model's folder; empty: none.
std::string adapter_of(const EngineOptions& options) {
  if (options.adapter == kNoAdapter) return "";
  if (!options.adapter.empty()) return options.adapter;
  const std::filesystem::path beside = std::filesystem::path(options.model) / "adapter.gguf";
  std::error_code error;
  return std::filesystem::is_regular_file(beside, error) ? beside.string() : "";
}

// Forwards of a prompt and of an answer: what a device of its own memory lacks shows before anybody waits for it, and most of
// the memory that later forwards need is there.
Status try_device(Network& network, std::int64_t context) {
  auto cache = KvCache::create(network, context);
  if (!cache) return cache.status();
  const std::int64_t most = std::min<std::int64_t>(kMostPromptRows, context);
  for (const bool judged : {false, true}) {
    ForwardSegment segment{&cache->store(), {}};
    const std::int64_t rows = judged ? std::min<std::int64_t>(most, network.backend().cheap_rows()) : most;
    for (std::int32_t slot = 0; slot < rows; ++slot)
      segment.rows.push_back({.token = 0, .slot = slot, .limit = slot + 1, .judged = judged});
    const std::vector<kernels::ScoreRequest> requests(judged ? segment.rows.size() : 0);
    std::vector<kernels::Score> scores(requests.size());
    if (Status ran = network.forward({&segment, 1}, requests, scores); !ran) return ran;
  }
  network.backend().wait();
  return network.backend().failure();
}

}  // namespace

Engine::Engine(const EngineOptions& options) : options_(options) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::open(const EngineOptions& options) {
  auto device = open_device(options.device);
  if (!device) return device.status();
  const bool may_give_way = options.device.choice.kind == DeviceKind::automatic && !device->backend->host_memory();
  std::string no_gpu = std::move(device->no_gpu);
  auto engine = open(options, std::move(device->backend));
  if (!engine && may_give_way) {
    no_gpu = engine.message();
    EngineOptions on_cpu = options;
    on_cpu.device.choice.kind = DeviceKind::cpu;
    engine = open(on_cpu);
  }
  if (engine) (*engine)->no_gpu_ = std::move(no_gpu);
  return engine;
}

Result<std::unique_ptr<Engine>> Engine::open(const EngineOptions& options, std::unique_ptr<kernels::Backend> backend) {
  auto model = load_model(options.model);
  if (!model) return model.status();
  if (options.infill) {
    model->spec.infill = *options.infill;
    if (Status tagged = check_tokens(model->spec); !tagged) return tagged.in(options.model);
  }
  auto tokenizer = load_tokenizer(model->checkpoint);
  if (!tokenizer) return tokenizer.status();
  std::optional<Adapter> gated;
  if (const std::string path = adapter_of(options); !path.empty()) {
    auto adapter = load_adapter(path, model->spec);
    if (!adapter) return adapter.status();
    if (adapter->gated) {
      if (adapter->hole_end >= 0) model->spec.hole_end = adapter->hole_end;
      if (adapter->block_length > 0) model->spec.block_length = adapter->block_length;
      gated = std::move(adapter).value();
    } else if (Status merged = merge_adapter(*adapter, model->weights); !merged)
      return merged;
  }
  const kernels::Compute compute =
      options.compute ? *options.compute : choose_compute(model->weights, backend->memory());
  auto network = Network::create(*model, gated ? &*gated : nullptr, *backend, compute);
  if (!network) return network.status();
  EngineOptions fitting = options;
  if (model->spec.context_is_limit) fitting.context = std::min<std::int64_t>(options.context, model->spec.context);
  if (!backend->host_memory()) {
    if (Status works = try_device(**network, fitting.context); !works) return works.in(backend->description());
  }
  std::unique_ptr<Engine> engine(new Engine(fitting));
  engine->backend_ = std::move(backend);
  engine->tokenizer_ = std::move(tokenizer).value();
  engine->network_ = std::move(network).value();
  return engine;
}

// Of the slots that no request holds just now, the one that shares most with the prompt, unless so little is shared that
// another slot's prompt is better forgotten.
Result<CacheSlot*> Engine::slot_for(std::span<const std::int32_t> tokens) {
  constexpr int kWorthKeeping = 64;  // tokens; fewer are read again in a few milliseconds
  CacheSlot* best = nullptr;
  CacheSlot* oldest = nullptr;
  int most = -1;
  for (const auto& slot : slots_) {
    if (slot->run != nullptr) continue;
    const int shared = slot->cache.common_prefix(tokens);
    if (shared > most) {
      most = shared;
      best = slot.get();
    }
    if (oldest == nullptr || slot->used < oldest->used) oldest = slot.get();
  }
  CacheSlot* chosen = oldest;
  if (best != nullptr && most >= std::min(kWorthKeeping, best->cache.size())) {
    chosen = best;
  } else if (static_cast<int>(slots_.size()) < options_.cache_slots) {
    auto cache = KvCache::create(*network_, options_.context);
    if (cache) {
      slots_.push_back(std::make_unique<CacheSlot>(CacheSlot{std::move(cache).value()}));
      chosen = slots_.back().get();
    } else if (oldest == nullptr) {  // else one place less is remembered
      return cache.status();
    }
  }
  if (chosen == nullptr) {
    return Status::error("all " + std::to_string(options_.cache_slots) +
                         " cache slots are in use; a request has to end first");
  }
  chosen->used = ++clock_;
  return chosen;
}

namespace {

Status check(const SamplingOptions& sampling) {
  if (!(sampling.temperature >= 0))
    return Status::error("temperature is " + std::to_string(sampling.temperature) + ", expected 0 or more");
  if (!(sampling.top_p > 0 && sampling.top_p <= 1))
    return Status::error("top_p is " + std::to_string(sampling.top_p) + ", expected above 0, 1 at most");
  if (sampling.top_k < 0) return Status::error("top_k is " + std::to_string(sampling.top_k) + ", expected 0 or more");
  return {};
}

Status check(const InfillRequest& request, const ModelSpec& spec) {
  if (request.max_tokens < 1 || request.max_tokens > 1024) {
    return Status::error("max_tokens is " + std::to_string(request.max_tokens) + ", expected 1 to 1024");
  }
  if (request.candidates < 1 || request.candidates > 8) {
    return Status::error("candidates is " + std::to_string(request.candidates) + ", expected 1 to 8");
  }
  if (const auto wrong = contradiction(request.denoise); wrong && request.mode == Mode::diffusion)
    return Status::error(*wrong);
  if (request.denoise.remask == Remask::wino && request.mode == Mode::diffusion && spec.logits_shift != 0)
    return Status::error(spec.family +
                         ": remask wino asks masks about their own place, and this model's rows say what stands behind "
                         "them (logits shift 1); p2 and remdm go with it");
  if (Status sampling = check(request.sampling); !sampling) return sampling;
  if (request.scored &&
      (request.scored->empty() || request.candidates != 1 || !request.resume.empty() || !request.next.empty()))
    return Status::error("a text to be scored must not be empty, and is one answer to one hole");
  if (request.scored && (spec.attention == Attention::full || spec.logits_shift != 1))
    return Status::error(spec.family + ": only models that predict the next token can score a text");
  const int block = request.denoise.block.value_or(spec.block_length);
  if (spec.attention == Attention::blocks && block != spec.block_length)
    return Status::error("the block length is " + std::to_string(block) + ", but the model was trained with " +
                         std::to_string(spec.block_length) + " and reads its text in such blocks");
  if (!(request.keep >= 0 && request.keep <= 1))
    return Status::error("keep is " + std::to_string(request.keep) + ", expected 0 to 1");
  if (!request.next.empty() && (spec.attention != Attention::full || !request.resume.empty()))
    return Status::error("several holes of one request need a model of full attention, and begin anew");
  for (const NextHole& hole : request.next) {
    if (hole.max_tokens < 1 || hole.max_tokens > 1024)
      return Status::error("max_tokens of a further hole is " + std::to_string(hole.max_tokens) +
                           ", expected 1 to 1024");
  }
  const auto is_token = [&](std::int32_t token) { return token >= 0 && token < spec.vocabulary; };
  const Resume& resume = request.resume;
  if (static_cast<int>(resume.tokens.size()) >= request.max_tokens ||
      !std::all_of(resume.tokens.begin(), resume.tokens.end(), [&](const auto& t) { return is_token(t.id); }) ||
      !std::all_of(resume.forbidden.begin(), resume.forbidden.end(), is_token)) {
    return Status::error("an answer is to go on from " + std::to_string(resume.tokens.size()) +
                         " tokens, expected tokens of the model, fewer than max_tokens " +
                         std::to_string(request.max_tokens));
  }
  return {};
}

}  // namespace

// Text of many tokens a byte (scripts that the vocabulary hardly knows, hexadecimal) may need more than the context
// has: then less of it is shown.
Result<Prompt> Engine::fitting_prompt(const InfillRequest& request) const {
  constexpr std::size_t kLeast = 256;  // bytes; a model whose context holds no more is of no use
  for (PromptBudget budget = request.budget;;
       budget.prefix_bytes /= 2, budget.suffix_bytes /= 2, budget.context_tokens /= 2) {
    auto prompt = request.parts.empty() ? build_prompt(spec(), *tokenizer_, request.prefix, request.suffix, budget,
                                                       request.context, request.heading.value_or(""))
                                        : build_prompt(spec(), *tokenizer_, request.parts);
    if (!prompt) return prompt.status();
    auto tokens = static_cast<std::int64_t>(prompt->before.size() + prompt->behind.size());
    int answer = request.max_tokens;
    if (request.scored) answer = static_cast<int>(tokenizer_->encode(prompt->typed + *request.scored).size());
    for (const NextHole& hole : request.next) {
      prompt->between.push_back(tokenizer_->encode(hole.between));
      tokens += static_cast<std::int64_t>(prompt->between.back().size());
      answer += hole.max_tokens;
    }
    const int growth = spec().attention == Attention::full ? answer : 0;  // of a canvas whose hole can expand
    if (tokens + answer + growth + rows_ahead(request, spec()) <= options_.context) return prompt;
    if (budget.prefix_bytes < kLeast || !request.parts.empty())
      return Status::error("prompt of " + std::to_string(tokens) + " tokens and an answer of at most " +
                           std::to_string(answer) + " do not fit the context of " + std::to_string(options_.context));
  }
}

Result<Mode> Engine::mode_of(Mode wanted) const {
  if (wanted == Mode::automatic) {
    const Mode preferred = backend_->host_memory() ? options_.modes.cpu : options_.modes.gpu;
    if (auto mode = mode_for(preferred, spec(), network_->has_adapter())) return mode;
  }
  return mode_for(wanted, spec(), network_->has_adapter());
}

Result<Way> Engine::way_of(Mode wanted) const {
  const auto mode = mode_of(wanted);
  if (!mode) return mode.status();
  return Way{decoder_of(*mode, spec(), network_->has_adapter()), spec().expand >= 0};
}

Result<std::unique_ptr<InfillRun>> Engine::begin_run(const InfillRequest& wanted, const DecodeLimits& limits,
                                                     Purpose purpose) {
  const auto mode = mode_of(wanted.mode);
  if (!mode) return mode.status();
  InfillRequest request = wanted;
  request.mode = *mode;
  if (*mode == Mode::diffusion) request.denoise = over(request.denoise, over(options_.denoise, spec().denoise));
  if (Status valid = check(request, spec()); !valid) return valid;
  auto prompt = fitting_prompt(request);
  if (!prompt) return prompt.status();
  for (const InfillToken& token : request.resume.tokens) prompt->before.push_back(token.id);
  auto slot = slot_for(spec().attention == Attention::full ? std::vector<std::int32_t>() : prompt->before);
  if (!slot) return slot.status();
  return InfillRun::begin({*network_, *tokenizer_, **slot, options_.context}, request, std::move(prompt).value(),
                          limits, purpose);
}

Result<std::unique_ptr<Infill>> Engine::begin(const InfillRequest& request, const DecodeLimits& limits,
                                              Purpose purpose) {
  auto run = begin_run(request, limits, purpose);
  if (!run) return run.status();
  return std::unique_ptr<Infill>(std::move(run).value());
}

Status Engine::advance() {
  std::vector<InfillRun*> open;
  bool somebody_waits = false;
  for (const auto& slot : slots_) {
    if (slot->run == nullptr) continue;
    slot->run->check_limits();
    if (slot->run->finished()) continue;
    open.push_back(slot->run);
    somebody_waits = somebody_waits || slot->run->only_warms() || !slot->run->reading();
  }
  const int most_prompt_rows =
      prompt_rows(row_milliseconds_, somebody_waits, network_->is_narrow() ? kLeastNarrowRows : kLeastPromptRows);
  for (auto first = open.begin(); first != open.end();) {
    // Whole canvases may be too many rows for one forward.
    auto last = first;
    for (std::int64_t rows = 0; last != open.end(); ++last) {
      rows += (*last)->most_rows();
      if (last != first && rows > Network::max_rows()) break;
    }
    if (Status ran = step({first, last}, most_prompt_rows); !ran) return ran;
    first = last;
  }
  return {};
}

// One forward of these requests.
Status Engine::step(std::span<InfillRun* const> runs, int most_prompt_rows) {
  std::vector<ForwardSegment> prompts;
  std::vector<Decoding*> decodings;
  for (InfillRun* run : runs) {
    if (auto rows = run->read(most_prompt_rows)) prompts.push_back(std::move(*rows));
    decodings.insert(decodings.end(), run->decodings().begin(), run->decodings().end());
  }
  const auto start = std::chrono::steady_clock::now();
  const auto rows = run_step(*network_, decodings, std::move(prompts), sink_);
  if (!rows) return rows.status();
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  if (*rows >= kLeastPromptRows) row_milliseconds_ = ms / *rows;
  for (InfillRun* run : runs) {
    if (Status stepped = run->stepped(ms); !stepped) return stepped;
  }
  return {};
}

Result<InfillResult> Engine::infill(const InfillRequest& request, const DecodeLimits& limits,
                                    const StepObserver& observer, const LogitsSink& sink) {
  auto run = begin_run(request, limits, Purpose::fill);
  if (!run) return run.status();
  while (!(*run)->finished()) {
    const int before = (*run)->stats().nfe;
    sink_ = sink;
    const Status ran = advance();
    sink_ = {};
    if (!ran) return ran;
    if (observer && (*run)->stats().nfe > before) observer((*run)->decodings(), (*run)->stats());
  }
  return (*run)->take();
}

}  // namespace cinnabar::engine
