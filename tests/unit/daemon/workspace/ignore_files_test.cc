// tests/ignores/cases.json: trees with ignore files, and what git says of their paths (make_cases.py beside it).
#include "daemon/workspace/ignore_files.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/model_files.h"

namespace cinnabar::daemon {
namespace {

using test::ModelFolder;

void write(const ModelFolder& folder, const std::string& place, const std::string& name, const std::string& text) {
  std::filesystem::create_directories(folder.file(place));
  folder.write(place.empty() ? name : place + "/" + name, text);
}

TEST_CASE("ignored is what git ignores, whichever of both names the file has") {
  std::ifstream in(CINNABAR_SOURCE_DIR "/tests/ignores/cases.json");
  const auto cases = nlohmann::json::parse(in);
  REQUIRE(cases.size() > 100);
  for (const std::string name : {".gitignore", ".cinnabarignore"}) {
    for (const auto& one : cases) {
      INFO(one.at("name") << " " << one.at("files"));
      const ModelFolder folder;
      for (const auto& [place, text] : one.at("files").items()) write(folder, place, name, text);
      IgnoreFiles ignores;
      for (const std::string path : one.at("ignored")) {
        INFO(path);
        CHECK(ignores.ignored_by(folder.path(), path) == name);
      }
      for (const std::string path : one.at("kept")) {
        INFO(path);
        CHECK(ignores.ignored_by(folder.path() + "/", path).empty());
      }
    }
  }
}

TEST_CASE("a .cinnabarignore goes before every .gitignore") {
  const ModelFolder folder;
  write(folder, "", ".gitignore", "build/\n*.log\n");
  write(folder, "", ".cinnabarignore", "!build/\nprivate.py\n");
  write(folder, "sub", ".gitignore", "!private.py\n");
  IgnoreFiles ignores;
  CHECK(ignores.ignored_by(folder.path(), "build/a.py").empty());
  CHECK(ignores.ignored_by(folder.path(), "build/a.log") == ".gitignore");
  CHECK(ignores.ignored_by(folder.path(), "sub/private.py") == ".cinnabarignore");
}

TEST_CASE("files are read again when they change, and only then") {
  const ModelFolder folder;
  write(folder, "", ".gitignore", "a\n");
  IgnoreFiles ignores;
  for (int i = 0; i < 3; ++i) CHECK(ignores.ignored_by(folder.path(), "a") == ".gitignore");
  CHECK(ignores.files_read() == 1);
  write(folder, "", ".gitignore", "bb\n");
  CHECK(ignores.ignored_by(folder.path(), "a").empty());
  CHECK(ignores.ignored_by(folder.path(), "bb") == ".gitignore");
  CHECK(ignores.files_read() == 2);
  std::filesystem::remove(folder.file(".gitignore"));
  CHECK(ignores.ignored_by(folder.path(), "bb").empty());
}

TEST_CASE("a repository's own files count in the folders that are opened in it") {
  const ModelFolder folder;
  std::filesystem::create_directories(folder.file(".git/info"));
  write(folder, "", ".gitignore", "*.log\n/sub/gen/\n");
  write(folder, ".git/info", "exclude", "*.mine\n*.back\n");
  write(folder, "sub", ".gitignore", "*.tmp\n!*.back\n");
  IgnoreFiles ignores;
  struct Case {
    std::string folder, path, by;
  };
  const std::vector<Case> cases = {
      {"", "a.log", ".gitignore"},
      {"", "a.mine", ".gitignore"},
      {"", "sub/a.mine", ".gitignore"},
      {"", "sub/a.back", ""},
      {"", "a.back", ".gitignore"},
      {"sub", "a.log", ".gitignore"},
      {"sub/", "x/a.log", ".gitignore"},
      {"sub", "gen/a.py", ".gitignore"},
      {"sub", "a.mine", ".gitignore"},
      {"sub", "a.tmp", ".gitignore"},
      {"sub", "a.py", ""},
      {"sub", "a.back", ""},
  };
  for (const auto& [opened, path, by] : cases) {
    CAPTURE(opened, path);
    CHECK(ignores.ignored_by(opened.empty() ? folder.path() : folder.file(opened), path) == by);
  }
  std::filesystem::create_directories(folder.file("sub/.git"));  // a repository in a repository is for itself
  CHECK(ignores.ignored_by(folder.file("sub"), "a.log").empty());
}

TEST_CASE("no links, no pipes, and no more than so much of a file") {
  const ModelFolder folder;
  write(folder, "", "rules", "a\n");
  write(folder, "other", ".gitignore", "b\n");
  std::filesystem::create_symlink("rules", folder.file(".gitignore"));
  std::filesystem::create_symlink("other", folder.file("link"));
  REQUIRE(mkfifo(folder.file(".cinnabarignore").c_str(), 0600) == 0);
  IgnoreFiles ignores;
  CHECK(ignores.ignored_by(folder.path(), "a").empty());
  CHECK(ignores.ignored_by(folder.path(), "other/b") == ".gitignore");
  CHECK(ignores.ignored_by(folder.path(), "link/b").empty());
  CHECK(ignores.files_read() == 1);

  std::string large = "first\n" + std::string(IgnoreFiles::kLargestFile, '#') + "\nlast\n";
  write(folder, "large", ".gitignore", large);
  CHECK(ignores.ignored_by(folder.path(), "large/first") == ".gitignore");
  CHECK(ignores.ignored_by(folder.path(), "large/last").empty());
  write(folder, "long", ".gitignore", std::string(IgnoreFiles::kLargestFile + 1, '*'));  // no whole line
  CHECK(ignores.ignored_by(folder.path(), "long/a").empty());
}

TEST_CASE("a pattern made to be slow is not") {
  std::string pattern;
  for (int i = 0; i < 500; ++i) pattern += "*a";
  const PathPattern slow(pattern + "b");
  CHECK_FALSE(slow.matches(std::string(4000, 'a')));
  CHECK(slow.matches(std::string(4000, 'a') + "b"));
}

}  // namespace
}  // namespace cinnabar::daemon
