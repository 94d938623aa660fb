// The command line as data: every command, its options, their defaults and help stand in one table, from which parsing,
// --help and the shell completions come.
//
// Main thread only.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "daemon/completion/answer.h"
#include "daemon/completion/ask.h"
#include "engine/engine.h"

namespace cinnabar::daemon {

// When an editor gets something to show, and how much.
struct CompletionOptions {
  bool enabled = true;
  bool automatic = true;  // while typing; false: only when asked for
  Multiline multiline = Multiline::automatic;
  int alternatives = 3;                   // answers when asked for, to cycle through
  bool menu = false;                      // answer textDocument/completion, too
  bool prefetch = true;                   // work on what follows the text shown, before it is accepted
  std::map<std::string, bool> languages;  // by LSP's language id, "*" for the rest; not named: on
  std::vector<std::string> exclude;       // globs over paths; these files are neither completed nor read
  Eagerness eagerness = Eagerness::balanced;
  bool context = false;  // text of the workspace's other files is read, too
  bool next_edit = true; // suggest the next edit where a client asks for it
  bool trusted = true;   // false: the workspace is a stranger's, so its settings may not choose what the daemon loads
};

// Where the daemon is, for those who serve and those who call.
struct PlaceOptions {
  std::string socket;          // empty: the user's own (carrier/socket.h)
  int tcp_port = 0;            // 0: none
  std::string token_file;      // of TCP; empty: "token" beside the socket
  int idle_exit_minutes = 10;  // 0: never
  bool in_process = false;     // lsp: serve in this process, without a daemon
};

// Everything the command line can set. Zero or empty: the default named in the help.
struct Options {
  engine::EngineOptions engine;
  engine::InfillRequest request;
  CompletionOptions completion;
  PlaceOptions place;
  bool by_plan = true;  // the syntax tree says where an answer ends; else request.end
  int repairs = 2;      // times that an answer which does not parse is asked for again from where it went wrong
  int deadline_ms = 0;
  int idle_unload_minutes = 30;  // 0: never
  std::string record;            // the file that requests to the model are recorded in; empty: none
  bool watch = false;
  bool explain = false;  // complete: what each stage did
  bool stubs = false;    // a stub at the place may be replaced
  bool json = false;
  bool diff = false;                   // fill: print what changes
  bool trajectory = false;             // infill: the canvas after every forward
  bool details = false;                // infill: what was said before it was judged, and how sure the model was
  std::string answers;                 // eval: where they are kept
  std::string into;                    // eval: a file with marks between which the tables go
  int most = 1'000'000;                // eval: new answers at most
  std::string llama_bench;             // bench: a llama-bench binary to run side by side
  std::string gguf;                    // bench: the file it gets
  std::vector<std::string> arguments;  // positional
  std::vector<std::string> given;      // the options as they were set, "--name=value"; paths are absolute
  bool yes = false, undo = false;      // setup
};

// How a place is asked about, and what becomes of its answer.
AskOptions ask_options(const Options& options);
AnswerOptions answer_options(const Options& options);

// How an option's value gets into Options and out again. `set` returns what is wrong with a value, or nothing; `get`
// gives what `set` would read, and is empty where nobody asks.
struct Access {
  using Set = std::function<std::optional<std::string>(Options&, std::string_view)>;
  using Get = std::function<std::string(const Options&)>;
  Access(Set setter, Get getter) : set(std::move(setter)), get(std::move(getter)) {}
  template <typename F>
  Access(F setter) : set(std::move(setter)) {}  // NOLINT: implicit by design

  Set set;
  Get get;
};

// One option: `--name VALUE`, or a flag when `value` is empty.
struct Option {
  std::string_view name;
  std::string_view value;    // what stands for the value in the help: "N", "PATH"; empty: a flag
  std::string_view choices;  // "a b c" for completion; may be empty
  std::string_view help;
  Access access;
};

enum class Group : std::uint32_t {
  none = 0,
  model = 1,
  decode = 2,
  watch = 4,
  json = 8,
  bench = 16,
  editor = 32,
  daemon = 64,
  place = 128,
  proxy = 256,
  fill = 512,
  details = 1024,
  eval = 2048,
  answer = 4096,  // what is shown of answers
  files = 8192,   // text of other files
  stubs = 16384,
  explain = 32768,
  setup = 65536
};

struct Command {
  std::string_view name;       // "complete", "model info"
  std::string_view arguments;  // "FILE:LINE:COL"
  std::string_view help;
  unsigned groups;       // Group bits: which options it takes
  int (*run)(Options&);  // the exit status: 0 done, 1 failed, 2 wrong usage
};

const std::vector<Command>& commands();
std::vector<const Option*> options_of(const Command& command);

// The options that an editor may set under `cinnabar`: model, decode and editor. Same names, written as JSON writes
// them: "deadline-ms" is cinnabar.deadlineMs.
std::vector<const Option*> editor_options();
std::string json_key(const Option& option);

// Parses and runs; prints help, usage errors and nothing else itself. `arguments` without the program's name.
int run_command_line(const std::vector<std::string>& arguments);

// "--stop=hole", "--stop hole"; `--` ends options. What is not said is as in `start`. Fails with a sentence that names
// the option and what it expects.
Result<Options> parse_options(const Command& command, const std::vector<std::string>& arguments, std::size_t first,
                              Options start = {});

// Completion script for "bash", "zsh" or "fish"; empty for another shell.
std::string completion_script(std::string_view shell);

}  // namespace cinnabar::daemon
