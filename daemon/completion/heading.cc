#include "daemon/completion/heading.h"

#include <algorithm>

#include "daemon/syntax/language.h"
#include "daemon/workspace/exclusions.h"

namespace cinnabar::daemon {
namespace {

constexpr std::size_t kLongestName = 80;

// Comments of files that have no grammar here, by extension; all others begin them with "#".
struct Comments {
  std::string_view extensions;  // with a blank on both sides of each
  syntax::Pair form;
};
constexpr Comments kComments[] = {
    {" .swift .scala .sc .dart .zig .proto .groovy .gradle .m .mm .fs .fsx .v .sv .scss .less .sass .sol .glsl .hlsl "
     ".wgsl "
     ".thrift .pas .odin .gleam .jsonnet .cue .mts .svelte.ts ",
     {"//", ""}},
    {" .sql .hs .lhs .elm .ads .adb .vhd .vhdl .purs .idr .lean ", {"--", ""}},
    {" .el .clj .cljs .lisp .scm .rkt .asm .ini ", {";", ""}},
    {" .tex .erl .hrl .pl0 .cls .sty ", {"%", ""}},
    {" .md .xml .vue .svelte .svg .xaml .csproj .markdown ", {"<!--", " -->"}},
    {" .ml .mli ", {"(*", " *)"}},
    {" .vim ", {"\"", ""}},
    {" .f90 .f95 .f03 .f08 ", {"!", ""}},
    {" .txt .log .csv .tsv ", {"", ""}},
};

syntax::Pair comment_form(const syntax::Language* language, std::string_view name) {
  if (language != nullptr && !language->line_comment.empty()) return {language->line_comment, ""};
  if (language != nullptr) return language->whole_comment;
  const std::size_t dot = name.rfind('.');
  if (dot != std::string_view::npos) {
    const std::string extension = " " + std::string(name.substr(dot)) + " ";
    for (const auto& [extensions, form] : kComments) {
      if (extensions.find(extension) != std::string_view::npos) return form;
    }
  }
  return {"#", ""};
}

// A name that says what its text is: a cell's notebook, and a file without an extension, are called after the language.
std::string telling_name(std::string_view name, const syntax::Language* language) {
  constexpr std::string_view kNotebook = ".ipynb";
  if (language == nullptr || language->extensions.empty()) return std::string(name);
  if (name.ends_with(kNotebook))
    name.remove_suffix(kNotebook.size());
  else if (name.find('.') != std::string_view::npos || syntax::contains(language->file_names, name))
    return std::string(name);
  return (name.empty() ? "new" : std::string(name)) + std::string(language->extensions.front());
}

const syntax::Language* language_of(std::string_view name, std::string_view language_id) {
  const syntax::Language* language = syntax::find_language(language_id);
  return language != nullptr ? language : syntax::language_of_path(name);
}

std::string path_of_document(const DocumentSnapshot& document) {
  const std::string path = path_of(document.uri());
  return path.empty() ? document.uri() : path;
}

bool is_plain(std::string_view name) {
  return name.size() <= kLongestName && std::all_of(name.begin(), name.end(), [](char c) {
           return static_cast<unsigned char>(c) >= ' ' && c != '\x7f';
         });
}

}  // namespace

std::string told_name(std::string_view path, std::string_view language_id) {
  const std::string_view last = path.substr(path.find_last_of('/') + 1);
  const std::string name = telling_name(last, language_of(last, language_id));
  return is_plain(name) ? name : std::string();
}

std::string heading_of(std::string_view path, std::string_view language_id) {
  const std::string name = told_name(path, language_id);
  if (name.empty()) return {};
  const syntax::Pair form = comment_form(language_of(path.substr(path.find_last_of('/') + 1), language_id), name);
  if (form.open.empty()) return name + "\n";
  return std::string(form.open) + " " + name + std::string(form.close) + "\n";
}

std::string told_name(const DocumentSnapshot& document) {
  return told_name(path_of_document(document), document.language_id());
}

std::string heading_of(const DocumentSnapshot& document) {
  return heading_of(path_of_document(document), document.language_id());
}

}  // namespace cinnabar::daemon
