#include "daemon/workspace/context/files.h"

#include <algorithm>

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

}  // namespace

std::size_t File::bytes() const {
  std::size_t sum = sizeof(File) + text.size();
  for (const auto& definition : definitions)
    sum += sizeof(definition) + definition.name.size() * 2 + definition.head.size() + 64;
  for (const auto& window : windows) sum += sizeof(window) + window.words.size() * sizeof(std::uint32_t);
  return sum;
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
  file->windows = windows_of(file->text);
  return file;
}

void FileSet::put(FilePtr file) {
  remove(file->path);
  for (std::size_t i = 0; i < file->definitions.size(); ++i)
    by_name_.emplace(file->definitions[i].name, Found{file.get(), i});
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
  for (const auto& definition : file.definitions) {
    const auto [first, last] = by_name_.equal_range(definition.name);
    for (auto it = first; it != last;) it = it->second.file == &file ? by_name_.erase(it) : std::next(it);
  }
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

std::size_t FileSet::windows_with(std::uint32_t word) const {
  const auto found = windows_with_.find(word);
  return found == windows_with_.end() ? 0 : found->second;
}

}  // namespace cinnabar::daemon::context
