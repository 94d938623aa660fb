#include "daemon/workspace/context/index.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace cinnabar::daemon::context {
namespace {

constexpr std::size_t kNear = 40;  // lines within which the pieces stay
constexpr std::size_t kDocuments = 32, kEdits = 8, kEditBytes = 400;

}  // namespace

Index::~Index() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  changed_.notify_all();
}

void Index::set_source(std::vector<std::string> folders, MayRead may_read) {
  const std::lock_guard lock(mutex_);
  source_ = {std::move(folders), std::move(may_read), source_.state + 1};
  chosen_.clear();
  edits_.clear();
  recent_.clear();
  tasks_.clear();
}

Index::Source Index::source() const {
  const std::lock_guard lock(mutex_);
  return source_;
}

void Index::set_folders(std::vector<std::string> folders, MayRead may_read) {
  set_source(std::move(folders), std::move(may_read));
  add_task([this](const std::stop_token& stop) { read_folders(stop); });
}

void Index::clear() {
  set_source({}, nullptr);
  if (thread_.joinable()) add_task([this](const std::stop_token& stop) { read_folders(stop); });
}

void Index::read_folders(const std::stop_token& stop) {
  files_.clear();
  const Source source = this->source();
  for (const std::string& folder : source.folders) {
    scan(folder, limits_, source.may_read, [&](FilePtr file) {
      if (stop.stop_requested() || this->source().state != source.state) return false;
      if (files_.bytes() + file->bytes() > limits_.bytes) return false;
      files_.put(std::move(file));
      return true;
    });
  }
  file_count_ = files_.files().size();
  const std::lock_guard lock(mutex_);
  if (source_.state == source.state) chosen_.clear();  // from what was there until now
}

void Index::saved(const std::string& path) {
  constexpr std::size_t kWaiting = 256;
  {
    const std::lock_guard lock(mutex_);
    if (source_.folders.empty() || tasks_.size() >= kWaiting) return;
  }
  add_task([this, path](const std::stop_token&) { read_again(path); });
}

void Index::read_again(const std::string& path) {
  const Source source = this->source();
  const auto folder = std::find_if(source.folders.begin(), source.folders.end(),
                                   [&](const std::string& f) { return path.starts_with(f); });
  if (folder == source.folders.end()) return;
  auto file = source.may_read(path) ? read_file(*folder, path, limits_) : nullptr;
  files_.remove(path);
  if (file && files_.bytes() + file->bytes() <= limits_.bytes) files_.put(std::move(file));
  file_count_ = files_.files().size();
}

void Index::edited(const AppliedChange& change, const std::string& path) {
  if (change.edits.empty() || path.empty()) return;
  const DocumentSnapshot& document = *change.after;
  const std::string_view text = document.text();
  const std::size_t at = std::min(change.edits.back().new_end, text.size());
  const std::size_t line = document.lines().line_of(at), first = line > 1 ? line - 2 : 0;
  const std::size_t last = std::min(line + 2, document.lines().line_count() - 1);
  const std::size_t begin = document.lines().line_begin(first), end = document.lines().line_end(text, last);
  const std::lock_guard lock(mutex_);
  if (source_.folders.empty()) return;
  std::erase_if(edits_, [&](const RecentEdit& e) {
    return e.path == path && std::max(e.line, line) - std::min(e.line, line) < 5;
  });
  if (end - begin > kEditBytes) return;
  edits_.push_front({path, first, std::string(text.substr(begin, end - begin))});
  if (edits_.size() > kEdits) edits_.pop_back();
}

// Those in other files, at most two, the latest last.
std::vector<Piece> Index::recent_edits(const std::string& path, const std::deque<RecentEdit>& edits) const {
  std::vector<Piece> pieces;
  for (const RecentEdit& edit : edits) {
    if (edit.path == path || pieces.size() == 2) continue;
    const auto known = files_.files().find(edit.path);
    if (known == files_.files().end()) continue;
    pieces.insert(pieces.begin(), {known->second->shown, edit.line, edit.text, "was edited lately", 0});
  }
  return pieces;
}

std::vector<Piece> Index::pieces(const SnapshotPtr& document, const std::string& path, const syntax::Language* language,
                                 std::size_t offset) {
  if (language == nullptr || path.empty()) return {};
  const std::size_t line = document->lines().line_of(offset);
  std::vector<Piece> pieces;
  Cursor cursor{path, language, document->text(), offset, {}};
  {
    const std::lock_guard lock(mutex_);
    if (source_.folders.empty()) return {};
    const auto known = chosen_.find(path);
    if (known != chosen_.end()) {
      const std::size_t away = std::max(known->second.line, line) - std::min(known->second.line, line);
      pieces = known->second.pieces;
      if (known->second.under_way || away <= kNear) return pieces;
    }
    if (known == chosen_.end() && chosen_.size() >= kDocuments) chosen_.erase(chosen_.begin());
    chosen_[path].under_way = true;
    std::erase(recent_, path);
    recent_.push_front(path);
    if (recent_.size() > kDocuments) recent_.pop_back();
    cursor.recent.assign(recent_.begin(), recent_.end());
  }
  add_task([this, document, cursor, line](const std::stop_token&) { choose_for(document, cursor, line); });
  return pieces;
}

// `document` keeps the cursor's text alive.
void Index::choose_for(const SnapshotPtr&, Cursor cursor, std::size_t line) {
  std::deque<RecentEdit> edits;
  {
    const std::lock_guard lock(mutex_);
    edits = edits_;
  }
  auto found = choose(files_, cursor);
  for (auto& edit : recent_edits(cursor.path, edits)) found.push_back(std::move(edit));
  const std::lock_guard lock(mutex_);
  const auto entry = chosen_.find(cursor.path);
  if (entry != chosen_.end()) entry->second = {std::move(found), line, false};
}

void Index::forget(const std::string& path) {
  const std::lock_guard lock(mutex_);
  chosen_.erase(path);
}

void Index::settle() const {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return tasks_.empty() && !busy_; });
}

void Index::add_task(Task task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  if (!thread_.joinable()) thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  changed_.notify_all();
}

void Index::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (!changed_.wait(lock, stop, [this] { return !tasks_.empty(); })) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    busy_ = true;
    lock.unlock();
    task(stop);
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace cinnabar::daemon::context
