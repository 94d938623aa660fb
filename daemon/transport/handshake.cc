#include "daemon/transport/handshake.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <vector>

#include "daemon/transport/socket.h"

namespace cinnabar::daemon {
namespace {

constexpr std::string_view kWord = "cinnabar ";
constexpr std::size_t kShortestToken = 16;

std::vector<std::string> words_of(std::string_view line) {
  std::vector<std::string> words;
  while (!line.empty()) {
    const auto space = line.find(' ');
    words.emplace_back(line.substr(0, space));
    line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
  }
  return words;
}

// The number that `text` begins with, removed from it together with the dot behind.
unsigned take_number(std::string_view& text) {
  unsigned value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  const auto dot = text.find('.');
  text.remove_prefix(dot == std::string_view::npos ? text.size() : dot + 1);
  return value;
}

Result<std::string> new_token(const std::string& path) {
  std::array<unsigned char, 32> random{};
  if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
    return Status::error("the system gives no random numbers for a token");
  std::string token;
  for (const unsigned char byte : random) {
    token += "0123456789abcdef"[byte >> 4];
    token += "0123456789abcdef"[byte & 15];
  }
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  const std::string line = token + "\n";
  if (!file || write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    return Status::error("cannot write the token file " + path);
  return token;
}

}  // namespace

std::string to_line(const Greeting& greeting) {
  std::string line = std::string(kWord) + greeting.verb + " " + greeting.version;
  if (!greeting.token.empty()) line += " " + greeting.token;
  return line + "\n";
}

Opening opening_of(std::string_view bytes) {
  const auto length = std::min(bytes.size(), kWord.size());
  if (bytes.substr(0, length) != kWord.substr(0, length)) return Opening::kOther;
  if (bytes.substr(0, kGreetingBytes).find('\n') != std::string_view::npos) return Opening::kGreeting;
  return bytes.size() < kGreetingBytes ? Opening::kUndecided : Opening::kOther;
}

std::optional<Greeting> parse_greeting(std::string_view line) {
  if (!line.starts_with(kWord)) return std::nullopt;
  auto words = words_of(line.substr(kWord.size()));
  if (words.size() < 2 || words.size() > 3 || words[0].empty() || words[1].empty()) return std::nullopt;
  return Greeting{words[0], words[1], words.size() == 3 ? words[2] : ""};
}

int compare_versions(std::string_view left, std::string_view right) {
  while (!left.empty() || !right.empty()) {
    const unsigned a = take_number(left);
    const unsigned b = take_number(right);
    if (a != b) return a < b ? -1 : 1;
  }
  return 0;
}

bool equal_tokens(std::string_view left, std::string_view right) {
  if (left.size() != right.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < left.size(); ++i)
    difference |= static_cast<unsigned char>(left[i]) ^ static_cast<unsigned char>(right[i]);
  return difference == 0;
}

Result<std::string> token_in(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return new_token(path);
  struct stat found {};
  if (fstat(file.get(), &found) != 0 || found.st_uid != geteuid() || (found.st_mode & 077) != 0)
    return Status::error("the token file " + path + " can be read by others; expected mode 0600 and your own");
  std::array<char, kGreetingBytes> bytes{};
  const auto count = read(file.get(), bytes.data(), bytes.size());
  std::string token(bytes.data(), count < 0 ? 0 : static_cast<std::size_t>(count));
  token.erase(std::min(token.find_first_of(" \r\n"), token.size()));
  if (token.size() >= kShortestToken && token.size() <= kGreetingBytes / 2) return token;
  return Status::error("the token in " + path + " has " + std::to_string(token.size()) + " characters, expected " +
                       std::to_string(kShortestToken) + " to " + std::to_string(kGreetingBytes / 2));
}

}  // namespace cinnabar::daemon
