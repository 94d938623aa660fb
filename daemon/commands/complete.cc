// `cinnabar complete FILE:LINE:COL`: the whole line from text to answer, without an editor. --watch draws the answer
// while it settles.
#include <unistd.h>

#include <fstream>
#include <iomanip>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "daemon/commands/commands.h"
#include "daemon/commands/setup.h"

namespace cinnabar::daemon {
namespace {

struct Place {
  std::string file;
  std::size_t line = 0, column = 0;  // from 1; the column counts bytes
};

std::optional<std::size_t> parse_count(std::string_view text) {
  std::size_t value = 0;
  if (text.empty() || text.size() > 9) return std::nullopt;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::size_t>(c - '0');
  }
  return value == 0 ? std::nullopt : std::optional(value);
}

std::optional<Place> parse_place(std::string_view text) {
  const std::size_t second = text.rfind(':');
  if (second == std::string_view::npos || second == 0) return std::nullopt;
  const std::size_t first = text.rfind(':', second - 1);
  if (first == std::string_view::npos || first == 0) return std::nullopt;
  const auto line = parse_count(text.substr(first + 1, second - first - 1)),
             column = parse_count(text.substr(second + 1));
  if (!line || !column) return std::nullopt;
  return Place{std::string(text.substr(0, first)), *line, *column};
}

constexpr std::size_t kLargestFile = 8U << 20;

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return Status::error(path + ": cannot be read");
  std::string text(kLargestFile + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad() || (in.gcount() == 0 && !in.eof())) return Status::error(path + ": cannot be read (is it a folder?)");
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kLargestFile) return Status::error(path + ": larger than 8 MiB");
  return text;
}

Result<std::size_t> offset_of(const std::string& text, const Place& place) {
  std::size_t at = 0;
  for (std::size_t line = 1; line < place.line; ++line) {
    const std::size_t newline = text.find('\n', at);
    if (newline == std::string::npos) {
      return Status::error(place.file + " has " + std::to_string(line) + " lines, not " + std::to_string(place.line));
    }
    at = newline + 1;
  }
  const std::size_t end = std::min(text.find('\n', at), text.size());
  if (place.column - 1 > end - at) {
    return Status::error("line " + std::to_string(place.line) + " of " + place.file + " has " +
                         std::to_string(end - at + 1) + " columns, not " + std::to_string(place.column));
  }
  return at + place.column - 1;
}

// Green when sure, yellow, then red; a masked position is a grey box.
std::string coloured(const engine::ShownToken& token, const engine::Tokenizer& tokenizer) {
  if (token.token < 0) return "\x1b[90m\u2592\u2592\x1b[0m";
  const char* colour = token.probability >= 0.9f   ? "\x1b[32m"
                       : token.probability >= 0.5f ? "\x1b[33m"
                       : token.probability > 0     ? "\x1b[31m"
                                                   : "\x1b[90m";
  return colour + std::string(tokenizer.bytes(token.token)) + "\x1b[0m";
}

// Redraws the answer in place after every step.
class Watcher {
 public:
  explicit Watcher(const engine::Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  void operator()(std::span<engine::Decoding* const> decodings, const engine::DecodeStats& stats) {
    std::string frame;
    for (const auto& token : decodings.front()->view()) frame += coloured(token, tokenizer_);
    if (lines_ > 0) std::cout << "\x1b[" << lines_ << "A";
    std::cout << "\r\x1b[J" << frame << "\n\x1b[90mstep " << stats.nfe << ", " << std::fixed << std::setprecision(0)
              << stats.milliseconds << " ms\x1b[0m\n"
              << std::flush;
    lines_ = 2 + static_cast<int>(std::count(frame.begin(), frame.end(), '\n'));
  }
  void erase() const {
    if (lines_ > 0) std::cout << "\x1b[" << lines_ << "A\r\x1b[J";
  }

 private:
  const engine::Tokenizer& tokenizer_;
  int lines_ = 0;
};

std::string line_before(const std::string& prefix) { return prefix.substr(prefix.rfind('\n') + 1); }

void print_result(const engine::InfillRequest& request, const engine::InfillResult& result) {
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  for (const auto& answer : result.answers) {
    const std::string rest = request.suffix.substr(0, request.suffix.find('\n'));
    std::cout << line_before(request.prefix) << (terminal ? "\x1b[32m" : "") << answer.text
              << (terminal ? "\x1b[0m" : "") << rest << "\n";
  }
  int tokens = 0;
  for (const auto& answer : result.answers) tokens += answer.tokens;
  const auto& decode = result.decode;
  std::cout << std::fixed << std::setprecision(0) << "-- " << result.prompt_milliseconds + decode.milliseconds
            << " ms (prompt of " << result.prompt_tokens << " tokens " << result.prompt_milliseconds << " ms, "
            << decode.nfe << " forwards " << decode.milliseconds << " ms), " << tokens << " tokens, "
            << std::setprecision(2) << (tokens > 0 ? static_cast<double>(decode.nfe) / tokens : 0.0)
            << " forwards/token, " << std::setprecision(0)
            << (decode.milliseconds > 0 ? tokens * 1000.0 / decode.milliseconds : 0.0)
            << " tokens/s, end: " << name(result.answers.front().reason) << "\n";
}

void print_json(const engine::InfillResult& result) {
  nlohmann::json answers = nlohmann::json::array();
  for (const auto& answer : result.answers) {
    answers.push_back({{"text", answer.text}, {"finish_reason", name(answer.reason)}, {"tokens", answer.tokens}});
  }
  const nlohmann::json out = {{"answers", answers},
                              {"nfe", result.decode.nfe},
                              {"ms", result.prompt_milliseconds + result.decode.milliseconds},
                              {"prompt_ms", result.prompt_milliseconds},
                              {"prompt_tokens", result.prompt_tokens}};
  std::cout << out.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

}  // namespace

int run_complete(Options& options) {
  const auto place = options.arguments.size() == 1 ? parse_place(options.arguments[0]) : std::nullopt;
  if (!place) {
    std::cerr
        << "cinnabar: complete expects one FILE:LINE:COL (line and column from 1), for example src/main.py:12:5\n";
    return 2;
  }
  const auto text = read_file(place->file);
  if (!text) return failed(text.status());
  const auto offset = offset_of(*text, *place);
  if (!offset) return failed(offset.status());
  auto engine = open_engine(options);
  if (!engine) return failed(engine.status());
  options.request.prefix = text->substr(0, *offset);
  options.request.suffix = text->substr(*offset);
  Watcher watcher((*engine)->tokenizer());
  engine::StepObserver observer;
  if (options.watch) observer = std::ref(watcher);
  const auto result = (*engine)->infill(options.request, limits_of(options), observer);
  if (!result) return failed(result.status());
  if (options.watch) watcher.erase();
  if (options.json)
    print_json(*result);
  else
    print_result(options.request, *result);
  return 0;
}

}  // namespace cinnabar::daemon
