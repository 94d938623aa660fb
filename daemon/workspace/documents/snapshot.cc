#include "daemon/workspace/documents/snapshot.h"

#include <utility>

namespace cinnabar::daemon {

DocumentSnapshot::DocumentSnapshot(Identity identity, std::string text, LineIndex lines)
    : identity_(std::move(identity)), text_(std::move(text)), lines_(std::move(lines)) {}

std::size_t DocumentSnapshot::byte_offset(lsp::Position position, lsp::PositionEncoding encoding) const {
  return lsp::to_byte_offset(text_, lines_, position, encoding);
}

lsp::Position DocumentSnapshot::position(std::size_t byte_offset, lsp::PositionEncoding encoding) const {
  return lsp::to_position(text_, lines_, byte_offset, encoding);
}

}  // namespace cinnabar::daemon
