// The rows of scopes.h: how names are declared, read and written in each language.
#include "daemon/syntax/scopes.h"

namespace cinnabar::daemon::syntax {
namespace {

using sv = std::string_view;

constexpr sv kName[] = {"identifier"};

// Python
constexpr RoleRule kPythonRoles[] = {
    {"assignment", "left", NameRole::declare},
    {"augmented_assignment", "left", NameRole::both},
    {"for_statement", "left", NameRole::declare},
    {"for_in_clause", "left", NameRole::declare},
    {"as_pattern", "alias", NameRole::declare},
    {"function_definition", "name", NameRole::declare},
    {"class_definition", "name", NameRole::declare},
    {"default_parameter", "name", NameRole::declare},
    {"typed_default_parameter", "name", NameRole::declare},
    {"parameters", "", NameRole::declare},
    {"lambda_parameters", "", NameRole::declare},
    {"attribute", "attribute", NameRole::none},
    {"keyword_argument", "name", NameRole::none},
};
constexpr RoleRule kPythonThrough[] = {
    {"pattern_list", "", NameRole::none},
    {"tuple_pattern", "", NameRole::none},
    {"list_pattern", "", NameRole::none},
    {"list_splat_pattern", "", NameRole::none},
    {"as_pattern_target", "", NameRole::none},
    {"typed_parameter", "", NameRole::none},
    {"dictionary_splat_pattern", "", NameRole::none},
};
constexpr sv kPythonClosures[] = {
    "function_definition",  "lambda",          "list_comprehension", "set_comprehension", "dictionary_comprehension",
    "generator_expression", "class_definition"};
constexpr sv kPythonContainers[] = {"block"};
constexpr sv kPythonLoops[] = {"for_statement", "while_statement"};
constexpr sv kPythonGuards[] = {"try_statement", "with_statement"};
constexpr sv kPythonUnknown[] = {"global_statement",      "nonlocal_statement",  "delete_statement",
                                 "match_statement",       "named_expression",    "import_statement",
                                 "import_from_statement", "exec_statement",      "future_import_statement",
                                 "wildcard_import",       "type_alias_statement"};

// JavaScript and TypeScript
constexpr sv kScriptNames[] = {"identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern"};
constexpr RoleRule kScriptRoles[] = {
    {"variable_declarator", "name", NameRole::declare},
    {"assignment_expression", "left", NameRole::write},
    {"augmented_assignment_expression", "left", NameRole::both},
    {"update_expression", "argument", NameRole::both},
    {"for_in_statement", "left", NameRole::declare},
    {"formal_parameters", "", NameRole::declare},
    {"required_parameter", "pattern", NameRole::declare},
    {"optional_parameter", "pattern", NameRole::declare},
    {"arrow_function", "parameter", NameRole::declare},
    {"catch_clause", "parameter", NameRole::declare},
    {"function_declaration", "name", NameRole::declare},
    {"generator_function_declaration", "name", NameRole::declare},
    {"class_declaration", "name", NameRole::declare},
    {"function_expression", "name", NameRole::none},
};
constexpr RoleRule kScriptThrough[] = {
    {"array_pattern", "", NameRole::none},     {"object_pattern", "", NameRole::none},
    {"pair_pattern", "value", NameRole::none}, {"assignment_pattern", "left", NameRole::none},
    {"rest_pattern", "", NameRole::none},      {"object_assignment_pattern", "left", NameRole::none},
};
constexpr sv kScriptScopes[] = {"statement_block", "for_statement", "for_in_statement", "catch_clause", "switch_body"};
constexpr sv kScriptClosures[] = {"function_declaration", "function_expression",
                                  "arrow_function",       "method_definition",
                                  "generator_function",   "generator_function_declaration",
                                  "class_declaration",    "class"};
constexpr sv kScriptContainers[] = {"statement_block"};
constexpr sv kScriptLoops[] = {"for_statement", "for_in_statement", "while_statement", "do_statement"};
constexpr sv kTry[] = {"try_statement"};
constexpr sv kScriptHoisted[] = {"function_declaration", "class_declaration", "generator_function_declaration"};
// `var` holds in the function whatever block it stands in.
constexpr sv kScriptUnknown[] = {"with_statement", "variable_declaration", "enum_declaration", "internal_module"};

// Java
constexpr RoleRule kJavaRoles[] = {
    {"variable_declarator", "name", NameRole::declare},
    {"formal_parameter", "name", NameRole::declare},
    {"enhanced_for_statement", "name", NameRole::declare},
    {"catch_formal_parameter", "name", NameRole::declare},
    {"resource", "name", NameRole::declare},
    {"inferred_parameters", "", NameRole::declare},
    {"lambda_expression", "parameters", NameRole::declare},
    {"assignment_expression", "left", NameRole::write},
    {"update_expression", "", NameRole::both},
    {"method_invocation", "name", NameRole::none},
    {"field_access", "field", NameRole::none},
    {"method_declaration", "name", NameRole::none},
    {"labeled_statement", "", NameRole::none},
    {"break_statement", "", NameRole::none},
    {"continue_statement", "", NameRole::none},
    {"marker_annotation", "name", NameRole::none},
    {"annotation", "name", NameRole::none},
    {"scoped_identifier", "", NameRole::none},
    {"element_value_pair", "key", NameRole::none},
    {"switch_label", "", NameRole::none},
};
constexpr sv kJavaScopes[] = {
    "block",        "for_statement",   "enhanced_for_statement", "catch_clause", "try_with_resources_statement",
    "switch_block", "constructor_body"};
constexpr sv kJavaClosures[] = {"lambda_expression", "class_body", "method_declaration"};
constexpr sv kJavaContainers[] = {"block"};
constexpr sv kJavaLoops[] = {"for_statement", "enhanced_for_statement", "while_statement", "do_statement"};
constexpr sv kJavaGuards[] = {"try_statement", "try_with_resources_statement", "synchronized_statement"};
constexpr sv kJavaUnknown[] = {"class_declaration", "record_pattern", "instanceof_expression", "labeled_statement",
                               "method_reference"};

// Go
constexpr RoleRule kGoRoles[] = {
    {"short_var_declaration", "left", NameRole::declare},
    {"var_spec", "name", NameRole::declare},
    {"const_spec", "name", NameRole::declare},
    {"parameter_declaration", "name", NameRole::declare},
    {"variadic_parameter_declaration", "name", NameRole::declare},
    {"range_clause", "left", NameRole::declare},
    {"assignment_statement", "left", NameRole::write},
    {"inc_statement", "", NameRole::both},
    {"dec_statement", "", NameRole::both},
};
constexpr RoleRule kListThrough[] = {{"expression_list", "", NameRole::none}};
constexpr sv kGoScopes[] = {"block",           "for_statement", "if_statement",      "expression_switch_statement",
                            "expression_case", "default_case",  "communication_case"};
constexpr sv kGoClosures[] = {"func_literal"};
constexpr sv kGoContainers[] = {"statement_list"};
constexpr sv kGoLoops[] = {"for_statement"};
constexpr sv kGoGuards[] = {"select_statement"};
constexpr sv kGoUnknown[] = {"type_switch_statement", "labeled_statement", "goto_statement", "keyed_element",
                             "type_declaration"};

// Rust
constexpr RoleRule kRustRoles[] = {
    {"let_declaration", "pattern", NameRole::declare},  {"parameter", "pattern", NameRole::declare},
    {"closure_parameters", "", NameRole::declare},      {"for_expression", "pattern", NameRole::declare},
    {"assignment_expression", "left", NameRole::write}, {"compound_assignment_expr", "left", NameRole::both},
    {"scoped_identifier", "", NameRole::none},          {"macro_invocation", "macro", NameRole::none},
};
constexpr RoleRule kRustThrough[] = {{"tuple_pattern", "", NameRole::none}, {"mut_pattern", "", NameRole::none}};
constexpr sv kRustScopes[] = {"block", "for_expression"};
constexpr sv kRustClosures[] = {"closure_expression", "function_item"};
constexpr sv kRustLoops[] = {"for_expression", "while_expression", "loop_expression"};
constexpr sv kRustUnknown[] = {"let_condition",
                               "match_expression",
                               "macro_definition",
                               "label",
                               "try_expression",
                               "shorthand_field_initializer",
                               "tuple_struct_pattern",
                               "struct_pattern",
                               "await_expression",
                               "type_parameters",
                               "lifetime",
                               "async_block",
                               "unsafe_block",
                               "return_expression_label"};

// C and C++
constexpr RoleRule kCRoles[] = {
    {"init_declarator", "declarator", NameRole::declare},
    {"declaration", "declarator", NameRole::declare},
    {"parameter_declaration", "declarator", NameRole::declare},
    {"for_range_loop", "declarator", NameRole::declare},
    {"optional_parameter_declaration", "declarator", NameRole::declare},
    {"assignment_expression", "left", NameRole::write},
    {"update_expression", "argument", NameRole::both},
    {"qualified_identifier", "", NameRole::none},
    {"template_function", "name", NameRole::none},
};
constexpr RoleRule kCThrough[] = {
    {"pointer_declarator", "declarator", NameRole::none},
    {"reference_declarator", "", NameRole::none},
    {"array_declarator", "declarator", NameRole::none},
};
constexpr sv kCScopes[] = {"compound_statement", "for_statement", "for_range_loop", "catch_clause"};
constexpr sv kCClosures[] = {"lambda_expression"};
constexpr sv kCContainers[] = {"compound_statement"};
constexpr sv kCLoops[] = {"for_statement", "for_range_loop", "while_statement", "do_statement"};
constexpr sv kCUnknown[] = {"goto_statement",   "labeled_statement",    "structured_binding_declarator",
                            "preproc_if",       "preproc_ifdef",        "preproc_def",
                            "preproc_call",     "gnu_asm_expression",   "class_specifier",
                            "struct_specifier", "preproc_function_def", "condition_declaration",
                            "init_statement",   "using_declaration",    "co_await_expression",
                            "lambda_expression"};

// What a new name must not hide.
constexpr sv kPythonBuiltins[] = {
    "abs",   "all",    "any",   "bool", "bytes", "dict",  "dir",  "enumerate", "eval",   "exec", "file",   "filter",
    "float", "format", "hash",  "id",   "input", "int",   "len",  "list",      "locals", "map",  "max",    "min",
    "next",  "object", "open",  "ord",  "print", "range", "repr", "reversed",  "round",  "set",  "sorted", "str",
    "sum",   "super",  "tuple", "type", "vars",  "zip",   "self", "cls",       "chr",    "iter", "slice"};
constexpr sv kScriptBuiltins[] = {"console", "document",  "window", "process", "require", "module",
                                  "exports", "undefined", "Array",  "Object",  "String",  "Number",
                                  "Boolean", "Math",      "JSON",   "Promise", "Map",     "Set",
                                  "Date",    "Error",     "fetch",  "name",    "global",  "arguments"};
constexpr sv kGoBuiltins[] = {"append", "cap",   "clear", "close",   "copy",    "delete",  "len",  "make",   "max",
                              "min",    "new",   "panic", "print",   "println", "recover", "any",  "bool",   "byte",
                              "error",  "false", "true",  "nil",     "iota",    "int",     "rune", "string", "float64",
                              "fmt",    "os",    "io",    "errors",  "strings", "strconv", "sort", "time",   "math",
                              "bytes",  "log",   "sync",  "context", "http",    "json",    "main", "init",   "uint"};
constexpr sv kRustBuiltins[] = {"println", "print", "eprintln", "format", "vec",  "panic", "assert", "drop",  "main",
                                "write",   "todo",  "matches",  "std",    "core", "alloc", "String", "Vec",   "Some",
                                "None",    "Ok",    "Err",      "Box",    "self", "str",   "char",   "usize", "bool"};
constexpr sv kCBuiltins[] = {"main",   "printf", "puts",  "malloc", "free",   "exit",  "abort",  "memcpy",
                             "strlen", "assert", "std",   "string", "vector", "map",   "set",    "swap",
                             "move",   "min",    "max",   "size_t", "errno",  "stdin", "stdout", "stderr",
                             "time",   "read",   "write", "open",   "close",  "abs"};
constexpr sv kJavaBuiltins[] = {"String", "Object", "System", "Math", "List", "Map", "Set", "Integer"};

constexpr ScopeRules kPython{
    kName, kPythonRoles,   kPythonThrough, {}, kPythonClosures, kPythonContainers, kPythonLoops, kPythonGuards,
    {},    kPythonUnknown, kPythonBuiltins};
constexpr ScopeRules kScript{kScriptNames,    kScriptRoles,      kScriptThrough, kScriptScopes,
                             kScriptClosures, kScriptContainers, kScriptLoops,   kTry,
                             kScriptHoisted,  kScriptUnknown,    kScriptBuiltins};
constexpr ScopeRules kJava{kName,      kJavaRoles,  {}, kJavaScopes,  kJavaClosures, kJavaContainers,
                           kJavaLoops, kJavaGuards, {}, kJavaUnknown, kJavaBuiltins};
constexpr ScopeRules kGo{kName,    kGoRoles,  kListThrough, kGoScopes,  kGoClosures, kGoContainers,
                         kGoLoops, kGoGuards, {},           kGoUnknown, kGoBuiltins};
constexpr ScopeRules kRust{kName,      kRustRoles, kRustThrough,  kRustScopes,  kRustClosures, kJavaContainers,
                           kRustLoops, {},         kRustClosures, kRustUnknown, kRustBuiltins};
constexpr ScopeRules kC{kName,   kCRoles, kCThrough, kCScopes,  kCClosures, kCContainers,
                        kCLoops, kTry,    {},        kCUnknown, kCBuiltins};

struct Row {
  sv language;
  const ScopeRules& rules;
};
constexpr Row kRows[] = {{"python", kPython},
                         {"javascript", kScript},
                         {"typescript", kScript},
                         {"typescriptreact", kScript},
                         {"java", kJava},
                         {"go", kGo},
                         {"rust", kRust},
                         {"c", kC},
                         {"cpp", kC}};

}  // namespace

const ScopeRules* scope_rules(const Language& language) {
  for (const Row& row : kRows) {
    if (row.language == language.name) return &row.rules;
  }
  return nullptr;
}

}  // namespace cinnabar::daemon::syntax
