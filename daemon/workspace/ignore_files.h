// Which files of a workspace folder its .gitignore and .cinnabarignore files leave out, in the folder, in every folder
// below it and in those above it up to the repository's own, whose .git/info/exclude counts, too; as git decides it: the
// file nearest to the path counts first, and what lies in an ignored folder
// cannot be taken back. A .cinnabarignore that says anything about a path goes before every .gitignore, so it can take
// back what git leaves out.
//
// Reads the file system: one thread at a time. Rules are kept and read anew when their file has changed (its time, size
// or identity). Only the first kLargestFile bytes of a file count; links are not followed, neither to ignore files nor
// through folders: what a link leads to is asked about by its own path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "daemon/workspace/ignore_rules.h"

namespace cinnabar::daemon {

class IgnoreFiles {
 public:
  static constexpr std::size_t kLargestFile = 256 * 1024;  // bytes

  // The name of the kind of file that leaves `path` out, ".cinnabarignore" or ".gitignore"; empty: none does. `folder`
  // is a path, `path` one relative to it; neither has "." or ".." in it. The file itself need not exist.
  std::string_view ignored_by(const std::string& folder, std::string_view path);

  std::size_t files_read() const { return files_read_; }

 private:
  struct Stamp {
    std::int64_t modified = 0, changed = 0;  // nanoseconds
    std::uint64_t size = 0, inode = 0;
    bool operator==(const Stamp&) const = default;
  };
  using RulesPtr = std::shared_ptr<const IgnoreRules>;
  struct IgnoreFile {
    Stamp stamp;
    RulesPtr rules;
  };
  // What lies above `folder` counts, too: `path` becomes one below the repository's folder, which is returned.
  std::string repository_of(const std::string& folder, std::string& path) const;

  // Null: there is no such file, or nothing in it.
  RulesPtr rules_in(const std::string& folder, std::string_view name);

  std::unordered_map<std::string, IgnoreFile> files_;  // by path
  std::size_t bytes_ = 0;                              // read for what is in files_, at most
  std::size_t files_read_ = 0;
};

}  // namespace cinnabar::daemon
