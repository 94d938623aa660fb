#include "daemon/workspace/ignore_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <utility>
#include <vector>

#include "base/system.h"

namespace cinnabar::daemon {
namespace {

constexpr std::array<std::string_view, 2> kNames = {".cinnabarignore", ".gitignore"};  // the first that speaks decides
constexpr std::string_view kExclude = ".git/info/exclude";                             // speaks after every .gitignore
constexpr std::size_t kMostBytes = 4 << 20;  // of text whose rules are kept; beyond, all are read anew

bool is_link(const std::string& path) {
  struct stat found {};
  return lstat(path.c_str(), &found) == 0 && S_ISLNK(found.st_mode);
}

// At most `limit` bytes, cut behind the last whole line where there are more.
std::string read_lines(int file, std::size_t limit) {
  std::string text(limit + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto count = read(file, text.data() + size, text.size() - size);
    if (count <= 0) break;
    size += static_cast<std::size_t>(count);
  }
  text.resize(size);
  if (size > limit) text.resize(text.rfind('\n', limit - 1) + 1);  // npos + 1: no line is whole
  return text;
}

}  // namespace

IgnoreFiles::RulesPtr IgnoreFiles::rules_in(const std::string& folder, std::string_view name) {
  const std::string path = folder + "/" + std::string(name);
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat found {};
  if (!file || fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode)) {
    files_.erase(path);
    return nullptr;
  }
  const auto [modified, changed] = times_of(found);
  const Stamp stamp{modified, changed, static_cast<std::uint64_t>(found.st_size),
                    static_cast<std::uint64_t>(found.st_ino)};
  const auto known = files_.find(path);
  if (known != files_.end() && known->second.stamp == stamp) return known->second.rules;
  ++files_read_;
  const std::string text = read_lines(file.get(), kLargestFile);
  auto rules = std::make_shared<const IgnoreRules>(text);
  if (rules->empty()) rules = nullptr;
  bytes_ += path.size() + text.size();
  if (bytes_ > kMostBytes) {
    files_.clear();
    bytes_ = path.size() + text.size();
  }
  files_.insert_or_assign(path, IgnoreFile{stamp, rules});
  return rules;
}

// Without a repository, or in one of another user's, nothing changes.
std::string IgnoreFiles::repository_of(const std::string& folder, std::string& path) const {
  std::string here = folder;
  while (here.ends_with('/')) here.pop_back();
  std::string above = here;
  while (true) {
    struct stat found {};
    if (lstat((above + "/.git").c_str(), &found) == 0) {
      const bool ours = found.st_uid == geteuid() || found.st_uid == 0;
      if (!ours || above == here) break;
      path = here.substr(above.size() + 1) + "/" + path;
      return above;
    }
    if (above.empty()) break;
    above.erase(above.rfind('/'));
  }
  return here;
}

std::string_view IgnoreFiles::ignored_by(const std::string& folder, std::string_view below) {
  struct Level {
    std::size_t begin;  // of the level's folder's contents in `path`
    RulesPtr rules;
  };
  std::array<std::vector<Level>, kNames.size()> levels;
  std::string whole(below);
  std::string here = repository_of(folder, whole);
  const std::string_view path = whole;
  if (auto rules = rules_in(here, kExclude)) levels.back().push_back({0, std::move(rules)});
  for (std::size_t begin = 0; begin < path.size();) {
    for (std::size_t kind = 0; kind < kNames.size(); ++kind) {
      if (auto rules = rules_in(here, kNames[kind])) levels[kind].push_back({begin, std::move(rules)});
    }
    const std::size_t slash = path.find('/', begin);
    const std::string_view upto = path.substr(0, slash);
    here += "/" + std::string(upto.substr(begin));
    const bool ends = slash == std::string_view::npos || is_link(here);
    std::optional<bool> verdict;
    for (std::size_t kind = 0; kind < kNames.size() && !verdict; ++kind) {
      for (auto level = levels[kind].rbegin(); level != levels[kind].rend() && !verdict; ++level)
        verdict = level->rules->judge(upto.substr(level->begin), !ends);
      if (verdict == true) return kNames[kind];
    }
    if (ends) break;
    begin = slash + 1;
  }
  return {};
}

}  // namespace cinnabar::daemon
