#include "daemon/config/options.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <map>

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

// Nothing for a wrong word; for "auto" an arithmetic that is chosen when the model is loaded.
std::optional<std::optional<kernels::Compute>> parse_compute(std::string_view value) {
  using Compute = std::optional<kernels::Compute>;
  if (value == "auto") return std::make_optional(Compute());
  if (value == "int4") return Compute(kernels::Compute::int4);
  if (value == "narrow") return Compute(kernels::Compute::narrow);
  if (value == "int8") return Compute(kernels::Compute::int8);
  if (value == "bf16") return Compute(kernels::Compute::bf16);
  if (value == "f32") return Compute(kernels::Compute::f32);
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
  options.editor.languages = std::move(languages);
  return std::nullopt;
}

std::optional<std::string> set_exclude(Options& options, std::string_view value) {
  options.editor.exclude.clear();
  for (const std::string_view glob : split(value, ',')) options.editor.exclude.emplace_back(glob);
  return std::nullopt;
}

std::optional<std::string> set_stop(Options& options, std::string_view value) {
  options.request.by_plan = value == "plan";
  if (options.request.by_plan) return std::nullopt;
  const auto rule = engine::parse_end_rule(value);
  if (!rule) return "expected one of plan, line, block, hole";
  options.request.defaults.end = *rule;
  return std::nullopt;
}

constexpr std::size_t kLeastPrompt = 500, kMostPrompt = 64'000;  // bytes

std::optional<std::string> set_prompt(Options& options, std::string_view value) {
  std::size_t bytes = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), bytes);
  if (error != std::errc() || end != value.data() + value.size() || bytes < kLeastPrompt || bytes > kMostPrompt)
    return "expected a number from " + std::to_string(kLeastPrompt) + " to " + std::to_string(kMostPrompt);
  options.request.defaults.budget = engine::budget_of(bytes);
  return std::nullopt;
}

std::string get_prompt(const Options& options) {
  return std::to_string(options.request.defaults.budget.prefix_bytes + options.request.defaults.budget.suffix_bytes);
}

std::optional<std::string> set_device(Options& options, std::string_view value) {
  const auto choice = engine::parse_device(value);
  if (!choice) return "expected one of auto, cpu, cuda, cuda:N";
  options.model.device.choice = *choice;
  return std::nullopt;
}

std::string get_device(const Options& options) { return name(options.model.device.choice); }

std::string get_stop(const Options& options) {
  if (options.request.by_plan) return "plan";
  for (const char* rule : {"line", "block", "hole"}) {
    if (engine::parse_end_rule(rule) == options.request.defaults.end) return rule;
  }
  return {};
}

#define CINNABAR_FIELD(field) ([](auto& o) -> auto& { return o.field; })

using Rows = std::vector<std::pair<Group, Option>>;

