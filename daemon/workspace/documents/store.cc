#include "daemon/workspace/documents/store.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "daemon/workspace/uri.h"

namespace cinnabar::daemon {
namespace {

bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// The text under way between two snapshots.
struct Draft {
  std::string text;
  LineIndex lines;
  std::vector<ByteEdit> edits;

  void replace(std::size_t begin, std::size_t end, std::string_view inserted) {
    text.replace(begin, end - begin, inserted);
    const ByteEdit edit{begin, end, begin + inserted.size()};
    lines.update(text, edit.begin, edit.old_end, edit.new_end);
    edits.push_back(edit);
  }
};

// Replaces all of the text, but touches only the middle that differs, so that what follows it (trees, caches) keeps the
// rest. Cuts at character borders.
void replace_all(Draft& draft, const std::string& text) {
  const std::string& old = draft.text;
  const std::size_t shorter = std::min(old.size(), text.size());
  std::size_t head = static_cast<std::size_t>(
      std::mismatch(old.begin(), old.begin() + static_cast<std::ptrdiff_t>(shorter), text.begin()).first - old.begin());
  while (head > 0 &&
         ((head < old.size() && is_continuation(old[head])) || (head < text.size() && is_continuation(text[head]))))
    --head;
  std::size_t tail = 0;
  while (tail < shorter - head && old[old.size() - 1 - tail] == text[text.size() - 1 - tail]) ++tail;
  while (tail > 0 && is_continuation(old[old.size() - tail])) --tail;
  const std::string_view middle = std::string_view(text).substr(head, text.size() - head - tail);
  draft.replace(head, old.size() - tail, middle);
}

void apply(Draft& draft, const lsp::ContentChange& change, lsp::PositionEncoding encoding) {
  if (!change.range) return replace_all(draft, change.text);
  std::size_t begin = lsp::to_byte_offset(draft.text, draft.lines, change.range->start, encoding);
  std::size_t end = lsp::to_byte_offset(draft.text, draft.lines, change.range->end, encoding);
  if (end < begin) std::swap(begin, end);
  draft.replace(begin, end, change.text);
}

Status not_open(const std::string& uri) { return Status::error("document is not open: " + uri); }

}  // namespace

Result<SnapshotPtr> DocumentStore::open(const lsp::TextDocumentItem& document) {
  lost_.erase(canonical_uri(document.uri));
  refuse(document.uri);  // frees what it held, should it be open already
  if (auto status = check_limits(document.uri, document.text.size()); !status.ok()) {
    if (documents_.size() > limits_.documents) documents_.erase(canonical_uri(document.uri));
    return status;
  }
  return keep(std::make_shared<const DocumentSnapshot>(
      DocumentSnapshot::Identity{document.uri, document.language_id, document.version, ++last_revision_}, document.text,
      LineIndex(document.text)));
}

Result<AppliedChange> DocumentStore::change(const lsp::DidChangeParams& params) {
  const std::string& uri = params.text_document.uri;
  auto before = find(uri);
  if (!before) before = revived(params);
  if (!before) return is_lost(uri) ? Status::error(uri + ": a change before this one is missing") : not_open(uri);

  Draft draft{before->text(), before->lines(), {}};
  for (const auto& change : params.changes) {
    apply(draft, change, encoding_);
    if (auto status = check_limits(uri, draft.text.size()); !status.ok()) {
      refuse(uri);
      return status;
    }
  }
  DocumentSnapshot::Identity identity{before->uri(), before->language_id(),
                                      params.text_document.version.value_or(before->version()), ++last_revision_};
  auto after = keep(
      std::make_shared<const DocumentSnapshot>(std::move(identity), std::move(draft.text), std::move(draft.lines)));
  lost_.erase(canonical_uri(uri));
  return AppliedChange{before, std::move(after), std::move(draft.edits)};
}

Status DocumentStore::close(const std::string& uri) {
  const std::string key = canonical_uri(uri);
  if (!documents_.contains(key)) return not_open(uri);
  refuse(uri);
  documents_.erase(key);
  lost_.erase(key);
  return Status();
}

void DocumentStore::lose(const std::string& uri) {
  const auto document = find(uri);
  if (!document) return;
  lost_.insert_or_assign(canonical_uri(uri), Lost{document->uri(), document->language_id()});
  refuse(uri);
}

bool DocumentStore::is_lost(const std::string& uri) const { return lost_.contains(canonical_uri(uri)); }

// What a change with all of the text applies to.
SnapshotPtr DocumentStore::revived(const lsp::DidChangeParams& params) const {
  const auto lost = lost_.find(canonical_uri(params.text_document.uri));
  const bool whole = std::any_of(params.changes.begin(), params.changes.end(), [](const auto& c) { return !c.range; });
  if (lost == lost_.end() || !whole) return nullptr;
  return std::make_shared<const DocumentSnapshot>(
      DocumentSnapshot::Identity{lost->second.uri, lost->second.language_id, 0, 0}, std::string(), LineIndex(""));
}

SnapshotPtr DocumentStore::find(const std::string& uri) const {
  const auto entry = documents_.find(canonical_uri(uri));
  return entry == documents_.end() ? nullptr : entry->second;
}

std::vector<SnapshotPtr> DocumentStore::all() const {
  std::vector<SnapshotPtr> out;
  for (const auto& [uri, snapshot] : documents_)
    if (snapshot) out.push_back(snapshot);
  return out;
}

// Whether `uri`, which has its entry, may hold `bytes`.
Status DocumentStore::check_limits(const std::string& uri, std::size_t bytes) const {
  const auto now = find(uri);
  const std::size_t others = bytes_ - (now ? now->text().size() : 0);
  const auto over = [&uri](const std::string& what, std::size_t limit) {
    return Status::error(uri + ": " + what + " over the limit of " + std::to_string(limit) + "; it is not completed");
  };
  if (documents_.size() > limits_.documents) return over("open documents", limits_.documents);
  if (bytes > limits_.bytes_per_document)
    return over("document of " + std::to_string(bytes) + " bytes is", limits_.bytes_per_document);
  if (bytes > limits_.bytes_in_all - others) return over("bytes of all open documents", limits_.bytes_in_all);
  return Status();
}

SnapshotPtr DocumentStore::keep(SnapshotPtr snapshot) {
  auto& entry = documents_[canonical_uri(snapshot->uri())];
  if (entry) bytes_ -= entry->text().size();
  bytes_ += snapshot->text().size();
  entry = snapshot;
  return snapshot;
}

void DocumentStore::refuse(const std::string& uri) {
  auto& entry = documents_[canonical_uri(uri)];
  if (entry) bytes_ -= entry->text().size();
  entry = nullptr;
}

}  // namespace cinnabar::daemon
