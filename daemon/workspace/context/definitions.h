// What a file defines: names, and as much of each definition as a caller needs to see. By the tree's node kinds, which
// are the same words in many grammars.
//
// Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/syntax/tree.h"

namespace cinnabar::daemon::context {

struct Definition {
  std::string name;
  // Without the body of a function: its signature. A small type is whole; of a larger one its header (members.h has what
  // is in it).
  std::string head;
  std::size_t line = 0;     // from 0
  bool large_type = false;  // head is not all of it
};

// Whether nodes of this kind define a function or a type that other files may name.
bool defines_function(std::string_view kind);
bool defines_type(std::string_view kind);
// The name that such a node defines; empty: none.
std::string_view name_of(const syntax::Tree& tree, TSNode node);

// In the order of the text, at most `most`; those inside others too.
std::vector<Definition> definitions_in(const syntax::Tree& tree, std::size_t most = 2000);

// Words of code: letters, digits and "_", at least three bytes, no number. Views into `text`, in order.
std::vector<std::string_view> words_in(std::string_view text);

}  // namespace cinnabar::daemon::context