Rows model_rows() {
  return {
      {Group::model,
       {"model", "MODEL", "",
        "a model's name ('cinnabar model list'), file or folder (default: as 'cinnabar model use' has chosen, else the "
        "embedded one)",
        text(CINNABAR_FIELD(model.model))}},
      {Group::model,
       {"quality", "HOW", "fast balanced best",
        "how good answers are to be, against how soon: chooses model, mode, drafts, repairs and alternatives where "
        "nothing is said of them (default: balanced)",
        word(parse_quality, CINNABAR_FIELD(model.quality), "fast, balanced, best")}},
      {Group::model,
       {"adapter", "PATH", "", "LoRA adapter, GGUF or PEFT folder; none: not even adapter.gguf in the model's folder",
        text(CINNABAR_FIELD(model.adapter))}},
      {Group::model,
       {"device", "NAME", "auto cpu cuda cuda:0 cuda:1 cuda:2 cuda:3",
        "what computes: cuda:N is the GPU of that number, cuda the one with the most free memory (default: auto, that "
        "one where it can be used)",
        Access(set_device, get_device)}},
      {Group::model,
       {"threads", "N", "", "CPU threads (default: physical cores)",
        number<int>(CINNABAR_FIELD(model.device.cpu.threads), 0, 256)}},
      {Group::model,
       {"isa", "NAME", "plain neon neon_dot neon_i8mm avx2 avx_vnni avx512 avx512_bf16 amx",
        "instruction set (default: the best there is)",
        word(kernels::cpu::parse_isa, CINNABAR_FIELD(model.device.cpu.isa),
             "plain, neon, neon_dot, neon_i8mm, avx2, avx_vnni, avx512, avx512_bf16, amx")}},
      {Group::model,
       {"compute", "TYPE", "auto int4 narrow int8 bf16 f32",
        "arithmetic of the matrix products; int4 is for a GPU that holds no more, the CPU computes with its weights in "
        "bf16; narrow is int8 on the CPU from weights that keep a file's 4 to 6 bits, for less memory and more work "
        "(default: auto, int8 where that fits in the GPU's memory, and on the CPU takes 3 GiB at most)",
        word(parse_compute, CINNABAR_FIELD(model.compute), "auto, int4, narrow, int8, bf16, f32")}},
      {Group::model,
       {"context", "N", "", "tokens of keys and values kept for a place (default: 4096)",
        number<std::int64_t>(CINNABAR_FIELD(model.context), 256, 32768)}},
      {Group::model,
       {"prompt-bytes", "N", "",
        "of the text around the cursor that the model reads, three quarters in front of it; less is quicker where a "
        "place is new (default: 8000; in editors fewer where this device reads them too slowly)",
        Access(set_prompt, get_prompt)}},
  };
}

using engine::Decoder;

// What a denoiser may be told (engine/decoding/denoise_options.h).
Access denoise(std::string_view name) {
  const engine::DenoiseField* field = engine::find_denoise_field(name);
  const auto set = [=](Options& options, std::string_view value) {
    return engine::set_field(*field, value, options.request.defaults.denoise);
  };
  return {set, [=](const Options& options) { return engine::get_field(*field, options.request.defaults.denoise); }};
}

constexpr unsigned kInPlace = bit(Decoder::in_place);
constexpr unsigned kBlocks = bit(Decoder::block) | bit(Decoder::tiled);
constexpr unsigned kMasks = kInPlace | kBlocks;
constexpr unsigned kDrafts = bit(Decoder::verified) | bit(Decoder::remasking);
constexpr std::string_view kNoDrafts =
    "is a matter of drafts that are verified, which this mode has none of; --mode verified has";
constexpr std::string_view kNoMasks =
    "says which masked positions a step commits, and this decoding has no masks of its own; --mode diffusion has, "
    "where no gated adapter is";
constexpr std::string_view kNotInPlace =
    "is a matter of models that see both sides of a hole on one canvas (full attention), which this one does not";

