// `cinnabar eval typing`: writes files key by key in an editor that lies in this process, and says how good what is shown
// at their places is. Answers are kept in a file, so a run goes on where the last one stopped.
#include <fstream>
#include <iostream>
#include <map>
#include <utility>

#include "daemon/commands/commands.h"
#include "daemon/commands/evaluation/files.h"
#include "daemon/commands/evaluation/hole_line.h"
#include "daemon/commands/evaluation/typing_score.h"
#include "daemon/commands/evaluation/typist.h"
#include "daemon/commands/setup.h"

namespace cinnabar::daemon {
namespace {

using evaluation::CursorText;
using evaluation::PlaceAnswer;
using evaluation::ShownText;
using evaluation::string_member;
using evaluation::TypingPlace;
using evaluation::TypingScript;
using nlohmann::json;

using Answers = std::map<std::string, PlaceAnswer>;  // by the place's id

json to_json(const PlaceAnswer& answer) {
  json line = {{"id", answer.id}, {"ms", answer.milliseconds}, {"raw", answer.raw}};
  if (answer.shown) {
    line["shown"] = *answer.shown;
    line["covered"] = answer.covered;
    line["replaced"] = answer.replaced;
  }
  json& tokens = line["confidence"] = json::array();
  for (const auto& token : answer.path) tokens.push_back({token.end, token.probability, token.margin});
  return line;
}

Status read_answer(const json& line, Answers& answers) {
  PlaceAnswer answer;
  auto id = string_member(line, "id", true), shown = string_member(line, "shown", false),
       raw = string_member(line, "raw", false);
  for (const auto* member : {&id, &shown, &raw}) {
    if (!*member) return member->status();
  }
  answer.id = *id;
  if (line.contains("shown")) answer.shown = *shown;
  answer.raw = *raw;
  for (const auto& [name, bytes] :
       {std::pair{"covered", &PlaceAnswer::covered}, {"replaced", &PlaceAnswer::replaced}}) {
    const json value = line.value(name, json(0U));
    if (!value.is_number_unsigned()) return Status::error("\"" + std::string(name) + "\" is no number of bytes");
    answer.*bytes = value.get<std::size_t>();
  }
  const json milliseconds = line.value("ms", json(0));
  if (milliseconds.is_number()) answer.milliseconds = milliseconds.get<double>();
  answers[answer.id] = std::move(answer);
  return {};
}

bool is_open(const TypingScript& script, const Answers& answers) {
  return std::any_of(script.places.begin(), script.places.end(),
                     [&](const TypingPlace& place) { return !answers.contains(place.id); });
}

// Types the scripts that have places without an answer; what is shown there is written down at once.
Status fill(const Options& options, const std::vector<TypingScript>& scripts, Answers& answers) {
  const auto open = std::count_if(scripts.begin(), scripts.end(), [&](const auto& s) { return is_open(s, answers); });
  if (open == 0 || options.command.most == 0) return {};
  auto typist = evaluation::Typist::start(ServerOptions{options});
  if (!typist) return typist.status();
  std::ofstream file;
  if (!options.command.answers.empty()) file.open(options.command.answers, std::ios::app);
  if (!file) return Status::error("cannot write " + options.command.answers);
  int done = 0;
  const auto take = [&](PlaceAnswer answer) -> Status {
    if (answers.contains(answer.id)) return {};
    if (!options.command.answers.empty())
      file << to_json(answer).dump(-1, ' ', false, json::error_handler_t::replace) << "\n" << std::flush;
    if (!file) return Status::error("cannot write " + options.command.answers);
    answers[answer.id] = std::move(answer);
    ++done;
    return {};
  };
  for (const TypingScript& script : scripts) {
    if (done >= options.command.most || !is_open(script, answers)) continue;
    if (Status typed = (*typist)->type(script, take); !typed)
      return Status::error("script " + script.id + ": " + typed.message());
    std::cerr << script.id << ": " << done << " places answered\n";
  }
  return {};
}

evaluation::ScoredPlace score(const TypingScript& script, const TypingPlace& place, const CursorText& around,
                              const PlaceAnswer& answer) {
  evaluation::ScoredPlace scored{script.language, place.kind, {}, {}, {}, answer.milliseconds};
  std::optional<ShownText> shown;
  if (answer.shown) shown = {*answer.shown, answer.covered, answer.replaced};
  scored.judged = evaluation::judge(place, around, shown);
  if (shown) scored.broken = evaluation::breaks(script, place, around, *shown);
  if (!shown) scored.withheld = evaluation::judge(place, around, ShownText{answer.raw}).outcome;
  return scored;
}

// One place as a line of JSON, for people who mend something with it.
json details(const TypingPlace& place, const CursorText& around, const PlaceAnswer& answer,
             const evaluation::ScoredPlace& scored) {
  constexpr const char* kOutcomes[] = {"nothing", "exact", "beginning", "wrong"};
  constexpr std::size_t kAround = 60;  // bytes
  const auto begin = around.before.size() - std::min(around.before.size(), kAround);
  json line = {{"id", place.id},
               {"kind", place.kind},
               {"outcome", kOutcomes[static_cast<int>(scored.judged.outcome)]},
               {"withheld", kOutcomes[static_cast<int>(scored.withheld)]},
               {"before", around.before.substr(begin)},
               {"behind", around.behind.substr(0, kAround)},
               {"next", place.next.substr(0, place.next.find('\n', 1))},
               {"raw", answer.raw}};
  if (answer.shown) line["shown"] = *answer.shown;
  if (scored.broken == true) line["breaks"] = true;
  return line;
}

Result<std::string> report(const Options& options, const std::vector<TypingScript>& scripts, const Answers& answers) {
  std::vector<evaluation::ScoredPlace> scored;
  for (const TypingScript& script : scripts) {
    const auto around = evaluation::surroundings_of(script);
    if (!around) return around.status();
    for (std::size_t i = 0; i < script.places.size(); ++i) {
      const auto found = answers.find(script.places[i].id);
      if (found == answers.end()) continue;
      scored.push_back(score(script, script.places[i], (*around)[i], found->second));
      if (!options.command.details) continue;
      const json line = details(script.places[i], (*around)[i], found->second, scored.back());
      std::cout << line.dump(-1, ' ', false, json::error_handler_t::replace) << "\n";
    }
  }
  if (scored.empty()) return Status::error("none of the places has an answer");
  return evaluation::typing_report(scored);
}

}  // namespace

int run_eval_typing(Options& options) {
  std::vector<TypingScript> scripts;
  Answers answers;
  const Status read = evaluation::each_line_of(options.command.arguments, [&](const json& line) -> Status {
    auto script = evaluation::read_script(line);
    if (script) scripts.push_back(std::move(script).value());
    return script ? Status() : script.status();
  });
  if (!read) return failed(read);
  if (scripts.empty()) return failed(Status::error("no scripts; name files of JSON lines, or - for standard input"));
  if (std::ifstream file(options.command.answers); file) {
    const auto take = [&](const json& line) { return read_answer(line, answers); };
    if (Status known = evaluation::each_line(options.command.answers, file, take); !known) return failed(known);
  }
  if (Status filled = fill(options, scripts, answers); !filled) return failed(filled);
  const auto text = report(options, scripts, answers);
  if (!text) return failed(text.status());
  std::cout << *text;
  if (options.command.into.empty()) return 0;
  const Status put = evaluation::put_between_marks(options.command.into, "cinnabar eval typing", *text);
  return put ? 0 : failed(put);
}

}  // namespace cinnabar::daemon
