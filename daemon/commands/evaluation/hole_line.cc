#include "daemon/commands/evaluation/hole_line.h"

#include <chrono>

#include "daemon/completion/repair.h"
#include "engine/decoding/hole_end.h"

namespace cinnabar::daemon::evaluation {
namespace {

using nlohmann::json;

Status read_choices(const json& line, HoleLine& hole) {
  engine::InfillRequest& request = hole.request;
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
    hole.by_plan = !parsed;
    if (parsed) request.end = *parsed;
  }
  request.former = *former;
  if (const auto found = line.find("lookup"); found != line.end()) {
    if (!found->is_boolean()) return Status::error("\"lookup\" is " + found->dump() + ", expected true or false");
    request.drafts.lookup = found->get<bool>();
  }
  if (const auto found = line.find("stubs"); found != line.end()) {
    if (!found->is_boolean()) return Status::error("\"stubs\" is " + found->dump() + ", expected true or false");
    hole.stubs = found->get<bool>();
  }
  auto raw = string_member(line, "raw", false);
  if (!raw) return raw.status();
  if (line.contains("raw")) hole.raw = std::move(raw).value();
  return {};
}

// The plan at the border of prefix and suffix, where the line names a language or path that has a grammar.
void make_plan(std::string language_id, std::string path, HoleLine& hole) {
  if (!hole.by_plan) return;
  const std::size_t cursor = hole.prefix_bytes = hole.request.prefix.size();
  hole.site =
      syntax::site_at(hole.request.prefix + hole.request.suffix, cursor, std::move(language_id), std::move(path));
  if (!hole.has_tree()) return;
  syntax::PlanOptions options;
  options.stubs = hole.stubs;
  hole.hole = syntax::plan_at(*hole.site->tree, cursor - hole.site->begin, options).holes.front();
  if (hole.hole.kind != syntax::HoleKind::stub) hole.hole.end = hole.hole.begin;  // an answer is inserted
  hole.request = syntax::request_for(*hole.site, hole.hole, std::move(hole.request));
}

void add_context(const std::string& path, const std::string& workspace, const Options& options, Workspaces& workspaces,
                 HoleLine& hole) {
  const syntax::Language* language = syntax::language_of_path(path);
  if (language == nullptr || workspace.empty()) return;
  const std::string text = hole.request.prefix + hole.request.suffix;
  hole.pieces = context::choose(workspaces.files(workspace, options.completion),
                                {path, language, text, hole.request.prefix.size()});
  for (const auto& piece : hole.pieces) {
    hole.request.context.push_back(context::rendered(piece, *language));
  }
}

// The first answer as the critic leaves it, after repairs; says in `line` what they cost.
Status judge_first(engine::Engine& engine, const engine::DecodeLimits& limits, const HoleLine& hole, int repairs,
                   engine::InfillResult& result, syntax::Verdict& verdict, json& line) {
  syntax::Repair repair(*hole.site->tree, hole.site->lines, hole.hole, hole.request, repairs);
  engine::InfillAnswer answer = result.answers.front();
  int forwards = 0;
  while (!repair.take(answer)) {
    auto again = engine.infill(repair.request(), limits);
    if (!again) return again.status();
    answer = again->answers.front();
    forwards += again->decode.nfe;
  }
  verdict = repair.verdict();
  if (repair.repairs() > 0) {
    line["repairs"] = {{"tried", repair.repairs()}, {"nfe", forwards}, {"repaired", repair.repaired()}};
  }
  return {};
}

// What the model said before it was judged, and how sure it was.
void add_details(const engine::InfillAnswer& answer, const HoleLine& hole, const syntax::Verdict& verdict, json& line) {
  line["raw"] = answer.text;
  line["withheld"] = verdict.withheld;
  line["cut"] = verdict.cut;
  if (hole.has_tree()) {
    line["hole_kind"] = syntax::name(hole.hole.kind);
    line["until"] = syntax::name(hole.hole.until);
  }
  json tokens = json::array();
  for (const auto& token : answer.path) tokens.push_back({token.end, token.probability, token.margin});
  line["confidence"] = std::move(tokens);
  for (const auto& piece : hole.pieces) line["context"].push_back({piece.path, piece.line + 1, piece.why, piece.text});
}

// What the rules of ends and the critic, as they are now, make of a former answer.
engine::InfillResult ended_again(const HoleLine& hole) {
  const engine::InfillRequest& request = hole.request;
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

const context::FileSet& Workspaces::files(const std::string& folder, const CompletionOptions& options) {
  const auto known = known_.find(folder);
  if (known != known_.end()) return known->second;
  context::FileSet& files = known_[folder];
  const auto may_read = [&](const std::string& path) {
    const syntax::Language* language = syntax::language_of_path(path);
    return language != nullptr && may_be_read(path, language->name, options, {folder + "/"}, ignores_);
  };
  context::scan(folder, {}, may_read, [&](context::FilePtr file) { return files.put(std::move(file)), true; });
  return files;
}

Status read_hole(const json& line, const Options& options, Workspaces& workspaces, HoleLine& hole) {
  if (!line.is_object()) return Status::error("the line is " + std::string(line.type_name()) + ", expected an object");
  engine::InfillRequest& request = hole.request;
  request = options.request;
  hole.by_plan = options.by_plan;
  auto prefix = string_member(line, "prefix", true), suffix = string_member(line, "suffix", true);
  if (!prefix) return prefix.status();
  if (!suffix) return suffix.status();
  request.prefix = std::move(prefix).value();
  request.suffix = std::move(suffix).value();
  if (Status read = read_choices(line, hole); !read) return read;
  auto language = string_member(line, "language", false), path = string_member(line, "path", false);
  if (!language) return language.status();
  if (!path) return path.status();
  auto workspace = string_member(line, "workspace", false);
  if (!workspace) return workspace.status();
  add_context(*path, *workspace, options, workspaces, hole);
  make_plan(std::move(language).value(), std::move(path).value(), hole);
  return {};
}

json fill_hole(const Options& options, engine::Engine& engine, const engine::DecodeLimits& limits,
               const HoleLine& hole) {
  const auto start = std::chrono::steady_clock::now();
  auto result = hole.raw ? ended_again(hole) : engine.infill(hole.request, limits);
  if (!result) return {{"error", result.message()}};
  json line = json::object();
  std::vector<std::string> texts;
  for (const auto& answer : result->answers) texts.push_back(answer.text);
  syntax::Verdict verdict;
  if (hole.has_tree()) {
    for (std::size_t i = 1; i < texts.size(); ++i)
      texts[i] = syntax::judge(*hole.site->tree, hole.site->lines, hole.hole, texts[i]).text;
    const int repairs = hole.raw ? 0 : options.repairs;
    if (Status judged = judge_first(engine, limits, hole, repairs, *result, verdict, line); !judged)
      return {{"error", judged.message()}};
    texts.front() = verdict.text;
  }
  const double ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  const auto& first = result->answers.front();
  line.update({{"text", texts.front()},
               {"finish_reason", name(first.reason)},
               {"nfe", result->decode.nfe},
               {"tokens", first.tokens},
               {"ms", ms}});
  if (hole.hole.begin != hole.hole.end) {
    const std::size_t cursor = hole.prefix_bytes - hole.site->begin;
    line["replaces"] = {{"before", cursor - hole.hole.begin}, {"behind", hole.hole.end - cursor}};
  }
  if (texts.size() > 1) line["texts"] = texts;
  if (options.details) {
    line["mode"] = name(hole.request.mode);
    line["prompt_tokens"] = result->prompt_tokens;
    line["prompt_ms"] = result->prompt_milliseconds;
    for (const engine::DraftCount& count : result->decode.drafts)
      line["drafts"].push_back({count.drafted, count.accepted});
    add_details(first, hole, verdict, line);
  }
  return line;
}

}  // namespace cinnabar::daemon::evaluation
