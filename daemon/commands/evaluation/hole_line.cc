#include "daemon/commands/evaluation/hole_line.h"

#include <chrono>
#include <fstream>

#include "daemon/commands/setup.h"
#include "engine/decoding/decode.h"
#include "engine/decoding/hole_end.h"
#include "engine/decoding/prompt.h"
#include "engine/mode.h"

namespace cinnabar::daemon::evaluation {
namespace {

using nlohmann::json;

Status read_choices(const json& line, AskOptions& how, std::optional<std::string>& given) {
  engine::InfillRequest& request = how.defaults;
  if (const auto found = line.find("max_tokens"); found != line.end()) {
    if (!found->is_number_integer() || found->get<std::int64_t>() < 1 || found->get<std::int64_t>() > 1024) {
      return Status::error("\"max_tokens\" is " + found->dump() + ", expected 1 to 1024");
    }
    request.max_tokens = found->get<int>();
  }
  auto mode = string_member(line, "mode", false), stop = string_member(line, "stop", false),
       former = string_member(line, "former", false);
  for (const auto* member : {&mode, &stop, &former}) {
    if (!*member) return member->status();
  }
  if (!mode->empty()) {
    const auto parsed = engine::parse_mode(*mode);
    if (!parsed) return Status::error("\"mode\" is \"" + *mode + "\", expected verified, autoregressive or diffusion");
    request.mode = *parsed;
  }
  if (!stop->empty()) {
    const auto parsed = engine::parse_end_rule(*stop);
    if (!parsed && *stop != "plan")
      return Status::error("\"stop\" is \"" + *stop + "\", expected plan, line, block or hole");
    how.by_plan = !parsed;
    if (parsed) request.end = *parsed;
  }
  request.former = *former;
  if (const auto found = line.find("lookup"); found != line.end()) {
    if (!found->is_boolean()) return Status::error("\"lookup\" is " + found->dump() + ", expected true or false");
    request.drafts.lookup = found->get<bool>();
  }
  if (const auto found = line.find("stubs"); found != line.end()) {
    if (!found->is_boolean()) return Status::error("\"stubs\" is " + found->dump() + ", expected true or false");
    how.replace_stubs = found->get<bool>();
  }
  auto raw = string_member(line, "raw", false), heading = string_member(line, "heading", false);
  if (!raw) return raw.status();
  if (!heading) return heading.status();
  if (line.contains("heading")) request.heading = std::move(heading).value();
  if (line.contains("raw")) given = std::move(raw).value();
  return {};
}

// What is asked at the border of prefix and suffix, beside text of the workspace's other files.
Status make_ask(const json& line, const Options& options, const AskOptions& how, Workspaces& workspaces,
                HoleLine& hole) {
  auto prefix = string_member(line, "prefix", true), suffix = string_member(line, "suffix", true),
       id = string_member(line, "language", false), path = string_member(line, "path", false),
       workspace = string_member(line, "workspace", false);
  for (const auto* member : {&prefix, &suffix, &id, &path, &workspace}) {
    if (!*member) return member->status();
  }
  const std::size_t cursor = hole.prefix_bytes = prefix->size();
  const std::string text = *prefix + *suffix;
  Surroundings around;
  const syntax::Language* language = syntax::language_of_path(*path);
  if (language != nullptr && !workspace->empty()) {
    // What an earlier answer names is looked up, too.
    const std::string seen = *prefix + how.defaults.former + *suffix;
    hole.pieces = context::choose(workspaces.files(*workspace, options.editor), {*path, language, seen, cursor, {}});
    for (const auto& piece : hole.pieces) around.context.push_back(context::rendered(piece, *language));
  }
  hole.ask = ask_at(syntax::region_at(text, cursor, std::move(id).value(), std::move(path).value()), cursor, how,
                    std::move(around));
  return {};
}

// What the model said before it was judged, and how sure it was.
void add_details(const HoleLine& hole, const Answered& answered, json& line) {
  const engine::InfillResult& result = answered.first;
  const engine::InfillAnswer& answer = result.answers.front();
  line["mode"] = name(hole.ask.request.mode);
  line["prompt_tokens"] = result.prompt_tokens;
  line["prompt_ms"] = result.prompt_milliseconds;
  for (const engine::DraftCount& count : result.decode.drafts)
    line["drafts"].push_back({count.drafted, count.accepted});
  line["raw"] = answer.text;
  line["withheld"] = answered.verdict.withheld;
  line["cut"] = answered.verdict.cut;
  if (hole.ask.has_tree()) {
    line["hole_kind"] = syntax::name(hole.ask.hole.kind);
    line["until"] = syntax::name(hole.ask.hole.until);
  }
  json tokens = json::array();
  for (const auto& token : answer.path) tokens.push_back({token.end, token.probability, token.margin});
  line["confidence"] = std::move(tokens);
  for (const auto& piece : hole.pieces) line["context"].push_back({piece.path, piece.line + 1, piece.why, piece.text});
}

// The tokens that the model reads; null where there is no prompt.
json prompt_of(const engine::Engine& engine, const engine::InfillRequest& request) {
  const auto prompt = engine::build_prompt(engine.spec(), engine.tokenizer(), request.prefix, request.suffix,
                                           request.budget, request.context, request.heading.value_or(""));
  return prompt ? json(prompt->before) : json();
}

// What the rules of ends and the critic, as they are now, make of a former answer.
engine::InfillResult ended_again(const HoleLine& hole) {
  const engine::InfillRequest& request = hole.ask.request;
  const std::string& raw = *hole.raw;
  auto end = engine::find_hole_end(engine::describe_hole(request.prefix, request.suffix, request.end), raw);
  if (request.other_end) {
    if (const auto other = request.other_end(raw)) end = std::min(end.value_or(raw.size()), *other);
  }
  engine::InfillResult result;
  result.answers.push_back(
      {raw.substr(0, end.value_or(raw.size())), end ? engine::StopReason::hole_end : engine::StopReason::length, 0});
  return result;
}

// Adds judged rows' logits to a file, and says which they are: [forward, row's place in its sequence], in the file's order.
class LogitsFile {
 public:
  explicit LogitsFile(const std::string& path) : path_(path) {
    if (path.empty()) return;
    file_.open(path, std::ios::binary | std::ios::app);
    if (file_) first_ = static_cast<std::int64_t>(file_.tellp());
  }
  Status status() const { return path_.empty() || file_ ? Status() : Status::error(path_ + ": cannot be written"); }
  engine::LogitsSink sink(const json& steps) {
    if (path_.empty()) return {};
    return [this, &steps](std::int32_t slot, std::span<const float> logits) {
      file_.write(reinterpret_cast<const char*>(logits.data()), static_cast<std::streamsize>(logits.size_bytes()));
      vocabulary_ = logits.size();
      rows_.push_back({steps.size(), slot});
    };
  }
  void add_to(json& line) {
    if (path_.empty()) return;
    file_.flush();
    line["logits"] = {{"file", path_}, {"begin", first_}, {"vocabulary", vocabulary_}, {"rows", rows_}};
  }

