// The line that a proxy and a daemon exchange before they talk LSP.
//
//   proxy    cinnabar hello VERSION [TOKEN]     | cinnabar drain VERSION [TOKEN]
//   daemon   cinnabar ready VERSION             then LSP both ways
//            cinnabar replaced VERSION          the same, and its program's file is not the one it was started from
//            cinnabar draining VERSION          it takes no more clients and ends when its answers are out
//            cinnabar refused VERSION           wrong or missing token; the connection ends
//
// A client of the unix socket may leave it out and begin with LSP at once (an editor that connects by itself); over TCP
// it is the first thing read, because it carries the token. Pure functions, except the token's file.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cinnabar::daemon {

inline constexpr std::size_t kGreetingBytes = 256;  // longest line, its end included

struct Greeting {
  std::string verb;
  std::string version;
  std::string token;  // may be empty
};

// With its line end.
std::string to_line(const Greeting& greeting);

// What the bytes that arrived first are.
enum class Opening { kUndecided, kGreeting, kOther };
// kUndecided: more bytes are needed (at most kGreetingBytes). kGreeting: a whole line is there.
Opening opening_of(std::string_view bytes);
// Of a line without its end. None: not one.
std::optional<Greeting> parse_greeting(std::string_view line);

// Below, equal or above zero as `left` is older than, equal to or newer than `right`: dotted numbers; what cannot be
// read counts as 0.
int compare_versions(std::string_view left, std::string_view right);

// Takes as long for a wrong token as for the right one of the same length.
bool equal_tokens(std::string_view left, std::string_view right);

// Reads the token in `path`; makes the file (0600) with a new random one where there is none. Error: it is too short,
// or others than the user may read it.
Result<std::string> token_in(const std::string& path);

}  // namespace cinnabar::daemon
