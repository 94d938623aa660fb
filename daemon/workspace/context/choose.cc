#include "daemon/workspace/context/choose.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <unordered_set>

#include "base/text.h"

namespace cinnabar::daemon::context {
namespace {

constexpr std::size_t kLinesAbove = 30, kLinesBelow = 12;
constexpr std::size_t kWords = 120;  // looked up at most
// A name that many definitions share says little: get, run, init.
constexpr std::size_t kMostNamesakes = 8;

constexpr std::size_t kMemberBytes = 320;  // of what a type or module has
constexpr std::size_t kModules = 2;
constexpr std::size_t kHeadBytes = 4096;  // of a file, where imports stand
constexpr double kImportedWeight = 0.1;   // of a name that only an import has; those near the cursor have 0.12 to 1
constexpr std::array<std::string_view, 4> kImports = {"import ", "from ", "use ", "pub use "};

struct Named {
  std::string_view word;
  double weight = 0;
  long lines = 0;  // from the cursor's; below zero: above
};

std::string comment_mark(const syntax::Language& language) {
  return std::string(language.line_comment.empty() ? std::string_view("//") : language.line_comment);
}

// The text of so many lines around `offset`.
std::string_view lines_above(std::string_view text, std::size_t offset, std::size_t count) {
  std::size_t begin = line_begin(text, offset);
  for (std::size_t i = 0; i < count && begin > 0; ++i) begin = line_begin(text, begin - 1);
  return text.substr(begin, offset - begin);
}

std::string_view lines_below(std::string_view text, std::size_t offset, std::size_t count) {
  std::size_t end = std::min(text.find('\n', offset), text.size());
  for (std::size_t i = 0; i < count && end < text.size(); ++i) end = std::min(text.find('\n', end + 1), text.size());
  return text.substr(offset, end - offset);
}

// The lines of a file's beginning that import something.
std::vector<std::string_view> import_lines(std::string_view text) {
  std::vector<std::string_view> found;
  text = text.substr(0, kHeadBytes);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = text.substr(at, end - at),
                           begin = line.substr(std::min(line.find_first_not_of(" \t"), line.size()));
    const bool imports =
        std::any_of(kImports.begin(), kImports.end(), [&](auto word) { return begin.starts_with(word); });
    if (imports) found.push_back(line);
    at = end + 1;
  }
  return found;
}

// Words near the cursor, the nearer the heavier; then those that the file imports.
std::vector<Named> names_near(const Cursor& cursor) {
  std::map<std::string_view, Named> names;
  const std::string_view above = lines_above(cursor.text, cursor.offset, kLinesAbove);
  const std::string_view below = lines_below(cursor.text, cursor.offset, kLinesBelow);
  const auto take = [&](std::string_view part, bool is_above) {
    for (const std::string_view word : words_in(part)) {
      const auto at = static_cast<std::size_t>(word.data() - part.data());
      const std::string_view between = is_above ? part.substr(at) : part.substr(0, at);
      const auto lines = std::count(between.begin(), between.end(), '\n');
      const double weight = 1.0 / (1.0 + 0.25 * static_cast<double>(lines));
      Named& named = names[word];
      if (weight <= named.weight) continue;
      named = {word, weight, is_above ? -lines : lines};
    }
  };
  take(above, true);
  take(below, false);
  for (const std::string_view line : import_lines(cursor.text)) {
    const auto at = static_cast<std::size_t>(line.data() - cursor.text.data());
    const std::string_view between =
        cursor.text.substr(std::min(at, cursor.offset), cursor.offset - std::min(at, cursor.offset));
    const long lines = -std::count(between.begin(), between.end(), '\n');
    for (const std::string_view word : words_in(line)) names.try_emplace(word, Named{word, kImportedWeight, lines});
  }
  std::vector<Named> found;
  found.reserve(names.size());
  for (const auto& [word, named] : names) found.push_back(named);
  std::stable_sort(found.begin(), found.end(), [](const Named& a, const Named& b) { return a.weight > b.weight; });
  if (found.size() > kWords) found.resize(kWords);
  return found;
}

std::string lines_away(long lines) {
  if (lines == 0) return "on the cursor's line";
  return std::to_string(std::abs(lines)) + (std::abs(lines) == 1 ? " line " : " lines ") +
         (lines < 0 ? "above" : "below");
}

// C and C++ read one another's headers, the dialects of JavaScript one another's modules.
bool related(const syntax::Language* a, const syntax::Language* b) {
  if (a == b) return true;
  return a != nullptr && b != nullptr && !a->blocks.empty() && a->blocks.data() == b->blocks.data();
}

// A definition as the model reads it; of a large type its members in a comment.
std::string text_of(const FileSet& files, const FileSet::Found& found) {
  const Definition& definition = found.file->definitions[found.definition];
  if (!definition.large_type) return definition.head;
  std::vector<std::string_view> briefs;
  for (const Member* member : files.members_of(definition.name, *found.file)) briefs.push_back(member->brief);
  const std::string members = listed(briefs, kMemberBytes);
  if (members.empty()) return definition.head;
  return definition.head + "\n" + comment_mark(*found.file->language) + " " + definition.name + ": " + members;
}

// Whether a word is written as a module is: `os.path`, `fmt::format`.
bool is_qualifier(std::string_view text, std::string_view word) {
  const auto end = static_cast<std::size_t>(word.data() - text.data()) + word.size();
  return text.substr(end).starts_with(".") || text.substr(end).starts_with("::");
}

// What a module gives to a document of another: "New(depth int), Linter".
std::string exports_of(const FileSet& files, std::string_view module, const Cursor& cursor) {
  std::vector<std::string_view> briefs;
  for (const File* file : files.module(module)) {
    if (file->path == cursor.path || !related(file->language, cursor.language)) continue;
    for (const Member& member : file->members) {
      if (member.owner.empty()) briefs.push_back(member.brief);
    }
  }
  return listed(briefs, kMemberBytes);
}

// Of the modules among `names`.
std::vector<Piece> modules_for(const FileSet& files, const Cursor& cursor, const std::vector<Named>& names) {
  std::vector<Piece> pieces;
  for (const Named& named : names) {
    if (pieces.size() == kModules) break;
    if (!is_qualifier(cursor.text, named.word)) continue;
    const std::string members = exports_of(files, named.word, cursor);
    if (members.empty()) continue;
    pieces.push_back({std::string(named.word), 0, comment_mark(*cursor.language) + " gives " + members,
                      "is the module " + std::string(named.word) + ", named " + lines_away(named.lines), named.weight});
  }
  return pieces;
}

std::vector<Piece> definitions_for(const FileSet& files, const Cursor& cursor, const ChooseLimits& limits,
                                   const std::vector<Named>& names) {
  const auto own = files.files().find(cursor.path);
  std::unordered_set<std::string_view> defined_here;
  if (own != files.files().end()) {
    for (const auto& definition : own->second->definitions) defined_here.insert(definition.name);
  }
  const auto words = words_in(cursor.text.substr(0, std::min(cursor.text.size(), kHeadBytes)));
  const std::unordered_set<std::string_view> head_words(words.begin(), words.end());  // where imports stand
  const std::string_view folder = folder_of(cursor.path);
  std::vector<Piece> pieces;
  std::unordered_set<std::string> heads;
  for (const Named& named : names) {
    if (defined_here.count(named.word) > 0) continue;
    auto places = files.named(named.word);
    std::erase_if(places, [&](const FileSet::Found& place) {
      return place.file->path == cursor.path || !related(place.file->language, cursor.language);
    });
    if (places.empty() || places.size() > kMostNamesakes) continue;
    const auto closeness = [&](const FileSet::Found& place) {
      const auto& recent = cursor.recent;
      return (folder_of(place.file->path) == folder ? 1 : 0) +
             (head_words.count(stem_of(place.file->path)) > 0 ? 2 : 0) +
             (std::find(recent.begin(), recent.end(), place.file->path) != recent.end() ? 1 : 0);
    };
    const auto best = std::max_element(places.begin(), places.end(), [&](const auto& a, const auto& b) {
      return std::pair(closeness(a), b.file->path) < std::pair(closeness(b), a.file->path);
    });
    const Definition& definition = best->file->definitions[best->definition];
    if (!heads.insert(definition.head).second) continue;
    const double score = named.weight * (1 + 0.5 * closeness(*best)) / static_cast<double>(places.size());
    pieces.push_back({best->file->shown, definition.line, text_of(files, *best),
                      "defines " + std::string(named.word) + ", named " + lines_away(named.lines), score});
  }
  std::stable_sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.score > b.score; });
  if (pieces.size() > limits.definitions) pieces.resize(limits.definitions);
  return pieces;
}

