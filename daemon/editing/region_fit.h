// What a model wrote in place of lines of a text, made to fit there: their indentation, and the file's line ends. And the
// answers that cannot be those lines, although they may parse: another program, or one with fewer definitions.
//
// Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "daemon/syntax/language.h"

namespace cinnabar::daemon {

// A text in four parts. `region` is `head`, which stays, and `rest`, which the model writes anew.
struct RegionPlace {
  const syntax::Language* language = nullptr;  // null: unknown
  std::string_view before, head, rest, after;
};

// `answer`, which comes in the place of `rest`, with its common indentation replaced by that of `rest`; what is deeper
// stays so, in the file's tabs or blanks. An answer that begins as deep as `rest` is as it should be. Where `rest` begins
// within a line, the other lines are indented at least like that line.
std::string fitted(const RegionPlace& place, std::string_view answer);

// Why a fitted answer is none to `instruction`, in one sentence; empty: no reason is known. Known are:
//   another place   where indentation is the layout: the answer begins deeper or less deep than `rest`, or lines of a body
//                   became imports, functions or classes that the instruction does not speak of
//   fewer definitions   with a grammar: fewer outermost functions and types with a body lie wholly in the region than did;
//                   they are counted, not compared, since a name may be what changes; an instruction that speaks of
//                   removing, inlining or merging may lose some
std::string misfit(const RegionPlace& place, std::string_view answer, std::string_view instruction);

}  // namespace cinnabar::daemon