// Of models that denoise. What nobody says is as in the model's model.json, else as its authors decode it.
Rows denoise_rows() {
  return {
      {Group::decode,
       {"threshold", "P", "",
        "confidence that commits a position in diffusion mode; under a gated adapter, that ends an answer unread "
        "(default: the model's, else 0.9)",
        denoise("threshold"), kMasks | bit(Decoder::remasking),
        "says when a masked position is sure enough, and this decoding has no masks; --mode diffusion has"}},
      {Group::decode,
       {"factor", "F", "",
        "instead of a threshold: position r by falling confidence is committed from 1 - F / (r + 1) on",
        denoise("factor"), kMasks, kNoMasks}},
      {Group::decode,
       {"entropy-bound", "H", "",
        "instead of a threshold: positions by rising entropy while its sum stays below H nats",
        denoise("entropy-bound"), kMasks, kNoMasks}},
      {Group::decode,
       {"quota", "N", "", "positions that a step commits; with --threshold: at least", denoise("quota"), kMasks,
        kNoMasks}},
      {Group::decode,
       {"steps", "N", "", "steps that a block's positions are divided by; with --threshold: at most so many",
        denoise("steps"), kMasks, kNoMasks}},
      {Group::decode,
       {"schedule", "NAME", "even timestep",
        "how --steps divide a block: evenly, or by Dream's time steps (default: the model's, else even)",
        denoise("schedule"), kInPlace, kNotInPlace}},
      {Group::decode,
       {"confidence", "KIND", "probability margin entropy random",
        "what makes a position sure: its token's probability, that less the second's, little entropy, or chance "
        "(default: the model's, else probability)",
        denoise("confidence"), kMasks, kNoMasks}},
      {Group::decode,
       {"position-temperature", "T", "",
        "draw the positions that --quota or --steps count by their confidence, more evenly the higher T is; 0: the "
        "surest (default: 0)",
        denoise("position-temperature"), kMasks, kNoMasks}},
      {Group::decode,
       {"guidance", "W", "",
        "move each step's prediction so far away from that without the text around the hole, which doubles its cost "
        "(default: 0)",
        denoise("guidance"), kInPlace, kNotInPlace}},
      {Group::decode,
       {"block", "N", "", "block length in diffusion mode (default: the model's, in place 32)", denoise("block"),
        kInPlace | bit(Decoder::block) | bit(Decoder::remasking),
        "is the length of a block of masks, which this model or mode does not leave open"}},
      {Group::decode,
       {"sub-block", "N", "", "positions of a block that are denoised before those after them (default: the model's)",
        denoise("sub-block"), kBlocks,
        "divides the blocks of a model that denoises block by block, which this is not"}},
      {Group::decode,
       {"reuse", "WHAT", "exact prefix dual",
        "keys and values that a block keeps from its first step on: none, the text's before it, or also the text's "
        "behind it (default: exact)",
        denoise("reuse"), kInPlace, kNotInPlace}},
      {Group::decode,
       {"length-search", "SWITCH", "on off",
        "try some lengths of a hole, a forward each, and take the one whose masks are the surest for it (default: on "
        "where the model cannot change the length)",
        denoise("length-search"), kInPlace, kNotInPlace}},
      {Group::decode,
       {"first-length", "N", "",
        "masks that a hole begins with (default: 16 where the model can change that; else by --length-search)",
        denoise("first-length"), kInPlace, kNotInPlace}},
      {Group::decode,
       {"expand", "SWITCH", "on off", "let the model lengthen and shorten a hole (default: on)", denoise("expand"),
        kInPlace, kNotInPlace, true}},
      {Group::decode,
       {"longest-hole", "N", "", "masks up to which the model may lengthen a hole (default: 128)",
        denoise("longest-hole"), kInPlace, kNotInPlace, true}},
      {Group::decode,
       {"broadcast", "SWITCH", "on off",
        "a place that the model takes away takes the masks behind it along, where nothing else is (default: off)",
        denoise("broadcast"), kInPlace, kNotInPlace, true}},
  };
}

Rows remask_rows() {
  return {
      {Group::decode,
       {"remask", "RULE", "none p2 remdm wino",
        "which committed positions are masked again: none; by p2 all but a surest share, which grows with the steps; "
        "by remdm the least sure of a block that is nearly full; by wino those that another mask there doubts "
        "(default: the model's, else none)",
        denoise("remask"), kInPlace, kNotInPlace}},
      {Group::decode,
       {"remask-count", "N", "", "positions that a step masks again by remdm (default: 1)", denoise("remask-count"),
        kInPlace, kNotInPlace}},
      {Group::decode,
       {"remask-steps", "N", "",
        "steps of a block that mask again by remdm (default: as many as the block has positions)",
        denoise("remask-steps"), kInPlace, kNotInPlace}},
      {Group::decode,
       {"remask-threshold", "P", "", "probability below which wino doubts a token (default: 0.9)",
        denoise("remask-threshold"), kInPlace, kNotInPlace}},
  };
}