struct Weighed {
  std::uint32_t word;
  double weight;
};

// The words of `text`, sorted; those that stand everywhere count little.
std::vector<Weighed> weighed_words(const FileSet& files, std::string_view text) {
  std::vector<Weighed> words;
  for (const std::uint32_t word : word_set(text)) {
    const double share =
        static_cast<double>(files.window_count()) / (1.0 + static_cast<double>(files.windows_with(word)));
    words.push_back({word, std::log(1.0 + share)});
  }
  return words;
}

// How much of the weight of `words` stands in the window, 0 to 1.
double likeness(const std::vector<Weighed>& words, const Window& window) {
  double common = 0, all = 0;
  auto at = window.words.begin();
  for (const Weighed& weighed : words) {
    all += weighed.weight;
    while (at != window.words.end() && *at < weighed.word) ++at;
    if (at != window.words.end() && *at == weighed.word) common += weighed.weight;
  }
  return all > 0 ? common / all : 0;
}

std::string_view window_text(const File& file, const Window& window) {
  return std::string_view(file.text).substr(window.begin, window.end - window.begin);
}

// Whether one of the pieces of a file stands in a text of it.
bool holds_one(std::string_view text, const std::string& shown_path, const std::vector<Piece>& pieces) {
  return std::any_of(pieces.begin(), pieces.end(), [&](const Piece& piece) {
    return piece.path == shown_path && text.find(piece.text) != std::string_view::npos;
  });
}

