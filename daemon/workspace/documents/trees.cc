#include "daemon/workspace/documents/trees.h"

#include <algorithm>

namespace cinnabar::daemon::syntax {

ByteEdit difference(std::string_view before, std::string_view after) {
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; };
  const std::size_t shorter = std::min(before.size(), after.size());
  const auto* const first =
      std::mismatch(before.begin(), before.begin() + static_cast<std::ptrdiff_t>(shorter), after.begin()).first;
  auto head = static_cast<std::size_t>(first - before.begin());
  while (head > 0 &&
         ((head < before.size() && continues(before[head])) || (head < after.size() && continues(after[head]))))
    --head;
  const auto tail_end = before.rbegin() + static_cast<std::ptrdiff_t>(shorter - head);
  auto tail =
      static_cast<std::size_t>(std::mismatch(before.rbegin(), tail_end, after.rbegin()).first - before.rbegin());
  while (tail > 0 && continues(before[before.size() - tail])) --tail;
  return {head, before.size() - tail, after.size() - tail};
}

Parsed Trees::of(const SnapshotPtr& document) {
  const std::lock_guard lock(mutex_);
  const auto known = std::find_if(recent_.begin(), recent_.end(),
                                  [&](const Entry& e) { return e.parsed.document->uri() == document->uri(); });
  Entry last;
  if (known != recent_.end()) {
    last = std::move(*known);
    recent_.erase(known);
  }
  recent_.push_front(last.parsed.document == document ? std::move(last) : parse(document, last));
  if (recent_.size() > documents_) recent_.pop_back();
  return recent_.front().parsed;
}

Trees::Entry Trees::parse(const SnapshotPtr& document, const Entry& last) const {
  const Language* language = find_language(document->language_id());
  if (language == nullptr) language = language_of_path(document->uri());
  const std::string_view text = document->text();
  const bool still_over = last.refused_bytes > 0 && text.size() > last.refused_bytes - last.refused_bytes / 10;
  if (language == nullptr || still_over) return {{document, nullptr}, last.refused_bytes};
  TreePtr tree;
  if (last.parsed.tree && &last.parsed.tree->language() == language) {
    const DocumentSnapshot& before = *last.parsed.document;
    tree = last.parsed.tree->follow(difference(before.text(), text), before.lines(), text, document->lines(), limits_);
  } else {
    tree = Tree::parse(*language, text, document->lines(), limits_);
  }
  return {{document, tree}, tree ? 0 : text.size()};
}

void Trees::forget(const std::string& uri) {
  const std::lock_guard lock(mutex_);
  recent_.remove_if([&](const Entry& entry) { return entry.parsed.document->uri() == uri; });
}

}  // namespace cinnabar::daemon::syntax
