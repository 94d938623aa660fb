#include "daemon/workspace/context/scan.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "daemon/syntax/language.h"

namespace cinnabar::daemon::context {
namespace {

namespace fs = std::filesystem;

// Folders of other people's code and of what was made.
constexpr std::array<std::string_view, 8> kLeftOut = {"node_modules", "build", "dist",        "target",
                                                      "out",          "venv",  "__pycache__", "vendor"};

bool is_left_out(const std::string& name) {
  return name.empty() || name.front() == '.' || std::find(kLeftOut.begin(), kLeftOut.end(), name) != kLeftOut.end();
}

bool is_below(const fs::path& path, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

}  // namespace

FilePtr read_file(const std::string& folder, const std::string& path, const ScanLimits& limits) {
  const syntax::Language* language = syntax::language_of_path(path);
  std::error_code error;
  const fs::path real = fs::canonical(path, error), root = error ? fs::path() : fs::canonical(folder, error);
  if (language == nullptr || error || !is_below(real, root) || !fs::is_regular_file(real, error)) return nullptr;
  std::ifstream in(real, std::ios::binary);
  std::string text(limits.file_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  const bool binary = text.find('\0') != std::string::npos;
  if (text.empty() || text.size() > limits.file_bytes || binary) return nullptr;
  return make_file(path, real.lexically_relative(root).string(), *language, std::move(text));
}

void scan(const std::string& folder, const ScanLimits& limits, const MayRead& may_read,
          const std::function<bool(FilePtr)>& found) {
  const auto until = std::chrono::steady_clock::now() + limits.time;
  std::error_code error;
  fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, error), end;
  std::size_t entries = 0, files = 0, bytes = 0;
  for (; !error && at != end; at.increment(error)) {
    if (++entries > limits.entries || std::chrono::steady_clock::now() > until) return;
    const std::string name = at->path().filename().string();
    const fs::file_status status = at->symlink_status(error);
    if (error) return;
    if (fs::is_directory(status) && is_left_out(name)) at.disable_recursion_pending();
    const std::string path = at->path().string();
    if (!fs::is_regular_file(status) || syntax::language_of_path(path) == nullptr || !may_read(path)) continue;
    auto file = read_file(folder, path, limits);
    if (!file) continue;
    bytes += file->bytes();
    if (++files > limits.files || bytes > limits.bytes || !found(std::move(file))) return;
  }
}

}  // namespace cinnabar::daemon::context
