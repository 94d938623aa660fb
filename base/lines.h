// Reading lines of what may be anybody's, endless lines of a device included.
#pragma once

#include <cstddef>
#include <istream>
#include <string>

namespace cinnabar {

inline constexpr std::size_t kLongestLine = std::size_t{64} << 20;  // bytes

// As std::getline, but of a line of more than `most` bytes one byte more than that is read, and nothing behind it.
inline bool next_line(std::istream& in, std::string& line, std::size_t most = kLongestLine) {
  line.clear();
  if (!in) return false;
  for (int byte = in.rdbuf()->sbumpc(); byte != std::istream::traits_type::eof(); byte = in.rdbuf()->sbumpc()) {
    if (byte == '\n') return true;
    line += static_cast<char>(byte);
    if (line.size() <= most) continue;
    in.setstate(std::ios::failbit);
    return true;
  }
  in.setstate(line.empty() ? std::ios::eofbit | std::ios::failbit : std::ios::eofbit);
  return !line.empty();
}

}  // namespace cinnabar
