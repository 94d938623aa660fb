// The order of the cells of one client's notebooks. Their texts are documents of the DocumentStore.
//
// Not thread-safe (main thread).
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "daemon/workspace/documents/store.h"
#include "lsp/notebook.h"

namespace cinnabar::daemon {

class Notebooks {
 public:
  // Opening what is open replaces it.
  void open(const lsp::DidOpenNotebookParams& params);
  // Ranges clamp to the cells there are; a notebook that is not open stays so.
  void change(const std::string& uri, const lsp::NotebookStructure& structure);
  void close(const std::string& uri);

  // The texts of the code cells in front of `cell`, in its language, a blank line behind each: what the kernel has run
  // by then when the cells are run in order. Whole cells, the last ones that `budget` bytes hold. Empty for a document
  // that is no cell.
  std::string above(const DocumentSnapshot& cell, const DocumentStore& documents, std::size_t budget) const;

 private:
  void index(const std::string& uri);

  std::unordered_map<std::string, std::vector<lsp::NotebookCell>> cells_;  // by notebook
  std::unordered_map<std::string, std::string> notebook_of_;               // by the cell's uri
};

}  // namespace cinnabar::daemon