 private:
  std::string path_;
  std::ofstream file_;
  std::int64_t first_ = 0;  // byte of the file that the rows begin at
  std::size_t vocabulary_ = 0;
  json rows_ = json::array();
};

}  // namespace

Result<std::string> string_member(const json& line, const char* name, bool required) {
  const auto found = line.find(name);
  if (found == line.end()) {
    if (required) return Status::error(std::string("\"") + name + "\" is missing");
    return std::string();
  }
  if (!found->is_string())
    return Status::error(std::string("\"") + name + "\" is " + found->type_name() + ", expected a string");
  return found->get<std::string>();
}

const context::FileSet& Workspaces::files(const std::string& folder, const EditorOptions& options) {
  const auto known = known_.find(folder);
  if (known != known_.end()) return known->second;
  context::FileSet& files = known_[folder];
  const Exclusions rules{options.enabled, options.languages, options.exclude};
  const auto may_read = [&](const std::string& path) {
    const syntax::Language* language = syntax::language_of_path(path);
    return language != nullptr && may_be_read(path, language->name, rules, {folder + "/"}, ignores_);
  };
  context::scan(folder, {}, may_read, [&](context::FilePtr file) { return files.put(std::move(file)), true; });
  return files;
}

Status read_hole(const json& line, const Options& options, Workspaces& workspaces, HoleLine& hole) {
  if (!line.is_object()) return Status::error("the line is " + std::string(line.type_name()) + ", expected an object");
  AskOptions how = ask_options(options);
  if (Status read = read_choices(line, how, hole.raw); !read) return read;
  return make_ask(line, options, how, workspaces, hole);
}

json fill_hole(const Options& options, engine::Engine& engine, const engine::DecodeLimits& limits,
               const HoleLine& hole) {
  const auto start = std::chrono::steady_clock::now();
  json steps = json::array();
  const auto record = [&](std::span<engine::Decoding* const> decodings, const engine::DecodeStats&) {
    json step = json::array();
    for (const engine::ShownToken& token : decodings.front()->view())
      step.push_back(token.token < 0 ? json() : json({token.token, token.probability}));
    steps.push_back(std::move(step));
  };
  LogitsFile logits(options.command.logits);
  if (Status writable = logits.status(); !writable) return {{"error", writable.message()}};
  const bool observed = options.command.trajectory || !options.command.logits.empty();
  const engine::StepObserver observer = observed ? engine::StepObserver(record) : engine::StepObserver();
  AnswerOptions shaping = answer_options(options);
  if (hole.raw) shaping.repairs = 0;
  AnswerMachine machine(hole.ask, shaping);
  if (hole.raw) machine.take(ended_again(hole));
  auto answered = hole.raw ? machine.finish() : answered_by(engine, machine, limits, observer, logits.sink(steps));
  if (!answered) return {{"error", answered.message()}};
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  const auto& first = answered->first.answers.front();
  json line = {{"text", answered->text()},
               {"finish_reason", name(first.reason)},
               {"nfe", answered->first.decode.nfe},
               {"tokens", first.tokens},
               {"ms", ms}};
  if (answered->repairs > 0) {
    line["repairs"] = {
        {"tried", answered->repairs}, {"nfe", answered->repair_forwards}, {"repaired", answered->repaired}};
  }
  if (hole.ask.begin() != hole.ask.end()) {
    line["replaces"] = {{"before", hole.prefix_bytes - hole.ask.begin()},
                        {"behind", hole.ask.end() - hole.prefix_bytes}};
  }
  if (answered->shown.size() > 1) {
    for (const Shown& shown : answered->shown) line["texts"].push_back(shown.text);
  }
  logits.add_to(line);
  if (Status written = logits.status(); !written) return {{"error", written.message()}};
  if (options.command.trajectory) {
    line["trajectory"] = std::move(steps);
    line["prompt"] = prompt_of(engine, hole.ask.request);
  }
  if (options.command.details) {
    add_details(hole, *answered, line);
    const auto mode = engine::mode_for(hole.ask.request.mode, engine.spec(), engine.network().has_adapter());
    if (mode) line["mode"] = name(*mode);
  }
  return line;
}

}  // namespace cinnabar::daemon::evaluation
