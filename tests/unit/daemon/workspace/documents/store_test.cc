#include "daemon/workspace/documents/store.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "tests/unit/daemon/workspace/documents/naive_editor.h"

namespace cinnabar::daemon {
namespace {

using lsp::ContentChange;
using lsp::Position;
using lsp::PositionEncoding;
using lsp::Range;

const char* const kUri = "file:///a.c";

lsp::DidChangeParams change_of(std::int32_t version, std::vector<ContentChange> changes, const char* uri = kUri) {
  return {{uri, version}, std::move(changes)};
}

ContentChange edit(std::uint32_t l1, std::uint32_t c1, std::uint32_t l2, std::uint32_t c2, const char* text) {
  return {Range{{l1, c1}, {l2, c2}}, text};
}

// The text after one didChange on `before`, in utf-16.
std::string changed(const std::string& before, std::vector<ContentChange> changes) {
  DocumentStore store(PositionEncoding::utf16);
  REQUIRE(store.open({kUri, "c", 1, before}).ok());
  const auto result = store.change(change_of(2, std::move(changes)));
  REQUIRE(result.ok());
  CHECK(result->after->lines() == LineIndex(result->after->text()));
  CHECK(result->before->text() == before);
  return result->after->text();
}

TEST_CASE("changes apply in order, each on the outcome of the one before") {
  CHECK(changed("abc", {edit(0, 1, 0, 2, "X")}) == "aXc");
  CHECK(changed("abc", {edit(0, 0, 0, 0, "1\n"), edit(1, 0, 1, 1, "")}) == "1\nbc");
  CHECK(changed("abc", {{std::nullopt, "new\n"}, edit(1, 0, 1, 0, "end")}) == "new\nend");
  CHECK(changed("abc", {edit(0, 3, 0, 3, "d"), {std::nullopt, ""}}).empty());
  CHECK(changed("abc", {}) == "abc");
}

TEST_CASE("ranges that do not exist clamp; one that is turned round is turned back") {
  CHECK(changed("ab\ncd", {edit(0, 99, 0, 99, "X")}) == "abX\ncd");
  CHECK(changed("ab\r\ncd", {edit(0, 99, 1, 0, "")}) == "abcd");
  CHECK(changed("ab\ncd", {edit(7, 0, 9, 9, "X")}) == "ab\ncdX");
  CHECK(changed("ab\ncd", {edit(0, 1, 4294967295u, 0, "")}) == "a");
  CHECK(changed("abcd", {edit(0, 3, 0, 1, "X")}) == "aXd");
  CHECK(changed("\xF0\x9F\x8C\x8B", {edit(0, 1, 0, 1, "X")}) == "X\xF0\x9F\x8C\x8B");  // inside a pair: before it
}

TEST_CASE("line ends that an edit joins or parts") {
  CHECK(changed("a\rb", {edit(1, 0, 1, 0, "\n")}) == "a\r\nb");
  CHECK(changed("a\r\nb", {edit(0, 1, 1, 0, "\r"), edit(1, 0, 1, 1, "X")}) == "a\rX");
}

TEST_CASE("edits are told in bytes; a whole-text change only where the texts differ") {
  DocumentStore store(PositionEncoding::utf16);
  REQUIRE(store.open({kUri, "c", 1, "h\xC3\xA9llo\nworld"}).ok());
  auto applied = store.change(change_of(2, {edit(0, 2, 0, 3, "LL"), edit(1, 0, 1, 5, "")}));
  REQUIRE(applied.ok());
  CHECK(applied->after->text() == "h\xC3\xA9LLlo\n");
  CHECK(applied->edits == std::vector<ByteEdit>{{3, 4, 5}, {8, 13, 8}});

  const auto whole = [&store](const char* text) {
    auto result = store.change(change_of(3, {{std::nullopt, text}}));
    REQUIRE(result.ok());
    CHECK(result->after->text() == text);
    CHECK(result->after->lines() == LineIndex(text));
    REQUIRE(result->edits.size() == 1);
    return result->edits[0];
  };
  whole("aaaa");
  CHECK(whole("aaa") == ByteEdit{3, 4, 3});
  CHECK(whole("aaa") == ByteEdit{3, 3, 3});
  whole("x\xC3\xA9y");
  CHECK(whole("x\xC3\xA8y") == ByteEdit{1, 3, 3});  // é and è share their first byte
  whole("x\xC3\xA9y");
  CHECK(whole("x\xC4\xA9y") == ByteEdit{1, 3, 3});  // é and ĩ share their last
  whole("");
  whole("\r\nb");
  whole("\rb");
}

TEST_CASE("snapshots stay as they are, and revisions tell them apart") {
  DocumentStore store(PositionEncoding::utf8);
  const auto first = store.open({kUri, "c", 7, "a"});
  REQUIRE(first.ok());
  CHECK(store.find(kUri) == *first);
  const auto second = store.change(change_of(8, {edit(0, 1, 0, 1, "b")}));
  REQUIRE(second.ok());
  CHECK((*first)->text() == "a");
  CHECK((*first)->version() == 7);
  CHECK(second->before == *first);
  CHECK(second->after->version() == 8);
  CHECK(second->after->language_id() == "c");
  CHECK(second->after->revision() > (*first)->revision());
  CHECK(store.find(kUri) == second->after);
}

TEST_CASE("a lost document is unknown until all of its text is there") {
  DocumentStore store(PositionEncoding::utf16);
  REQUIRE(store.open({kUri, "c", 1, "one"}).ok());
  store.lose(kUri);
  CHECK(store.is_lost(kUri));
  CHECK_FALSE(store.find(kUri));
  CHECK_FALSE(store.change(change_of(2, {edit(0, 0, 0, 0, "x")})).ok());
  CHECK(store.is_lost(kUri));
  const auto known = store.change(change_of(3, {edit(0, 0, 0, 9, "x"), {std::nullopt, "two"}, edit(0, 3, 0, 3, "!")}));
  REQUIRE(known.ok());
  CHECK(known->after->text() == "two!");
  CHECK(known->after->language_id() == "c");
  CHECK_FALSE(store.is_lost(kUri));
  store.lose(kUri);
  REQUIRE(store.open({kUri, "c", 4, "three"}).ok());
  CHECK_FALSE(store.is_lost(kUri));
  store.lose(kUri);
  CHECK(store.close(kUri).ok());
  CHECK_FALSE(store.is_lost(kUri));
  store.lose("file:///never-opened");
  CHECK_FALSE(store.is_lost("file:///never-opened"));
}

TEST_CASE("however a uri is spelled, it names one document") {
  DocumentStore store(PositionEncoding::utf16);
  REQUIRE(store.open({"file:///c%3A/a.c", "c", 1, "a"}).ok());
  REQUIRE(store.change(change_of(2, {edit(0, 1, 0, 1, "b")}, "file:///C:/a.c")).ok());
  REQUIRE(store.find("FILE:/c:/a.c"));
  CHECK(store.find("FILE:/c:/a.c")->text() == "ab");
  CHECK(store.find("FILE:/c:/a.c")->uri() == "file:///c%3A/a.c");
  CHECK(store.close("file:///c:/a.c").ok());
  CHECK(store.all().empty());
}

TEST_CASE("a version that does not grow is followed all the same") {
  DocumentStore store(PositionEncoding::utf8);
  REQUIRE(store.open({kUri, "c", 5, "a"}).ok());
  for (const std::int32_t version : {5, 3}) {
    const auto result = store.change(change_of(version, {edit(0, 0, 0, 0, "x")}));
    REQUIRE(result.ok());
    CHECK(result->after->version() == version);
    CHECK(result->after->revision() > result->before->revision());
  }
  CHECK(store.find(kUri)->text() == "xxa");
}

TEST_CASE("open, close and what is not open") {
  DocumentStore store(PositionEncoding::utf8);
  CHECK(store.find(kUri) == nullptr);
  CHECK(store.change(change_of(1, {})).message() == "document is not open: file:///a.c");
  CHECK(store.close(kUri).message() == "document is not open: file:///a.c");
  REQUIRE(store.open({kUri, "c", 1, "a"}).ok());
  REQUIRE(store.open({"file:///b.c", "c", 1, "b"}).ok());
  REQUIRE(store.open({kUri, "cpp", 1, "again"}).ok());  // opened twice: the second counts
  CHECK(store.find(kUri)->text() == "again");
  CHECK(store.all().size() == 2);
  CHECK(store.close(kUri).ok());
  CHECK(store.find(kUri) == nullptr);
  CHECK_FALSE(store.close(kUri).ok());
  CHECK(store.all().size() == 1);
}

TEST_CASE("limits: what is refused stays refused until it is closed") {
  DocumentStore store(PositionEncoding::utf8, {.documents = 2, .bytes_per_document = 10, .bytes_in_all = 15});
  CHECK(store.open({"u1", "c", 1, "12345678901"}).message() ==
        "u1: document of 11 bytes is over the limit of 10; it is not completed");
  CHECK(store.find("u1") == nullptr);
  CHECK_FALSE(store.change(change_of(2, {{std::nullopt, "x"}}, "u1")).ok());
  CHECK(store.open({"u1", "c", 3, "1234567890"}).ok());
  CHECK(store.open({"u2", "c", 1, "123456"}).message().find("bytes of all open documents") != std::string::npos);
  CHECK(store.open({"u2", "c", 1, "12345"}).ok());
  CHECK(store.open({"u3", "c", 1, ""}).message().find("open documents over the limit of 2") != std::string::npos);
  CHECK_FALSE(store.close("u3").ok());
  CHECK_FALSE(store.change(change_of(2, {edit(0, 0, 0, 0, "x")}, "u1")).ok());  // grew over its limit
  CHECK(store.find("u1") == nullptr);
  CHECK(store.close("u1").ok());
  CHECK(store.open({"u3", "c", 1, "1234567890"}).ok());  // all that u1 held is free again
  CHECK(store.open({"u3", "c", 1, "0987654321"}).ok());
}

struct Encoding {
  PositionEncoding ours;
  NaiveEditor::Unit naive;
};

const std::vector<Encoding> kEncodings = {{PositionEncoding::utf8, NaiveEditor::Unit::utf8},
                                          {PositionEncoding::utf16, NaiveEditor::Unit::utf16},
                                          {PositionEncoding::utf32, NaiveEditor::Unit::utf32}};

std::u32string random_text(std::mt19937& random, std::size_t length) {
  static const std::u32string alphabet = U"ab \n\n\r\u00e9\u20ac\U0001F30B\uFEFF\u2028";
  std::u32string text;
  for (std::size_t i = 0; i < length; ++i) text += alphabet[random() % alphabet.size()];
  return text;
}

std::string to_utf8(std::u32string text) { return NaiveEditor{std::move(text)}.utf8(); }

// `count` random edits, in changes of one to three, against the naive editor.
void compare_with_naive(Encoding encoding, unsigned seed, int count) {
  std::mt19937 random(seed);
  DocumentStore store(encoding.ours);
  NaiveEditor naive{random_text(random, 60)};
  REQUIRE(store.open({kUri, "c", 0, naive.utf8()}).ok());
  for (int done = 0; done < count;) {
    lsp::DidChangeParams params = change_of(done + 1, {});
    for (auto in_this = 1 + random() % 3; in_this > 0; --in_this, ++done) {
      const auto inserted = random_text(random, naive.text.size() > 150 ? 0 : random() % 7);
      if (random() % 500 == 0) {
        naive.text = random_text(random, random() % 100);
        params.changes.push_back({std::nullopt, naive.utf8()});
        continue;
      }
      const auto at = [&random] { return static_cast<std::uint32_t>(random() % 24); };
      Range range{{at(), at()}, {}};
      range.end = random() % 4 ? Position{range.start.line + at() % 2, at()} : Position{at(), at()};
      std::size_t begin = naive.index(range.start.line, range.start.character, encoding.naive);
      std::size_t end = naive.index(range.end.line, range.end.character, encoding.naive);
      if (end < begin) std::swap(begin, end);
      naive.text.replace(begin, end - begin, inserted);
      params.changes.push_back({range, to_utf8(inserted)});
    }
    const auto result = store.change(params);
    REQUIRE(result.ok());
    REQUIRE(result->after->text() == naive.utf8());
    REQUIRE(result->after->lines() == LineIndex(result->after->text()));
  }
}

TEST_CASE("random edits against a naive editor, in every encoding") {
  for (unsigned seed = 0; seed < 4; ++seed)
    for (const auto& encoding : kEncodings) compare_with_naive(encoding, seed, 17'000);
}

// Left out of a bare run of daemon_tests; ctest, which selects by file, includes it.
TEST_CASE("a million and more random edits against a naive editor", "[.long]") {
  for (unsigned seed = 100; seed < 120; ++seed)
    for (const auto& encoding : kEncodings) compare_with_naive(encoding, seed, 20'000);
}

}  // namespace
}  // namespace cinnabar::daemon
