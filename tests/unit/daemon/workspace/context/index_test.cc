// The index of a workspace: what is read, what is not, and what is chosen for a cursor.
#include "daemon/workspace/context/index.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

using namespace cinnabar;
using namespace cinnabar::daemon;
namespace fs = std::filesystem;

namespace {

// A folder of files, gone at the end.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "cinnabar_context_XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = fs::canonical(name);
  }
  ~Folder() { fs::remove_all(path_); }
  std::string put(const std::string& name, const std::string& text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
    return (path_ / name).string();
  }
  std::string path() const { return path_.string() + "/"; }

 private:
  fs::path path_;
};

SnapshotPtr document(const std::string& path, const std::string& text) {
  return std::make_shared<const DocumentSnapshot>(DocumentSnapshot::Identity{"file://" + path, "python", 1, 1}, text,
                                                  LineIndex(text));
}

std::vector<context::Piece> settled(context::Index& index, const SnapshotPtr& snapshot, const std::string& path,
                                    std::size_t offset, const char* id = "python") {
  const auto* language = syntax::find_language(id);
  index.pieces(snapshot, path, language, offset);
  index.settle();
  return index.pieces(snapshot, path, language, offset);
}

bool any(const std::vector<context::Piece>& pieces, const std::string& text) {
  return std::any_of(pieces.begin(), pieces.end(),
                     [&](const auto& piece) { return piece.text.find(text) != std::string::npos; });
}

const auto kAll = [](const std::string&) { return true; };
const std::string kShop = "def total_price(items, factor):\n    return sum(items) * factor\n";
const std::string kUser = "from shop import total_price\n\ncost = total_price(";

}  // namespace

TEST_CASE("a definition named near the cursor is found in another file") {
  const Folder folder;
  folder.put("shop.py", kShop);
  const std::string path = folder.put("main.py", kUser);
  context::Index index;
  CHECK(index.pieces(document(path, kUser), path, syntax::find_language("python"), kUser.size()).empty());
  index.set_folders({folder.path()}, kAll);
  index.settle();
  CHECK(index.files() == 2);
  const auto pieces = settled(index, document(path, kUser), path, kUser.size());
  REQUIRE(any(pieces, "def total_price(items, factor):"));
  CHECK(pieces.front().path == "shop.py");
  CHECK(pieces.front().why.find("total_price") != std::string::npos);
  CHECK_FALSE(any(pieces, "from shop import"));  // nothing of the document itself
  CHECK(context::rendered(pieces.front(), *syntax::find_language("python")).starts_with("# shop.py\ndef total_price"));
}

TEST_CASE("of a large type that is named near the cursor the members are listed, wherever they stand") {
  const Folder folder;
  std::string shop = "package shop\n\n// Shop sells.\ntype Shop struct {\n";
  for (int i = 0; i < 20; ++i) shop += "\tField" + std::to_string(i) + " int\n";
  folder.put("shop/shop.go", shop + "}\n\nfunc (s *Shop) Open(wide bool) {}\n");
  folder.put("shop/price.go", "package shop\n\nfunc (s *Shop) Price(id int) int { return id }\n");
  folder.put("other/shop.go", "package other\n\nfunc (s *Shop) Close() {}\n");
  const std::string text = "package main\n\nfunc run(s *shop.Shop) {\n\ts.";
  const std::string path = folder.put("main.go", text);
  context::Index index;
  index.set_folders({folder.path()}, kAll);
  index.settle();
  const auto pieces = settled(index, document(path, text), path, text.size(), "go");
  REQUIRE(any(pieces, "// Shop: Field0, Field1,"));
  CHECK(any(pieces, "Open(wide bool), Price(id int)"));
  CHECK_FALSE(any(pieces, "Close()"));
}

TEST_CASE("of a module that is written before a dot, what it gives to others; tests are not for others") {
  const Folder folder;
  folder.put("lint/lint.go", "package lint\n\nfunc New(depth int) *Linter { return nil }\n\nfunc own() {}\n");
  folder.put("lint/lint_test.go", "package lint\n\nfunc TestNew(depth int) {}\n");
  folder.put("other/lint.py", "def of_another_language(): pass\n");
  const std::string text = "package main\n\nfunc run() {\n\tx := lint.";
  const std::string path = folder.put("main.go", text);
  context::Index index;
  index.set_folders({folder.path()}, kAll);
  index.settle();
  const auto pieces = settled(index, document(path, text), path, text.size(), "go");
  const auto gives = std::find_if(pieces.begin(), pieces.end(), [](const auto& piece) { return piece.path == "lint"; });
  REQUIRE(gives != pieces.end());
  CHECK(gives->text == "// gives New(depth int)");
}

TEST_CASE("a module's own file is not told what it gives itself") {
  const Folder folder;
  const std::string text = "package lint\n\nfunc New(depth int) {}\n\nfunc Old() {\n\tlint.";
  const std::string path = folder.put("lint/lint.go", text);
  context::Index index;
  index.set_folders({folder.path()}, kAll);
  index.settle();
  CHECK_FALSE(any(settled(index, document(path, text), path, text.size(), "go"), "gives"));
}

