// What the patterns of analogy.h share: a text as lines of tokens, and an edit of one line as regions that differ.
//
// Pure values; views into the text that was given.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/editing/analogy.h"
#include "daemon/editing/code_tokens.h"

namespace cinnabar::daemon {

struct CodeLine {
  std::size_t begin = 0, end = 0;  // bytes of the text, without the line end
  std::string_view text;
  std::vector<CodeToken> tokens;  // offsets count from the line's begin
  bool edited = false;            // the history has changed it
};
// All lines of the scene's text, up to kLines around the last edit.
inline constexpr std::size_t kLines = 2'000;
std::vector<CodeLine> code_lines(const EditScene& scene);

// Whether the line is a comment, as far as its beginning tells.
bool is_comment_line(std::string_view line);

// Tokens [old_begin, old_end) of the old line became [new_begin, new_end) of the new one; one side may be empty.
struct Region {
  std::size_t old_begin = 0, old_end = 0, new_begin = 0, new_end = 0;
};
// One line of the history before and after, as tokens.
struct LineChange {
  std::string before, after;  // what the tokens point into
  std::size_t begin = 0;      // byte of the present text where the line begins
  std::vector<CodeToken> old_tokens, new_tokens;
  std::vector<int> partner;  // of each old token: the new one that it stayed, or -1
  std::vector<Region> regions;
  LineChange(std::string_view old_line, std::string_view new_line, std::size_t at);
  LineChange(const LineChange&) = delete;
  LineChange& operator=(const LineChange&) = delete;
};

// Whether the token is a name that is declared there, as far as a line tells.
bool declares_name(const std::vector<CodeToken>& tokens, std::size_t i);

// Adds to `found` what each pattern proposes.
void propose_renames(const EditScene& scene, const std::vector<CodeLine>& lines,
                     const std::vector<const LineChange*>& changes, std::vector<EditCandidate>& found);
void propose_arguments(const std::vector<CodeLine>& lines, const std::vector<const LineChange*>& changes,
                       std::vector<EditCandidate>& found);
void propose_same_shape(const std::vector<CodeLine>& lines, const LineChange& change,
                        std::vector<EditCandidate>& found);
void propose_phrases(const std::vector<CodeLine>& lines, const LineChange& change, std::vector<EditCandidate>& found);
void propose_leading_words(const std::vector<CodeLine>& lines, const LineChange& change,
                           std::vector<EditCandidate>& found);
void propose_insertions(const std::vector<CodeLine>& lines, const LineEdit& added, std::vector<EditCandidate>& found);

// The names and values in which two lines of the same tokens otherwise differ: the same one always becomes the same
// other. Nothing where they differ in more, or have no word and fewer than `least_marks` marks in common.
struct Renaming {
  std::vector<std::pair<std::string, std::string>> words;
};
std::optional<Renaming> renaming_between(const std::vector<CodeToken>& one, const std::vector<CodeToken>& other,
                                         std::size_t least_marks = 2);

// `line` with the renaming's words replaced, each in the way it is written there.
std::string renamed(std::string_view line, const Renaming& renaming);

}  // namespace cinnabar::daemon
