#include "daemon/completion/heading.h"

#include <catch2/catch.hpp>
#include <string>

namespace cinnabar::daemon {
namespace {

TEST_CASE("a file's name in its language's own comment") {
  struct Case {
    std::string path, language, heading;
  };
  const auto c = GENERATE(values<Case>({
      {"/home/me/solution.py", "python", "# solution.py\n"},
      {"new.java", "", "// new.java\n"},  // by the name alone
      {"/x/styles.css", "css", "/* styles.css */\n"},
      {"/x/a.scss", "scss", "/* a.scss */\n"},
      {"/x/index.html", "html", "<!-- index.html -->\n"},
      {"/x/query.sql", "sql", "-- query.sql\n"},  // no grammar
      {"/x/View.swift", "swift", "// View.swift\n"},
      {"/x/notes.txt", "plaintext", "notes.txt\n"},
      {"/x/Dockerfile", "dockerfile", "# Dockerfile\n"},
      {"/x/config.yaml", "yaml", "# config.yaml\n"},
      {"/x/run", "shellscript", "# run.sh\n"},  // a name that does not say what it is
      {"/x/.bashrc", "shellscript", "# .bashrc\n"},
      {"/x/Rakefile", "ruby", "# Rakefile\n"},
      {"/x/book.ipynb", "python", "# book.py\n"},  // a cell's notebook
      {"Untitled-1", "rust", "// Untitled-1.rs\n"},
      {"", "go", "// new.go\n"},
      {"", "", ""},
      {"/x/", "unknown", ""},
      {"/x/a\nb.py", "python", ""},
      {"/x/" + std::string(90, 'a') + ".py", "python", ""},
  }));
  INFO(c.path << " " << c.language);
  CHECK(heading_of(c.path, c.language) == c.heading);
}

TEST_CASE("a document's heading goes by its address") {
  const auto heading = [](const std::string& uri, const std::string& language) {
    return heading_of(DocumentSnapshot({uri, language, 0, 0}, "", LineIndex("")));
  };
  CHECK(heading("file:///x/my%20file.py", "python") == "# my file.py\n");
  CHECK(heading("src/a.ts", "") == "// a.ts\n");
  CHECK(heading("untitled:Untitled-2", "python") == "# Untitled-2.py\n");
  CHECK(heading("vscode-notebook-cell:/x/b.ipynb#W1s", "python") == "# b.py\n");
}

}  // namespace
}  // namespace cinnabar::daemon
