#include "daemon/commands/spot.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/line_index.h"
#include "daemon/workspace/context/scan.h"
#include "daemon/workspace/exclusions.h"

namespace cinnabar::daemon {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargestFile = 8U << 20;

Result<std::size_t> offset_of(const std::string& text, const Spot& spot) {
  std::size_t at = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;  // a byte order mark is no column
  for (std::size_t line = 1; line < spot.line; ++line) {
    const std::size_t newline = text.find('\n', at);
    if (newline == std::string::npos) {
      return Status::error(spot.file + " has " + std::to_string(line) + " lines, not " + std::to_string(spot.line));
    }
    at = newline + 1;
  }
  const std::size_t end = std::min(text.find('\n', at), text.size());
  if (spot.column - 1 > end - at) {
    return Status::error("line " + std::to_string(spot.line) + " of " + spot.file + " has " +
                         std::to_string(end - at + 1) + " columns, not " + std::to_string(spot.column));
  }
  return at + spot.column - 1;
}

// The folder of a version control around the file; else the file's own.
fs::path workspace_of(const fs::path& file) {
  std::error_code error;
  for (fs::path folder = file.parent_path(); folder.has_relative_path(); folder = folder.parent_path()) {
    if (fs::exists(folder / ".git", error)) return folder;
  }
  return file.parent_path();
}

// What an editor's session would have chosen there, its recent edits aside.
std::vector<context::Piece> pieces_at(const OpenSpot& spot, const syntax::Language& language, const Options& options) {
  std::error_code error;
  fs::path file = fs::absolute(spot.file, error);
  file = fs::weakly_canonical(error ? fs::path(spot.file) : file, error);
  const std::string folder = workspace_of(file).string() + "/";
  context::FileSet files;
  IgnoreFiles ignores;
  const Exclusions rules{options.editor.enabled, options.editor.languages, options.editor.exclude};
  const auto may_read = [&](const std::string& path) {
    const syntax::Language* known = syntax::language_of_path(path);
    return known != nullptr && may_be_read(path, known->name, rules, {folder}, ignores);
  };
  context::scan(folder, {}, may_read, [&](context::FilePtr found) { return files.put(std::move(found)), true; });
  return context::choose(files, {file.string(), &language, spot.text, spot.offset, {}});
}

}  // namespace

std::optional<std::size_t> parse_count(std::string_view text) {
  std::size_t value = 0;
  if (text.empty() || text.size() > 9) return std::nullopt;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::size_t>(c - '0');
  }
  return value == 0 ? std::nullopt : std::optional(value);
}

Result<std::string> read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Status::error(path + ": cannot be read");
  std::string text(kLargestFile + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad() || (in.gcount() == 0 && !in.eof())) return Status::error(path + ": cannot be read (is it a folder?)");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kLargestFile) return Status::error(path + ": larger than 8 MiB");
  return text;
}

Result<Spot> parse_spot(const std::vector<std::string>& arguments, std::string_view command) {
  const Status wrong = Status::error(
      std::string(command) + " expects one FILE:LINE:COL (line and column from 1), for example src/main.py:12:5");
  if (arguments.size() != 1) return wrong;
  const std::string_view text = arguments.front();
  const std::size_t second = text.rfind(':');
  if (second == std::string_view::npos || second == 0) return wrong;
  const std::size_t first = text.rfind(':', second - 1);
  if (first == std::string_view::npos || first == 0) return wrong;
  const auto line = parse_count(text.substr(first + 1, second - first - 1)),
             column = parse_count(text.substr(second + 1));
  if (!line || !column) return wrong;
  return Spot{std::string(text.substr(0, first)), *line, *column};
}

Result<OpenSpot> open_spot(const Spot& spot) {
  auto text = read_text(spot.file);
  if (!text) return text.status();
  const auto offset = offset_of(*text, spot);
  if (!offset) return offset.status();
  return OpenSpot{spot.file, std::move(text).value(), *offset};
}

AskedSpot ask_at(const OpenSpot& spot, const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const auto region = syntax::region_at(spot.text, spot.offset, "", spot.file);
  AskedSpot asked;
  asked.parse_milliseconds =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  Surroundings around;
  const syntax::Language* language = syntax::language_of_path(spot.file);
  if (options.editor.context && language != nullptr) {
    asked.pieces = pieces_at(spot, *language, options);
    for (const auto& piece : asked.pieces) around.context.push_back(context::rendered(piece, *language));
  }
  asked.ask = daemon::ask_at(region, spot.offset, ask_options(options), std::move(around));
  return asked;
}

std::string describe(const Ask& ask) {
  syntax::Hole hole = ask.hole;
  hole.begin = ask.begin();
  hole.end = ask.end();
  return syntax::describe({nullptr, {std::move(hole)}}, ask.region->document->text());
}

Result<Selection> parse_selection(const std::vector<std::string>& arguments, std::string_view command) {
  const Status wrong = Status::error(std::string(command) +
                                     " expects FILE or FILE:FIRST-LAST (lines from 1), for example shop.py:10-40");
  if (arguments.empty() || arguments.front().empty()) return wrong;
  const std::string& text = arguments.front();
  const std::size_t colon = text.rfind(':'), dash = text.rfind('-');
  if (colon == std::string::npos || colon == 0 || dash == std::string::npos || dash < colon) return Selection{text};
  const auto first = parse_count(std::string_view(text).substr(colon + 1, dash - colon - 1)),
             last = parse_count(std::string_view(text).substr(dash + 1));
  if (!first || !last || *last < *first) return wrong;
  return Selection{text.substr(0, colon), *first, *last};
}

std::pair<std::size_t, std::size_t> bytes_of(const Selection& selection, std::string_view text) {
  const LineIndex lines(text);
  return {selection.first > lines.line_count() ? text.size() : lines.line_begin(selection.first - 1),
          selection.last >= lines.line_count() ? text.size() : lines.line_begin(selection.last)};
}

int wrong_spot(const Status& status) {
  std::cerr << "cinnabar: " << status.message() << "\n";
  return 2;
}

}  // namespace cinnabar::daemon
