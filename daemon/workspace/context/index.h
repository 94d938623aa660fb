// The context of one client: an index of its workspace that is made and kept in the background, its recent edits, and
// what of both is chosen for each of its documents. Nothing here is shared between clients.
//
// All functions may be called from any thread and return at once; reading, parsing and choosing happen on a thread of
// the index's own, which has nothing to do while nothing changes.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "daemon/workspace/context/choose.h"
#include "daemon/workspace/context/scan.h"
#include "daemon/workspace/documents/store.h"

namespace cinnabar::daemon::context {

class Index {
 public:
  explicit Index(const ScanLimits& limits = {}) : limits_(limits) {}
  ~Index();
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  // From now on these folders, whose files are read anew. `may_read` runs on the index's thread.
  void set_folders(std::vector<std::string> folders, MayRead may_read);
  // Forgets everything and reads nothing more.
  void clear();
  // A file was written: it is read again.
  void saved(const std::string& path);
  void edited(const AppliedChange& change, const std::string& path);

  // The pieces for a place of a document. Those chosen last stay the same while the cursor stays near, because a model
  // has to read again whatever follows a piece that changed; for another place new ones are chosen in the
  // background, and come with a later call.
  std::vector<Piece> pieces(const SnapshotPtr& document, const std::string& path, const syntax::Language* language,
                            std::size_t offset);
  void forget(const std::string& path);

  std::size_t files() const { return file_count_; }
  // Waits until there is nothing left to do; for tests and commands.
  void settle() const;

 private:
  struct Chosen {
    std::vector<Piece> pieces;
    std::size_t line = 0;  // of the cursor
    bool under_way = false;
  };
  struct RecentEdit {
    std::string path;
    std::size_t line = 0;
    std::string text;  // the lines that were edited, as they are now
  };
  using Task = std::function<void(const std::stop_token& stop)>;

  // What files are read from, and which reading it is.
  struct Source {
    std::vector<std::string> folders;
    MayRead may_read;
    std::uint64_t state = 0;
  };

  void add_task(Task task);
  void run(const std::stop_token& stop);
  void set_source(std::vector<std::string> folders, MayRead may_read);
  Source source() const;
  // On the index's thread.
  void read_folders(const std::stop_token& stop);
  void read_again(const std::string& path);
  void choose_for(const SnapshotPtr& document, Cursor cursor, std::size_t line);
  std::vector<Piece> recent_edits(const std::string& path, const std::deque<RecentEdit>& edits) const;

  const ScanLimits limits_;
  FileSet files_;  // the index's thread alone
  std::atomic<std::size_t> file_count_ = 0;
  mutable std::mutex mutex_;
  mutable std::condition_variable_any changed_;
  Source source_;
  std::map<std::string, Chosen> chosen_;  // by path
  std::deque<std::string> recent_;        // paths of documents that were worked in, the latest first
  std::deque<RecentEdit> edits_;          // the latest first
  std::deque<Task> tasks_;
  bool busy_ = false;
  std::jthread thread_;  // begun with the first task; last: ends before what it uses
};

}  // namespace cinnabar::daemon::context
