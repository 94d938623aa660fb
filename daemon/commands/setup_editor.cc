// `cinnabar setup EDITOR`: shows what would be written, writes it on yes, undoes it.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "base/system.h"
#include "daemon/commands/child_process.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/editor_setup.h"
#include "daemon/commands/setup.h"
#include "daemon/proxy/finder.h"

namespace cinnabar::daemon {
namespace {

namespace fs = std::filesystem;

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The first of these that exists, relative to the program's folder.
std::string beside(const std::string& program, std::initializer_list<const char*> places) {
  std::error_code error;
  for (const char* place : places) {
    const fs::path path = (fs::path(program).parent_path() / place).lexically_normal();
    if (fs::exists(path, error)) return path.string();
  }
  return {};
}

// Which of its files Emacs reads, in its own order.
std::string emacs_file(const std::string& home, const std::string& config) {
  std::error_code error;
  for (const char* name : {"/.emacs.el", "/.emacs"}) {
    if (fs::exists(home + name, error)) return home + name;
  }
  const bool is_new_place = !fs::exists(home + "/.emacs.d", error) && fs::exists(config + "/emacs", error);
  return is_new_place ? config + "/emacs/init.el" : home + "/.emacs.d/init.el";
}

Result<EditorPlaces> places() {
  EditorPlaces out;
  const std::string home = from_environment("HOME");
  if (home.empty() || home[0] != '/') return Status::error("$HOME is not set, so there is no place to write to");
  out.config = from_environment("XDG_CONFIG_HOME");
  if (out.config.empty() || out.config[0] != '/') out.config = home + "/.config";
  out.emacs = emacs_file(home, out.config);
  out.program = own_program();
  out.plugin = beside(out.program, {"../share/nvim/site/pack/cinnabar/opt/cinnabar", "../../editor-plugins/neovim"});
  return out;
}

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  return std::move(text).str();
}

// Replaces the file's text at once, or not at all; a link stays a link. Empty text: the file goes.
Status write_text(const std::string& path, const std::string& text) {
  std::error_code error;
  const fs::path target = fs::exists(path, error) ? fs::canonical(path, error) : fs::path(path);
  if (error) return Status::error(path + ": " + error.message());
  if (text.empty()) {
    fs::remove(target, error);
    return error ? Status::error(path + ": " + error.message()) : Status();
  }
  fs::create_directories(target.parent_path(), error);
  const std::string beside_it = target.string() + ".cinnabar-new";
  std::ofstream file(beside_it, std::ios::binary);
  file << text;
  file.close();
  if (!file) return Status::error(beside_it + " cannot be written");
  if (struct stat old{}; stat(target.c_str(), &old) == 0) chmod(beside_it.c_str(), old.st_mode & 07777);
  fs::rename(beside_it, target, error);
  return error ? Status::error(path + ": " + error.message()) : Status();
}

bool agrees(const Options& options) {
  if (options.command.yes) return true;
  if (isatty(0) == 0) {
    std::cout << "Nothing is written: --yes does it.\n";
    return false;
  }
  std::cout << "Do it? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

int set_up_file(const std::string& editor, const Options& options) {
  const auto where = places();
  if (!where) return failed(where.status());
  auto block = editor_block(editor, *where);
  if (!block) return failed(block.status());
  const std::string before = read_text(block->path);
  const std::string bare = without_block(before, *block);
  fit_to(bare, *block);
  const std::string after = options.command.undo ? bare : with_block(before, *block);
  if (after == before) {
    std::cout << block->path << (options.command.undo ? " holds nothing of Cinnabar.\n" : " is as it should be.\n");
    return 0;
  }
  if (options.command.undo)
    std::cout << (after.empty() ? "Removes " + block->path : "Removes Cinnabar's lines from " + block->path) << "\n";
  else
    std::cout << (before.empty() ? "Makes " : "Adds to ") << block->path << ":\n\n" << block->text << "\n";
  if (!agrees(options)) return options.command.yes ? 1 : 0;
  if (Status written = write_text(block->path, after); !written) return failed(written);
  std::cout << "Done. 'cinnabar setup " << editor << (options.command.undo ? "" : " --undo") << "' takes it back.\n";
  return 0;
}

// VS Code and its relatives take an extension from a file.
int set_up_vscode(const Options& options) {
  std::optional<std::string> code;
  for (const char* name : {"code", "codium", "code-insiders", "code-server"}) {
    if (!code) code = find_program(name);
  }
  if (!code) return failed(Status::error("no code, codium, code-insiders or code-server is in $PATH"));
  std::vector<std::string> command = {*code, "--uninstall-extension", "cinnabar.cinnabar"};
  if (!options.command.undo) {
    const std::string packed = "../cinnabar-" + std::string(kVersion) + ".vsix";  // of a source tree
    const std::string vsix = beside(own_program(), {"../share/cinnabar/cinnabar.vsix", packed.c_str()});
    if (vsix.empty())
      return failed(Status::error(
          "the extension is not beside this program; in the source tree ./dev vscode packs it and says how it is "
          "installed"));
    command = {*code, "--install-extension", vsix};
  }
  std::cout << "Runs " << command[0] << " " << command[1] << " " << command[2] << "\n";
  if (!agrees(options)) return 0;
  const auto done = run_program(command, 120);
  if (!done) return failed(Status::error(command[0] + " did not end within two minutes"));
  std::cout << done->output;
  return done->status == 0 ? 0 : 1;
}

}  // namespace

int run_setup(Options& options) {
  const std::string editor = options.command.arguments.size() == 1 ? options.command.arguments[0] : "";
  if (editor == "vscode") return set_up_vscode(options);
  if (editor == "zed")
    return failed(
        Status::error("Zed starts only language servers that one of its extensions names, and there is none for "
                      "Cinnabar yet; nothing "
                      "is written"));
  if (editor == "neovim" || editor == "helix" || editor == "emacs") return set_up_file(editor, options);
  std::cerr << "cinnabar: setup expects one of neovim, vscode, zed, helix, emacs\n";
  return 2;
}

}  // namespace cinnabar::daemon