Rows decode_rows() {
  return {
      {Group::decode,
       {"mode", "MODE", "auto verified autoregressive diffusion", "how tokens are decided (default: auto)",
        word(engine::parse_mode, CINNABAR_FIELD(request.defaults.mode), "auto, verified, autoregressive, diffusion")}},
      {Group::decode,
       {"stop", "RULE", "plan line block hole",
        "where the answer ends (default: plan, which the syntax tree makes; where there is none, line)",
        Access(set_stop, get_stop)}},
      {Group::decode,
       {"max-tokens", "N", "", "longest answer (default: 128)",
        number<int>(CINNABAR_FIELD(request.defaults.max_tokens), 1, 1024)}},
      {Group::decode,
       {"draft", "N", "", "draft tokens a forward; -1: what this device runs nearly for free (default: -1)",
        number<int>(CINNABAR_FIELD(request.defaults.drafts.limit), -1, 64), kDrafts, kNoDrafts}},
      {Group::decode,
       {"lookup", "SWITCH", "on off", "drafts from text that repeats (default: on)",
        word(parse_switch, CINNABAR_FIELD(request.defaults.drafts.lookup), "on, off"), kDrafts, kNoDrafts}},
      {Group::decode,
       {"keep", "R", "",
        "diffusion mode under a gated adapter: a denoised token stays if the base gives it this share of the "
        "probability of its best one (default: 0.7)",
        number<float>(CINNABAR_FIELD(request.defaults.keep), 0.0f, 1.0f), bit(Decoder::remasking),
        "is a matter of a gated adapter in diffusion mode, which is not under way"}},
      {Group::decode,
       {"temperature", "T", "", "0: the most probable token (default)",
        number<float>(CINNABAR_FIELD(request.defaults.sampling.temperature), 0.0f, 5.0f)}},
      {Group::decode,
       {"top-p", "P", "",
        "only the most probable tokens that together have this share of the probability may be chosen (default: 1)",
        number<float>(CINNABAR_FIELD(request.defaults.sampling.top_p), 0.001f, 1.0f)}},
      {Group::decode,
       {"top-k", "N", "", "only so many of the most probable tokens may be chosen; 0: all (default: 0)",
        number<int>(CINNABAR_FIELD(request.defaults.sampling.top_k), 0, 1'000'000)}},
      {Group::decode,
       {"seed", "N", "", "of the sampling noise (default: 0)",
        number<std::uint64_t>(CINNABAR_FIELD(request.defaults.sampling.seed), 0, ~std::uint64_t{0})}},
      {Group::decode,
       {"candidates", "N", "", "answers asked for (default: 1)",
        number<int>(CINNABAR_FIELD(request.defaults.candidates), 1, 8)}},
      {Group::decode,
       {"repairs", "N", "",
        "times that an answer which does not parse is tried again from where it went wrong (default: 2)",
        number<int>(CINNABAR_FIELD(request.repairs), 0, 8)}},
      {Group::decode,
       {"deadline-ms", "N", "", "give what is there after so many milliseconds (default: none)",
        number<int>(CINNABAR_FIELD(request.deadline_ms), 1, 600000)}},
  };
}

