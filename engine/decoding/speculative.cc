#include "engine/decoding/speculative.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/decoding/sampler.h"

namespace cinnabar::engine {
namespace {

constexpr int kLongestDraft = 12;  // beyond it hardly a token is accepted

// How often a drafted token is right where those before it were: of a former answer, which has to agree in so many
// tokens where the answer has left it, and of what the base said in a side chain.
constexpr float kFormerSure = 0.9f;
constexpr int kFormerMatch = 3;
constexpr float kAlmostSure = 0.99f;

// A row has to bring as many tokens as this over Backend::cheap_rows: as many as decoding brings elsewhere in the row's
// time, which is more than the row's share of a forward, for a forward brings two to three tokens. Tried by the clock
// (bench/README.md): 1.25 to 2.5, which hardly differ.
constexpr float kRowCost = 1.6f;

}  // namespace

SpeculativeDecoding::SpeculativeDecoding(Network& network, KvCache& cache, std::vector<std::int32_t> pending,
                                         Answer answer, const DraftOptions& drafts, const SamplingOptions& sampling,
                                         std::vector<std::int32_t> former, const Acceptance& acceptance)
    : network_(network),
      cache_(cache),
      pending_(std::move(pending)),
      answer_(std::move(answer)),
      drafts_(drafts),
      sampling_(sampling),
      acceptance_(acceptance),
      former_(std::move(former)) {
  assert(!pending_.empty());
  const int cheap = std::max(network.backend().cheap_rows() - 1, 1);
  if (drafts_.limit < 0) drafts_.limit = std::min(cheap, kLongestDraft);
  if (drafts_.mask_rows < 0) drafts_.mask_rows = 2 * cheap;
  // Where what is plausible stays, it had better come from the masks than from a chance likeness.
  if (acceptance_.accept_ratio < 1) drafts_.shortest_match = std::max(drafts_.shortest_match, kFormerMatch);
  if (drafts_.block <= 0) drafts_.block = network.spec().block_length;
}

// The tree of the next forward. A former answer is the best guess: it was right until the user diverged.
void SpeculativeDecoding::plan_rows() {
  DraftSources sources;
  sources.continuation = std::exchange(almost_sure_, {});
  sources.masks.resize(sources.continuation.size());
  const std::vector<Guesses> masks = std::exchange(mask_guesses_, {});
  sources.masks.insert(sources.masks.end(), masks.begin(), masks.end());
  std::vector<std::int32_t> ahead(answer_.tokens().begin(), answer_.tokens().end());
  for (const Guess& guess : sources.continuation) ahead.push_back(guess.token);
  for (const std::int32_t token : draft_from_former(former_, ahead, kFormerMatch, drafts_.limit))
    sources.continuation.push_back({token, kFormerSure});
  sources.shortest_match = drafts_.lookup ? drafts_.shortest_match : 0;
  if (drafts_.lookup) {
    sources.known.assign(cache_.tokens().begin(), cache_.tokens().end());
    sources.known.insert(sources.known.end(), pending_.begin(), pending_.end());
  }
  const auto room = static_cast<int>(std::clamp<std::int64_t>(
      cache_.capacity() - cache_.size() - static_cast<std::int64_t>(pending_.size()), 0, Network::max_rows()));
  TreeLimits limits{.depth = drafts_.limit, .row_cost = kRowCost / static_cast<float>(network_.backend().cheap_rows())};
  limits.rows = std::min(room, uses_adapter() ? std::max(drafts_.mask_rows, drafts_.limit) : drafts_.limit);
  limits.block = uses_adapter() && drafts_.limit > 0 ? drafts_.block : 0;
  limits.branches = acceptance_.accept_ratio >= 1;
  tree_ = grow_tree([&](std::span<const std::int32_t> path) { return sources.behind(path); }, limits);
}

// Slots: the main chain's, which the tokens keep when they are accepted; the masks behind its nodes; each side chain
// with the masks behind it. So each row sees the tokens before it and hides one range of slots.
void SpeculativeDecoding::lay_out(int first_slot) {
  places_.assign(tree_.nodes.size(), {});
  int slot = first_slot;
  places_[0].slot = first_slot - 1;
  for (int i = tree_.main_child(0); i > 0; i = tree_.main_child(i)) places_[static_cast<std::size_t>(i)].slot = slot++;
  for (std::size_t i = 0; i < tree_.nodes.size(); ++i) {
    if (!tree_.nodes[i].main) continue;
    places_[i].masks_slot = slot;
    places_[i].hidden = {places_[i].slot + 1, slot};
    slot += tree_.nodes[i].masks;
  }
  for (std::size_t i = 1; i < tree_.nodes.size(); ++i) {
    const DraftNode& parent = node(tree_.nodes[i].parent);
    if (tree_.nodes[i].main || !parent.main) continue;
    const kernels::SlotRange hidden{first_slot + parent.depth, slot};
    for (int at = static_cast<int>(i); at > 0; at = tree_.only_child(at)) {
      places_[static_cast<std::size_t>(at)] = {.slot = slot, .masks_slot = slot + 1, .hidden = hidden};
      slot += 1 + node(at).masks;
    }
  }
}

void SpeculativeDecoding::judge(Proposal& proposal, const kernels::ScoreRequest& request, int position) const {
  proposal.segment.rows.back().judged = true;
  proposal.requests.push_back(request);
  proposal.requests.back().temperature = sampling_.temperature;
  proposal.requests.back().seed = sampling_.seed;
  proposal.requests.back().position = static_cast<std::uint32_t>(position + 1);
}

// A drafted token, and the base on what follows it. `first_position`: of the tokens behind the last known one.
void SpeculativeDecoding::add_row(Proposal& proposal, int index, int first_position) {
  Place& place = places_[static_cast<std::size_t>(index)];
  const int position = first_position + node(index).depth - 1, next = tree_.main_child(index);
  if (index > 0) {
    proposal.segment.rows.push_back({.token = node(index).token,
                                     .slot = place.slot,
                                     .limit = place.slot + 1,
                                     .position = position,
                                     .hidden = node(index).main ? kernels::SlotRange{} : place.hidden});
  }
  place.score = proposal.requests.size();
  const bool asks = acceptance_.accept_ratio < 1 && next > 0;
  judge(proposal, {.allowed = answer_.allowed_after(tree_.path(index)), .asked = asks ? node(next).token : -1},
        position);
}

// The masks behind a node: they continue the tokens up to it and see neither the rest of the draft nor other masks.
void SpeculativeDecoding::add_masks(Proposal& proposal, int index, int first_position) {
  Place& place = places_[static_cast<std::size_t>(index)];
  place.masks_score = proposal.requests.size();
  for (int i = 0; i < node(index).masks; ++i) {
    const int position = first_position + node(index).depth + i;
    proposal.segment.rows.push_back({.token = network_.spec().mask,
                                     .slot = place.masks_slot + i,
                                     .limit = place.masks_slot + node(index).masks,
                                     .in_block = true,
                                     .position = position,
                                     .hidden = place.hidden});
    judge(proposal, {.allowed = answer_.allowed_later(), .ranked = true}, position);
  }
}

void SpeculativeDecoding::propose(Proposal& proposal) {
  plan_rows();
  proposal.segment.kv = &cache_.store();
  proposal.sampling = sampling_;
  int slot = cache_.size();
  for (const std::int32_t token : pending_) {
    proposal.segment.rows.push_back({.token = token, .slot = slot, .limit = slot + 1});
    ++slot;
  }
  lay_out(slot);
  for (int i = 0; i < std::ssize(tree_.nodes); ++i) add_row(proposal, i, slot);
  for (int i = 0; i < std::ssize(tree_.nodes); ++i) add_masks(proposal, i, slot);
}

void SpeculativeDecoding::absorb(std::span<const kernels::Score> scores) {
  cache_.append(pending_);
  const int last = accept(scores);
  const int end = answer_.complete() ? last : follow_side_chain(last, scores);
  keep_masks_behind(end, scores);
  if (end == last) end_if_sure(masks_behind(end, scores));
  tree_ = {};
}

// Takes the tokens of the main chain that stay and the base's next one. Returns the last node that stays.
int SpeculativeDecoding::accept(std::span<const kernels::Score> scores) {
  int at = 0;
  for (;;) {
    const kernels::Score& score = scores[places_[static_cast<std::size_t>(at)].score];
    const int next = tree_.main_child(at);
    const bool keeps = next > 0 && stays(node(next).token, score);
    take(keeps ? node(next).token : score.token, score);
    if (answer_.complete() || !keeps) break;
    cache_.append({&node(next).token, 1});
    at = next;
  }
  count(at);
  return at;
}

// What became of the main chain, of which `last` is the last node that stays.
void SpeculativeDecoding::count(int last) {
  for (int i = tree_.main_child(0); i > 0; i = tree_.main_child(i)) {
    const auto place = static_cast<std::size_t>(node(i).depth - 1);
    if (place >= counts_.size()) counts_.resize(place + 1);
    ++counts_[place].drafted;
    counts_[place].accepted += node(i).depth <= node(last).depth ? 1 : 0;
  }
}

// The last node of a side chain that begins with the token just taken and agrees with the base so far; what the base
// says there goes on in the next draft. `at` itself where there is none.
int SpeculativeDecoding::follow_side_chain(int at, std::span<const kernels::Score> scores) {
  for (int next = tree_.child(at, pending_.back()); next > 0;) {
    if (node(next).main) break;
    at = next;
    const std::int32_t token = scores[places_[static_cast<std::size_t>(at)].score].token;
    if (token < 0) break;
    almost_sure_.push_back({token, kAlmostSure});
    next = tree_.child(at, token);
  }
  return at;
}
bool SpeculativeDecoding::stays(std::int32_t token, const kernels::Score& score) const {
  if (token == score.token) return true;
  return acceptance_.accept_ratio < 1 && std::isfinite(score.asked_logit) &&
         std::exp(score.asked_logit - score.best_logit) >= acceptance_.accept_ratio;
}

// Takes a token of the draft, or the one that the base chose, as the last one known.
void SpeculativeDecoding::take(std::int32_t token, const kernels::Score& score) {
  if (token == score.token) {
    const Candidate candidate = to_candidate(0, score);
    answer_.append(token, candidate.probability, candidate.margin);
  } else {
    answer_.append(token, std::exp(score.asked_logit - score.log_sum_exp));
  }
  pending_ = {token};
}

// Of the masks behind a node those that speak for what follows the base's next token: with logits shift 1 the first one
// stands for that token and predicts the one behind it.
std::span<const kernels::Score> SpeculativeDecoding::masks_behind(int index,
                                                                  std::span<const kernels::Score> scores) const {
  const int unused = std::min(network_.spec().logits_shift == 1 ? 0 : 1, node(index).masks);
  return scores.subspan(places_[static_cast<std::size_t>(index)].masks_score + static_cast<std::size_t>(unused),
                        static_cast<std::size_t>(node(index).masks - unused));
}

// Where no masks stand behind it, those behind a node before it say something of the same places.
void SpeculativeDecoding::keep_masks_behind(int index, std::span<const kernels::Score> scores) {
  std::span<const kernels::Score> masks;
  for (std::size_t passed = 0; index >= 0 && masks.empty(); ++passed, index = node(index).parent) {
    const auto behind = masks_behind(index, scores);
    if (behind.size() > passed) masks = behind.subspan(passed);
  }
  for (const kernels::Score& mask : masks) {
    if (mask.token < 0 || mask.token == network_.spec().hole_end) break;  // what follows is for the base to say
    mask_guesses_.push_back(guesses_of(mask));
  }
}

// What a mask row says of its place. Noise belongs to the place: the base will choose by the same.
Guesses SpeculativeDecoding::guesses_of(const kernels::Score& mask) const {
  if (sampling_.temperature > 0) return {{mask.token, to_candidate(0, mask).probability}};
  Guesses guesses;
  for (const kernels::RankedToken& ranked : mask.ranked) {
    if (ranked.token >= 0 && ranked.token != network_.spec().hole_end)
      guesses.push_back({ranked.token, std::exp(ranked.logit - mask.log_sum_exp)});
  }
  return guesses;
}

void SpeculativeDecoding::end_if_sure(std::span<const kernels::Score> masks) {
  std::vector<std::int32_t> sure;
  for (const kernels::Score& mask : masks) {
    if (mask.token < 0 || to_candidate(0, mask).probability < acceptance_.finish_confidence) break;
    sure.push_back(mask.token);
  }
  if (sure.empty()) return;
  const std::size_t tokens = answer_.completed_by(sure).value_or(0);
  for (const kernels::Score& mask : masks.first(tokens)) {
    const Candidate candidate = to_candidate(0, mask);
    answer_.append(mask.token, candidate.probability, candidate.margin);
  }
}

std::vector<ShownToken> SpeculativeDecoding::view() const {
  std::vector<ShownToken> shown;
  const auto tokens = answer_.tokens();
  for (std::size_t i = 0; i < tokens.size(); ++i) shown.push_back({tokens[i], answer_.probabilities()[i]});
  if (!answer_.complete()) {
    for (const Guess& guess : almost_sure_) shown.push_back({guess.token, 0.0f});
    for (const Guesses& guesses : mask_guesses_) shown.push_back({guesses.front().token, 0.0f});
    if (almost_sure_.empty() && mask_guesses_.empty()) shown.push_back({-1, 0.0f});
  }
  return shown;
}

}  // namespace cinnabar::engine
