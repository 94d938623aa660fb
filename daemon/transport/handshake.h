// The lines that a proxy and a daemon exchange before they talk LSP.
//
//   proxy    cinnabar hello VERSION                the same from `cinnabar status`, which the log passes over: look
//            cinnabar drain VERSION
//   daemon   cinnabar ready VERSION                then LSP both ways
//            cinnabar replaced VERSION             the same, and its program's file is not the one it was started from
//            cinnabar draining VERSION             it takes no more clients and ends when its answers are out
//            cinnabar full VERSION                 it has as many clients as it takes; the connection ends
//            cinnabar refused VERSION              no proof, or a wrong one; the connection ends
//
// A client of the unix socket may leave it out and begin with LSP at once (an editor that connects by itself). On a TCP
// port anybody may listen and anybody may call, so both sides first prove that they have read the token's file, the
// daemon before the proxy; the token itself is never sent:
//
//   proxy    cinnabar knock VERSION NONCE
//   daemon   cinnabar proof VERSION NONCE PROOF
//   proxy    cinnabar hello VERSION PROOF          (or look, or drain), then as above
//
// A proof is the HMAC-SHA256, by the token, of what is said, the port and both nonces: it fits no other connection and
// no other daemon, so nothing is gained by passing it on. Pure functions, but for new_nonce.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace cinnabar::daemon {

inline constexpr std::size_t kGreetingBytes = 256;  // longest line, its end included

struct Greeting {
  std::string verb;
  std::string version;
  std::string nonce;  // of knock and proof
  std::string proof;  // of proof, and of what follows it
};

// With its line end.
std::string to_line(const Greeting& greeting);

// What the bytes that arrived first are.
enum class Opening { undecided, greeting, other };
// kUndecided: more bytes are needed (at most kGreetingBytes). kGreeting: a whole line is there.
Opening opening_of(std::string_view bytes);
// Of a line without its end. None: not one.
std::optional<Greeting> parse_greeting(std::string_view line);

// Below, equal or above zero as `left` is older than, equal to or newer than `right`: dotted numbers; what cannot be
// read counts as 0.
int compare_versions(std::string_view left, std::string_view right);

// Takes as long for a wrong token as for the right one of the same length.
bool equal_tokens(std::string_view left, std::string_view right);

// 64 hexadecimal digits that nobody has had before. Error: the system gives no random numbers.
Result<std::string> new_nonce();

// What a proof is over. `said` is the verb that it goes with.
struct Challenge {
  std::uint16_t port = 0;
  std::string proxy_nonce, daemon_nonce;
};
std::string proof_of(std::string_view token, std::string_view said, const Challenge& challenge);

}  // namespace cinnabar::daemon
