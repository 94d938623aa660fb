// `cinnabar eval`: fills holes that were cut from real code and says how good the answers are. Answers are kept in a
// file, so a run goes on where the last one stopped, and what modes and machines have answered is compared in one
// place.
#include <fstream>
#include <iostream>
#include <map>

#include "base/text.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/given_options.h"
#include "daemon/commands/evaluation/files.h"
#include "daemon/commands/evaluation/hole_line.h"
#include "daemon/commands/evaluation/score.h"
#include "daemon/commands/setup.h"

namespace cinnabar::daemon {
namespace {

using evaluation::CutHole;
using evaluation::GivenAnswer;
using evaluation::string_member;
using nlohmann::json;

// A hole, and the line that says all else about it.
struct EvaluatedHole {
  CutHole cut;
  json line;
};
using Answers = std::map<std::string, std::map<std::string, json>>;  // mode -> id

Status read_hole(json line, std::vector<EvaluatedHole>& holes) {
  EvaluatedHole hole;
  for (const auto& [name, member] : {std::pair{"id", &CutHole::id},
                                     {"prefix", &CutHole::prefix},
                                     {"suffix", &CutHole::suffix},
                                     {"middle", &CutHole::middle},
                                     {"language", &CutHole::language},
                                     {"kind", &CutHole::kind}}) {
    auto text = string_member(line, name, true);
    if (!text) return text.status();
    hole.cut.*member = std::move(text).value();
  }
  hole.line = std::move(line);
  holes.push_back(std::move(hole));
  return {};
}

Result<std::vector<EvaluatedHole>> read_holes(const std::vector<std::string>& paths) {
  std::vector<EvaluatedHole> holes;
  const auto take = [&](json line) { return read_hole(std::move(line), holes); };
  if (Status read = evaluation::each_line_of(paths, take); !read) return read;
  if (holes.empty()) return Status::error("no holes; name files of JSON lines, or - for standard input");
  return holes;
}

Status read_answers(const std::string& path, Answers& answers) {
  std::ifstream file(path);
  if (!file) return {};  // the first run makes it
  return evaluation::each_line(path, file, [&](json line) -> Status {
    auto id = string_member(line, "id", true), text = string_member(line, "text", true),
         raw = string_member(line, "raw", false), mode = string_member(line, "mode", false);
    for (const auto* member : {&id, &text, &raw, &mode}) {
      if (!*member) return member->status();
    }
    if (!line.contains("raw")) line["raw"] = *text;  // from elsewhere: nobody judged it
    answers[mode->empty() ? "answers" : *mode][*id] = std::move(line);
    return {};
  });
}

std::string_view left_stripped(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
}

// An answer that stops too early: whether the model, told to go on, says the rest.
Result<std::optional<bool>> goes_on(const Options& options, engine::Engine& engine, const CutHole& hole,
                                    std::string_view raw) {
  const std::string_view said = right_stripped(raw), middle = right_stripped(hole.middle);
  if (said.size() >= middle.size() || !middle.starts_with(said)) return std::optional<bool>();
  const std::string_view rest = middle.substr(said.size());
  engine::InfillRequest request = options.request.defaults;
  request.prefix = hole.prefix + std::string(said);
  request.suffix = hole.suffix;
  request.end = engine::EndRule::hole;
  request.max_tokens = static_cast<int>(std::min<std::size_t>(1024, rest.size() / 2 + 8));
  const auto more = engine.infill(request, limits_of(options));
  if (!more) return more.status();
  return std::optional(left_stripped(more->answers.front().text).starts_with(left_stripped(rest)));
}

Result<json> answer_of(Options& options, engine::Engine& engine, evaluation::Workspaces& workspaces,
                       const EvaluatedHole& hole) {
  evaluation::HoleLine line;
  if (Status read = evaluation::read_hole(hole.line, options, workspaces, line); !read) return read;
  line.ask.request.mode = options.request.defaults.mode;  // one mode is asked, whatever the line would have
  json answer = evaluation::fill_hole(options, engine, limits_of(options), line);
  if (answer.contains("error")) return Status::error(answer["error"].get<std::string>());
  const auto on = goes_on(options, engine, hole.cut, answer["raw"].get<std::string>());
  if (!on) return on.status();
  if (on->has_value()) answer["goes_on"] = **on;
  answer["id"] = hole.cut.id;
  return answer;
}

// Asks the model about the holes that have no answer in its mode yet; what it says is written down at once.
Status fill(Options& options, const std::vector<EvaluatedHole>& holes, Answers& answers) {
  // The file of answers names modes before a model is there to be asked for its own.
  if (options.request.defaults.mode == engine::Mode::automatic) options.request.defaults.mode = engine::Mode::verified;
  const std::string mode(name(options.request.defaults.mode));
  std::vector<const EvaluatedHole*> open;
  for (const EvaluatedHole& hole : holes) {
    if (!answers[mode].contains(hole.cut.id)) open.push_back(&hole);
  }
  open.resize(std::min<std::size_t>(open.size(), static_cast<std::size_t>(options.command.most)));
  if (open.empty()) return {};
  auto engine = open_engine_as_given(options);
  if (!engine) return engine.status();
  std::ofstream file;
  if (!options.command.answers.empty()) file.open(options.command.answers, std::ios::app);
  if (!file) return Status::error("cannot write " + options.command.answers);
  evaluation::Workspaces workspaces;
  options.command.details = true;
  for (std::size_t i = 0; i < open.size(); ++i) {
    auto answer = answer_of(options, **engine, workspaces, *open[i]);
    if (!answer) return Status::error("hole " + open[i]->cut.id + ": " + answer.message());
    if (!options.command.answers.empty()) {
      file << answer->dump(-1, ' ', false, json::error_handler_t::replace) << "\n" << std::flush;
      if (!file) return Status::error("cannot write " + options.command.answers);
    }
    answers[mode][open[i]->cut.id] = std::move(answer).value();
    if (i + 1 == open.size() || (i + 1) % 20 == 0)
      std::cerr << i + 1 << " of " << open.size() << " holes filled, " << mode << "\n";
  }
  return {};
}

template <typename T>
T member(const json& line, const char* name, T otherwise) {
  const auto found = line.find(name);
  const bool fits = found != line.end() && (std::is_integral_v<T> ? found->is_number_integer() : found->is_number());
  return fits ? found->get<T>() : otherwise;
}

GivenAnswer given(const std::string& mode, const json& line) {
  GivenAnswer answer{mode,
                     line["raw"],
                     line["text"],
                     member(line, "nfe", 0),
                     member(line, "tokens", 0),
                     member(line, "ms", 0.0),
                     std::nullopt,
                     {}};
  if (const auto on = line.find("goes_on"); on != line.end() && on->is_boolean()) answer.goes_on = on->get<bool>();
  const auto drafts = line.find("drafts");
  if (drafts == line.end() || !drafts->is_array()) return answer;
  for (const json& count : *drafts) {
    if (count.is_array() && count.size() == 2 && count[0].is_number_integer() && count[1].is_number_integer())
      answer.drafts.push_back({count[0], count[1]});
  }
  return answer;
}

std::string reports(const std::vector<EvaluatedHole>& holes, const Answers& answers) {
  std::string text;
  for (const auto& [mode, of_mode] : answers) {
    std::vector<evaluation::Scored> scored;
    for (const EvaluatedHole& hole : holes) {
      if (const auto found = of_mode.find(hole.cut.id); found != of_mode.end())
        scored.push_back(evaluation::score(hole.cut, given(mode, found->second)));
    }
    if (!scored.empty()) text += (text.empty() ? "" : "\n") + evaluation::report(scored);
  }
  return text;
}

}  // namespace

int run_eval(Options& options) {
  const auto holes = read_holes(options.command.arguments);
  if (!holes) return failed(holes.status());
  Answers answers;
  if (Status read = read_answers(options.command.answers, answers); !read) return failed(read);
  if (Status filled = fill(options, *holes, answers); !filled) return failed(filled);
  const std::string text = reports(*holes, answers);
  if (text.empty()) return failed(Status::error("none of the holes has an answer"));
  std::cout << text;
  if (options.command.into.empty()) return 0;
  const Status put = evaluation::put_between_marks(options.command.into, "cinnabar eval", text);
  return put ? 0 : failed(put);
}

}  // namespace cinnabar::daemon
