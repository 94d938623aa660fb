// `cinnabar doctor`: looks at everything that completing in an editor needs, a line for each, and says how to mend it.

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <regex>

#include "base/system.h"
#include "daemon/commands/child_process.h"
#include "daemon/commands/commands.h"
#include "daemon/commands/setup.h"
#include "daemon/commands/silent_daemon.h"
#include "daemon/proxy/finder.h"
#include "engine/model/parts.h"
#include "lsp/json.h"

namespace cinnabar::daemon {
namespace {

namespace fs = std::filesystem;

enum class Finding { good, hint, bad };

// Lines of the report; remembers whether one was bad.
class Report {
 public:
  void say(Finding finding, const std::string& about, const std::string& found, const std::string& mend = {}) {
    constexpr const char* kWords[] = {"ok  ", "note", "BAD "};
    std::cout << kWords[static_cast<int>(finding)] << "  " << about
              << std::string(std::max<std::size_t>(12, about.size() + 1) - about.size(), ' ') << found << "\n";
    if (!mend.empty()) std::cout << "                  -> " << mend << "\n";
    is_bad_ = is_bad_ || finding == Finding::bad;
  }
  bool is_bad() const { return is_bad_; }

 private:
  bool is_bad_ = false;
};

void look_at_program(Report& report) {
  const std::string own = own_program();
  report.say(Finding::good, "program", own + ", version " + std::string(kVersion));
  const auto found = find_program("cinnabar");
  std::error_code error;
  if (!found) {
    report.say(Finding::hint, "PATH", "no cinnabar in $PATH; editors look in ~/.local/bin and /usr/bin, too",
               "in ~/.profile: export PATH=\"" + fs::path(own).parent_path().string() + ":$PATH\"");
  } else if (!fs::equivalent(*found, own, error)) {
    report.say(Finding::hint, "PATH", "$PATH has another one, " + *found, "remove one of the two");
  } else {
    report.say(Finding::good, "PATH", *found);
  }
}

void look_at_model(Report& report, const Options& options) {
  const auto chosen = chosen_model(options.model);
  std::error_code error;
  if (!chosen)
    return report.say(Finding::bad, "model", chosen.message(),
                      "install again, or name one: cinnabar.model in the editor, --model here");
  const std::string path = chosen->engine.model;
  if (!fs::exists(path, error)) return report.say(Finding::bad, "model", path + " does not exist", "name another one");
  if (!fs::exists(fs::path(path) / "parts.json", error)) return report.say(Finding::good, "model", path);
  if (Status sound = engine::verify_parts(path); !sound)
    return report.say(Finding::bad, "model", sound.message(), "install again; the files were changed or cut");
  report.say(Finding::good, "model", path + ", every part has its checksum");
}

// KiB of weights, keys and values, and some room: the default model's, or of one in a file by its size.
long wanted_memory(const Options& options) {
  constexpr long kDefault = 1'200'000, kRoom = 500'000;
  const auto chosen = chosen_model(options.model);
  std::error_code error;
  const auto bytes = chosen ? fs::file_size(fs::path(chosen->engine.model) / "model.gguf", error) : 0;
  return !chosen || error ? kDefault : static_cast<long>(bytes / 1024 * 7 / 4) + kRoom;
}

void look_at_machine(Report& report, const Options& options) {
  const long available = static_cast<long>(available_bytes() / 1024), wanted = wanted_memory(options);
  if (available > 0 && available < wanted)
    report.say(Finding::hint, "memory",
               std::to_string(available / 1024) + " MiB are free; the model takes about " +
                   std::to_string(wanted / 1024) + " MiB",
               "close something, or choose a smaller model");
  const auto device = open_device(options.model);
  if (!device)
    return report.say(Finding::bad, "device", device.status().message(), "cinnabar.device: auto takes what there is");
  report.say(Finding::good, "device", device->backend->description());
  if (device->no_gpu.empty()) return;  // it is used, or not wanted
  std::error_code ignored;
  if (fs::exists("/dev/nvidiactl", ignored))
    report.say(Finding::hint, "GPU", "there is an NVIDIA GPU, but it is not used: " + device->no_gpu,
               "libcinnabar_cuda.so belongs beside the program or into ../lib/cinnabar: ./dev gpu-check build");
  else
    report.say(Finding::good, "GPU", "not used: " + device->no_gpu);
}

void look_at_place(Report& report, const Options& options) {
  const auto path = socket_path(options.place.socket);
  if (!path)
    return report.say(Finding::bad, "socket", path.status().message(), "set XDG_RUNTIME_DIR, or name one: --socket");
  if (Status folder = prepare_folder(*path); !folder)
    return report.say(Finding::bad, "socket", folder.message(),
                      "the folder has to be yours alone: chmod 700, or remove it");
  const Attempt attempt = connect_to(*path);
  if (attempt.reach == Reach::foreign)
    return report.say(Finding::bad, "socket", *path + " belongs to another user", "name another one: --socket");
  report.say(Finding::good, "socket", *path);
}

void look_at_port(Report& report, const Options& options) {
  if (options.place.tcp_port == 0) return;
  const Attempt attempt = connect_to_port(static_cast<std::uint16_t>(options.place.tcp_port));
  const std::string port = "127.0.0.1:" + std::to_string(options.place.tcp_port);
  if (attempt.reach == Reach::nobody)
    report.say(Finding::hint, "port", "nobody listens at " + port,
               "cinnabar daemon --tcp " + std::to_string(options.place.tcp_port));
  else
    report.say(Finding::good, "port", "somebody listens at " + port);
}

// What the daemon says, asked by `cinnabar status`; none is started.
void look_at_daemon(Report& report, const Options& options) {
  std::vector<std::string> command = {own_program(), "status", "--json"};
  if (!options.place.socket.empty()) command.insert(command.end(), {"--socket", options.place.socket});
  constexpr int kSeconds = 30;
  const auto done = run_program(command, kSeconds);
  if (done && done->status == 3) return report.say(Finding::good, "daemon", "none runs; the first editor starts one");
  const auto answer =
      done && done->status == 0 ? lsp::parse_json(done->output) : lsp::Expected<lsp::Json>(lsp::ResponseError{});
  if (!answer.ok() || !answer->is_object()) {
    const auto path = socket_path(options.place.socket);
    if (!path) return;  // said above
    const Silence silence = silence_of(done, kSeconds, *path);
    return report.say(Finding::bad, "daemon", silence.found, silence.mend);
  }
  const std::string version = answer->value("version", "");
  const lsp::Json model = answer->value("model", lsp::Json::object());
  const std::string state = model.value("state", "");
  report.say(version == kVersion ? Finding::good : Finding::hint, "daemon",
             "version " + version + ", process " + std::to_string(answer->value("pid", 0)),
             version == kVersion ? "" : "restart your editors: a newer program replaces an older daemon");
  if (state == "failed")
    report.say(Finding::bad, "its model", model.value("description", ""),
               "mend cinnabar.model in the editor that set it");
  else
    report.say(Finding::good, "its model", state + ": " + model.value("path", ""));
}

struct Editor {
  const char* program;
  const char* name;
  int major, minor;  // the least version
  const char* mend;
};
constexpr Editor kEditors[] = {
    {"nvim", "Neovim", 0, 12, "older ones draw no inline completions; take answers from the menu (:help cinnabar-old)"},
    {"code", "VS Code", 1, 91, "update it"},
    {"codium", "VSCodium", 1, 91, "update it"},
    {"hx", "Helix", 23, 10, "older ones take one language server a language"},
    {"emacs", "Emacs", 27, 1, "lsp-mode wants a newer one"},
};

void look_at_editors(Report& report) {
  bool found_any = false;
  for (const Editor& editor : kEditors) {
    const auto program = find_program(editor.program);
    if (!program) continue;
    found_any = true;
    const auto done = run_program({*program, "--version"}, 10);
    std::smatch numbers;
    const std::string said = done ? done->output.substr(0, 300) : "";
    if (!std::regex_search(said, numbers, std::regex("([0-9]+)\\.([0-9]+)[0-9.]*"))) {
      report.say(Finding::hint, editor.name, *program + " does not say its version");
      continue;
    }
    const std::pair version{std::atoi(numbers[1].str().c_str()), std::atoi(numbers[2].str().c_str())};
    const bool is_new_enough = version >= std::pair{editor.major, editor.minor};
    report.say(is_new_enough ? Finding::good : Finding::hint, editor.name, numbers[0].str() + ", " + *program,
               is_new_enough ? "" : editor.mend);
  }
  if (!found_any)
    report.say(Finding::hint, "editors", "none that is known here is in $PATH",
               "cinnabar setup EDITOR tells one about Cinnabar");
}

}  // namespace

int run_doctor(Options& options) {
  Report report;
  look_at_program(report);
  look_at_model(report, options);
  look_at_machine(report, options);
  look_at_place(report, options);
  look_at_port(report, options);
  look_at_daemon(report, options);
  look_at_editors(report);
  std::cout << (report.is_bad() ? "\nSomething is wrong: see the lines with BAD.\n" : "\nAll is well.\n");
  return report.is_bad() ? 1 : 0;
}

}  // namespace cinnabar::daemon
