#include "daemon/config/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <map>

#include "daemon/commands/commands.h"
#include "daemon/version.h"

namespace cinnabar::daemon {
namespace {

template <typename Number>
std::string shortest(Number value) {
  std::array<char, 32> text;
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

// A number in [low, high] into the member `target` names.
template <typename Number, typename Target>
Access number(Target target, Number low, Number high) {
  const auto set = [=](Options& options, std::string_view text) -> std::optional<std::string> {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool inside = value >= low && value <= high;  // nan is not
    if (error != std::errc() || end != text.data() + text.size() || !inside) {
      return "expected a number from " + shortest(low) + " to " + shortest(high);
    }
    target(options) = value;
    return std::nullopt;
  };
  const auto get = [=](const Options& options) {
    char digits[64];
    const auto written = std::to_chars(digits, digits + sizeof digits, target(options));
    return std::string(digits, written.ptr);
  };
  return {set, get};
}

template <typename Target>
Access text(Target target) {
  const auto set = [=](Options& options, std::string_view value) -> std::optional<std::string> {
    target(options) = std::string(value);
    return std::nullopt;
  };
  return {set, [=](const Options& options) { return target(options); }};
}

template <typename Target>
Access flag(Target target) {
  return [=](Options& options, std::string_view) -> std::optional<std::string> {
    target(options) = true;
    return std::nullopt;
  };
}

// The parts between `separator`; empty ones are left out.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

// One of several words, "a, b, c", by a parser that gives nothing for a wrong one.
template <typename Parse, typename Target>
Access word(Parse parse, Target target, std::string expected) {
  const auto set = [=](Options& options, std::string_view value) -> std::optional<std::string> {
    const auto parsed = parse(value);
    if (!parsed) return "expected one of " + expected;
    target(options) = *parsed;
    return std::nullopt;
  };
  const auto get = [=](const Options& options) {
    for (std::string_view choice : split(expected, ',')) {
      choice.remove_prefix(choice.starts_with(' ') ? 1 : 0);
      if (const auto parsed = parse(choice); parsed && *parsed == target(options)) return std::string(choice);
    }
    return std::string();  // what no word says: the default, whatever it comes to be
  };
  return {set, get};
}

std::optional<bool> parse_switch(std::string_view value) {
  if (value == "on") return true;
  if (value == "off") return false;
  return std::nullopt;
}

std::optional<kernels::Compute> parse_compute(std::string_view value) {
  if (value == "int8") return kernels::Compute::int8;
  if (value == "bf16") return kernels::Compute::bf16;
  if (value == "f32") return kernels::Compute::f32;
  return std::nullopt;
}

// "python=on,markdown=off" -> name and switch.
std::optional<std::string> set_languages(Options& options, std::string_view value) {
  std::map<std::string, bool> languages;
  for (const std::string_view entry : split(value, ',')) {
    const std::size_t equals = entry.find('=');
    const auto on = equals == std::string_view::npos ? std::nullopt : parse_switch(entry.substr(equals + 1));
    if (!on || equals == 0) return "expected LANGUAGE=on or LANGUAGE=off, with commas between";
    languages[std::string(entry.substr(0, equals))] = *on;
  }
  options.completion.languages = std::move(languages);
  return std::nullopt;
}

std::optional<std::string> set_exclude(Options& options, std::string_view value) {
  options.completion.exclude.clear();
  for (const std::string_view glob : split(value, ',')) options.completion.exclude.emplace_back(glob);
  return std::nullopt;
}

std::optional<std::string> set_stop(Options& options, std::string_view value) {
  options.by_plan = value == "plan";
  if (options.by_plan) return std::nullopt;
  const auto rule = engine::parse_end_rule(value);
  if (!rule) return "expected one of plan, line, block, hole";
  options.request.end = *rule;
  return std::nullopt;
}

constexpr std::size_t kLeastPrompt = 500, kMostPrompt = 64'000;  // bytes

std::optional<std::string> set_prompt(Options& options, std::string_view value) {
  std::size_t bytes = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), bytes);
  if (error != std::errc() || end != value.data() + value.size() || bytes < kLeastPrompt || bytes > kMostPrompt)
    return "expected a number from " + std::to_string(kLeastPrompt) + " to " + std::to_string(kMostPrompt);
  options.request.budget = engine::budget_of(bytes);
  return std::nullopt;
}

std::string get_prompt(const Options& options) {
  return std::to_string(options.request.budget.prefix_bytes + options.request.budget.suffix_bytes);
}

std::string get_stop(const Options& options) {
  if (options.by_plan) return "plan";
  for (const char* rule : {"line", "block", "hole"}) {
    if (engine::parse_end_rule(rule) == options.request.end) return rule;
  }
  return {};
}

#define CINNABAR_FIELD(field) ([](auto& o) -> auto& { return o.field; })

using Rows = std::vector<std::pair<Group, Option>>;

Rows model_rows() {
  return {
      {Group::model,
       {"model", "PATH", "", "model file or folder (default: the embedded one)", text(CINNABAR_FIELD(engine.model))}},
      {Group::model,
       {"adapter", "PATH", "", "LoRA adapter, GGUF or PEFT folder; none: not even adapter.gguf in the model's folder",
        text(CINNABAR_FIELD(engine.adapter))}},
      {Group::model,
       {"device", "NAME", "auto cpu cuda", "what computes (default: auto, the GPU where one can be used)",
        word(engine::parse_device_kind, CINNABAR_FIELD(engine.device.kind), "auto, cpu, cuda")}},
      {Group::model,
       {"threads", "N", "", "CPU threads (default: physical cores)",
        number<int>(CINNABAR_FIELD(engine.device.cpu.threads), 0, 256)}},
      {Group::model,
       {"isa", "NAME", "plain avx2 avx_vnni avx512 avx512_bf16 amx", "instruction set (default: the best there is)",
        word(kernels::cpu::parse_isa, CINNABAR_FIELD(engine.device.cpu.isa),
             "plain, avx2, avx_vnni, avx512, avx512_bf16, amx")}},
      {Group::model,
       {"compute", "TYPE", "int8 bf16 f32", "arithmetic of the matrix products (default: int8)",
        word(parse_compute, CINNABAR_FIELD(engine.compute), "int8, bf16, f32")}},
      {Group::model,
       {"context", "N", "", "tokens of keys and values kept for a place (default: 4096)",
        number<std::int64_t>(CINNABAR_FIELD(engine.context), 256, 32768)}},
      {Group::model,
       {"prompt-bytes", "N", "",
        "of the text around the cursor that the model reads, three quarters in front of it; less is quicker where a "
        "place is new (default: 8000; in editors fewer where this device reads them too slowly)",
        Access(set_prompt, get_prompt)}},
  };
}

Rows decode_rows() {
  return {
      {Group::decode,
       {"mode", "MODE", "verified autoregressive diffusion", "how tokens are decided (default: verified)",
        word(engine::parse_mode, CINNABAR_FIELD(request.mode), "verified, autoregressive, diffusion")}},
      {Group::decode,
       {"stop", "RULE", "plan line block hole",
        "where the answer ends (default: plan, which the syntax tree makes; where there is none, line)",
        Access(set_stop, get_stop)}},
      {Group::decode,
       {"max-tokens", "N", "", "longest answer (default: 128)",
        number<int>(CINNABAR_FIELD(request.max_tokens), 1, 1024)}},
      {Group::decode,
       {"draft", "N", "", "draft tokens a forward; -1: what this device runs nearly for free (default: -1)",
        number<int>(CINNABAR_FIELD(request.drafts.limit), -1, 64)}},
      {Group::decode,
       {"lookup", "SWITCH", "on off", "drafts from text that repeats (default: on)",
        word(parse_switch, CINNABAR_FIELD(request.drafts.lookup), "on, off")}},
      {Group::decode,
       {"block", "N", "", "block length in diffusion mode (default: the model's)",
        number<int>(CINNABAR_FIELD(request.block.length), 1, 64)}},
      {Group::decode,
       {"threshold", "P", "",
        "confidence that commits a position in diffusion mode; under a gated adapter, that ends an answer unread "
        "(default: 0.9)",
        number<float>(CINNABAR_FIELD(request.block.choice.value), 0.0f, 1.0f)}},
      {Group::decode,
       {"keep", "R", "",
        "diffusion mode under a gated adapter: a denoised token stays if the base gives it this share of the "
        "probability of its best one (default: 0.7)",
        number<float>(CINNABAR_FIELD(request.keep), 0.0f, 1.0f)}},
      {Group::decode,
       {"temperature", "T", "", "0: the most probable token (default)",
        number<float>(CINNABAR_FIELD(request.sampling.temperature), 0.0f, 5.0f)}},
      {Group::decode,
       {"seed", "N", "", "of the sampling noise (default: 0)",
        number<std::uint64_t>(CINNABAR_FIELD(request.sampling.seed), 0, ~std::uint64_t{0})}},
      {Group::decode,
       {"candidates", "N", "", "answers asked for (default: 1)",
        number<int>(CINNABAR_FIELD(request.candidates), 1, 8)}},
      {Group::decode,
       {"repairs", "N", "",
        "times that an answer which does not parse is tried again from where it went wrong (default: 2)",
        number<int>(CINNABAR_FIELD(repairs), 0, 8)}},
      {Group::decode,
       {"deadline-ms", "N", "", "give what is there after so many milliseconds (default: none)",
        number<int>(CINNABAR_FIELD(deadline_ms), 1, 600000)}},
  };
}

Rows editor_rows() {
  return {
      {Group::editor,
       {"enabled", "SWITCH", "on off", "complete at all (default: on)",
        word(parse_switch, CINNABAR_FIELD(completion.enabled), "on, off")}},
      {Group::editor,
       {"automatic", "SWITCH", "on off", "complete while typing; off: only when asked for (default: on)",
        word(parse_switch, CINNABAR_FIELD(completion.automatic), "on, off")}},
      {Group::answer,
       {"multiline", "WHEN", "auto never always", "answers of several lines (default: auto)",
        word(parse_multiline, CINNABAR_FIELD(completion.multiline), "auto, never, always")}},
      {Group::editor,
       {"alternatives", "N", "", "answers to cycle through when asked for (default: 3)",
        number<int>(CINNABAR_FIELD(completion.alternatives), 1, 8)}},
      {Group::editor,
       {"completion", "SWITCH", "on off",
        "answer textDocument/completion, too, for editors without inline completion (default: off)",
        word(parse_switch, CINNABAR_FIELD(completion.menu), "on, off")}},
      {Group::editor,
       {"prefetch", "SWITCH", "on off", "work ahead on what follows the text shown (default: on)",
        word(parse_switch, CINNABAR_FIELD(completion.prefetch), "on, off")}},
      {Group::answer,
       {"eagerness", "HOW", "eager balanced quiet",
        "how sure an answer must be to be shown while typing (default: balanced; of commands that print answers: "
        "eager)",
        word(parse_eagerness, CINNABAR_FIELD(completion.eagerness), "eager, balanced, quiet")}},
      {Group::files,
       {"workspace-context", "SWITCH", "on off",
        "also read the workspace's other files, where it is trusted (default: off)",
        word(parse_switch, CINNABAR_FIELD(completion.context), "on, off")}},
      {Group::editor,
       {"languages", "LIST", "", "NAME=on or NAME=off by language id, * for the rest (default: all on)",
        set_languages}},
      {Group::files,
       {"exclude", "GLOBS", "", "files that are neither completed nor read, with commas between", set_exclude}},
      {Group::editor,
       {"trusted", "SWITCH", "on off", "off: an editor's settings may not choose model and adapter (default: on)",
        word(parse_switch, CINNABAR_FIELD(completion.trusted), "on, off")}},
  };
}

Rows command_rows() {
  return {
      {Group::daemon,
       {"record", "PATH", "",
        "add every request to the model, its text and answer to a file, for a bug report (default: none; see replay)",
        text(CINNABAR_FIELD(record))}},
      {Group::daemon,
       {"idle-unload", "MINUTES", "", "let the model go after so long without requests; 0: never (default: 30)",
        number<int>(CINNABAR_FIELD(idle_unload_minutes), 0, 100000)}},
      {Group::daemon,
       {"idle-exit", "MINUTES", "", "end after so long without clients; 0: never (default: 10)",
        number<int>(CINNABAR_FIELD(place.idle_exit_minutes), 0, 100000)}},
      {Group::place,
       {"socket", "PATH", "", "the daemon's socket (default: cinnabar/cinnabar.sock in $XDG_RUNTIME_DIR)",
        text(CINNABAR_FIELD(place.socket))}},
      {Group::place,
       {"tcp", "PORT", "", "also (lsp: instead) by TCP on 127.0.0.1, with a token",
        number<int>(CINNABAR_FIELD(place.tcp_port), 1, 65535)}},
      {Group::place,
       {"token-file", "PATH", "", "the token of --tcp; made when missing (default: token beside the socket)",
        text(CINNABAR_FIELD(place.token_file))}},
      {Group::proxy,
       {"in-process", "", "", "serve in this process, without a daemon; for debugging",
        flag(CINNABAR_FIELD(place.in_process))}},
      {Group::proxy,
       {"stdio", "", "", "what it does anyway; some editors say it",
        [](Options&, std::string_view) -> std::optional<std::string> { return {}; }}},
      {Group::watch, {"watch", "", "", "draw the answer while it settles", flag(CINNABAR_FIELD(watch))}},
      {Group::stubs,
       {"stubs", "", "", "a stub or a note such as TODO at the place is replaced, as by the code actions",
        flag(CINNABAR_FIELD(stubs))}},
      {Group::explain,
       {"explain", "", "", "say what each stage did, and how long it took", flag(CINNABAR_FIELD(explain))}},
      {Group::json, {"json", "", "", "print JSON", flag(CINNABAR_FIELD(json))}},
      {Group::fill,
       {"diff", "", "", "print what changes, as diff -u does, instead of the new text", flag(CINNABAR_FIELD(diff))}},
      {Group::details,
       {"details", "", "", "also the raw answer, what became of it, and [end, probability, margin] of each token",
        flag(CINNABAR_FIELD(details))}},
      {Group::eval,
       {"answers", "PATH", "", "keep the answers in this file; what is there is not asked again (default: none)",
        text(CINNABAR_FIELD(answers))}},
      {Group::eval,
       {"most", "N", "", "so many new answers at most; 0: say how good those are that are there (default: all)",
        number<int>(CINNABAR_FIELD(most), 0, 1'000'000)}},
      {Group::eval,
       {"into", "PATH", "", "also put the tables into this file, between its marks", text(CINNABAR_FIELD(into))}},
      {Group::bench,
       {"llama-bench", "PATH", "", "a llama-bench binary to run side by side", text(CINNABAR_FIELD(llama_bench))}},
      {Group::bench, {"gguf", "PATH", "", "the file llama-bench gets", text(CINNABAR_FIELD(gguf))}},
  };
}

const Rows& table() {
  static const Rows kTable = [] {
    Rows all;
    for (Rows rows : std::array{model_rows(), decode_rows(), editor_rows(), command_rows()})
      std::move(rows.begin(), rows.end(), std::back_inserter(all));
    return all;
  }();
  return kTable;
}
#undef CINNABAR_FIELD

constexpr unsigned bits(Group group) { return static_cast<unsigned>(group); }
constexpr unsigned kEngine = bits(Group::model) | bits(Group::decode);
constexpr unsigned kEditor = bits(Group::editor) | bits(Group::answer) | bits(Group::files);
constexpr unsigned kServing = kEngine | kEditor | bits(Group::daemon);
constexpr unsigned kPlace = kEngine | bits(Group::answer) | bits(Group::files) | bits(Group::stubs);

void print_help(const Command& command) {
  std::cout << "Usage: cinnabar " << command.name << " [OPTION...] " << command.arguments << "\n"
            << command.help << "\n";
  const auto options = options_of(command);
  if (!options.empty()) std::cout << "\nOptions:\n";
  for (const Option* option : options) {
    std::string left = "  --" + std::string(option->name);
    if (!option->value.empty()) left += " " + std::string(option->value);
    left.resize(std::max<std::size_t>(left.size() + 1, 24), ' ');
    std::cout << left << option->help << (option->choices.empty() ? "" : "; one of: " + std::string(option->choices))
              << "\n";
  }
}

void print_overview(std::ostream& out) {
  out << "Local code completion with a masked-diffusion language model.\n\nUsage: cinnabar COMMAND ...\n\nCommands:\n";
  for (const Command& command : commands()) {
    std::string left = "  " + std::string(command.name) + " " + std::string(command.arguments);
    left.resize(std::max<std::size_t>(left.size() + 2, 32), ' ');
    out << left << command.help.substr(0, command.help.find('\n')) << "\n";
  }
  out << "\n'cinnabar COMMAND --help' lists a command's options. Exit status: 0 done, 1 failed, 2 wrong usage.\n";
}

// For another process, which may stand in another folder.
std::string as_given(const Option& option, std::string_view value) {
  std::string text = "--" + std::string(option.name);
  if (option.value.empty()) return text;
  return text + "=" + (option.value == "PATH" ? std::filesystem::absolute(value).string() : std::string(value));
}

int wrong_usage(const std::string& message) {
  std::cerr << "cinnabar: " << message << "\n'cinnabar --help' lists the commands.\n";
  return 2;
}

}  // namespace

