// How long a hole is to be, for models that cannot change its length themselves: a few lengths are tried, each as a
// canvas of masks alone, and the one is taken whose masks are the surest at first sight, measured by how sure masks of
// that length are anyway (CAL 2602.00476). Canvases of one round run in one forward, as far as it has room for them.
//
// Engine thread only.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/decoding/canvas.h"
#include "engine/decoding/decode.h"
#include "engine/forward/kv_cache.h"

namespace cinnabar::engine {

// The mean probability of the best tokens of `length` masks, whatever the text: B(L) = a e^(-bL) + c e^(-dL) + e, as
// CAL's authors fitted it to LLaDA.
double usual_sureness(int length);

// What is tried, and what came of it, hole after hole. A round are lengths that double; a second one lies around the
// best of the first. Pure.
class LengthSearch {
 public:
  // `most`: of each hole, at least 1.
  explicit LengthSearch(std::vector<int> most);

  bool done() const { return hole_ == most_.size(); }
  std::size_t hole() const { return hole_; }  // whose length is under way
  // The lengths of that hole to be tried in this round, ascending; never empty until it is done.
  std::span<const int> round() const { return round_; }
  // The mean probability of the best tokens, of each length of the round.
  void take(std::span<const float> sureness);
  // Of all holes: those found, the lengths that others are tried with before that.
  std::span<const int> lengths() const { return lengths_; }

 private:
  void begin_hole();
  void end_round();

  struct Tried {
    int length;
    double score;
  };
  std::vector<int> most_, lengths_, round_;
  std::vector<Tried> tried_;  // of the hole under way
  std::size_t hole_ = 0;
  bool first_round_ = true;
};

// One forward of a canvas: how sure its hole's masks are. Complete after it.
class LengthProbe final : public Decoding {
 public:
  // `answer`: of the hole, for the tokens that it may hold.
  LengthProbe(Network& network, KvCache cache, Canvas canvas, std::size_t hole, Answer answer);

  void propose(Proposal& proposal) override;
  void absorb(std::span<const kernels::Score> scores) override;
  std::span<Answer> answers() override { return {&answer_, 1}; }
  std::vector<ShownToken> view() const override;
  float sureness() const { return sureness_; }

 private:
  Network& network_;
  KvCache cache_;
  Canvas canvas_;
  std::size_t hole_;
  Answer answer_;
  float sureness_ = 0;
};

}  // namespace cinnabar::engine
