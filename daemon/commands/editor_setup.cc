#include "daemon/commands/editor_setup.h"

#include <utility>
#include <vector>

namespace cinnabar::daemon {
namespace {

constexpr std::string_view kBegin = " >>> cinnabar setup (this block is replaced by it; `--undo` removes it)";
constexpr std::string_view kEnd = " <<< cinnabar setup";

// A string in double quotes, as TOML and Emacs Lisp read it; in Lua as well.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// [begin, end) of the block with its marks; {npos, npos}: there is none.
std::pair<std::size_t, std::size_t> find_block(std::string_view text, const EditorBlock& block) {
  const std::string begin = block.comment + std::string(kBegin), end = block.comment + std::string(kEnd);
  const std::size_t from = text.find(begin);
  const std::size_t last = from == std::string_view::npos ? from : text.find(end, from);
  if (last == std::string_view::npos) return {last, last};
  const std::size_t line_end = text.find('\n', last);
  return {from, line_end == std::string_view::npos ? text.size() : line_end + 1};
}

Result<EditorBlock> neovim(const EditorPlaces& places) {
  if (places.plugin.empty())
    return Status::error("the Neovim plugin is not installed beside this program; ./dev install puts it there");
  return EditorBlock{places.config + "/nvim/plugin/cinnabar.lua", "--",
                     "vim.opt.runtimepath:append(" + quoted(places.plugin) +
                         ")\n"
                         "vim.cmd.runtime('plugin/cinnabar.lua')  -- :help cinnabar\n"};
}

// The servers that Helix starts for a language by itself: a list of ours replaces its own.
struct HelixLanguage {
  const char* name;
  const char* servers;
};
constexpr HelixLanguage kHelix[] = {
    {"python", "\"ty\", \"ruff\", \"jedi\", \"pylsp\""},
    {"rust", "\"rust-analyzer\""},
    {"go", "\"gopls\", \"golangci-lint-lsp\""},
    {"c", "\"clangd\""},
    {"cpp", "\"clangd\""},
    {"java", "\"jdtls\""},
    {"javascript", "\"typescript-language-server\""},
    {"typescript", "\"typescript-language-server\""},
    {"lua", "\"lua-language-server\""},
    {"bash", "\"bash-language-server\""},
};

std::string helix_language(const HelixLanguage& language) {
  return "\n[[language]]\nname = \"" + std::string(language.name) + "\"\nlanguage-servers = [" + language.servers +
         ", \"cinnabar\"]\n";
}

EditorBlock helix(const EditorPlaces& places) {
  std::string text = "[language-server.cinnabar]\ncommand = " + quoted(places.program) +
                     "\nargs = [\"lsp\"]\nconfig = { completion = true }  # Helix shows answers in its menu\n";
  for (const HelixLanguage& language : kHelix) text += helix_language(language);
  return {places.config + "/helix/languages.toml", "#", text};
}

EditorBlock emacs(const EditorPlaces& places) {
  const std::string text = R"((with-eval-after-load 'lsp-mode
  (lsp-register-client
   (make-lsp-client
    :new-connection (lsp-stdio-connection '()" +
                           quoted(places.program) + R"( "lsp"))
    :activation-fn (lambda (&rest _) t)
    :add-on? t
    :priority -2
    :initialization-options (lambda () '(:completion t))
    :notification-handlers (lsp-ht ("didChangeStatus" #'ignore))
    :server-id 'cinnabar)))
)";
  return {places.emacs, ";;", text};
}

}  // namespace

Result<EditorBlock> editor_block(std::string_view editor, const EditorPlaces& places) {
  if (editor == "neovim") return neovim(places);
  if (editor == "helix") return helix(places);
  if (editor == "emacs") return emacs(places);
  return Status::error("there is no editor '" + std::string(editor) + "'");
}

void fit_to(std::string_view text, EditorBlock& block) {
  for (const HelixLanguage& language : kHelix) {
    if (text.find("name = \"" + std::string(language.name) + "\"") == std::string_view::npos) continue;
    const std::string ours = helix_language(language);
    if (const std::size_t at = block.text.find(ours); at != std::string::npos) block.text.erase(at, ours.size());
  }
}

std::string with_block(std::string_view text, const EditorBlock& block) {
  const std::string ours =
      block.comment + std::string(kBegin) + "\n" + block.text + block.comment + std::string(kEnd) + "\n";
  const auto [from, to] = find_block(text, block);
  if (from != std::string_view::npos) return std::string(text.substr(0, from)) + ours + std::string(text.substr(to));
  std::string out(text);
  if (!out.empty() && out.back() != '\n') out += '\n';
  return out + ours;
}

std::string without_block(std::string_view text, const EditorBlock& block) {
  const auto [from, to] = find_block(text, block);
  if (from == std::string_view::npos) return std::string(text);
  return std::string(text.substr(0, from)) + std::string(text.substr(to));
}

}  // namespace cinnabar::daemon