Rows editor_rows() {
  return {
      {Group::editor,
       {"enabled", "SWITCH", "on off", "complete at all (default: on)",
        word(parse_switch, CINNABAR_FIELD(editor.enabled), "on, off")}},
      {Group::editor,
       {"automatic", "SWITCH", "on off", "complete while typing; off: only when asked for (default: on)",
        word(parse_switch, CINNABAR_FIELD(editor.automatic), "on, off")}},
      {Group::answer,
       {"multiline", "WHEN", "auto never always", "answers of several lines (default: auto)",
        word(parse_multiline, CINNABAR_FIELD(request.multiline), "auto, never, always")}},
      {Group::editor,
       {"alternatives", "N", "", "answers to cycle through when asked for (default: 3)",
        number<int>(CINNABAR_FIELD(editor.alternatives), 1, 8)}},
      {Group::editor,
       {"completion", "SWITCH", "on off",
        "answer textDocument/completion, too, for editors without inline completion (default: off)",
        word(parse_switch, CINNABAR_FIELD(editor.menu), "on, off")}},
      {Group::editor,
       {"prefetch", "SWITCH", "on off", "work ahead on what follows the text shown (default: on)",
        word(parse_switch, CINNABAR_FIELD(editor.prefetch), "on, off")}},
      {Group::editor,
       {"next-edit", "SWITCH", "on off", "suggest the next edit to clients that ask for one (default: on)",
        word(parse_switch, CINNABAR_FIELD(editor.next_edit), "on, off")}},
      {Group::answer,
       {"eagerness", "HOW", "eager balanced quiet",
        "how sure an answer must be to be shown while typing (default: balanced; of commands that print answers: "
        "eager)",
        word(parse_eagerness, CINNABAR_FIELD(request.eagerness), "eager, balanced, quiet")}},
      {Group::files,
       {"workspace-context", "SWITCH", "on off",
        "also read the workspace's other files, where it is trusted (default: off)",
        word(parse_switch, CINNABAR_FIELD(editor.context), "on, off")}},
      {Group::editor,
       {"languages", "LIST", "", "NAME=on or NAME=off by language id, * for the rest (default: all on)",
        set_languages}},
      {Group::files,
       {"exclude", "GLOBS", "", "files that are neither completed nor read, with commas between", set_exclude}},
      {Group::editor,
       {"trusted", "SWITCH", "on off", "off: an editor's settings may not choose model and adapter (default: on)",
        word(parse_switch, CINNABAR_FIELD(editor.trusted), "on, off")}},
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
       {"token-file", "PATH", "",
        "the token of --tcp, new at each start of a daemon (default: token beside the socket)",
        text(CINNABAR_FIELD(place.token_file))}},
      {Group::proxy,
       {"in-process", "", "", "serve in this process, without a daemon; for debugging",
        flag(CINNABAR_FIELD(place.in_process))}},
      {Group::proxy,
       {"stdio", "", "", "what it does anyway; some editors say it",
        [](Options&, std::string_view) -> std::optional<std::string> { return {}; }}},
      {Group::watch, {"watch", "", "", "draw the answer while it settles", flag(CINNABAR_FIELD(command.watch))}},
      {Group::stubs,
       {"stubs", "", "", "a stub or a note such as TODO at the place is replaced, as by the code actions",
        flag(CINNABAR_FIELD(command.stubs))}},
      {Group::explain,
       {"explain", "", "", "say what each stage did and how long", flag(CINNABAR_FIELD(command.explain))}},
      {Group::json, {"json", "", "", "print JSON", flag(CINNABAR_FIELD(command.json))}},
      {Group::fill,
       {"diff", "", "", "print what changes, as diff -u does, instead of the new text",
        flag(CINNABAR_FIELD(command.diff))}},
      {Group::details,
       {"details", "", "", "also the raw answer, its fate, and [end, probability, margin] of each token",
        flag(CINNABAR_FIELD(command.details))}},
      {Group::details,
       {"trajectory", "", "", "also the prompt's tokens, and the canvas after every forward",
        flag(CINNABAR_FIELD(command.trajectory))}},
      {Group::details,
       {"logits", "PATH", "",
        "add the logits of every row that is judged to this file, as 32-bit floats; the answer says which rows "
        "(default: none)",
        text(CINNABAR_FIELD(command.logits))}},
      {Group::eval,
       {"answers", "PATH", "", "keep the answers in this file; what is there is not asked again (default: none)",
        text(CINNABAR_FIELD(command.answers))}},
      {Group::eval,
       {"most", "N", "", "so many new answers at most; 0: say how good those are that are there (default: all)",
        number<int>(CINNABAR_FIELD(command.most), 0, 1'000'000)}},
      {Group::eval,
       {"into", "PATH", "", "also put the tables into this file, between its marks",
        text(CINNABAR_FIELD(command.into))}},
      {Group::judge_edits,
       {"least", "SCORE", "", "a score of next edits below this is a failure (default: 0)",
        number<double>(CINNABAR_FIELD(command.least), 0.0, 1.0)}},
      {Group::judge_edits,
       {"into", "PATH", "", "also put the tables into this file, between its marks",
        text(CINNABAR_FIELD(command.into))}},
      {Group::setup, {"yes", "", "", "do it without asking", flag(CINNABAR_FIELD(command.yes))}},
      {Group::setup, {"undo", "", "", "take back what setup did", flag(CINNABAR_FIELD(command.undo))}},
      {Group::bench,
       {"llama-bench", "PATH", "", "a llama-bench binary to run side by side",
        text(CINNABAR_FIELD(command.llama_bench))}},
      {Group::bench, {"gguf", "PATH", "", "the file llama-bench gets", text(CINNABAR_FIELD(command.gguf))}},
  };
}

