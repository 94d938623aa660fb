// The languages that syntax knows, as rows of data: which files, which grammar, and what a hole in them may look like.
// Nothing else in the program asks for a language's name.
//
// Constant data; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

extern "C" {
struct TSLanguage;
}

namespace cinnabar::daemon::syntax {

enum class Layout : std::uint8_t {
  braces,       // a body stands between brackets
  indentation,  // a body is what is indented further than its header, which ends with ":"
  keywords,     // a body ends with a word: end, fi, done
  data,         // brackets, but no statements: JSON
  markup,       // tags
};

using Words = std::span<const std::string_view>;

// An opening token and the one that closes it, as the grammar's anonymous nodes are called.
struct Pair {
  std::string_view open, close;
};

struct Language {
  std::string_view name{};  // LSP's language identifier
  Words aliases{};          // other identifiers that clients send
  Words extensions{};       // with the dot
  Words file_names{};       // whole names without an extension
  const TSLanguage* (*grammar)() = nullptr;
  Layout layout = Layout::braces;
  std::span<const Pair> pairs{};
  // Node kinds.
  Words comments{};
  Words strings{};
  Words interpolations{};  // code inside a string
  Words blocks{};          // hold statements
  Words member_blocks{};   // hold declarations: bodies of classes, namespaces, enumerations
  // Tokens and texts.
  Words header_words{};   // begin a statement that has a body
  Words header_ends{};    // tokens right before a body, beside "{"; "in" and "->" only in the opener's own node
  Words line_headers{};   // opening words whose header is the rest of their line
  Words stubs{};          // a body that begins with one of these, and holds nothing else, waits to be written
  Words idle_headers{};   // begin what may do nothing on purpose: a handler, a class of errors
  Words doc_openers{};    // what documentation begins with: "/**", "///"
  Words long_quotes{};    // open and close strings of several lines
  bool has_tags = false;  // elements between <name> and </name>
  std::string_view line_comment{};
  Pair whole_comment{};        // the form of a comment, where there is none by line
  std::string_view wrapper{};  // put before a part of a file to parse it by itself
};

std::span<const Language> languages();

// By LSP's identifier or an alias; null when there is none.
const Language* find_language(std::string_view id);
// By the last part of a path; null when there is none.
const Language* language_of_path(std::string_view path);

// Whether files of the language `id`, with a grammar or without, are indented with tabs by custom.
bool indents_with_tabs(std::string_view id);

// Whether `text` begins like a comment.
bool begins_comment(const Language& language, std::string_view text);

inline bool contains(Words words, std::string_view word) {
  for (const std::string_view known : words) {
    if (known == word) return true;
  }
  return false;
}

}  // namespace cinnabar::daemon::syntax