// `definitions` are shown already: a window does not repeat them.
std::vector<Piece> windows_for(const FileSet& files, const Cursor& cursor, const ChooseLimits& limits,
                               const std::vector<Piece>& definitions) {
  const std::string around = std::string(lines_above(cursor.text, cursor.offset, 12)) +
                             std::string(lines_below(cursor.text, cursor.offset, 4));
  const auto words = weighed_words(files, around);
  std::vector<Piece> pieces;
  for (const auto& [path, file] : files.files()) {
    if (path == cursor.path || !related(file->language, cursor.language)) continue;
    const Window* best = nullptr;
    double score = limits.least_likeness;
    for (const Window& window : file->windows) {
      const double like = likeness(words, window);
      if (like <= score || holds_one(window_text(*file, window), file->shown, definitions)) continue;
      best = &window;
      score = like;
    }
    if (best == nullptr) continue;
    const auto line =
        std::count(file->text.begin(), file->text.begin() + static_cast<std::ptrdiff_t>(best->begin), '\n');
    pieces.push_back(
        {file->shown, static_cast<std::size_t>(line), std::string(right_stripped(window_text(*file, *best))),
         "is like the lines at the cursor (" + std::to_string(static_cast<int>(100 * score)) + " %)", score});
  }
  std::sort(pieces.begin(), pieces.end(),
            [](const Piece& a, const Piece& b) { return a.score != b.score ? a.score > b.score : a.path < b.path; });
  if (pieces.size() > limits.windows) pieces.resize(limits.windows);
  return pieces;
}

}  // namespace

std::vector<Piece> choose(const FileSet& files, const Cursor& cursor, const ChooseLimits& limits) {
  const std::vector<Named> names = names_near(cursor);
  const std::vector<Piece> definitions = definitions_for(files, cursor, limits, names);
  std::size_t bytes = 0;
  const auto fits = [&](const Piece& piece) {
    if (bytes + piece.text.size() > limits.bytes) return false;
    bytes += piece.text.size();
    return true;
  };
  std::vector<Piece> chosen;
  std::copy_if(definitions.begin(), definitions.end(), std::back_inserter(chosen), fits);
  std::sort(chosen.begin(), chosen.end(),
            [](const Piece& a, const Piece& b) { return std::tie(a.path, a.line) < std::tie(b.path, b.line); });
  const std::vector<Piece> modules = modules_for(files, cursor, names);
  std::copy_if(modules.begin(), modules.end(), std::back_inserter(chosen), fits);
  const auto first_window = static_cast<std::ptrdiff_t>(chosen.size());
  const std::vector<Piece> windows = windows_for(files, cursor, limits, chosen);
  std::copy_if(windows.begin(), windows.end(), std::back_inserter(chosen), fits);
  std::reverse(chosen.begin() + first_window, chosen.end());
  return chosen;
}

std::string rendered(const Piece& piece, const syntax::Language& language) {
  return comment_mark(language) + " " + piece.path + "\n" + piece.text + "\n";
}

}  // namespace cinnabar::daemon::context
