// One open document at one moment: what every feature is a function of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "lsp/position.h"

namespace cinnabar::daemon {

// Immutable and shared by pointer, so a feature on another thread keeps the text it began with while the user types on.
class DocumentSnapshot {
 public:
  struct Identity {
    std::string uri;             // as the client wrote it
    std::string language_id;     // LSP's name, such as "cpp"
    std::int32_t version = 0;    // the client's
    std::uint64_t revision = 0;  // ours: grows with every snapshot of a store, so equal revisions mean the same text
  };

  // `lines` must be the index of `text`.
  DocumentSnapshot(Identity identity, std::string text, LineIndex lines);

  const std::string& uri() const { return identity_.uri; }
  const std::string& language_id() const { return identity_.language_id; }
  std::int32_t version() const { return identity_.version; }
  std::uint64_t revision() const { return identity_.revision; }
  const std::string& text() const { return text_; }  // UTF-8
  const LineIndex& lines() const { return lines_; }

  // Both clamp as lsp/position.h says.
  std::size_t byte_offset(lsp::Position position, lsp::PositionEncoding encoding) const;
  lsp::Position position(std::size_t byte_offset, lsp::PositionEncoding encoding) const;

 private:
  Identity identity_;
  std::string text_;
  LineIndex lines_;
};

using SnapshotPtr = std::shared_ptr<const DocumentSnapshot>;

}  // namespace cinnabar::daemon
