#include "daemon/exclusions.h"

#include <fnmatch.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

namespace cinnabar::daemon {
namespace {

// Names under which secrets are kept. They are neither completed nor ever read as context.
constexpr std::string_view kSecret[] = {".env",
                                        ".env.*",
                                        "*.env",
                                        "*.pem",
                                        "*.key",
                                        "*.p12",
                                        "*.pfx",
                                        "*.jks",
                                        "*.keystore",
                                        "*.kdbx",
                                        "*.asc",
                                        "*.gpg",
                                        "*.age",
                                        "id_rsa*",
                                        "id_dsa*",
                                        "id_ecdsa*",
                                        "id_ed25519*",
                                        ".netrc",
                                        ".npmrc",
                                        ".pypirc",
                                        ".pgpass",
                                        ".htpasswd",
                                        "credentials",
                                        "credentials.*",
                                        "secrets.y*ml",
                                        "secrets.json",
                                        "secrets.toml",
                                        ".git-credentials",
                                        "*.tfvars",
                                        ".ssh/",
                                        ".gnupg/",
                                        ".aws/",
                                        ".kube/",
                                        "secrets/",
                                        "**/.docker/config.json"};

constexpr std::size_t kLongestIgnoreFile = 1 << 20;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low >= 0) i += 2;
    out += low >= 0 ? static_cast<char>(high * 16 + low) : text[i];
  }
  return out;
}

// Where "**" stands, every star crosses slashes: it may exclude a little more than asked for, never less.
bool matches_path(const std::string& path, std::string glob) {
  const bool deep = glob.find("**") != std::string::npos;
  for (std::size_t at = glob.find("**/"); at != std::string::npos; at = glob.find("**/")) glob.replace(at, 3, "*");
  return fnmatch(glob.c_str(), path.c_str(), deep ? 0 : FNM_PATHNAME) == 0;
}

std::vector<std::string> ignore_globs(const std::string& folder) {
  std::vector<std::string> globs;
  std::ifstream file(std::filesystem::path(folder) / ".cinnabarignore");
  std::size_t bytes = 0;
  for (std::string line; std::getline(file, line) && (bytes += line.size()) < kLongestIgnoreFile;) {
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0) line.pop_back();
    if (!line.empty() && line.front() != '#') globs.push_back(line);
  }
  return globs;
}

bool is_off(const std::string& language, const std::map<std::string, bool>& languages) {
  auto found = languages.find(language);
  if (found == languages.end()) found = languages.find("*");
  return found != languages.end() && !found->second;
}

}  // namespace

std::string path_of(std::string_view uri) {
  for (const std::string_view scheme : {"file://", "vscode-notebook-cell://", "vscode-notebook-cell:"}) {
    if (!uri.starts_with(scheme)) continue;
    std::string_view path = uri.substr(scheme.size());
    path = path.substr(std::min(path.find('/'), path.size()));  // without the authority
    if (scheme.front() == 'v') path = path.substr(0, path.find('#'));
    return percent_decoded(path);
  }
  if (uri.starts_with("untitled:")) return percent_decoded(uri.substr(9));
  return {};
}

bool matches_glob(std::string_view path, std::string_view folder, std::string_view glob) {
  if (glob.empty()) return false;
  if (!folder.empty() && path.starts_with(folder)) path.remove_prefix(folder.size());
  while (path.starts_with('/')) path.remove_prefix(1);
  if (glob.ends_with('/') && glob.find('/') == glob.size() - 1) {  // a folder's name, at any depth
    const std::string inside = "/" + std::string(path);
    return inside.find("/" + std::string(glob)) != std::string::npos;
  }
  if (glob.find('/') == std::string_view::npos) {
    const std::string name(path.substr(path.rfind('/') + 1));
    return fnmatch(std::string(glob).c_str(), name.c_str(), FNM_CASEFOLD) == 0;
  }
  std::string rooted(glob.starts_with('/') ? glob.substr(1) : glob);
  if (rooted.ends_with('/')) rooted += "**";
  return matches_path(std::string(path), rooted);
}

std::string reason_to_leave_alone(std::string_view uri, std::string_view language, const CompletionOptions& options,
                                  const std::vector<std::string>& folders) {
  if (!options.enabled) return "switched off (cinnabar.enabled)";
  if (is_off(std::string(language), options.languages))
    return "switched off for " + std::string(language) + " (cinnabar.languages)";
  const std::string path = path_of(uri);
  if (path.empty()) return "only files, unsaved documents and notebook cells are completed";
  const auto folder = std::find_if(folders.begin(), folders.end(),
                                   [&](const std::string& f) { return !f.empty() && path.starts_with(f); });
  const std::string root = folder == folders.end() ? std::string() : *folder;
  const auto excluded_by = [&](const auto& globs) {
    return std::any_of(globs.begin(), globs.end(), [&](const auto& glob) { return matches_glob(path, root, glob); });
  };
  if (std::any_of(std::begin(kSecret), std::end(kSecret),
                  [&](std::string_view glob) { return matches_glob(path, {}, glob); }))
    return "this file may hold secrets";
  if (excluded_by(options.exclude)) return "excluded (cinnabar.exclude)";
  if (!root.empty() && excluded_by(ignore_globs(root))) return "excluded (.cinnabarignore)";
  return {};
}

}  // namespace cinnabar::daemon