TEST_CASE("what a file imports is shown though nothing near the cursor names it") {
  const Folder folder;
  folder.put("shop.py", kShop);
  std::string text = "from shop import total_price\n";
  for (int i = 0; i < 60; ++i) text += "value" + std::to_string(i) + " = " + std::to_string(i) + "\n";
  const std::string path = folder.put("main.py", text);
  context::Index index;
  index.set_folders({folder.path()}, kAll);
  index.settle();
  CHECK(any(settled(index, document(path, text), path, text.size()), "def total_price(items, factor):"));
}

TEST_CASE("a window does not repeat a definition that is there already") {
  const Folder folder;
  folder.put("shop.py", kShop);
  const std::string text = "def cost(items, factor):\n    return sum(items) * total_price(items, factor";
  const std::string path = folder.put("main.py", text);
  context::Index index;
  index.set_folders({folder.path()}, kAll);
  index.settle();
  const auto pieces = settled(index, document(path, text), path, text.size());
  REQUIRE(pieces.size() == 1);
  CHECK(pieces.front().why.starts_with("defines total_price"));
}

TEST_CASE("what may not be read is not read") {
  const Folder folder, outside;
  folder.put("shop.py", kShop);
  folder.put("secret_shop.py", "def total_price_secret(): pass\n");
  folder.put("node_modules/a.py", kShop);
  folder.put(".hidden/a.py", kShop);
  folder.put("large.py", std::string(300'000, '\n'));
  folder.put("binary.py", std::string("a\0b", 3));
  folder.put("notes.txt", "total_price");
  outside.put("other.py", kShop);
  fs::create_symlink(outside.path() + "other.py", folder.path() + "link.py");
  fs::create_directory_symlink(outside.path(), folder.path() + "folder");
  context::Index index;
  index.set_folders({folder.path()}, [](const std::string& path) { return path.find("secret") == std::string::npos; });
  index.settle();
  CHECK(index.files() == 1);
  index.saved(folder.path() + "secret_shop.py");
  index.saved(outside.path() + "other.py");
  index.saved(folder.path() + "link.py");  // leads out of the folder
  index.saved(folder.path() + "folder/other.py");
  index.settle();
  CHECK(index.files() == 1);
  index.clear();
  index.settle();
  CHECK(index.files() == 0);
}

TEST_CASE("limits of files, bytes and entries hold") {
  const Folder folder;
  for (int i = 0; i < 20; ++i) folder.put("f" + std::to_string(i) + ".py", kShop);
  context::ScanLimits limits;
  limits.files = 5;
  context::Index few(limits);
  few.set_folders({folder.path()}, kAll);
  few.settle();
  CHECK(few.files() == 5);
  limits = {};
  limits.bytes = 3000;
  context::Index small(limits);
  small.set_folders({folder.path()}, kAll);
  small.settle();
  CHECK(small.files() < 20);
  limits = {};
  limits.entries = 3;
  context::Index short_walk(limits);
  short_walk.set_folders({folder.path()}, kAll);
  short_walk.settle();
  CHECK(short_walk.files() <= 3);
}

TEST_CASE("pieces stay while the cursor stays near, and follow it and what is saved") {
  const Folder folder;
  folder.put("shop.py", kShop);
  folder.put("tax.py", "def tax_of(country):\n    return 1\n");
  std::string text = "cost = total_price(1)\n";  // what is imported would stay
  const std::size_t near = text.size();
  for (int i = 0; i < 100; ++i) text += "x = 1\n";
  text += "rate = tax_of(";
  const std::string path = folder.put("main.py", text);
  context::Index index;
  index.set_folders({folder.path()}, kAll);
  index.settle();
  CHECK(any(settled(index, document(path, text), path, near), "total_price"));
  CHECK(any(settled(index, document(path, text), path, near + 60), "total_price"));
  const auto far = settled(index, document(path, text), path, text.size());
  CHECK(any(far, "tax_of"));
  CHECK_FALSE(any(far, "total_price"));
  folder.put("tax.py", "def tax_of(country, year):\n    return 1\n");
  index.saved(folder.path() + "tax.py");
  index.settle();
  index.forget(path);
  CHECK(any(settled(index, document(path, text), path, text.size()), "country, year"));
}

TEST_CASE("an edit in another file is remembered, nothing of it after the folders have changed") {
  const Folder folder;
  const std::string shop = folder.put("shop.py", kShop), path = folder.put("main.py", "x = 1\n");
  context::Index index;
  index.set_folders({folder.path()}, kAll);
  index.settle();
  const std::string edited = "def total_price(items, factor, rebate):\n    return 0\n";
  index.edited({nullptr, document(shop, edited), {{30, 30, 38}}}, shop);
  const auto pieces = settled(index, document(path, "x = 1\n"), path, 5);
  REQUIRE(any(pieces, "rebate"));
  CHECK(pieces.back().why == "was edited lately");
  index.set_folders({folder.path()}, kAll);
  index.settle();
  CHECK_FALSE(any(settled(index, document(path, "x = 1\n"), path, 5), "rebate"));
}

TEST_CASE("an index can go while it reads") {
  const Folder folder;
  for (int i = 0; i < 50; ++i) folder.put("f" + std::to_string(i) + ".py", kShop);
  for (int i = 0; i < 5; ++i) {
    context::Index index;
    index.set_folders({folder.path()}, kAll);
  }
}
