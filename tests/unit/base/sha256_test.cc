#include "base/sha256.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace cinnabar;

namespace {

std::string digest(const std::string& text) { return sha256_hex(std::as_bytes(std::span(text))); }

}  // namespace

TEST_CASE("SHA-256 of the standard's example messages") {
  CHECK(digest("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(digest(std::string(1'000'000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 does not depend on how the bytes are cut into pieces") {
  std::string text;
  for (int i = 0; i < 300; ++i) text += static_cast<char>(i * 7);
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const std::string part = text.substr(0, size);
    Sha256 hash;
    for (std::size_t at = 0; at < size;) {
      const std::size_t step = std::min(size - at, 1 + at % 67);
      hash.update(std::as_bytes(std::span(part)).subspan(at, step));
      at += step;
    }
    REQUIRE(hash.hex_digest() == digest(part));
  }
}

TEST_CASE("HMAC of the test cases of RFC 4231") {
  struct Case {
    std::string key, message, code;
  };
  const std::vector<Case> cases = {
      {std::string(20, '\x0b'), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(20, '\xaa'), std::string(50, '\xdd'),
       "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
  };
  for (const auto& [key, message, code] : cases) {
    CAPTURE(message);
    CHECK(hmac_sha256_hex(key, message) == code);
  }
}
