// What can be set, as data: every option with its default and help stands in one table, from which the command line
// (daemon/commands/command_line.h), its help and the editors' settings (settings.h) come.
//
// They are divided by how long they hold. Only those of the model make another one of the one that is loaded. Main
// thread only.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/completion/answer.h"
#include "daemon/completion/ask.h"
#include "daemon/config/model_options.h"
#include "daemon/config/place_options.h"
#include "daemon/editing/next_edit_form.h"

namespace cinnabar::daemon {

// Of each request, whoever asks: a change never loads a model anew.
struct RequestOptions {
  engine::InfillRequest defaults;  // all that does not depend on the place
  bool by_plan = true;             // the syntax tree says where an answer ends; else defaults.end
  Multiline multiline = Multiline::automatic;
  Eagerness eagerness = Eagerness::balanced;
  int repairs = 2;      // times that an answer which does not parse is asked for again from where it went wrong
  int deadline_ms = 0;  // the answer so far is given then; 0: none of the user's own
  GateWeights gate;     // no option: of the model that answers
  NextEditForm next_edit_form = NextEditForm::proposals;  // the same
};

// When an editor gets something to show, and of which files.
struct EditorOptions {
  bool enabled = true;
  bool automatic = true;                  // while typing; false: only when asked for
  int alternatives = 3;                   // answers when asked for, to cycle through
  bool menu = false;                      // answer textDocument/completion, too
  bool prefetch = true;                   // work on what follows the text shown, before it is accepted
  std::map<std::string, bool> languages;  // by LSP's language id, "*" for the rest; not named: on
  std::vector<std::string> exclude;       // globs over paths; these files are neither completed nor read
  bool context = false;                   // text of the workspace's other files is read, too
  bool next_edit = true;                  // suggest the next edit where a client asks for it
  bool trusted = true;  // false: the workspace is a stranger's, so its settings may not choose what the daemon loads
};

// Of one run of a command; no session reads them.
struct CommandOptions {
  bool watch = false;    // complete: draw the answer while it settles
  bool explain = false;  // complete: what each stage did
  bool stubs = false;    // a stub at the place may be replaced
  bool json = false;
  bool diff = false;                   // fill: print what changes
  bool trajectory = false;             // infill: the canvas after every forward
  bool details = false;                // infill: what was said before it was judged, and how sure the model was
  std::string answers, logits;         // eval: where they are kept; infill: the file that judged rows' logits go to
  std::string into;                    // eval: a file with marks between which the tables go
  int most = 1'000'000;                // eval: new answers at most
  double least = 0;                    // eval edits: a lower score of next edits is a failure
  std::string llama_bench, gguf;       // bench: a llama-bench binary to run side by side, and the file it gets
  std::vector<std::string> arguments;  // positional
  std::vector<std::string> given;      // the options as they were set, "--name=value"; paths are absolute
  bool yes = false, undo = false;      // setup
};

// Everything that can be set. Zero or empty: the default named in the help.
struct Options {
  ModelOptions model;
  RequestOptions request;
  EditorOptions editor;
  PlaceOptions place;
  int idle_unload_minutes = 30;             // daemon: 0: never
  std::set<std::string, std::less<>> said;  // names of options that were set, which the quality leaves alone
  std::string record;                       // daemon: the file that requests to the model are recorded in; empty: none
  CommandOptions command;
};

// The user's deadline, or `otherwise`.
std::chrono::milliseconds deadline_of(const RequestOptions& options, std::chrono::milliseconds otherwise);
// Gives drafts, repairs and alternatives what model.quality means, where nothing was said of them.
void apply_quality(Options& options);

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
constexpr unsigned bit(engine::Decoder decoder) { return 1U << static_cast<unsigned>(decoder); }
inline constexpr unsigned kAnyDecoder = ~0U;

// One option: `--name VALUE`, or a flag when `value` is empty.
struct Option {
  std::string_view name;
  std::string_view value;    // what stands for the value in the help: "N", "PATH"; empty: a flag
  std::string_view choices;  // "a b c" for completion; may be empty
  std::string_view help;
  Access access;
  unsigned takers = kAnyDecoder;    // bits of the decoders that take it
  std::string_view otherwise = {};  // why the others do not, in a sentence's end
  bool needs_expand = false;        // only of models whose tokens lengthen and shorten a hole
};

enum class Group : std::uint32_t {
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
  setup = 65536,
  judge_edits = 131072
};

constexpr unsigned bits(Group group) { return static_cast<unsigned>(group); }
inline constexpr unsigned kEngineGroups = bits(Group::model) | bits(Group::decode);
inline constexpr unsigned kEditorGroups = bits(Group::editor) | bits(Group::answer) | bits(Group::files);

// The options of some groups (Group bits), in order.
std::vector<const Option*> options_in(unsigned groups);
// Those that an editor may set under `cinnabar`; written as JSON writes them: "deadline-ms" is cinnabar.deadlineMs.
std::vector<const Option*> editor_options();
std::string json_key(const Option& option);
// Why an option is of no use where a model decodes so, in a sentence's end; empty: it is of use.
std::string why_useless(const Option& option, const engine::Way& way);

}  // namespace cinnabar::daemon
