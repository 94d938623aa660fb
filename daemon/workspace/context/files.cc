#include "daemon/workspace/context/files.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"

namespace cinnabar::daemon::context {
namespace {

constexpr std::size_t kWindowLines = 16, kStride = 8;

std::vector<Window> windows_of(std::string_view text) {
  std::vector<std::size_t> begins;
  for (std::size_t at = 0; at < text.size();) {
    begins.push_back(at);
    at = std::min(text.find('\n', at), text.size() - 1) + 1;
  }
  std::vector<Window> windows;
  for (std::size_t line = 0; line < begins.size(); line += kStride) {
    const std::size_t last = line + kWindowLines;
    const std::size_t end = last < begins.size() ? begins[last] : text.size();
    windows.push_back({begins[line], end, word_set(text.substr(begins[line], end - begins[line]))});
    if (end == text.size()) break;
  }
  return windows;
}

// The name by which others import a file.
std::string module_of(const File& file) {
  const std::string_view stem = stem_of(file.path);
  if (file.language->name != "go" && stem != "__init__" && stem != "mod" && stem != "index") return std::string(stem);
  std::string_view folder = folder_of(file.path);
  if (!folder.empty()) folder.remove_suffix(1);
  return std::string(folder.substr(folder.rfind('/') + 1));
}

// What a file has under a name in one of the indexes.
template <typename ByName>
void erase_of(ByName& index, const std::string& name, const File& file) {
  const auto [first, last] = index.equal_range(name);
  for (auto it = first; it != last;) it = it->second.file == &file ? index.erase(it) : std::next(it);
}

}  // namespace

std::size_t File::bytes() const {
  std::size_t sum = sizeof(File) + text.size();
  for (const auto& definition : definitions)
    sum += sizeof(definition) + definition.name.size() * 2 + definition.head.size() + 64;
  for (const auto& member : members)
    sum += sizeof(member) + member.owner.size() * 2 + member.name.size() + member.brief.size() + 64;
  for (const auto& window : windows) sum += sizeof(window) + window.words.size() * sizeof(std::uint32_t);
  return sum;
}

std::string_view folder_of(std::string_view path) { return path.substr(0, path.rfind('/') + 1); }

std::string_view stem_of(std::string_view path) {
  path = path.substr(path.rfind('/') + 1);
  return path.substr(0, path.find('.'));
}

// FNV-1a, 32 bits.
std::uint32_t hash_of(std::string_view word) {
  std::uint32_t hash = 2166136261U;
  for (const char c : word) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

std::vector<std::uint32_t> word_set(std::string_view text) {
  std::vector<std::uint32_t> words;
  for (const std::string_view word : words_in(text)) words.push_back(hash_of(word));
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

FilePtr make_file(std::string path, std::string shown, const syntax::Language& language, std::string text) {
  auto file = std::make_shared<File>();
  file->path = std::move(path);
  file->shown = std::move(shown);
  file->language = &language;
  file->text = std::move(text);
  const LineIndex lines(file->text);
  const auto tree = syntax::Tree::parse(language, file->text, lines);
  if (!tree) return nullptr;
  file->definitions = definitions_in(*tree);
  file->members = members_in(*tree);
  file->windows = windows_of(file->text);
  return file;
}

void FileSet::put(FilePtr file) {
  remove(file->path);
  for (std::size_t i = 0; i < file->definitions.size(); ++i)
    by_name_.emplace(file->definitions[i].name, Found{file.get(), i});
  for (std::size_t i = 0; i < file->members.size(); ++i) {
    if (!file->members[i].owner.empty()) by_owner_.emplace(file->members[i].owner, FoundMember{file.get(), i});
  }
  by_module_.emplace(module_of(*file), file.get());
  for (const auto& window : file->windows) {
    for (const std::uint32_t word : window.words) ++windows_with_[word];
  }
  window_count_ += file->windows.size();
  bytes_ += file->bytes();
  files_.insert_or_assign(file->path, std::move(file));
}

void FileSet::remove(const std::string& path) {
  const auto known = files_.find(path);
  if (known == files_.end()) return;
  const File& file = *known->second;
  for (const auto& definition : file.definitions) erase_of(by_name_, definition.name, file);
  for (const auto& member : file.members) erase_of(by_owner_, member.owner, file);
  const auto [first, last] = by_module_.equal_range(module_of(file));
  by_module_.erase(std::find_if(first, last, [&](const auto& one) { return one.second == &file; }));
  for (const auto& window : file.windows) {
    for (const std::uint32_t word : window.words) {
      const auto count = windows_with_.find(word);
      if (count != windows_with_.end() && --count->second == 0) windows_with_.erase(count);
    }
  }
  window_count_ -= file.windows.size();
  bytes_ -= file.bytes();
  files_.erase(known);
}

void FileSet::clear() { *this = FileSet(); }

std::vector<FileSet::Found> FileSet::named(std::string_view name) const {
  std::vector<Found> places;
  const auto [first, last] = by_name_.equal_range(std::string(name));
  for (auto it = first; it != last; ++it) places.push_back(it->second);
  return places;
}

std::vector<const Member*> FileSet::members_of(std::string_view owner, const File& file) const {
  std::vector<FoundMember> found;
  const auto [first, last] = by_owner_.equal_range(std::string(owner));
  for (auto it = first; it != last; ++it) {
    if (folder_of(it->second.file->path) == folder_of(file.path)) found.push_back(it->second);
  }
  std::sort(found.begin(), found.end(), [&](const FoundMember& a, const FoundMember& b) {
    return std::tuple(a.file != &file, std::string_view(a.file->path), a.member) <
           std::tuple(b.file != &file, std::string_view(b.file->path), b.member);
  });
  std::vector<const Member*> members;
  members.reserve(found.size());
  for (const FoundMember& one : found) members.push_back(&one.file->members[one.member]);
  return members;
}

std::vector<const File*> FileSet::module(std::string_view name) const {
  std::vector<const File*> files;
  const auto [first, last] = by_module_.equal_range(std::string(name));
  for (auto it = first; it != last; ++it) {
    if (it->second->path.find("_test.") == std::string::npos) files.push_back(it->second);
  }
  std::sort(files.begin(), files.end(), [](const File* a, const File* b) { return a->path < b->path; });
  return files;
}

std::size_t FileSet::windows_with(std::uint32_t word) const {
  const auto found = windows_with_.find(word);
  return found == windows_with_.end() ? 0 : found->second;
}

}  // namespace cinnabar::daemon::context