AskOptions ask_options(const Options& options) {
  return {options.completion.multiline, options.by_plan, options.stubs, options.request};
}

AnswerOptions answer_options(const Options& options) { return {options.repairs, options.completion.eagerness, {}}; }

const std::vector<Command>& commands() {
  static const std::vector<Command> kCommands = {
      {"complete", "FILE:LINE:COL", "Fill the hole at a place of a file (line and column count from 1).",
       kPlace | bits(Group::watch) | bits(Group::json) | bits(Group::explain), run_complete},
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
       kEngine | bits(Group::answer) | bits(Group::details), run_infill},
      {"eval typing", "FILE...",
       "Write files key by key in an editor inside this process and say how good what it shows is, by language and by\n"
       "what stands before the cursor. A file holds scripts of tests/typing/make_scripts.py; - is standard input.",
       kEngine | bits(Group::answer) | bits(Group::editor) | bits(Group::eval) | bits(Group::details), run_eval_typing},
      {"eval", "FILE...",
       "Fill holes cut from real code and say how good the answers are, by language, kind and mode.\n"
       "A file holds JSON lines as infill reads them, with \"id\", \"language\", \"kind\" and \"middle\", what stood "
       "in "
       "the hole;\n"
       "- is standard input. One mode is asked at a time; modes whose answers are in one file are compared.",
       kEngine | bits(Group::answer) | bits(Group::eval), run_eval},
      {"fill", "FILE[:FIRST-LAST]",
       "Fill every TODO mark, stub and empty function body of a file, or of some of its lines; print the new text.\n"
       "The file stays as it is.",
       kEngine | bits(Group::fill), run_fill},
      {"prompt", "FILE:LINE:COL",
       "Print what the model would read at a place of a file, part by part, and why each part is there.", kPlace,
       run_prompt},
      {"parse", "--jsonl",
       "Count what does not parse in texts read as JSON lines from standard input.\n"
       "A line: {\"id\",\"text\",\"language\" or \"path\"}; the answer: {\"id\",\"errors\",\"missing\"}, nodes of the "
       "syntax tree.",
       0, run_parse},
      {"plan", "FILE:LINE:COL", "Print what would be filled at a place of a file, without a model.", bits(Group::stubs),
       run_plan},
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
      {"model info", "[PATH]", "Say what a model is: family, sizes, token ids, memory.", bits(Group::json),
       run_model_info},
      {"model list", "", "List the models that are installed.", 0, run_model_list},
      {"model verify", "[PATH]", "Check a model's parts against their checksums.", 0, run_model_verify},
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
  return kCommands;
}

