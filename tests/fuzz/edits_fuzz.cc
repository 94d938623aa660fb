// Incremental changes against the naive editor: the input's bytes choose texts, ranges and encoding.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include "daemon/workspace/documents/store.h"
#include "tests/unit/daemon/workspace/documents/naive_editor.h"

using namespace cinnabar;
using daemon::NaiveEditor;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

// Reads choices from the input; zero for ever after its end.
struct Choices {
  const std::uint8_t* data;
  std::size_t left;

  std::uint8_t next() {
    if (left == 0) return 0;
    --left;
    return *data++;
  }
  std::u32string text() {
    static const std::u32string alphabet = U"ab\n\r\u00e9\u20ac\U0001F30B\u2028";
    std::u32string out;
    for (auto length = next() % 8; length > 0; --length) out += alphabet[next() % alphabet.size()];
    return out;
  }
  lsp::Position position() {
    const std::uint32_t line = next();
    const std::uint32_t character = next();
    return {line == 255 ? 0x7FFFFFFF : line % 12, character == 255 ? 0x7FFFFFFF : character % 24};
  }
};

struct Encoding {
  lsp::PositionEncoding ours;
  NaiveEditor::Unit naive;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr Encoding kEncodings[] = {{lsp::PositionEncoding::utf8, NaiveEditor::Unit::utf8},
                                            {lsp::PositionEncoding::utf16, NaiveEditor::Unit::utf16},
                                            {lsp::PositionEncoding::utf32, NaiveEditor::Unit::utf32}};
  Choices choices{data, size};
  const auto& encoding = kEncodings[choices.next() % 3];
  NaiveEditor naive{choices.text() + choices.text() + choices.text()};
  daemon::DocumentStore store(encoding.ours);
  require(store.open({"u", "c", 0, naive.utf8()}).ok());
  for (std::int32_t version = 1; choices.left > 0; ++version) {
    lsp::ContentChange change;
    const bool whole = choices.next() % 16 == 0;
    const auto text = choices.text();
    change.text = NaiveEditor{text}.utf8();
    if (whole) {
      naive.text = text;
    } else {
      change.range = lsp::Range{choices.position(), choices.position()};
      auto begin = naive.index(change.range->start.line, change.range->start.character, encoding.naive);
      auto end = naive.index(change.range->end.line, change.range->end.character, encoding.naive);
      if (end < begin) std::swap(begin, end);
      naive.text.replace(begin, end - begin, text);
    }
    const auto applied = store.change({{"u", version}, {change}});
    require(applied.ok());
    require(applied->after->text() == naive.utf8());
    require(applied->after->lines() == LineIndex(applied->after->text()));
  }
  return 0;
}
