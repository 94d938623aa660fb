#include "engine/infill_run.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "engine/decoding/block_diffusion.h"
#include "engine/decoding/in_place.h"
#include "engine/decoding/scoring.h"
#include "engine/decoding/speculative.h"
#include "engine/mode.h"

namespace cinnabar::engine {

int rows_ahead(const InfillRequest& request, const ModelSpec& spec) {
  constexpr int kDrafts = 64;
  if (request.mode != Mode::diffusion) return kDrafts;
  const int block = request.denoise.block.value_or(spec.block_length);
  // In place a block lies within its hole, however long it may be.
  return std::max(kDrafts, spec.attention == Attention::full ? std::min(block, request.max_tokens) : block);
}

int prompt_rows(double row_milliseconds, bool somebody_waits, int least) {
  constexpr double kLatency = 200, kShortLatency = 70;  // ms; less on a slow device costs it more than it gains
  if (row_milliseconds <= 0) return least;
  const double rows = std::min((somebody_waits ? kShortLatency : kLatency) / row_milliseconds, double{kMostPromptRows});
  return std::max(static_cast<int>(rows) / kLeastPromptRows * kLeastPromptRows, least);
}

InfillRun::InfillRun(const Resources& resources, InfillRequest request, Prompt prompt, DecodeLimits limits,
                     Purpose purpose)
    : resources_(resources),
      request_(std::move(request)),
      prompt_(std::move(prompt)),
      limits_(std::move(limits)),
      purpose_(purpose) {
  resources_.slot.run = this;
  begin_reading();
}

Result<std::unique_ptr<InfillRun>> InfillRun::begin(const Resources& resources, InfillRequest request, Prompt prompt,
                                                    DecodeLimits limits, Purpose purpose) {
  std::unique_ptr<InfillRun> run(
      new InfillRun(resources, std::move(request), std::move(prompt), std::move(limits), purpose));
  if (Status begun = run->advance_phase(); !begun) return begun;
  return run;
}

InfillRun::~InfillRun() { resources_.slot.run = nullptr; }

void InfillRun::begin_reading() {
  result_.prompt_tokens = static_cast<int>(prompt_.before.size() + prompt_.behind.size());
  for (const auto& between : prompt_.between) result_.prompt_tokens += static_cast<int>(between.size());
  if (in_place()) return;
  KvCache& cache = resources_.slot.cache;
  const int common = std::min(cache.common_prefix(prompt_.before), static_cast<int>(prompt_.before.size()) - 1);
  cache.truncate(common / unit() * unit());
  result_.reused_tokens = cache.size();
}

int InfillRun::unit() const {
  const ModelSpec& spec = resources_.network.spec();
  return spec.attention == Attention::blocks ? spec.block_length : 1;
}

// Prompt tokens that are worth a forward of their own before the first decoding step. The last one predicts, so it runs
// with that step, and so do a few more for nothing.
int InfillRun::unread() const {
  constexpr int kWithFirstStep = 8;
  if (in_place()) return 0;
  const int readable = (static_cast<int>(prompt_.before.size()) - 1) / unit() * unit();
  const int left = readable - resources_.slot.cache.size();
  return left >= std::max(kWithFirstStep, unit()) ? left : 0;
}

int InfillRun::most_rows() const {
  if (phase_ == Phase::searching) return static_cast<int>(Network::max_rows());
  if (in_place()) return request_.candidates * static_cast<int>(resources_.context);
  if (reading()) return kMostPromptRows;
  constexpr int kKnown = 64;  // tokens that run along with a draft or a block
  return request_.candidates * (rows_ahead(request_, resources_.network.spec()) + kKnown);
}

void InfillRun::check_limits() {
  if (finished()) return;
  const auto reason = stop_reason(limits_);
  if (!reason) return;
  for (Decoding* decoding : decodings_) {
    if (!decoding->complete()) decoding->stop(*reason);
  }
  if (phase_ == Phase::searching) decodings_.clear();
  if (decodings_.empty() && purpose_ == Purpose::fill) {
    result_.answers.push_back({"", *reason, 0});
    result_.next.assign(request_.next.size(), {"", *reason, 0});
  }
  phase_ = Phase::finished;
}

std::optional<ForwardSegment> InfillRun::read(int most) {
  prompt_rows_ = 0;
  if (phase_ != Phase::reading) return std::nullopt;
  prompt_rows_ = std::min(std::max(most, unit()) / unit() * unit(), unread());
  KvCache& cache = resources_.slot.cache;
  ForwardSegment segment{&cache.store(), {}};
  for (int slot = cache.size(); slot < cache.size() + prompt_rows_; ++slot)
    segment.rows.push_back(
        {.token = prompt_.before[static_cast<std::size_t>(slot)], .slot = slot, .limit = (slot / unit() + 1) * unit()});
  return segment;
}

Status InfillRun::stepped(double milliseconds) {
  if (phase_ == Phase::reading) {
    KvCache& cache = resources_.slot.cache;
    cache.append(std::span(prompt_.before)
                     .subspan(static_cast<std::size_t>(cache.size()), static_cast<std::size_t>(prompt_rows_)));
    result_.prompt_milliseconds += milliseconds;
    return advance_phase();
  }
  ++result_.decode.nfe;
  result_.decode.milliseconds += milliseconds;
  result_.decode.rows = probed_rows_;
  for (Decoding* decoding : decodings_) result_.decode.rows += decoding->rows();
  const int before = std::exchange(tokens_, count_tokens());
  result_.decode.tokens_per_step.push_back(tokens_ - before);
  return advance_phase();
}

int InfillRun::count_tokens() const {
  int tokens = 0;
  for (Decoding* decoding : decodings_) tokens += decoding->tokens();
  return tokens;
}

Status InfillRun::advance_phase() {
  if (phase_ == Phase::searching && decodings_.front()->complete()) {
    if (Status ended = end_probes(); !ended) return ended;
  }
  if (phase_ == Phase::reading && unread() == 0) {
    phase_ = purpose_ == Purpose::warm ? Phase::finished : searches() ? Phase::searching : Phase::decoding;
    if (phase_ == Phase::searching) {
      search_.emplace(most_masks());
      return begin_probes();
    }
    if (phase_ == Phase::decoding) {
      if (Status begun = in_place() ? begin_in_place() : begin_block_causal(); !begun) return begun;
      tokens_ = count_tokens();
    }
  }
  const auto complete = [](Decoding* decoding) { return decoding->complete(); };
  if (phase_ == Phase::decoding && std::all_of(decodings_.begin(), decodings_.end(), complete))
    phase_ = Phase::finished;
  return {};
}

Answer InfillRun::make_answer() const {
  Answer answer(resources_.tokenizer, resources_.network.spec(),
                {describe_hole(request_.prefix, request_.suffix, request_.end), prompt_.typed, request_.max_tokens,
                 request_.other_end});
  for (const InfillToken& token : request_.resume.tokens) answer.append(token.id, token.probability, token.margin);
  answer.forbid_next(request_.resume.forbidden);
  return answer;
}

std::vector<Answer> InfillRun::make_answers() const {
  std::vector<Answer> answers;
  std::string prefix = request_.prefix, suffix;
  for (const NextHole& hole : request_.next) suffix += hole.between;
  suffix += request_.suffix;
  answers.push_back(make_answer());
  for (const NextHole& hole : request_.next) {
    prefix += hole.between;
    suffix.erase(0, hole.between.size());
    answers.push_back({resources_.tokenizer,
                       resources_.network.spec(),
                       {describe_hole(prefix, suffix, hole.end), "", hole.max_tokens, hole.other_end}});
  }
  return answers;
}

SamplingOptions InfillRun::sampling_of(int candidate) const {
  SamplingOptions sampling = request_.sampling;
  if (candidate > 0) {
    constexpr float kVaried = 0.6f;
    sampling.temperature = std::max(sampling.temperature, kVaried);
    sampling.seed += static_cast<std::uint64_t>(candidate);
  }
  return sampling;
}

InPlaceOptions InfillRun::in_place_options_of(int candidate) const {
  InPlaceOptions options = in_place_options(request_.denoise);
  options.expand = grows();
  options.longest_hole = std::min(options.longest_hole, request_.max_tokens);
  options.sampling = sampling_of(candidate);
  return options;
}

bool InfillRun::grows() const {
  return resources_.network.spec().expand >= 0 && request_.denoise.expand.value_or(true) && !request_.denoise.remasks();
}

std::unique_ptr<Decoding> InfillRun::make_decoding(KvCache& cache, int candidate) const {
  const SamplingOptions sampling = sampling_of(candidate);
  std::vector<std::int32_t> pending(prompt_.before.begin() + cache.size(), prompt_.before.end());
  if (request_.scored) {
    auto text = resources_.tokenizer.encode(prompt_.typed + *request_.scored);
    const int most = static_cast<int>(text.size()) + 1;
    Answer answer(resources_.tokenizer, resources_.network.spec(),
                  {describe_hole("", "", EndRule::hole), prompt_.typed, most, {}});
    return std::make_unique<TextScoring>(cache, std::move(pending), std::move(text), std::move(answer));
  }
  const Decoder decoder = decoder_of(request_.mode, resources_.network.spec(), resources_.network.has_adapter());
  if (decoder == Decoder::block || decoder == Decoder::tiled) {
    BlockOptions options = block_options(request_.denoise);
    options.sampling = sampling;
    return std::make_unique<BlockDiffusion>(resources_.network, cache, std::move(pending), make_answer(), options);
  }
  DraftOptions drafts = request_.mode == Mode::autoregressive ? kNoDraft : request_.drafts;
  Acceptance acceptance;
  if (decoder == Decoder::remasking) {
    drafts.block = request_.denoise.block.value_or(0);
    acceptance = {.accept_ratio = request_.keep, .finish_confidence = choice_of(request_.denoise).value};
  }
  std::vector<std::int32_t> former;
  if (request_.mode != Mode::autoregressive) {
    former = resources_.tokenizer.encode(prompt_.typed + request_.former);
    // What was typed is known but for its last token, which may go on.
    if (request_.former.empty() && !former.empty()) former.pop_back();
  }
  return std::make_unique<SpeculativeDecoding>(resources_.network, cache, std::move(pending), make_answer(), drafts,
                                               sampling, std::move(former), acceptance);
}

Status InfillRun::begin_block_causal() {
  KvCache& cache = resources_.slot.cache;
  const std::int64_t slots = static_cast<std::int64_t>(prompt_.before.size()) + request_.max_tokens +
                             rows_ahead(request_, resources_.network.spec());
  forks_.reserve(static_cast<std::size_t>(request_.candidates));
  for (int i = 1; i < request_.candidates; ++i) {
    auto fork = KvCache::create(resources_.network, slots);
    if (!fork) return fork.status();
    fork->copy_from(cache, cache.size(), resources_.network);
    forks_.push_back(std::move(fork).value());
  }
  for (int i = 0; i < request_.candidates; ++i) {
    owned_.push_back(make_decoding(i == 0 ? cache : forks_[static_cast<std::size_t>(i - 1)], i));
    decodings_.push_back(owned_.back().get());
  }
  return {};
}

bool InfillRun::searches() const {
  const DenoiseOptions& said = request_.denoise;
  return in_place() && said.search.value_or(!grows() && !said.first_length);
}

std::vector<int> InfillRun::most_masks() const {
  std::vector<int> most = {request_.max_tokens - static_cast<int>(request_.resume.tokens.size())};
  for (const NextHole& hole : request_.next) most.push_back(hole.max_tokens);
  return most;
}

Canvas InfillRun::canvas_of(std::span<const int> masks) const {
  const auto behind = [&](std::size_t hole) -> std::span<const std::int32_t> {
    return hole < prompt_.between.size() ? prompt_.between[hole] : prompt_.behind;
  };
  Canvas canvas(prompt_.before, masks.front(), behind(0), resources_.network.spec().mask);
  for (std::size_t hole = 1; hole < masks.size(); ++hole) canvas.add_hole(masks[hole], behind(hole));
  return canvas;
}

Status InfillRun::begin_probes() {
  std::int64_t rows = 0;
  const auto lengths = search_->round().subspan(sureness_.size());
  for (const int length : lengths) {
    std::vector<int> masks(search_->lengths().begin(), search_->lengths().end());
    masks[search_->hole()] = length;
    Canvas canvas = canvas_of(masks);
    rows += canvas.size();
    if (!probes_.empty() && rows > Network::max_rows()) break;
    auto cache = KvCache::create(resources_.network, canvas.size());
    if (!cache) return cache.status();
    probes_.push_back(std::make_unique<LengthProbe>(resources_.network, std::move(cache).value(), std::move(canvas),
                                                    search_->hole(), std::move(make_answers()[search_->hole()])));
    decodings_.push_back(probes_.back().get());
  }
  tokens_ = count_tokens();
  return {};
}

// After a forward of the probes.
Status InfillRun::end_probes() {
  for (const auto& probe : probes_) {
    sureness_.push_back(probe->sureness());
    probed_rows_ += probe->rows();
  }
  decodings_.clear();
  probes_.clear();
  if (sureness_.size() == search_->round().size()) {
    search_->take(sureness_);
    sureness_.clear();
  }
  if (!search_->done()) return begin_probes();
  phase_ = Phase::decoding;
  Status begun = begin_in_place();
  tokens_ = count_tokens();
  return begun;
}

Status InfillRun::begin_in_place() {
  constexpr int kFirstLength = 16;  // masks to begin with; models with expand and erase find their own length
  std::vector<int> masks = most_masks();
  const int answers = std::accumulate(masks.begin(), masks.end(), 0);
  for (std::size_t hole = 0; hole < masks.size(); ++hole) {
    const int wanted = search_ ? search_->lengths()[hole]
                               : request_.denoise.first_length.value_or(grows() ? kFirstLength : masks[hole]);
    masks[hole] = std::min(masks[hole], wanted);
  }
  const Canvas canvas = canvas_of(masks);
  std::int64_t rows = canvas.size() + answers;
  if (request_.denoise.remask == Remask::wino) {
    const int block = in_place_options(request_.denoise).block_length;
    for (const int length : masks) rows += std::min(length, block);
  }
  if (rows > resources_.context) return Status::error("the canvas is longer than the context");
  // Each candidate runs a whole canvas, and all of them in one forward: as many as that has room for.
  const auto several =
      std::min<std::int64_t>(request_.candidates, std::max<std::int64_t>(1, Network::max_rows() / rows));
  const bool guided = request_.denoise.guidance.value_or(0.0f) > 0;
  forks_.reserve(static_cast<std::size_t>(several) * 2);
  const auto fork = [&]() -> Result<KvCache*> {
    auto made = KvCache::create(resources_.network, rows);
    if (!made) return made.status();
    return &forks_.emplace_back(std::move(made).value());
  };
  for (int i = 0; i < several; ++i) {
    const auto own = i == 0 ? Result<KvCache*>(&resources_.slot.cache) : fork();
    const auto unguided = guided ? fork() : Result<KvCache*>(nullptr);
    for (const auto* made : {&own, &unguided})
      if (!*made) return made->status();
    owned_.push_back(std::make_unique<InPlaceDiffusion>(resources_.network, **own, canvas, make_answers(),
                                                        in_place_options_of(i), *unguided));
    decodings_.push_back(owned_.back().get());
  }
  return {};
}

std::string InfillRun::text() const { return decodings_.empty() ? "" : decodings_.front()->answer().text(); }

namespace {

InfillAnswer to_infill_answer(const Answer& answer) {
  InfillAnswer found{answer.text(), answer.reason().value_or(StopReason::length),
                     static_cast<int>(answer.tokens().size())};
  const auto ends = answer.token_ends();
  for (std::size_t i = 0; i < ends.size(); ++i)
    found.path.push_back({answer.tokens()[i], answer.probabilities()[i], ends[i], answer.margins()[i]});
  return found;
}

}  // namespace

InfillResult InfillRun::take() {
  for (Decoding* decoding : decodings_) {
    if (decoding == decodings_.front())
      for (const Answer& answer : decoding->answers().subspan(1)) result_.next.push_back(to_infill_answer(answer));
    InfillAnswer found = to_infill_answer(decoding->answer());
    const bool known = std::any_of(result_.answers.begin(), result_.answers.end(),
                                   [&](const InfillAnswer& a) { return a.text == found.text; });
    if (!known) result_.answers.push_back(std::move(found));
    add(result_.decode.drafts, decoding->drafts());
  }
  return std::move(result_);
}

}  // namespace cinnabar::engine
