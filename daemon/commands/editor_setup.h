// What `cinnabar setup` tells an editor: a block of text between two marks in one of its files, or a file of its own.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace cinnabar::daemon {

// A block in a file. `comment` begins a line's comment there.
struct EditorBlock {
  std::string path;
  std::string comment;
  std::string text;  // its lines, without the marks
};

// Where an editor's things are.
struct EditorPlaces {
  std::string config;   // $XDG_CONFIG_HOME or ~/.config
  std::string emacs;    // the file that Emacs reads at start
  std::string program;  // this program's file
  std::string plugin;   // folder of the Neovim plugin; empty: it is not installed
};

// The block for "neovim", "helix" or "emacs". Fails where something that it needs is missing, and says what to do then.
Result<EditorBlock> editor_block(std::string_view editor, const EditorPlaces& places);

// Helix's block leaves out the languages that `text`, the file without our block, configures already.
void fit_to(std::string_view text, EditorBlock& block);

// `text` with the block at its end, or in the place of the one that is there. Pure. without(with(text)) is text, but for a
// line break that it may get at its end.
std::string with_block(std::string_view text, const EditorBlock& block);
std::string without_block(std::string_view text, const EditorBlock& block);

}  // namespace cinnabar::daemon
