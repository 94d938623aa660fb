// What belongs to a type: its methods and fields, wherever they stand (inside it, in an `impl` block, behind a receiver,
// after `Type::`), and what a file gives to others, each in as few words as a caller needs.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/syntax/tree.h"

namespace cinnabar::daemon::context {

struct Member {
  std::string owner;  // the type's name; empty: what the file itself gives to others, functions and types
  std::string name;
  std::string brief;  // of a method with its parameters, on one line: "add(item, count=1)"; of a field its name
};

// In the order of the text, at most `most`. What begins with "_" is its owner's own affair and left out.
std::vector<Member> members_in(const syntax::Tree& tree, std::size_t most = 4000);

// "add(item, count=1), total(), items": the different ones of `briefs` that fit into `bytes`, in their order.
std::string listed(const std::vector<std::string_view>& briefs, std::size_t bytes);

}  // namespace cinnabar::daemon::context
