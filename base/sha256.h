// SHA-256 (FIPS 180-4) and the message authentication code that is made of it (HMAC, RFC 2104). Pure; a hash is one
// thread's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace cinnabar {

// Feed bytes in any number of pieces, then take the digest once.
class Sha256 {
 public:
  void update(std::span<const std::byte> bytes);
  std::array<std::byte, 32> digest();
  // 64 lower-case hexadecimal digits.
  std::string hex_digest();

 private:
  void block(const std::byte* bytes);

  std::array<std::uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::byte, 64> pending_{};
  std::size_t pending_bytes_ = 0;
  std::uint64_t total_bytes_ = 0;
};

std::string sha256_hex(std::span<const std::byte> bytes);

// In hexadecimal digits, too. Only who knows `key` can make the code of a message.
std::string hmac_sha256_hex(std::string_view key, std::string_view message);

// Two lower-case hexadecimal digits a byte.
std::string to_hex(std::span<const std::byte> bytes);

}  // namespace cinnabar
