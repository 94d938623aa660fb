// The files of a workspace as context sees them: their definitions by name, and windows of their text with the words in
// them. Immutable entries behind shared pointers, so that a choice goes on with what it began with.
//
// FileSet: not thread-safe; its owner has the lock (index.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/workspace/context/definitions.h"
#include "daemon/workspace/context/members.h"

namespace cinnabar::daemon::context {

// Some lines, and the different words in them, as sorted hashes.
struct Window {
  std::size_t begin = 0, end = 0;  // bytes of the file's text
  std::vector<std::uint32_t> words;
};

struct File {
  std::string path;   // as the index names it
  std::string shown;  // below the workspace's folder
  const syntax::Language* language = nullptr;
  std::string text;
  std::vector<Definition> definitions;
  std::vector<Member> members;
  std::vector<Window> windows;
  std::size_t bytes() const;  // of memory, about
};
using FilePtr = std::shared_ptr<const File>;

// Null when the text cannot be parsed within the limits of a tree.
FilePtr make_file(std::string path, std::string shown, const syntax::Language& language, std::string text);

std::string_view folder_of(std::string_view path);  // with the slash at its end
std::string_view stem_of(std::string_view path);    // of the file's name, up to its first dot

std::uint32_t hash_of(std::string_view word);
std::vector<std::uint32_t> word_set(std::string_view text);  // sorted, each once

class FileSet {
 public:
  struct Found {
    const File* file;
    std::size_t definition;  // index
  };

  void put(FilePtr file);  // in the place of one with the same path
  void remove(const std::string& path);
  void clear();

  const std::unordered_map<std::string, FilePtr>& files() const { return files_; }
  std::vector<Found> named(std::string_view name) const;
  // Of the type of this name that `file` defines: those in the file, then those in others of its folder (the methods of a Go
  // type, the parts of a C++ class), by path.
  std::vector<const Member*> members_of(std::string_view owner, const File& file) const;
  // The files that are imported by this name, by path: by a file's stem, or a folder's name where its files are one module
  // (Go) or one of them stands for it. Without tests.
  std::vector<const File*> module(std::string_view name) const;
  // In how many windows a word stands.
  std::size_t windows_with(std::uint32_t word) const;
  std::size_t window_count() const { return window_count_; }
  std::size_t bytes() const { return bytes_; }

 private:
  struct FoundMember {
    const File* file;
    std::size_t member;  // index
  };

  std::unordered_map<std::string, FilePtr> files_;  // by path
  std::unordered_multimap<std::string, Found> by_name_;
  std::unordered_multimap<std::string, FoundMember> by_owner_;  // of types alone
  std::unordered_multimap<std::string, const File*> by_module_;
  std::unordered_map<std::uint32_t, std::uint32_t> windows_with_;
  std::size_t window_count_ = 0, bytes_ = 0;
};

}  // namespace cinnabar::daemon::context
