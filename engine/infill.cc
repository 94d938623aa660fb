#include "engine/infill.h"

#include <algorithm>
#include <chrono>

namespace cinnabar::engine {

std::optional<Mode> parse_mode(std::string_view text) {
  for (const Mode mode : {Mode::autoregressive, Mode::verified, Mode::diffusion}) {
    if (text == name(mode)) return mode;
  }
  return std::nullopt;
}

std::string_view name(Mode mode) {
  switch (mode) {
    case Mode::autoregressive:
      return "autoregressive";
    case Mode::verified:
      return "verified";
    case Mode::diffusion:
      return "diffusion";
  }
  return "";
}

Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::open(const EngineOptions& options) {
  auto backend = kernels::cpu::make_backend(options.cpu);
  if (!backend) return backend.status();
  return open(options, std::move(backend).value());
}

Result<std::unique_ptr<Engine>> Engine::open(const EngineOptions& options, std::unique_ptr<kernels::Backend> backend) {
  auto model = load_model(options.model);
  if (!model) return model.status();
  auto tokenizer = load_tokenizer(model->checkpoint);
  if (!tokenizer) return tokenizer.status();
  std::optional<Adapter> gated;
  if (!options.adapter.empty()) {
    auto adapter = load_adapter(options.adapter, model->spec);
    if (!adapter) return adapter.status();
    if (adapter->gated) {
      if (adapter->hole_end >= 0) model->spec.hole_end = adapter->hole_end;
      if (adapter->block_length > 0) model->spec.block_length = adapter->block_length;
      gated = std::move(adapter).value();
    } else if (Status merged = merge_adapter(*adapter, model->spec, model->weights); !merged)
      return merged;
  }
  auto network = Network::create(*model, gated ? &*gated : nullptr, *backend, options.compute);
  if (!network) return network.status();
  std::unique_ptr<Engine> engine(new Engine(options));
  engine->backend_ = std::move(backend);
  engine->tokenizer_ = std::move(tokenizer).value();
  engine->network_ = std::move(network).value();
  return engine;
}

// The place that shares most with the prompt, unless so little is shared that another place's prompt is better
// forgotten.
Result<Engine::Place*> Engine::place_for(std::span<const std::int32_t> tokens) {
  const auto shared = [&](const std::unique_ptr<Place>& place) { return place->cache.common_prefix(tokens); };
  const auto best = std::max_element(places_.begin(), places_.end(),
                                     [&](const auto& a, const auto& b) { return shared(a) < shared(b); });
  constexpr int kWorthKeeping = 64;  // tokens; fewer are read again in a few milliseconds
  Place* place = nullptr;
  if (best != places_.end() && shared(*best) >= std::min<int>(kWorthKeeping, (*best)->cache.size())) {
    place = best->get();
  } else if (static_cast<int>(places_.size()) < options_.places) {
    auto cache = KvCache::create(*network_, options_.context);
    if (!cache) return cache.status();
    places_.push_back(std::make_unique<Place>(Place{std::move(cache).value()}));
    place = places_.back().get();
  } else {
    place = std::min_element(places_.begin(), places_.end(), [](const auto& a, const auto& b) {
              return a->used < b->used;
            })->get();
  }
  place->used = ++clock_;
  return place;
}

Result<bool> Engine::read_prompt(KvCache& cache, std::span<const std::int32_t> tokens, int chunk,
                                 const DecodeLimits& limits, InfillResult& result) {
  const auto start = std::chrono::steady_clock::now();
  const auto last = static_cast<int>(tokens.size()) - 1;
  cache.truncate(std::min(cache.common_prefix(tokens), last));
  result.prompt_tokens = static_cast<int>(tokens.size());
  result.reused_tokens = cache.size();
  constexpr int kWithFirstStep = 8;  // so few new tokens run along with the first decoding step for nothing
  while (last + 1 - cache.size() > kWithFirstStep) {
    if (limits.cancel.stop_requested()) return false;
    if (limits.deadline && std::chrono::steady_clock::now() >= *limits.deadline) return false;
    const int count = std::min(chunk, last - cache.size());
    ForwardSegment segment{&cache.store(), {}};
    for (int slot = cache.size(); slot < cache.size() + count; ++slot) {
      segment.rows.push_back({.token = tokens[static_cast<std::size_t>(slot)], .slot = slot, .limit = slot + 1});
    }
    if (Status ran = network_->forward({&segment, 1}, {}, {}); !ran) return ran;
    cache.append(tokens.subspan(static_cast<std::size_t>(cache.size()), static_cast<std::size_t>(count)));
  }
  result.prompt_milliseconds =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return true;
}

Answer Engine::make_answer(const InfillRequest& request, const Prompt& prompt) const {
  return {*tokenizer_,
          spec(),
          {describe_hole(request.prefix, request.suffix, request.end), prompt.typed, request.max_tokens,
           request.other_end}};
}

std::unique_ptr<Decoding> Engine::make_decoding(const InfillRequest& request, KvCache& cache, const Prompt& prompt,
                                                int candidate) {
  SamplingOptions sampling = request.sampling;
  if (candidate > 0) {
    constexpr float kVaried = 0.6f;
    sampling.temperature = std::max(sampling.temperature, kVaried);
    sampling.seed += static_cast<std::uint64_t>(candidate);
  }
  std::vector<std::int32_t> pending(prompt.before.begin() + cache.size(), prompt.before.end());
  Answer answer = make_answer(request, prompt);
  if (request.mode == Mode::diffusion) {
    BlockOptions block = request.block;
    block.sampling = sampling;
    return std::make_unique<BlockDiffusion>(*network_, cache, std::move(pending), std::move(answer), block);
  }
  const bool drafts = request.mode == Mode::verified;
  std::vector<std::int32_t> former;
  if (drafts && !request.former.empty()) former = tokenizer_->encode(prompt.typed + request.former);
  return std::make_unique<VerifiedDecoding>(*network_, cache, std::move(pending), std::move(answer),
                                            drafts ? request.drafts : kNoDraft, sampling, std::move(former));
}

namespace {

InfillResult collect(InfillResult result, std::span<Decoding* const> decodings) {
  for (Decoding* decoding : decodings) {
    const Answer& answer = decoding->answer();
    InfillAnswer found{answer.text(), answer.reason().value_or(StopReason::length),
                       static_cast<int>(answer.tokens().size())};
    const bool known = std::any_of(result.answers.begin(), result.answers.end(),
                                   [&](const InfillAnswer& a) { return a.text == found.text; });
    if (!known) result.answers.push_back(std::move(found));
  }
  return result;
}

constexpr int kLongestBlock = 1024;  // as in ModelSpec

// Rows that a forward may run behind the longest answer: drafts and masks, or a block.
int ahead(const InfillRequest& request, const ModelSpec& spec) {
  constexpr int kDrafts = 64;
  if (request.mode != Mode::diffusion) return kDrafts;
  return std::max(kDrafts, request.block.length > 0 ? request.block.length : spec.block_length);
}

StopReason interrupted(const DecodeLimits& limits) {
  return limits.cancel.stop_requested() ? StopReason::cancelled : StopReason::deadline;
}

}  // namespace

Result<InfillResult> Engine::fill_block_causal(const InfillRequest& request, const Prompt& prompt,
                                               const DecodeLimits& limits, const StepObserver& observer) {
  auto place = place_for(prompt.before);
  if (!place) return place.status();
  KvCache& cache = (*place)->cache;
  InfillResult result;
  auto read = read_prompt(cache, prompt.before, kPromptChunk, limits, result);
  if (!read) return read.status();
  if (!*read) {
    result.answers.push_back({"", interrupted(limits), 0});
    return result;
  }
  std::vector<KvCache> forks;
  std::vector<std::unique_ptr<Decoding>> owned;
  forks.reserve(static_cast<std::size_t>(request.candidates));
  for (int i = 1; i < request.candidates; ++i) {
    auto fork = KvCache::create(
        *network_, static_cast<std::int64_t>(prompt.before.size()) + request.max_tokens + ahead(request, spec()));
    if (!fork) return fork.status();
    fork->copy_from(cache, cache.size(), *network_);
    forks.push_back(std::move(fork).value());
  }
  owned.push_back(make_decoding(request, cache, prompt, 0));
  for (int i = 1; i < request.candidates; ++i) {
    owned.push_back(make_decoding(request, forks[static_cast<std::size_t>(i - 1)], prompt, i));
  }
  std::vector<Decoding*> decodings;
  decodings.reserve(owned.size());
  for (const auto& decoding : owned) decodings.push_back(decoding.get());
  auto stats = decode(*network_, decodings, limits, observer);
  if (!stats) return stats.status();
  result.decode = std::move(stats).value();
  return collect(std::move(result), decodings);
}

Result<InfillResult> Engine::fill_in_place(const InfillRequest& request, const Prompt& prompt,
                                           const DecodeLimits& limits, const StepObserver& observer) {
  auto place = place_for({});
  if (!place) return place.status();
  constexpr int kFirstLength = 16;  // masks to begin with; models with expand and erase find their own length
  const bool grows = spec().expand >= 0;
  Canvas canvas(prompt.before, grows ? std::min(kFirstLength, request.max_tokens) : request.max_tokens, prompt.behind,
                spec().mask);
  if (canvas.size() + request.max_tokens > options_.context)
    return Status::error("the canvas is longer than the context");
  InfillResult result;
  result.prompt_tokens = static_cast<int>(prompt.before.size() + prompt.behind.size());
  InPlaceDiffusion decoding(*network_, (*place)->cache, std::move(canvas), make_answer(request, prompt),
                            request.in_place);
  Decoding* const decodings[] = {&decoding};
  auto stats = decode(*network_, decodings, limits, observer);
  if (!stats) return stats.status();
  result.decode = std::move(stats).value();
  return collect(std::move(result), decodings);
}

namespace {

Status check(const InfillRequest& request) {
  if (request.max_tokens < 1 || request.max_tokens > 1024) {
    return Status::error("max_tokens is " + std::to_string(request.max_tokens) + ", expected 1 to 1024");
  }
  if (request.candidates < 1 || request.candidates > 8) {
    return Status::error("candidates is " + std::to_string(request.candidates) + ", expected 1 to 8");
  }
  if (request.block.length < 0 || request.block.length > kLongestBlock) {
    return Status::error("the block length is " + std::to_string(request.block.length) +
                         ", expected 0 (the model's) to " + std::to_string(kLongestBlock));
  }
  return {};
}

}  // namespace

// Text of many tokens a byte (scripts that the vocabulary hardly knows, hexadecimal) may need more than the context
// has: then less of it is shown.
Result<Prompt> Engine::fitting_prompt(const InfillRequest& request) const {
  constexpr std::size_t kLeast = 256;  // bytes; a model whose context holds no more is of no use
  for (PromptBudget budget = options_.budget;; budget.prefix_bytes /= 2, budget.suffix_bytes /= 2) {
    auto prompt = build_prompt(spec(), *tokenizer_, request.prefix, request.suffix, budget);
    if (!prompt) return prompt.status();
    const auto tokens = static_cast<std::int64_t>(prompt->before.size() + prompt->behind.size());
    const int answer = request.max_tokens;
    const int growth = spec().attention == Attention::full ? answer : 0;  // of a canvas whose hole can expand
    if (tokens + answer + growth + ahead(request, spec()) <= options_.context) return prompt;
    if (budget.prefix_bytes < kLeast)
      return Status::error("prompt of " + std::to_string(tokens) + " tokens and an answer of at most " +
                           std::to_string(answer) + " do not fit the context of " + std::to_string(options_.context));
  }
}

Result<InfillResult> Engine::infill(const InfillRequest& request, const DecodeLimits& limits,
                                    const StepObserver& observer) {
  if (Status valid = check(request); !valid) return valid;
  auto prompt = fitting_prompt(request);
  if (!prompt) return prompt.status();
  if (spec().attention == Attention::full) return fill_in_place(request, *prompt, limits, observer);
  return fill_block_causal(request, *prompt, limits, observer);
}

Status Engine::warm(const InfillRequest& request, const DecodeLimits& limits) {
  if (spec().attention == Attention::full) return {};
  auto prompt = fitting_prompt(request);
  if (!prompt) return prompt.status();
  auto place = place_for(prompt->before);
  if (!place) return place.status();
  constexpr int kChunk = 64;  // somebody who types may be waiting for its end
  InfillResult unused;
  return read_prompt((*place)->cache, prompt->before, kChunk, limits, unused).status();
}

}  // namespace cinnabar::engine
