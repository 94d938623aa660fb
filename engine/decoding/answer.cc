#include "engine/decoding/answer.h"

#include <algorithm>

#include "engine/tokenizer/healing.h"
#include "engine/tokenizer/text_runs.h"

namespace cinnabar::engine {

Answer::Answer(const Tokenizer& tokenizer, const ModelSpec& spec, AnswerRules rules)
    : tokenizer_(tokenizer), rules_(std::move(rules)), hole_end_(spec.hole_end) {
  rules_.typed = spellable(tokenizer, rules_.typed);
  open_.assign((static_cast<std::size_t>(spec.vocabulary) + 63) / 64, ~std::uint64_t{0});
  const auto close = [&](std::int32_t token) {
    open_[static_cast<std::size_t>(token) / 64] &= ~(std::uint64_t{1} << (token % 64));
  };
  for (const std::int32_t token : spec.never_generated) {
    if (token >= 0 && token < spec.vocabulary) close(token);
  }
  // Matrices are often padded to a round number of rows; those behind the tokenizer's last token mean nothing.
  for (std::int32_t token = tokenizer.size(); token < spec.vocabulary; ++token) close(token);
  open_in_block_ = open_;
  if (const std::int32_t end = spec.hole_end; end >= 0 && end < std::min(tokenizer.size(), spec.vocabulary))
    open_in_block_[static_cast<std::size_t>(end) / 64] |= std::uint64_t{1} << (end % 64);
}

void Answer::append(std::int32_t token, float probability, float margin) {
  if (complete()) return;
  if (token == hole_end_ || tokenizer_.is_special(token)) return end_without_sign(StopReason::end_token);
  tokens_.push_back(token);
  probabilities_.push_back(probability);
  margins_.push_back(std::max(margin, 0.0f));
  text_ += tokenizer_.bytes(token);
  if (healing()) return;
  const std::string_view text = std::string_view(text_).substr(rules_.typed.size());
  auto end = find_hole_end(rules_.hole, text);
  if (rules_.other_end) {
    const auto other = rules_.other_end(text);
    if (other && *other <= text.size()) end = std::min(end.value_or(text.size()), *other);
  }
  if (end) {
    end_ = rules_.typed.size() + *end;
    reason_ = StopReason::hole_end;
  } else if (static_cast<int>(tokens_.size()) >= rules_.max_tokens) {
    end_without_sign(StopReason::length);
  }
}

// Nothing around the hole says where the answer ends. Who knows another end judges it himself.
void Answer::end_without_sign(StopReason reason) {
  reason_ = reason;
  if (healing() || rules_.other_end) return;
  const std::string_view text = std::string_view(text_).substr(rules_.typed.size());
  end_ = rules_.typed.size() + unended_length(rules_.hole, text, reason == StopReason::end_token);
  // Behind the hole the next line begins at once.
  ends_line_ = rules_.hole.at_next_line && end_ == text_.size() && !text.empty() && !text.ends_with('\n');
}

std::optional<std::size_t> Answer::completed_by(std::span<const std::int32_t> ahead) const {
  Answer trial(*this);
  for (std::size_t i = 0; i < ahead.size() && !trial.complete(); ++i) {
    const auto token = static_cast<std::size_t>(ahead[i]);
    if ((trial.allowed_after({}, true)[token / 64] >> (token % 64) & 1U) == 0) return std::nullopt;
    trial.append(ahead[i], 0);
    if (trial.complete()) return i + 1;
  }
  return std::nullopt;
}

void Answer::stop(StopReason reason) {
  if (!reason_) reason_ = reason;
}

void Answer::forbid_next(std::span<const std::int32_t> tokens) {
  forbidden_.assign(tokens.begin(), tokens.end());
  forbidden_at_ = tokens_.size();
}

std::string Answer::text() const {
  if (healing()) return {};
  std::string_view text = std::string_view(text_).substr(0, end_).substr(rules_.typed.size());
  text.remove_suffix(unfinished_character(text));
  return std::string(text) + (ends_line_ ? "\n" : "");
}

std::vector<std::size_t> Answer::token_ends() const {
  const std::size_t most = text().size(), typed = rules_.typed.size();
  std::vector<std::size_t> ends;
  std::size_t bytes = 0;
  for (const std::int32_t token : tokens_) {
    bytes += tokenizer_.bytes(token).size();
    ends.push_back(std::min(bytes > typed ? bytes - typed : 0, most));
  }
  return ends;
}

const std::uint64_t* Answer::allowed_after(std::span<const std::int32_t> ahead, bool in_block) {
  std::size_t covered = text_.size();
  for (const std::int32_t token : ahead) covered += tokenizer_.bytes(token).size();
  const bool forbids = !forbidden_.empty() && tokens_.size() + ahead.size() == forbidden_at_;
  const bool heals = covered < rules_.typed.size();
  const auto& open = in_block && !heals ? open_in_block_ : open_;
  if (!heals && !forbids) return open.data();
  std::vector<std::uint64_t>& bitmap = bitmaps_.emplace_back(open.size(), ~std::uint64_t{0});
  if (heals) {
    std::fill(bitmap.begin(), bitmap.end(), 0);
    tokens_consistent_with(tokenizer_, std::string_view(rules_.typed).substr(covered), bitmap);
    bitmap.resize(open.size(), 0);  // the model's matrix may have more rows than the tokenizer, or fewer
  }
  for (std::size_t i = 0; i < bitmap.size(); ++i) bitmap[i] &= open[i];
  if (!forbids) return bitmap.data();
  const std::vector<std::uint64_t> before = bitmap;
  for (const std::int32_t token : forbidden_)
    bitmap[static_cast<std::size_t>(token) / 64] &= ~(std::uint64_t{1} << (token % 64));
  // The typed bytes may leave nothing else; then they come first.
  if (std::all_of(bitmap.begin(), bitmap.end(), [](std::uint64_t bits) { return bits == 0; })) bitmap = before;
  return bitmap.data();
}

}  // namespace cinnabar::engine
