#include "daemon/commands/evaluation/run_tests.h"

#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): mkdtemp is POSIX's
#include <unistd.h>  // where macOS has it

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "daemon/commands/child_process.h"

namespace cinnabar::daemon::evaluation {
namespace {

using sv = std::string_view;
using nlohmann::json;

constexpr int kSeconds = 60;  // of a command; a compiler beside others takes its time
constexpr sv kLimits = "ulimit -t 20; ulimit -f 65536; cd \"$0\" && exec \"$@\"";

// $ is the folder. The program's words behind the first are its arguments; no words: there is no such step.
struct Recipe {
  sv language, file, head;
  std::vector<std::string> compile, run;
};
const std::vector<Recipe>& recipes() {
  static const std::vector<Recipe> all = {
      {"python", "main.py", "", {}, {"python3", "-I", "main.py"}},
      {"javascript", "main.js", "const assert = require('node:assert');\n", {}, {"node", "main.js"}},
      {"go", "main.go", "", {"go", "build", "-o", "main", "main.go"}, {"$/main"}},
      {"rust", "main.rs", "", {"rustc", "--edition", "2021", "-A", "warnings", "-o", "main", "main.rs"}, {"$/main"}},
      {"cpp", "main.cc", "", {"c++", "-std=c++20", "-w", "-o", "main", "main.cc"}, {"$/main"}},
      {"java", "Main.java", "", {"javac", "-nowarn", "Main.java"}, {"java", "-Xmx256m", "-cp", ".", "Main"}}};
  return all;
}

const Recipe* recipe_of(sv language) {
  const auto found =
      std::find_if(recipes().begin(), recipes().end(), [&](const Recipe& one) { return one.language == language; });
  return found == recipes().end() ? nullptr : &*found;
}

// A folder that is gone when this is.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code error;
    std::string form = (std::filesystem::temp_directory_path(error) / "cinnabar-eval-XXXXXX").string();
    if (!error && mkdtemp(form.data()) != nullptr) path_ = form;
  }
  ~TemporaryFolder() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string source_of(const Recipe& recipe, const TestedCode& tested) {
  std::string head(recipe.head);
  // A JSON string is a Python string, too.
  if (recipe.language == "python")
    head = "SOURCE = " + json(tested.code).dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  const sv end = tested.code.ends_with('\n') ? "" : "\n";
  return head + tested.code + std::string(end) + tested.test + "\n" + tested.closing;
}

// not_run: there is no such program.
TestOutcome run_step(std::vector<std::string> words, const std::string& folder) {
  const auto shell = find_program("sh");
  if (words.front().starts_with('$')) words.front() = folder + words.front().substr(1);
  const auto program = find_program(words.front());
  if (!shell || !program) return words.front().starts_with(folder) ? TestOutcome::fails : TestOutcome::not_run;
  words.front() = *program;
  words.insert(words.begin(), {*shell, "-c", std::string(kLimits), folder});
  const auto done = run_program(words, kSeconds);
  return done && done->status == 0 ? TestOutcome::passes : TestOutcome::fails;
}

}  // namespace

bool can_be_tested(sv language) { return recipe_of(language) != nullptr; }

Result<TestOutcome> run_tests(sv language, const TestedCode& tested) {
  const Recipe* recipe = recipe_of(language);
  if (recipe == nullptr) return Status::error("'" + std::string(language) + "' is no language whose tests can be run");
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/" + std::string(recipe->file);
  if (folder.path().empty() || !(std::ofstream(path) << source_of(*recipe, tested)))
    return Status::error("no folder for a test can be made below the one for temporary files");
  for (const auto& step : {recipe->compile, recipe->run}) {
    const TestOutcome verdict = step.empty() ? TestOutcome::passes : run_step(step, folder.path());
    if (verdict != TestOutcome::passes) return verdict;
  }
  return TestOutcome::passes;
}

}  // namespace cinnabar::daemon::evaluation
