#include "daemon/server/answer_cache.h"

#include <algorithm>
#include <utility>

namespace cinnabar::daemon {
namespace {

constexpr std::size_t kEntries = 32;
constexpr std::size_t kBytes = std::size_t{32} * 1024 * 1024;  // of all snapshots, shared ones counted each time
constexpr std::size_t kClosers = 4;                            // an editor closes a bracket, a quote, or three quotes

bool is_closer(char c) { return std::string_view(")]}>\"'`").find(c) != std::string_view::npos; }

// How many bytes behind the cursor an editor has added by itself, when `now` at `offset` is `then` with something typed
// at `begin`; nothing when anything else differs.
std::optional<std::size_t> added_behind(std::string_view then, std::string_view now, std::size_t begin,
                                        std::size_t offset) {
  if (offset < begin || offset > now.size() || begin > then.size()) return std::nullopt;
  const std::size_t typed = offset - begin;
  if (now.size() < then.size() + typed || now.size() - then.size() - typed > kClosers) return std::nullopt;
  const std::size_t added = now.size() - then.size() - typed;
  const std::string_view behind = now.substr(offset, added);
  if (!std::all_of(behind.begin(), behind.end(), is_closer)) return std::nullopt;
  if (now.substr(offset + added) != then.substr(begin) || now.substr(0, begin) != then.substr(0, begin))
    return std::nullopt;
  return added;
}

// Where `closers` come in `text` as what closes more than it opens; npos when they do not.
std::size_t outer_closers(std::string_view text, std::string_view closers) {
  int open = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (open == 0 && text.substr(i).starts_with(closers)) return i;
    if (text[i] == '(' || text[i] == '[' || text[i] == '{') ++open;
    if (text[i] == ')' || text[i] == ']' || text[i] == '}') --open;
  }
  return std::string_view::npos;
}

// `rest` in front of the closers that are already there: they are left alone where it ends with them, replaced where
// it goes on behind them.
std::optional<AnswerCache::Rest> fit_closers(std::string_view rest, std::string_view closers) {
  if (closers.empty()) return AnswerCache::Rest{std::string(rest), 0};
  const std::size_t at = outer_closers(rest.substr(0, rest.find('\n')), closers);
  if (at == std::string_view::npos) return std::nullopt;
  if (at + closers.size() == rest.size()) return AnswerCache::Rest{std::string(rest.substr(0, at)), 0};
  return AnswerCache::Rest{std::string(rest), closers.size()};
}

std::vector<AnswerCache::Rest> rests(const AnswerCache::Entry& entry, std::string_view now, std::size_t offset,
                                     std::size_t added) {
  std::vector<AnswerCache::Rest> out;
  const std::string_view typed = now.substr(entry.offset, offset - entry.offset);
  for (const std::string_view text : entry.texts) {
    if (!text.starts_with(typed) || text.size() == typed.size()) continue;
    auto rest = fit_closers(text.substr(typed.size()), now.substr(offset, added));
    if (rest && !rest->text.empty()) out.push_back(std::move(*rest));
  }
  return out;
}

}  // namespace

void AnswerCache::add(Entry entry) {
  std::erase_if(entries_, [&](const Entry& old) {
    return old.offset == entry.offset && old.document->uri() == entry.document->uri() &&
           old.document->text() == entry.document->text();
  });
  entries_.push_front(std::move(entry));
  std::size_t bytes = 0;
  const auto over = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& kept) {
    bytes += kept.document->text().size();
    return bytes > kBytes;
  });
  entries_.erase(over, entries_.end());
  if (entries_.size() > kEntries) entries_.pop_back();
}

std::optional<std::vector<AnswerCache::Rest>> AnswerCache::find(const DocumentSnapshot& now, std::size_t offset,
                                                                int asked, const Basis& basis) const {
  for (const auto& entry : entries_) {
    if (entry.document->uri() != now.uri() || entry.document->language_id() != now.language_id()) continue;
    if (entry.basis != basis) continue;
    const auto added = added_behind(entry.document->text(), now.text(), entry.offset, offset);
    if (!added) continue;
    auto fitting = rests(entry, now.text(), offset, *added);
    const bool known_empty = entry.texts.empty() && offset == entry.offset && *added == 0;
    if (fitting.empty() && !known_empty) continue;
    if (entry.asked < asked) return std::nullopt;
    return fitting;
  }
  return std::nullopt;
}

std::string AnswerCache::former(const DocumentSnapshot& now, std::size_t offset) const {
  constexpr std::size_t kFarthest = 256;  // bytes typed since
  const std::string_view text = now.text();
  for (const auto& entry : entries_) {
    if (entry.document->uri() != now.uri() || entry.texts.empty()) continue;
    const std::size_t begin = entry.offset;
    if (offset < begin || offset - begin > kFarthest || offset > text.size()) continue;
    if (text.substr(0, begin) != std::string_view(entry.document->text()).substr(0, begin)) continue;
    const std::string_view typed = text.substr(begin, offset - begin), answer = entry.texts.front();
    const auto apart = std::mismatch(typed.begin(), typed.end(), answer.begin(), answer.end()).second;
    return std::string(apart, answer.end());
  }
  return {};
}

void AnswerCache::forget(const std::string& uri) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.document->uri() == uri; });
}

}  // namespace cinnabar::daemon
