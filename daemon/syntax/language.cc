#include "daemon/syntax/language.h"

extern "C" {
const TSLanguage* tree_sitter_python();
const TSLanguage* tree_sitter_javascript();
const TSLanguage* tree_sitter_typescript();
const TSLanguage* tree_sitter_tsx();
const TSLanguage* tree_sitter_c();
const TSLanguage* tree_sitter_cpp();
const TSLanguage* tree_sitter_go();
const TSLanguage* tree_sitter_rust();
const TSLanguage* tree_sitter_java();
const TSLanguage* tree_sitter_lua();
const TSLanguage* tree_sitter_bash();
const TSLanguage* tree_sitter_json();
const TSLanguage* tree_sitter_html();
const TSLanguage* tree_sitter_css();
const TSLanguage* tree_sitter_ruby();
const TSLanguage* tree_sitter_php();
const TSLanguage* tree_sitter_c_sharp();
const TSLanguage* tree_sitter_kotlin();
}

namespace cinnabar::daemon::syntax {
namespace {

using sv = std::string_view;

constexpr Pair kBrackets[] = {{"(", ")"}, {"[", "]"}, {"{", "}"}};
constexpr Pair kTemplateBrackets[] = {{"(", ")"}, {"[", "]"}, {"{", "}"}, {"${", "}"}};
constexpr Pair kLuaPairs[] = {{"(", ")"},    {"[", "]"},    {"{", "}"},         {"function", "end"},
                              {"do", "end"}, {"if", "end"}, {"repeat", "until"}};
constexpr Pair kBashPairs[] = {{"(", ")"},  {"{", "}"},    {"[", "]"},   {"[[", "]]"},   {"((", "))"},    {"$(", ")"},
                               {"${", "}"}, {"$((", "))"}, {"if", "fi"}, {"do", "done"}, {"case", "esac"}};
constexpr Pair kRubyPairs[] = {{"(", ")"},       {"[", "]"},       {"{", "}"},        {"#{", "}"},
                               {"def", "end"},   {"class", "end"}, {"module", "end"}, {"do", "end"},
                               {"begin", "end"}, {"if", "end"},    {"unless", "end"}, {"case", "end"},
                               {"while", "end"}, {"until", "end"}, {"for", "end"}};
constexpr Pair kHtmlPairs[] = {{"<", ">"}, {"</", ">"}, {"<", "/>"}, {"<!", ">"}};

constexpr sv kComment[] = {"comment"};
constexpr sv kTwoComments[] = {"line_comment", "block_comment"};
constexpr sv kSlashDocs[] = {"/**", "/*!", "///", "//!"};
constexpr sv kStarDocs[] = {"/**"};
constexpr sv kGoDocs[] = {"//"};
constexpr sv kHashDocs[] = {"##"};
constexpr sv kDashDocs[] = {"---"};
constexpr sv kQuoteDocs[] = {"\"\"\"", "'''"};

constexpr sv kPythonExtensions[] = {".py", ".pyi", ".pyw"};
constexpr sv kPythonStrings[] = {"string", "concatenated_string"};
constexpr sv kInterpolation[] = {"interpolation"};
constexpr sv kBlock[] = {"block"};
constexpr sv kPythonHeaders[] = {"def",   "class", "if",   "elif",   "else",    "for",   "while",
                                 "async", "try",   "with", "except", "finally", "match", "case"};
constexpr sv kPythonStubs[] = {"pass", "...", "raise NotImplementedError", "# TODO", "# FIXME"};

constexpr sv kPythonIdleHeaders[] = {"class", "except"};

constexpr sv kJsAliases[] = {"javascriptreact"};
constexpr sv kJsExtensions[] = {".js", ".mjs", ".cjs", ".jsx"};
constexpr sv kTsExtensions[] = {".ts", ".mts", ".cts"};
constexpr sv kTsxAliases[] = {"tsx"};
constexpr sv kTsxExtensions[] = {".tsx"};
constexpr sv kJsStrings[] = {"string", "template_string", "regex"};
constexpr sv kTemplateSubstitution[] = {"template_substitution"};
constexpr sv kJsBlocks[] = {"statement_block", "switch_body", "class_static_block"};
constexpr sv kJsMembers[] = {"class_body", "interface_body", "enum_body", "object_type"};
constexpr sv kJsHeaders[] = {"function", "class",   "if",     "else",  "for",  "while",     "do",   "try",
                             "catch",    "finally", "switch", "async", "with", "interface", "enum", "namespace"};
constexpr sv kJsStubs[] = {"throw new Error(\"not implemented",
                           "throw new Error('not implemented",
                           "throw new Error(\"Not implemented",
                           "throw new Error('Not implemented",
                           "throw new Error(\"TODO",
                           "throw new Error('TODO",
                           "// TODO",
                           "// FIXME",
                           "/* TODO"};

constexpr sv kCExtensions[] = {".c", ".h"};
constexpr sv kCppExtensions[] = {".cc", ".cpp", ".cxx", ".hpp", ".hh", ".hxx", ".ipp", ".cu", ".cuh", ".inl"};
constexpr sv kCppAliases[] = {"cuda-cpp"};
constexpr sv kCStrings[] = {"string_literal", "char_literal", "system_lib_string", "raw_string_literal"};
constexpr sv kCBlocks[] = {"compound_statement"};
constexpr sv kCMembers[] = {"field_declaration_list", "declaration_list", "enumerator_list"};
constexpr sv kCHeaders[] = {"if",    "else", "for",   "while",     "do",       "switch", "struct",
                            "union", "enum", "class", "namespace", "template", "try",    "catch"};
constexpr sv kCStubs[] = {"// TODO",
                          "// FIXME",
                          "/* TODO",
                          "throw std::logic_error(\"not implemented",
                          "throw std::runtime_error(\"not implemented",
                          "assert(false",
                          "abort()"};

constexpr sv kGoExtensions[] = {".go"};
constexpr sv kGoStrings[] = {"interpreted_string_literal", "raw_string_literal", "rune_literal"};
constexpr sv kGoBlocks[] = {"block", "expression_switch_statement", "type_switch_statement", "select_statement"};
constexpr sv kGoMembers[] = {"field_declaration_list", "interface_type"};
constexpr sv kGoHeaders[] = {"func", "if", "else", "for", "switch", "select", "type", "go", "defer"};
constexpr sv kGoStubs[] = {"panic(\"not implemented", "panic(\"TODO", "panic(\"implement me",
                           "panic(\"unimplemented",   "// TODO",      "// FIXME"};

constexpr sv kRustExtensions[] = {".rs"};
constexpr sv kRustStrings[] = {"string_literal", "raw_string_literal", "char_literal"};
constexpr sv kRustBlocks[] = {"block", "match_block"};
constexpr sv kRustMembers[] = {"declaration_list", "field_declaration_list", "enum_variant_list"};
constexpr sv kRustHeaders[] = {"fn",   "pub", "impl",  "struct", "enum",  "trait",  "mod",   "if",
                               "else", "for", "while", "loop",   "match", "unsafe", "async", "const"};
constexpr sv kRustStubs[] = {"todo!(", "unimplemented!(", "// TODO", "// FIXME"};

constexpr sv kJavaExtensions[] = {".java"};
constexpr sv kJavaStrings[] = {"string_literal", "character_literal"};
constexpr sv kStringInterpolation[] = {"string_interpolation"};
constexpr sv kJavaBlocks[] = {"block", "constructor_body", "switch_block"};
constexpr sv kJavaMembers[] = {"class_body", "interface_body", "enum_body", "annotation_type_body"};
constexpr sv kJavaHeaders[] = {"public", "private",  "protected", "static",       "class",   "interface",
                               "enum",   "record",   "if",        "else",         "for",     "while",
                               "do",     "try",      "catch",     "finally",      "switch",  "void",
                               "final",  "abstract", "default",   "synchronized", "override"};
constexpr sv kJavaStubs[] = {"throw new UnsupportedOperationException(", "throw new RuntimeException(\"not implemented",
                             "// TODO", "// FIXME", "/* TODO"};

constexpr sv kLuaExtensions[] = {".lua"};
constexpr sv kString[] = {"string"};
constexpr sv kLuaHeaders[] = {"function", "local", "if", "for", "while", "repeat", "do", "else", "elseif"};
constexpr sv kLuaHeaderEnds[] = {"do", "then", "else", "repeat"};
constexpr sv kLuaLineHeaders[] = {"function"};
constexpr sv kLuaStubs[] = {"error(\"not implemented", "error('not implemented", "-- TODO", "-- FIXME"};

constexpr sv kBashAliases[] = {"bash", "sh"};
constexpr sv kBashExtensions[] = {".sh", ".bash", ".bats"};
constexpr sv kBashFileNames[] = {".bashrc", ".bash_profile", ".profile"};
constexpr sv kBashStrings[] = {"string", "raw_string", "ansi_c_string", "heredoc_body", "translated_string"};
constexpr sv kBashInterpolations[] = {"command_substitution", "expansion", "arithmetic_expansion"};
constexpr sv kBashBlocks[] = {"compound_statement", "subshell", "do_group"};
constexpr sv kBashHeaders[] = {"function", "if", "elif", "else", "for", "while", "until", "case", "select"};
constexpr sv kBashHeaderEnds[] = {"do", "then", "else", "in"};
constexpr sv kBashStubs[] = {":", "# TODO", "# FIXME"};

constexpr sv kJsonAliases[] = {"jsonc"};
constexpr sv kJsonExtensions[] = {".json", ".jsonc", ".webmanifest"};
constexpr sv kHtmlExtensions[] = {".html", ".htm", ".xhtml"};
constexpr sv kHtmlStrings[] = {"quoted_attribute_value"};
constexpr sv kCssAliases[] = {"scss", "less"};
constexpr sv kCssExtensions[] = {".css"};
constexpr sv kCssStrings[] = {"string_value"};
constexpr sv kCssComments[] = {"comment", "js_comment"};
constexpr sv kCssMembers[] = {"block", "keyframe_block_list"};
constexpr sv kCssHeaders[] = {"@media", "@keyframes", "@supports"};

constexpr sv kRubyExtensions[] = {".rb", ".rake", ".gemspec"};
constexpr sv kRubyFileNames[] = {"Rakefile", "Gemfile"};
constexpr sv kRubyStrings[] = {"string",           "regex",   "heredoc_body", "string_array", "symbol_array",
                               "delimited_symbol", "subshell"};
constexpr sv kRubyBlocks[] = {"block", "do_block", "method", "singleton_method", "begin"};
constexpr sv kRubyMembers[] = {"class", "module", "singleton_class"};
constexpr sv kRubyHeaders[] = {"def",  "class", "module", "if",  "elsif", "else",   "unless", "case",
                               "when", "while", "until",  "for", "begin", "rescue", "ensure", "in"};
constexpr sv kRubyHeaderEnds[] = {"do", "then", "else", "begin", "ensure", "rescue"};
constexpr sv kRubyLineHeaders[] = {"def", "class", "module", "do", "begin", "if", "unless", "while", "until", "for"};
constexpr sv kRubyStubs[] = {"raise NotImplementedError", "# TODO", "# FIXME"};

constexpr sv kPhpExtensions[] = {".php", ".phtml"};
constexpr sv kPhpStrings[] = {"string", "encapsed_string", "heredoc_body", "nowdoc_body", "shell_command_expression"};
constexpr sv kPhpBlocks[] = {"compound_statement", "switch_block", "match_block"};
constexpr sv kPhpMembers[] = {"declaration_list", "enum_declaration_list"};
constexpr sv kPhpHeaders[] = {"function", "class",   "interface", "trait",  "enum",     "if",    "else",      "elseif",
                              "for",      "foreach", "while",     "do",     "switch",   "try",   "catch",     "finally",
                              "public",   "private", "protected", "static", "abstract", "final", "namespace", "match"};
constexpr sv kPhpStubs[] = {"throw new \\Exception('not implemented",
                            "throw new Exception('not implemented",
                            "throw new \\RuntimeException('not implemented",
                            "throw new RuntimeException('not implemented",
                            "throw new \\LogicException('not implemented",
                            "// TODO",
                            "// FIXME",
                            "/* TODO"};

constexpr sv kCSharpAliases[] = {"cs", "c#"};
constexpr sv kCSharpExtensions[] = {".cs", ".csx"};
constexpr sv kCSharpStrings[] = {"string_literal", "verbatim_string_literal", "raw_string_literal",
                                 "interpolated_string_expression", "character_literal"};
constexpr sv kCSharpBlocks[] = {"block", "switch_body", "accessor_list"};
constexpr sv kCSharpMembers[] = {"declaration_list", "enum_member_declaration_list"};
constexpr sv kCSharpHeaders[] = {"public",  "private", "protected", "internal",  "static",   "class",   "interface",
                                 "struct",  "record",  "enum",      "namespace", "if",       "else",    "for",
                                 "foreach", "while",   "do",        "try",       "catch",    "finally", "switch",
                                 "lock",    "using",   "void",      "async",     "override", "virtual", "abstract"};
constexpr sv kCSharpStubs[] = {"throw new NotImplementedException(", "throw new NotSupportedException(", "// TODO",
                               "// FIXME"};

constexpr sv kKotlinExtensions[] = {".kt", ".kts"};
constexpr sv kKotlinStrings[] = {"string_literal", "multiline_string_literal", "character_literal"};
constexpr sv kKotlinBlocks[] = {"block",       "function_body", "lambda_literal",        "when_expression",
                                "catch_block", "finally_block", "control_structure_body"};
constexpr sv kKotlinMembers[] = {"class_body", "enum_class_body"};
constexpr sv kKotlinHeaders[] = {"fun",      "class",   "object", "interface", "if",       "else", "for",
                                 "while",    "do",      "when",   "try",       "catch",    "data", "private",
                                 "override", "suspend", "enum",   "finally",   "internal", "open", "sealed"};
constexpr sv kKotlinHeaderEnds[] = {"->"};
constexpr sv kKotlinStubs[] = {"TODO(", "throw NotImplementedError(", "// TODO", "// FIXME"};

constexpr Language kLanguages[] = {
    {.name = "python",
     .extensions = kPythonExtensions,
     .grammar = tree_sitter_python,
     .layout = Layout::indentation,
     .pairs = kBrackets,
     .comments = kComment,
     .strings = kPythonStrings,
     .interpolations = kInterpolation,
     .blocks = kBlock,
     .header_words = kPythonHeaders,
     .stubs = kPythonStubs,
     .idle_headers = kPythonIdleHeaders,
     .doc_openers = kQuoteDocs,
     .long_quotes = kQuoteDocs,
     .line_comment = "#"},
    {.name = "javascript",
     .aliases = kJsAliases,
     .extensions = kJsExtensions,
     .grammar = tree_sitter_javascript,
     .layout = Layout::braces,
     .pairs = kTemplateBrackets,
     .comments = kComment,
     .strings = kJsStrings,
     .interpolations = kTemplateSubstitution,
     .blocks = kJsBlocks,
     .member_blocks = kJsMembers,
     .header_words = kJsHeaders,
     .stubs = kJsStubs,
     .doc_openers = kStarDocs,
     .has_tags = true,
     .line_comment = "//"},
    {.name = "typescript",
     .extensions = kTsExtensions,
     .grammar = tree_sitter_typescript,
     .layout = Layout::braces,
     .pairs = kTemplateBrackets,
     .comments = kComment,
     .strings = kJsStrings,
     .interpolations = kTemplateSubstitution,
     .blocks = kJsBlocks,
     .member_blocks = kJsMembers,
     .header_words = kJsHeaders,
     .stubs = kJsStubs,
     .doc_openers = kStarDocs,
     .line_comment = "//"},
    {.name = "typescriptreact",
     .aliases = kTsxAliases,
     .extensions = kTsxExtensions,
     .grammar = tree_sitter_tsx,
     .layout = Layout::braces,
     .pairs = kTemplateBrackets,
     .comments = kComment,
     .strings = kJsStrings,
     .interpolations = kTemplateSubstitution,
     .blocks = kJsBlocks,
     .member_blocks = kJsMembers,
     .header_words = kJsHeaders,
     .stubs = kJsStubs,
     .doc_openers = kStarDocs,
     .has_tags = true,
     .line_comment = "//"},
    {.name = "c",
     .extensions = kCExtensions,
     .grammar = tree_sitter_c,
     .layout = Layout::braces,
     .pairs = kBrackets,
     .comments = kComment,
     .strings = kCStrings,
     .blocks = kCBlocks,
     .member_blocks = kCMembers,
     .header_words = kCHeaders,
     .stubs = kCStubs,
     .doc_openers = kSlashDocs,
     .line_comment = "//"},
    {.name = "cpp",
     .aliases = kCppAliases,
     .extensions = kCppExtensions,
     .grammar = tree_sitter_cpp,
     .layout = Layout::braces,
     .pairs = kBrackets,
     .comments = kComment,
     .strings = kCStrings,
     .blocks = kCBlocks,
     .member_blocks = kCMembers,
     .header_words = kCHeaders,
     .stubs = kCStubs,
     .doc_openers = kSlashDocs,
     .line_comment = "//"},
    {.name = "go",
     .extensions = kGoExtensions,
     .grammar = tree_sitter_go,
     .layout = Layout::braces,
     .pairs = kBrackets,
     .comments = kComment,
     .strings = kGoStrings,
     .blocks = kGoBlocks,
     .member_blocks = kGoMembers,
     .header_words = kGoHeaders,
     .stubs = kGoStubs,
     .doc_openers = kGoDocs,
     .line_comment = "//"},
    {.name = "rust",
     .extensions = kRustExtensions,
     .grammar = tree_sitter_rust,
     .layout = Layout::braces,
     .pairs = kBrackets,
     .comments = kTwoComments,
     .strings = kRustStrings,
     .blocks = kRustBlocks,
     .member_blocks = kRustMembers,
     .header_words = kRustHeaders,
     .stubs = kRustStubs,
     .doc_openers = kSlashDocs,
     .line_comment = "//"},
    {.name = "java",
     .extensions = kJavaExtensions,
     .grammar = tree_sitter_java,
     .layout = Layout::braces,
     .pairs = kBrackets,
     .comments = kTwoComments,
     .strings = kJavaStrings,
     .interpolations = kStringInterpolation,
     .blocks = kJavaBlocks,
     .member_blocks = kJavaMembers,
     .header_words = kJavaHeaders,
     .stubs = kJavaStubs,
     .doc_openers = kStarDocs,
     .line_comment = "//"},
    {.name = "lua",
     .extensions = kLuaExtensions,
     .grammar = tree_sitter_lua,
     .layout = Layout::keywords,
     .pairs = kLuaPairs,
     .comments = kComment,
     .strings = kString,
     .blocks = kBlock,
     .header_words = kLuaHeaders,
     .header_ends = kLuaHeaderEnds,
     .line_headers = kLuaLineHeaders,
     .stubs = kLuaStubs,
     .doc_openers = kDashDocs,
     .line_comment = "--"},
    {.name = "shellscript",
     .aliases = kBashAliases,
     .extensions = kBashExtensions,
     .file_names = kBashFileNames,
     .grammar = tree_sitter_bash,
     .layout = Layout::keywords,
     .pairs = kBashPairs,
     .comments = kComment,
     .strings = kBashStrings,
     .interpolations = kBashInterpolations,
     .blocks = kBashBlocks,
     .header_words = kBashHeaders,
     .header_ends = kBashHeaderEnds,
     .stubs = kBashStubs,
     .doc_openers = kHashDocs,
     .line_comment = "#"},
    {.name = "json",
     .aliases = kJsonAliases,
     .extensions = kJsonExtensions,
     .grammar = tree_sitter_json,
     .layout = Layout::data,
     .pairs = kBrackets,
     .comments = kComment,
     .strings = kString,
     .whole_comment = {"/*", " */"}},
    {.name = "html",
     .extensions = kHtmlExtensions,
     .grammar = tree_sitter_html,
     .layout = Layout::markup,
     .pairs = kHtmlPairs,
     .comments = kComment,
     .strings = kHtmlStrings,
     .has_tags = true,
     .whole_comment = {"<!--", " -->"}},
    {.name = "css",
     .aliases = kCssAliases,
     .extensions = kCssExtensions,
     .grammar = tree_sitter_css,
     .layout = Layout::braces,
     .pairs = kBrackets,
     .comments = kCssComments,
     .strings = kCssStrings,
     .member_blocks = kCssMembers,
     .header_words = kCssHeaders,
     .doc_openers = kStarDocs,
     .whole_comment = {"/*", " */"}},
    {.name = "ruby",
     .extensions = kRubyExtensions,
     .file_names = kRubyFileNames,
     .grammar = tree_sitter_ruby,
     .layout = Layout::keywords,
     .pairs = kRubyPairs,
     .comments = kComment,
     .strings = kRubyStrings,
     .interpolations = kInterpolation,
     .blocks = kRubyBlocks,
     .member_blocks = kRubyMembers,
     .header_words = kRubyHeaders,
     .header_ends = kRubyHeaderEnds,
     .line_headers = kRubyLineHeaders,
     .stubs = kRubyStubs,
     .doc_openers = kHashDocs,
     .line_comment = "#"},
    {.name = "php",
     .extensions = kPhpExtensions,
     .grammar = tree_sitter_php,
     .layout = Layout::braces,
     .pairs = kBrackets,
     .comments = kComment,
     .strings = kPhpStrings,
     .blocks = kPhpBlocks,
     .member_blocks = kPhpMembers,
     .header_words = kPhpHeaders,
     .stubs = kPhpStubs,
     .doc_openers = kStarDocs,
     .line_comment = "//",
     .wrapper = "<?php "},
    {.name = "csharp",
     .aliases = kCSharpAliases,
     .extensions = kCSharpExtensions,
     .grammar = tree_sitter_c_sharp,
     .layout = Layout::braces,
     .pairs = kBrackets,
     .comments = kComment,
     .strings = kCSharpStrings,
     .interpolations = kInterpolation,
     .blocks = kCSharpBlocks,
     .member_blocks = kCSharpMembers,
     .header_words = kCSharpHeaders,
     .stubs = kCSharpStubs,
     .doc_openers = kSlashDocs,
     .line_comment = "//"},
    {.name = "kotlin",
     .extensions = kKotlinExtensions,
     .grammar = tree_sitter_kotlin,
     .layout = Layout::braces,
     .pairs = kTemplateBrackets,
     .comments = kTwoComments,
     .strings = kKotlinStrings,
     .interpolations = kInterpolation,
     .blocks = kKotlinBlocks,
     .member_blocks = kKotlinMembers,
     .header_words = kKotlinHeaders,
     .header_ends = kKotlinHeaderEnds,
     .stubs = kKotlinStubs,
     .doc_openers = kStarDocs,
     .line_comment = "//"},
};

}  // namespace

std::span<const Language> languages() { return kLanguages; }

const Language* find_language(std::string_view id) {
  for (const Language& language : kLanguages) {
    if (language.name == id || contains(language.aliases, id)) return &language;
  }
  return nullptr;
}

bool indents_with_tabs(std::string_view id) {
  constexpr sv kTabs[] = {"go", "go.mod", "gotmpl", "makefile", "make", "gitconfig"};
  return contains(kTabs, id);
}

bool begins_comment(const Language& language, std::string_view text) {
  const bool line = !language.line_comment.empty() && text.starts_with(language.line_comment);
  return line || text.starts_with("/*") || text.starts_with("<!--");
}

const Language* language_of_path(std::string_view path) {
  const std::string_view name = path.substr(path.find_last_of('/') + 1);
  for (const Language& language : kLanguages) {
    if (contains(language.file_names, name)) return &language;
    for (const std::string_view extension : language.extensions) {
      if (name.size() > extension.size() && name.ends_with(extension)) return &language;
    }
  }
  return nullptr;
}

}  // namespace cinnabar::daemon::syntax
