#include "daemon/server/recording.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <limits>

#include "daemon/config/settings.h"
#include "lsp/json.h"
#include "tests/support/model_files.h"

namespace cinnabar::daemon {
namespace {

using lsp::Json;
using test::ModelFolder;

Recording some_recording() {
  Recording recording;
  recording.language = "python";
  recording.above = "import a\n\n";
  recording.before = "größe = \"a\\\n";
  recording.behind = "\t𝒳\n";
  recording.candidates = 3;
  recording.former = "f";
  recording.context = {"first\n", "second"};
  recording.resume = {{{.id = 1}, {.id = 2}}, {3}};
  recording.device = "cpu";
  recording.nfe = 4;
  recording.answers = {{"one\n", engine::StopReason::hole_end, 2}, {"", engine::StopReason::deadline, 0}};
  return recording;
}

TEST_CASE("a recording comes back as it was") {
  Recording recording = some_recording();
  for (const Option* option : editor_options()) {
    struct Case {
      const char* name;
      const char* value;
    };
    for (const auto& [name, value] : {Case{"model", "/m/a b"},
                                      {"threads", "3"},
                                      {"compute", "f32"},
                                      {"mode", "diffusion"},
                                      {"stop", "block"},
                                      {"max-tokens", "7"},
                                      {"lookup", "off"},
                                      {"threshold", "0.7"},
                                      {"keep", "0.15"},
                                      {"temperature", "0.1"},
                                      {"seed", "18446744073709551615"},
                                      {"multiline", "never"},
                                      {"trusted", "off"}}) {
      if (option->name == name) REQUIRE_FALSE(option->access.set(recording.options, value));
    }
  }
  const auto read = parse_recording(lsp::write_json(to_json(recording)));
  REQUIRE(read.ok());
  CHECK(to_json(*read) == to_json(recording));
  CHECK(settings_of(read->options).size() == 12);  // all but trusted, which would keep the model from being named
  const auto &was = recording.options.request.defaults, &is = read->options.request.defaults;
  CHECK(is.mode == was.mode);
  CHECK(is.end == was.end);
  CHECK(is.max_tokens == was.max_tokens);
  CHECK(is.drafts.lookup == was.drafts.lookup);
  CHECK(is.denoise.threshold == was.denoise.threshold);
  CHECK(is.sampling.temperature == was.sampling.temperature);
  CHECK(is.sampling.seed == std::numeric_limits<std::uint64_t>::max());
  CHECK(read->options.model.model == "/m/a b");
  CHECK(read->options.model.device.cpu.threads == 3);
  CHECK_FALSE(read->options.request.by_plan);
}

TEST_CASE("every option that can be asked for its value takes it back") {
  Options options;
  for (const Option* option : editor_options()) {
    INFO(option->name);
    if (!option->access.get) continue;
    const std::string value = option->access.get(options);
    if (!value.empty() && value != "0") CHECK_FALSE(option->access.set(options, value));  // 0: not said
    CHECK(option->access.get(options) == value);
  }
}

TEST_CASE("what is no recording is refused, with the place") {
  struct Case {
    const char* what;
    std::function<void(Json&)> damage;
    const char* said;
  };
  const Case cases[] = {
      {"missing member", [](Json& r) { r.erase("before"); }, "record.before"},
      {"wrong kind", [](Json& r) { r["behind"] = 7; }, "record.behind: expected string, found 7"},
      {"another format", [](Json& r) { r["cinnabar"] = 2; }, "record.cinnabar: format 2, expected 1"},
      {"a setting out of bounds", [](Json& r) { r["settings"]["maxTokens"] = "9999"; },
       "record.settings: cinnabar.maxTokens"},
      {"an unknown setting", [](Json& r) { r["settings"]["colour"] = "red"; }, "cinnabar.colour"},
      {"an unknown reason", [](Json& r) { r["answers"][0]["reason"] = "bored"; }, "record.answers[0]"},
      {"answers that are none", [](Json& r) { r["answers"] = Json::object(); }, "record.answers: expected array"},
      {"no object", [](Json& r) { r = 7; }, "record"},
  };
  for (const auto& c : cases) {
    INFO(c.what);
    Json record = to_json(some_recording());
    c.damage(record);
    const auto read = parse_recording(lsp::write_json(record));
    REQUIRE_FALSE(read.ok());
    CHECK_THAT(read.message(), Catch::Contains(c.said));
  }
  CHECK_THAT(parse_recording(R"({"cinnabar":1,"befo)").message(), Catch::StartsWith("not a whole line"));
}

TEST_CASE("the file: the user's alone, said in the log, bounded") {
  const ModelFolder folder;
  std::vector<std::string> said;
  const auto log = [&said](const std::string& line) { said.push_back(line); };
  const std::string line = lsp::write_json(to_json(some_recording())) + "\n";
  const auto size = [](const std::string& path) { return std::filesystem::file_size(path); };
  const std::string path = folder.file("r");
  {
    auto recorder = Recorder::open(path, log, {2 * line.size() + 10, 1000});
    REQUIRE(recorder.ok());
    CHECK_THAT(said.back(), Catch::StartsWith("records every request to the model, with its text, in " + path));
    (*recorder)->add(some_recording());
  }
  struct stat found {};
  REQUIRE(stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
  CHECK(size(path) == line.size());
  auto again = Recorder::open(path, log, {2 * line.size() + 10, 1000});  // adds
  REQUIRE(again.ok());
  Recording large = some_recording();
  large.before.assign(1001, 'x');
  (*again)->add(large);
  CHECK_THAT(said.back(), Catch::Contains("is not recorded"));
  for (int i = 0; i < 3; ++i) (*again)->add(some_recording());
  CHECK(size(path) == 2 * line.size());
  CHECK_THAT(said.back(), Catch::StartsWith("records no more in " + path + ": it is full"));
}

TEST_CASE("no recording where others can read, through links, or into what is no file") {
  const ModelFolder folder;
  const auto log = [](const std::string&) {};
  const std::string open_file = folder.write("open", std::string());
  std::filesystem::permissions(open_file, std::filesystem::perms(0644));
  CHECK_THAT(Recorder::open(open_file, log).message(), Catch::Contains("others may read it"));
  std::filesystem::create_symlink("elsewhere", folder.file("link"));
  CHECK_FALSE(Recorder::open(folder.file("link"), log).ok());
  CHECK_FALSE(std::filesystem::exists(folder.file("elsewhere")));
  CHECK_FALSE(Recorder::open(folder.path(), log).ok());
  CHECK_FALSE(Recorder::open(folder.file("no/such/folder"), log).ok());
  REQUIRE(mkfifo(folder.file("pipe").c_str(), 0600) == 0);
  CHECK_FALSE(Recorder::open(folder.file("pipe"), log).ok());
}

}  // namespace
}  // namespace cinnabar::daemon
