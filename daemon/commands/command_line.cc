#include "daemon/commands/command_line.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>

#include "daemon/commands/commands.h"
#include "daemon/commands/usage.h"
#include "daemon/models/model_store.h"
#include "daemon/version.h"

namespace cinnabar::daemon {
namespace {

constexpr unsigned kServing = kEngineGroups | kEditorGroups | bits(Group::daemon);
constexpr unsigned kAtPlace = kEngineGroups | bits(Group::answer) | bits(Group::files) | bits(Group::stubs);

// For another process, which may stand in another folder.
std::string as_given(const Option& option, std::string_view value) {
  std::string text = "--" + std::string(option.name);
  if (option.value.empty()) return text;
  std::error_code error;  // an empty path, or a folder that is gone: as it stands
  const bool is_path = option.value == "PATH" || (option.value == "MODEL" && !names_model(model_places(), value));
  const auto absolute = is_path ? std::filesystem::absolute(value, error) : std::filesystem::path();
  return text + "=" + (error || absolute.empty() ? std::string(value) : absolute.string());
}

// Commands that ask about texts.
std::vector<Command> text_commands() {
  return {
      {"complete", "FILE:LINE:COL", "Fill the hole at a place of a file (line and column count from 1).",
       kAtPlace | bits(Group::watch) | bits(Group::json) | bits(Group::explain), run_complete},
      {"infill", "--jsonl",
       "Fill holes read as JSON lines from standard input.\n"
       "A line: {\"id\",\"prefix\",\"suffix\"[,\"language\",\"path\",\"max_tokens\",\"mode\",\"stop\",\"former\",\n"
       "\"stubs\",\"workspace\",\"raw\",\"heading\"]}; the answer: "
       "{\"id\",\"text\",\"finish_reason\",\"nfe\",\"tokens\",\"ms\"\n"
       "[,\"replaces\",\"repairs\"]}. With \"stubs\": true a stub at the hole is replaced; \"replaces\" then counts "
       "its\n"
       "bytes before and behind. workspace: a folder whose other files are read for context; raw: an answer to end "
       "and\n"
       "judge, no model is asked; heading: what is said of the file in place of its name in a comment.",
       kEngineGroups | bits(Group::answer) | bits(Group::details), run_infill},
      {"eval typing", "FILE...",
       "Write files key by key in an editor inside this process and say how good what it shows is, by language and by\n"
       "what stands before the cursor. A file holds scripts of tests/typing/make_scripts.py; - is standard input.",
       kEngineGroups | kEditorGroups | bits(Group::eval) | bits(Group::details), run_eval_typing},
      {"eval edits", "FILE...",
       "Make edits without a hole and say how good they are: rewrites by an instruction, judged by running assertions "
       "with\n"
       "python3, and next edits, judged by how far they go the expected way. A file holds lines of tests/edits.",
       kEngineGroups | kEditorGroups | bits(Group::judge_edits), run_eval_edits},
      {"eval", "FILE...",
       "Fill holes cut from real code and say how good the answers are, by language, kind and mode.\n"
       "A file holds JSON lines as infill reads them, with \"id\", \"language\", \"kind\" and \"middle\", what stood "
       "in "
       "the hole;\n"
       "- is standard input. One mode is asked at a time; modes whose answers are in one file are compared.",
       kEngineGroups | bits(Group::answer) | bits(Group::eval), run_eval},
      {"fill", "FILE[:FIRST-LAST]",
       "Fill every TODO mark, stub and empty function body of a file, or of some of its lines; print the new text.\n"
       "The file stays as it is.",
       kEngineGroups | bits(Group::fill), run_fill},
      {"rewrite", "FILE[:FIRST-LAST] INSTRUCTION",
       "Rewrite lines of a file as the instruction says; print the new text.", kEngineGroups | bits(Group::fill),
       run_rewrite},
      {"prompt", "FILE:LINE:COL",
       "Print what the model would read at a place of a file, part by part, and why each part is there.", kAtPlace,
       run_prompt},
      {"parse", "--jsonl",
       "Count what does not parse in texts read as JSON lines from standard input.\n"
       "A line: {\"id\",\"text\",\"language\" or \"path\"}; the answer: {\"id\",\"errors\",\"missing\"}, nodes of the "
       "syntax tree.",
       0, run_parse},
      {"plan", "FILE:LINE:COL", "Print what would be filled at a place of a file, without a model.", bits(Group::stubs),
       run_plan},
  };
}

// Those about editors, the daemon, models and this machine.
std::vector<Command> other_commands() {
  return {
      {"lsp", "",
       "Speak LSP on standard input and output: what an editor starts. Finds the user's daemon or starts it.\n"
       "Options other than the daemon's place are handed to a daemon that it starts.",
       kServing | bits(Group::place) | bits(Group::proxy), run_lsp},
      {"daemon", "", "Host the model for all of the user's editors, until nobody needs it.",
       kServing | bits(Group::place), run_daemon},
      {"replay", "FILE",
       "Run each request of a recording (daemon --record) again and compare the answer, bit for bit.\n"
       "The model is the recorded one unless options say otherwise; exit status 1: something differs.",
       bits(Group::model), run_replay},
      {"status", "",
       "Say how the user's daemon is: model, memory, clients, queue, times, what came of its answers.\n"
       "Never starts one; exit status 3: none runs.",
       bits(Group::place) | bits(Group::json), run_status},
      {"setup", "neovim|vscode|zed|helix|emacs",
       "Tell an editor about Cinnabar: shows what would be written where, and writes it on yes.", bits(Group::setup),
       run_setup},
      {"doctor", "", "Look at all that completing needs, and say how to mend what is wrong.",
       bits(Group::model) | bits(Group::place), run_doctor},
      {"model info", "[MODEL]", "Say what a model is: family, sizes, token ids.", bits(Group::json), run_model_info},
      {"model list", "", "List the models that can be named; * is the one that runs where none is.", 0, run_model_list},
      {"model verify", "[MODEL]", "Read all of a model: checksums, shapes, numbers, tokenizer.", 0, run_model_verify},
      {"model add", "NAME [PATH]",
       "Copy a GGUF file or a model's folder to where --model NAME finds it. No network is used: for a model that can\n"
       "be had, the command that fetches it is printed.",
       0, run_model_add},
      {"model remove", "NAME", "Delete a model that was added.", 0, run_model_remove},
      {"model use", "NAME|PATH", "Choose what runs where no model is named; 'default' is the program's own.", 0,
       run_model_use},
      {"model advise", "", "Measure for some seconds how soon the models that are here answer a line on this machine.",
       bits(Group::model), run_model_advise},
      {"model", "info|list|verify|add|remove|use|advise", "See, add, remove, choose and compare models.", 0, run_model},
      {"bench denoise", "",
       "Time forwards by rows and context against the floors of bandwidth and products; prompt and autoregressive\n"
       "speed, alone and beside a busy neighbour; llama-bench on the same file.",
       bits(Group::model) | bits(Group::bench), run_bench_denoise},
      {"bench ops", "", "Say how a forward's time divides among its operations, by rows and context.",
       bits(Group::model), run_bench_operations},
      {"bench syntax", "[FILE...]",
       "Time what syntax costs around a request in a file of 10,000 lines: a keystroke's parse, the plan, the critic.",
       0, run_bench_syntax},
      {"completion", "bash|zsh|fish", "Print a shell completion script.", 0, run_completion},
  };
}

}  // namespace

const std::vector<Command>& commands() {
  static const std::vector<Command> kCommands = [] {
    auto all = text_commands(), more = other_commands();
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }();
  return kCommands;
}

std::vector<const Option*> options_of(const Command& command) { return options_in(command.groups); }

Result<Options> parse_options(const Command& command, const std::vector<std::string>& arguments, std::size_t first,
                              Options start) {
  Options parsed = std::move(start);
  const auto options = options_of(command);
  bool only_positional = false;
  for (std::size_t i = first; i < arguments.size(); ++i) {
    std::string_view argument = arguments[i];
    if (argument == "--jsonl") continue;  // the only form there is; named so that others can come
    if (only_positional || !argument.starts_with("--")) {
      parsed.command.arguments.emplace_back(argument);
      continue;
    }
    if (argument == "--") {
      only_positional = true;
      continue;
    }
    argument.remove_prefix(2);
    const std::size_t equals = argument.find('=');
    const std::string_view name = argument.substr(0, equals);
    const auto found = std::find_if(options.begin(), options.end(), [&](const Option* o) { return o->name == name; });
    if (found == options.end())
      return Status::error(std::string(command.name) + " has no option --" + std::string(name) +
                           did_you_mean(name, names_of(options)));
    std::string_view value = equals == std::string_view::npos ? std::string_view() : argument.substr(equals + 1);
    if (!(*found)->value.empty() && equals == std::string_view::npos) {
      if (++i == arguments.size())
        return Status::error("--" + std::string(name) + " needs a value: " + std::string((*found)->value));
      value = arguments[i];
    }
    if (const auto wrong = (*found)->access.set(parsed, value)) {
      return Status::error("--" + std::string(name) + " is '" + std::string(value) + "', " + *wrong);
    }
    parsed.said.emplace(name);
    parsed.command.given.push_back(as_given(**found, value));
  }
  apply_quality(parsed);
  return parsed;
}

int run_command_line(const std::vector<std::string>& given) {
  const std::vector<std::string> arguments = plainly_said(given);
  if (arguments.empty()) {
    print_overview(std::cerr);
    return 2;
  }
  if (arguments[0] == "--help") {
    print_overview(std::cout);
    return 0;
  }
  if (arguments[0] == "--version") {
    std::cout << "cinnabar " << kVersion << "\n";
    return 0;
  }
  const bool wants_help = std::find(arguments.begin(), arguments.end(), "--help") != arguments.end();
  for (const Command& command : commands()) {
    const std::size_t space = command.name.find(' ');
    const bool two = space != std::string_view::npos;
    if (arguments[0] != command.name.substr(0, space)) continue;
    if (two && (arguments.size() < 2 || arguments[1] != command.name.substr(space + 1))) continue;
    if (wants_help) {
      print_help(command, std::cout);
      if (!two && options_of(command).empty()) print_family(arguments[0], std::cout << "\n");
      return 0;
    }
    Options start;  // what a command prints was asked for
    if ((command.groups & bits(Group::editor)) == 0) start.request.eagerness = Eagerness::eager;
    auto options = parse_options(command, arguments, two ? 2 : 1, std::move(start));
    if (!options) return wrong_usage(options.message());
    return command.run(*options);
  }
  if (wants_help && print_family(arguments[0], std::cout)) return 0;
  return no_such_command(arguments);
}

}  // namespace cinnabar::daemon
