#include "daemon/workspace/documents/notebooks.h"

#include <algorithm>

namespace cinnabar::daemon {

void Notebooks::open(const lsp::DidOpenNotebookParams& params) {
  close(params.uri);
  cells_[params.uri] = params.cells;
  index(params.uri);
}

void Notebooks::change(const std::string& uri, const lsp::NotebookStructure& structure) {
  const auto found = cells_.find(uri);
  if (found == cells_.end()) return;
  auto& cells = found->second;
  const std::size_t begin = std::min<std::size_t>(structure.start, cells.size());
  const std::size_t end = begin + std::min<std::size_t>(structure.removed, cells.size() - begin);
  const auto at = [&](std::size_t index) { return cells.begin() + static_cast<std::ptrdiff_t>(index); };
  for (std::size_t i = begin; i < end; ++i) notebook_of_.erase(cells[i].document);
  cells.erase(at(begin), at(end));
  cells.insert(at(begin), structure.cells.begin(), structure.cells.end());
  index(uri);
}

void Notebooks::close(const std::string& uri) {
  const auto found = cells_.find(uri);
  if (found == cells_.end()) return;
  for (const auto& cell : found->second) notebook_of_.erase(cell.document);
  cells_.erase(found);
}

void Notebooks::index(const std::string& uri) {
  for (const auto& cell : cells_[uri]) notebook_of_[cell.document] = uri;
}

std::string Notebooks::above(const DocumentSnapshot& cell, const DocumentStore& documents, std::size_t budget) const {
  const auto notebook = notebook_of_.find(cell.uri());
  if (notebook == notebook_of_.end()) return {};
  std::vector<std::string> texts;  // the last one first
  std::size_t bytes = 0;
  const auto& cells = cells_.at(notebook->second);
  const auto here =
      std::find_if(cells.begin(), cells.end(), [&](const auto& one) { return one.document == cell.uri(); });
  for (auto one = here; one != cells.begin();) {
    --one;
    const auto document = one->is_code ? documents.find(one->document) : nullptr;
    if (!document || document->language_id() != cell.language_id() || document->text().empty()) continue;
    std::string text = document->text();
    text += text.back() == '\n' ? "\n" : "\n\n";
    bytes += text.size();
    if (bytes > budget) break;
    texts.push_back(std::move(text));
  }
  std::string out;
  for (auto text = texts.rbegin(); text != texts.rend(); ++text) out += *text;
  return out;
}

}  // namespace cinnabar::daemon
