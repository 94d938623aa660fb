// What stands above a notebook's cell, while cells come, go and change.
#include "daemon/workspace/documents/notebooks.h"

#include <catch2/catch.hpp>

namespace cinnabar::daemon {
namespace {

constexpr std::size_t kBudget = 1000;

struct Notebook {
  Notebook() {
    lsp::DidOpenNotebookParams params;
    params.uri = "file:///n.ipynb";
    const auto cell = [&](const char* name, bool is_code, const char* language, const char* text) {
      params.cells.push_back({is_code, name});
      REQUIRE(documents.open({name, language, 1, text}));
    };
    cell("a", true, "python", "import one\n");
    cell("b", false, "markdown", "# Title");
    cell("c", true, "r", "x <- 1");
    cell("d", true, "python", "two = 2");
    cell("e", true, "python", "");
    cell("f", true, "python", "three = ");
    notebooks.open(params);
  }
  std::string above(const char* cell, std::size_t budget = kBudget) const {
    return notebooks.above(*documents.find(cell), documents, budget);
  }
  DocumentStore documents{lsp::PositionEncoding::utf8};
  Notebooks notebooks;
};

TEST_CASE("above a cell stand the code cells of its language, in order") {
  const Notebook notebook;
  CHECK(notebook.above("f") == "import one\n\ntwo = 2\n\n");
  CHECK(notebook.above("d") == "import one\n\n");
  CHECK(notebook.above("a").empty());
  CHECK(notebook.above("c").empty());
}

TEST_CASE("whole cells, the last ones that the budget holds") {
  const Notebook notebook;
  CHECK(notebook.above("f", 12) == "two = 2\n\n");
  CHECK(notebook.above("f", 8).empty());
}

TEST_CASE("cells that come, go and change places") {
  Notebook notebook;
  lsp::NotebookStructure structure;
  structure.start = 3;
  structure.removed = 1;
  notebook.notebooks.change("file:///n.ipynb", structure);
  CHECK(notebook.above("f") == "import one\n\n");
  CHECK(notebook.above("d").empty());  // it is no cell any more
  structure = {0, 0, {{true, "d"}}, {}, {}};
  notebook.notebooks.change("file:///n.ipynb", structure);
  CHECK(notebook.above("f") == "two = 2\n\nimport one\n\n");
  structure = {1000, 1000, {{true, "g"}}, {}, {}};  // clamps; a cell without a text is left out
  notebook.notebooks.change("file:///n.ipynb", structure);
  CHECK(notebook.above("f") == "two = 2\n\nimport one\n\n");
  notebook.notebooks.change("file:///other.ipynb", structure);
  notebook.notebooks.close("file:///n.ipynb");
  CHECK(notebook.above("f").empty());
  notebook.notebooks.close("file:///n.ipynb");
}

}  // namespace
}  // namespace cinnabar::daemon
