#include "daemon/commands/editor_setup.h"

#include <catch2/catch.hpp>

namespace cinnabar::daemon {
namespace {

const EditorPlaces kPlaces{"/home/a/.config", "/home/a/.emacs.d/init.el", "/opt/\"x\"/cinnabar", "/opt/plugin"};

TEST_CASE("a block is added, replaced and taken away; the rest of the file stays") {
  for (const char* editor : {"neovim", "helix", "emacs"}) {
    const auto block = editor_block(editor, kPlaces);
    REQUIRE(block.ok());
    for (const std::string text : {"", "a = 1\n", "a = 1\n\nb\n"}) {
      const std::string with = with_block(text, *block);
      CHECK(with.find(block->text) != std::string::npos);
      CHECK(with_block(with, *block) == with);
      CHECK(without_block(with, *block) == text);
      CHECK(without_block(text, *block) == text);
      CHECK(without_block(with + "later\n", *block) == text + "later\n");
      EditorBlock newer = *block;
      newer.text = "newer\n";
      CHECK(without_block(with_block(with + "later\n", newer), newer) == text + "later\n");
    }
    CHECK(without_block(with_block("no line end", *block), *block) == "no line end\n");
  }
}

TEST_CASE("half a block is no block: nothing is taken away") {
  const auto block = editor_block("neovim", kPlaces);
  REQUIRE(block.ok());
  const std::string with = with_block("a\n", *block);
  const std::string cut = with.substr(0, with.rfind("--"));
  CHECK(without_block(cut, *block) == cut);
}

TEST_CASE("quotes in paths are escaped") {
  CHECK(editor_block("helix", kPlaces)->text.find(R"("/opt/\"x\"/cinnabar")") != std::string::npos);
  CHECK(editor_block("emacs", kPlaces)->text.find(R"("/opt/\"x\"/cinnabar")") != std::string::npos);
}

TEST_CASE("Helix: a language that the user configures is left to the user") {
  auto block = editor_block("helix", kPlaces);
  REQUIRE(block.ok());
  fit_to("[[language]]\nname = \"rust\"\n", *block);
  CHECK(block->text.find("\"rust\"") == std::string::npos);
  CHECK(block->text.find("\"python\"") != std::string::npos);
}

TEST_CASE("what is missing is said") {
  EditorPlaces places = kPlaces;
  places.plugin.clear();
  CHECK(editor_block("neovim", places).status().message().find("not installed") != std::string::npos);
  CHECK_FALSE(editor_block("ed", kPlaces).ok());
}

}  // namespace
}  // namespace cinnabar::daemon
