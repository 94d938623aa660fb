#include "daemon/transport/handshake.h"

#include <sys/random.h>

#include <array>
#include <charconv>
#include <vector>

#include "base/sha256.h"

namespace cinnabar::daemon {
namespace {

constexpr std::string_view kWord = "cinnabar ";

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

bool has_nonce(std::string_view verb) { return verb == "knock" || verb == "proof"; }

}  // namespace

std::string to_line(const Greeting& greeting) {
  std::string line = std::string(kWord) + greeting.verb + " " + greeting.version;
  for (const std::string& word : {greeting.nonce, greeting.proof}) {
    if (!word.empty()) line += " " + word;
  }
  return line + "\n";
}

Opening opening_of(std::string_view bytes) {
  const auto length = std::min(bytes.size(), kWord.size());
  if (bytes.substr(0, length) != kWord.substr(0, length)) return Opening::other;
  if (bytes.substr(0, kGreetingBytes).find('\n') != std::string_view::npos) return Opening::greeting;
  return bytes.size() < kGreetingBytes ? Opening::undecided : Opening::other;
}

std::optional<Greeting> parse_greeting(std::string_view line) {
  if (!line.starts_with(kWord)) return std::nullopt;
  auto words = words_of(line.substr(kWord.size()));
  if (words.size() < 2 || words[0].empty() || words[1].empty()) return std::nullopt;
  Greeting greeting{words[0], words[1], "", ""};
  std::size_t at = 2;
  if (has_nonce(greeting.verb) && at < words.size()) greeting.nonce = words[at++];
  if (greeting.verb != "knock" && at < words.size()) greeting.proof = words[at++];
  return at == words.size() ? std::optional(std::move(greeting)) : std::nullopt;
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

Result<std::string> new_nonce() {
  std::array<std::byte, 32> random{};
  if (getentropy(random.data(), random.size()) != 0) return Status::error("the system gives no random numbers");
  return to_hex(random);
}

std::string proof_of(std::string_view token, std::string_view said, const Challenge& challenge) {
  return hmac_sha256_hex(token, "cinnabar " + std::string(said) + " " + std::to_string(challenge.port) + " " +
                                    challenge.proxy_nonce + " " + challenge.daemon_nonce);
}

}  // namespace cinnabar::daemon
