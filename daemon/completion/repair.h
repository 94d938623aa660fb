// Repair: an answer that the critic faults is not thrown away. The beginning that is right stays as it is, the token at
// which it went wrong is forbidden, and the model goes on from there; a bounded number of times. What is still wrong
// then is cut or withheld, as the critic says.
//
// A machine without a model: request() says what to ask, take() is told the answer. One thread at a time.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "daemon/syntax/critic.h"
#include "engine/request.h"

namespace cinnabar::daemon::syntax {

class Repair {
 public:
  // Borrows tree and lines (the index of the tree's text). `request` is the hole's (request_for); at most `most` more
  // are asked.
  Repair(const Tree& document, const LineIndex& lines, Hole hole, engine::InfillRequest request, int most);

  const engine::InfillRequest& request() const { return request_; }
  // `shown` is what of the answer is fit to be shown, or all of its text. True: that is the end of it; false: request()
  // is another one.
  bool take(const engine::InfillAnswer& answer, std::string_view shown);
  bool take(const engine::InfillAnswer& answer) { return take(answer, answer.text); }

  // The best answer so far, and what the critic says of it.
  const engine::InfillAnswer& answer() const { return answer_; }
  const Verdict& verdict() const { return verdict_; }
  int repairs() const { return repairs_; }  // requests beyond the first
  // The answer that came first was wrong, and one that came later is right.
  bool repaired() const { return repairs_ > 0 && !verdict_.worse; }

 private:
  bool ask_again(const engine::InfillAnswer& answer, std::string_view shown, const Verdict& verdict);

  const Tree& document_;
  const LineIndex& lines_;
  const Hole hole_;
  engine::InfillRequest request_;
  const int most_;
  int repairs_ = 0;
  bool judged_ = false;
  engine::InfillAnswer answer_;
  Verdict verdict_;
  std::vector<std::size_t> tried_;  // tokens at which a former answer was left
};

// The token of `path` at which an answer probably went wrong: the least sure of those that touch a wrong range. Those
// in `tried` are left out. Pure.
std::optional<std::size_t> turning_point(std::span<const engine::InfillToken> path, std::span<const Span> wrong,
                                         std::span<const std::size_t> tried);

}  // namespace cinnabar::daemon::syntax
