// The line before LSP: what is one, what is LSP already, and which version is older.
#include "daemon/transport/handshake.h"

#include <catch2/catch.hpp>

namespace cinnabar::daemon {
namespace {

TEST_CASE("the first bytes decide whether a greeting comes") {
  struct Case {
    std::string bytes;
    Opening opening;
  };
  const std::vector<Case> cases = {
      {"", Opening::undecided},
      {"c", Opening::undecided},
      {"cinnabar", Opening::undecided},
      {"cinnabar hello 1.0", Opening::undecided},
      {"cinnabar hello 1.0\n", Opening::greeting},
      {"cinnabar hello 1.0\nContent-Length: 2\r\n\r\n{}", Opening::greeting},
      {"content-length: 2\r\n", Opening::other},
      {"Content-Length: 2\r\n", Opening::other},
      {"cinnabars", Opening::other},
      {"\n", Opening::other},
      {"cinnabar " + std::string(kGreetingBytes, 'x'), Opening::other},
      {"cinnabar " + std::string(kGreetingBytes, 'x') + "\n", Opening::other},
  };
  for (const auto& [bytes, opening] : cases) {
    CAPTURE(bytes);
    CHECK(opening_of(bytes) == opening);
  }
}

TEST_CASE("a greeting survives its line") {
  for (const Greeting& greeting : {Greeting{"hello", "1.2.3", "", ""}, Greeting{"drain", "0", "", "proof"},
                                   Greeting{"knock", "1", "nonce", ""}, Greeting{"proof", "1", "nonce", "proof"}}) {
    std::string line = to_line(greeting);
    REQUIRE(line.back() == '\n');
    line.pop_back();
    const auto parsed = parse_greeting(line);
    REQUIRE(parsed);
    CHECK(parsed->verb == greeting.verb);
    CHECK(parsed->version == greeting.version);
    CHECK(parsed->nonce == greeting.nonce);
    CHECK(parsed->proof == greeting.proof);
  }
  for (const char* line :
       {"", "cinnabar", "cinnabar ", "cinnabar hello", "cinnabar hello ", "cinnabar  1", "cinnabar a b c d"}) {
    CAPTURE(line);
    CHECK_FALSE(parse_greeting(line));
  }
}

TEST_CASE("versions compare by number, part by part") {
  struct Case {
    std::string left, right;
    int order;
  };
  const std::vector<Case> cases = {{"1.0", "1.0", 0},     {"1", "1.0.0", 0},     {"0.9.0", "0.10.0", -1},
                                   {"2.0", "1.99.99", 1}, {"1.0-rc1", "1.0", 0}, {"", "0", 0},
                                   {"x", "0.1", -1},      {"1.0.1", "1.0", 1}};
  for (const auto& [left, right, order] : cases) {
    CAPTURE(left, right);
    CHECK(compare_versions(left, right) == order);
    CHECK(compare_versions(right, left) == -order);
  }
}

TEST_CASE("a proof holds for what was said, on one port, for both nonces") {
  const Challenge challenge{7, "a", "b"};
  const std::string proof = proof_of("token", "hello", challenge);
  CHECK(proof.size() == 64);
  CHECK(proof == proof_of("token", "hello", challenge));
  for (const auto& [token, said, other] : {std::tuple("tokem", "hello", challenge),
                                           {"token", "drain", challenge},
                                           {"token", "proof", challenge},
                                           {"token", "hello", Challenge{8, "a", "b"}},
                                           {"token", "hello", Challenge{7, "b", "b"}},
                                           {"token", "hello", Challenge{7, "a", "a"}},
                                           {"token", "hello", Challenge{7, "ab", ""}}}) {
    CHECK(proof != proof_of(token, said, other));
  }
  const auto one = new_nonce(), two = new_nonce();
  REQUIRE((one && two));
  CHECK(*one != *two);
}

TEST_CASE("tokens are equal or not") {
  CHECK(equal_tokens("abc", "abc"));
  CHECK_FALSE(equal_tokens("abc", "abd"));
  CHECK_FALSE(equal_tokens("abc", "ab"));
  CHECK_FALSE(equal_tokens("", "a"));
}

}  // namespace
}  // namespace cinnabar::daemon