const Rows& table() {
  static const Rows kTable = [] {
    Rows all;
    for (Rows rows :
         std::array{model_rows(), decode_rows(), denoise_rows(), remask_rows(), editor_rows(), command_rows()})
      std::move(rows.begin(), rows.end(), std::back_inserter(all));
    return all;
  }();
  return kTable;
}
#undef CINNABAR_FIELD

}  // namespace

bool same_model(const ModelOptions& a, const ModelOptions& b) {
  return a.model == b.model && a.adapter == b.adapter && a.device.choice == b.device.choice &&
         a.device.cpu.threads == b.device.cpu.threads && a.device.cpu.isa == b.device.cpu.isa &&
         a.compute == b.compute && a.context == b.context && a.quality == b.quality;
}

void apply_quality(Options& options) {
  const QualityChoice& choice = choice_of(options.model.quality);
  if (!options.said.contains("draft")) options.request.defaults.drafts.limit = choice.drafts;
  if (!options.said.contains("repairs")) options.request.repairs = choice.repairs;
  if (!options.said.contains("alternatives")) options.editor.alternatives = choice.alternatives;
}

std::chrono::milliseconds deadline_of(const RequestOptions& options, std::chrono::milliseconds otherwise) {
  return options.deadline_ms > 0 ? std::chrono::milliseconds(options.deadline_ms) : otherwise;
}

AskOptions ask_options(const Options& options) {
  const RequestOptions& request = options.request;
  return {request.multiline, request.by_plan, options.command.stubs, request.defaults};
}

AnswerOptions answer_options(const Options& options) {
  return {options.request.repairs, options.request.eagerness, options.request.gate, {}};
}

std::vector<const Option*> options_in(unsigned groups) {
  std::vector<const Option*> options;
  for (const auto& [group, option] : table()) {
    if ((groups & bits(group)) != 0) options.push_back(&option);
  }
  return options;
}

std::vector<const Option*> editor_options() { return options_in(kEngineGroups | kEditorGroups); }

std::string json_key(const Option& option) {
  std::string key;
  for (std::size_t i = 0; i < option.name.size(); ++i) {
    const bool after_dash = i > 0 && option.name[i - 1] == '-';
    const char c = option.name[i];
    if (c != '-') key += after_dash ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return key;
}

std::string why_useless(const Option& option, const engine::Way& way) {
  if ((option.takers & bit(way.decoder)) == 0) return std::string(option.otherwise);
  if (option.needs_expand && !way.expands)
    return "is a matter of tokens that lengthen and shorten a hole, which this model does not have";
  return {};
}

}  // namespace cinnabar::daemon