std::vector<const Option*> options_of(const Command& command) {
  std::vector<const Option*> options;
  for (const auto& [group, option] : table()) {
    if ((command.groups & bits(group)) != 0) options.push_back(&option);
  }
  return options;
}

std::vector<const Option*> editor_options() {
  constexpr unsigned kGroups = kEngine | kEditor;
  std::vector<const Option*> options;
  for (const auto& [group, option] : table()) {
    if ((kGroups & bits(group)) != 0) options.push_back(&option);
  }
  return options;
}

std::string json_key(const Option& option) {
  std::string key;
  for (std::size_t i = 0; i < option.name.size(); ++i) {
    const bool after_dash = i > 0 && option.name[i - 1] == '-';
    const char c = option.name[i];
    if (c != '-') key += after_dash ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return key;
}

Result<Options> parse_options(const Command& command, const std::vector<std::string>& arguments, std::size_t first,
                              Options start) {
  Options parsed = std::move(start);
  const auto options = options_of(command);
  bool only_positional = false;
  for (std::size_t i = first; i < arguments.size(); ++i) {
    std::string_view argument = arguments[i];
    if (argument == "--jsonl") continue;  // the only form there is; named so that others can come
    if (only_positional || !argument.starts_with("--")) {
      parsed.arguments.emplace_back(argument);
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
      return Status::error(std::string(command.name) + " has no option --" + std::string(name));
    std::string_view value = equals == std::string_view::npos ? std::string_view() : argument.substr(equals + 1);
    if (!(*found)->value.empty() && equals == std::string_view::npos) {
      if (++i == arguments.size())
        return Status::error("--" + std::string(name) + " needs a value: " + std::string((*found)->value));
      value = arguments[i];
    }
    if (const auto wrong = (*found)->access.set(parsed, value)) {
      return Status::error("--" + std::string(name) + " is '" + std::string(value) + "', " + *wrong);
    }
    parsed.given.push_back(as_given(**found, value));
  }
  return parsed;
}

int run_command_line(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    print_overview(std::cerr);
    return 2;
  }
  if (arguments[0] == "--help" || arguments[0] == "help") {
    print_overview(std::cout);
    return 0;
  }
  if (arguments[0] == "--version") {
    std::cout << "cinnabar " << kVersion << "\n";
    return 0;
  }
  for (const Command& command : commands()) {
    const std::size_t space = command.name.find(' ');
    const bool two = space != std::string_view::npos;
    if (arguments[0] != command.name.substr(0, space)) continue;
    if (two && (arguments.size() < 2 || arguments[1] != command.name.substr(space + 1))) continue;
    const std::size_t first = two ? 2 : 1;
    if (std::find(arguments.begin(), arguments.end(), "--help") != arguments.end()) {
      print_help(command);
      return 0;
    }
    Options start;  // what a command prints was asked for
    if ((command.groups & bits(Group::editor)) == 0) start.completion.eagerness = Eagerness::eager;
    auto options = parse_options(command, arguments, first, std::move(start));
    if (!options) return wrong_usage(options.message());
    return command.run(*options);
  }
  return wrong_usage("no command '" + arguments[0] + (arguments.size() > 1 ? " " + arguments[1] : "") + "'");
}

std::string completion_script(std::string_view shell) {
  if (shell == "fish") return fish_completion();
  if (shell != "bash" && shell != "zsh") return {};
  std::string script = shell == "zsh" ? "#compdef cinnabar\nautoload -U +X bashcompinit && bashcompinit\n" : "";
  script +=
      "_cinnabar() {\n  local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD-1]}\n  case \"$last\" in\n";
  for (const auto& [group, option] : table()) {
    if (!option.choices.empty()) {
      script += "    --" + std::string(option.name) + ") COMPREPLY=($(compgen -W '" + std::string(option.choices) +
                "' -- \"$word\")); return;;\n";
    }
  }
  script += "  esac\n  case \"${COMP_WORDS[1]} ${COMP_WORDS[2]}\" in\n";
  std::string first_words;
  std::map<std::string, std::string> second_words;
  for (const Command& command : commands()) {
    const std::size_t space = command.name.find(' ');
    const std::string first(command.name.substr(0, space));
    if (first_words.find(first + " ") == std::string::npos) first_words += first + " ";
    if (space != std::string_view::npos) second_words[first] += std::string(command.name.substr(space + 1)) + " ";
    std::string words;
    for (const Option* option : options_of(command)) words += "--" + std::string(option->name) + " ";
    script += "    '" + std::string(command.name) + "'" + (space == std::string_view::npos ? "\\ *" : "*") +
              ") COMPREPLY=($(compgen -W '" + words + "--help' -- \"$word\") $(compgen -f -- \"$word\")); return;;\n";
  }
  script += "  esac\n  case \"${COMP_WORDS[1]}\" in\n";
  for (const auto& [first, words] : second_words) {
    script += "    " + first + ") COMPREPLY=($(compgen -W '" + words + "' -- \"$word\")); return;;\n";
  }
  script += "  esac\n";
  script += "  COMPREPLY=($(compgen -W '" + first_words +
            "--help --version' -- \"$word\"))\n}\ncomplete -F _cinnabar cinnabar\n";
  // Installed for zsh the script is an autoloaded function, which has to answer the first time, too.
  if (shell == "zsh") script += "[[ ${funcstack[1]} == _cinnabar ]] && _bash_complete -F _cinnabar\n";
  return script;
}

}  // namespace cinnabar::daemon
