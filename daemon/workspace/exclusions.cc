#include "daemon/workspace/exclusions.h"

#include <fnmatch.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>
#include <utility>

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

// `path` as it stands below `folder`, which ends in a slash; none: elsewhere.
std::optional<std::string_view> below(std::string_view path, std::string_view folder) {
  if (folder.empty() || !path.starts_with(folder)) return std::nullopt;
  return path.substr(folder.size());
}

// The innermost of the folders that hold `path`; empty: none does.
std::string folder_of(std::string_view path, const std::vector<std::string>& folders) {
  std::string innermost;
  for (const auto& folder : folders) {
    if (folder.size() > innermost.size() && path.starts_with(folder)) innermost = folder;
  }
  return innermost;
}

// Where `path` leads when its links are followed; what does not exist is taken as it stands.
std::string followed(const std::string& path) {
  std::error_code error;
  const auto found = std::filesystem::weakly_canonical(path, error);
  std::string real = error ? path : found.string();
  while (real.size() > 1 && real.ends_with('/')) real.pop_back();
  return real;
}

bool is_off(const std::string& language, const std::map<std::string, bool>& languages) {
  auto found = languages.find(language);
  if (found == languages.end()) found = languages.find("*");
  return found != languages.end() && !found->second;
}

std::string reason_of(const std::string& path, const std::string& folder, const Exclusions& options,
                      IgnoreFiles& ignores) {
  const std::string real = path.starts_with('/') ? followed(path) : path;
  const std::string real_folder = folder.empty() || real == path ? folder : followed(folder) + "/";
  const auto fits = [&](std::string_view glob, bool anywhere) {
    return matches_glob(path, anywhere ? "" : folder, glob) ||
           (real != path && matches_glob(real, anywhere ? "" : real_folder, glob));
  };
  if (std::any_of(std::begin(kSecret), std::end(kSecret), [&](std::string_view glob) { return fits(glob, true); }))
    return "this file may hold secrets";
  if (std::any_of(options.exclude.begin(), options.exclude.end(), [&](const auto& glob) { return fits(glob, false); }))
    return "excluded (cinnabar.exclude)";
  const auto inside = below(path, folder), really_inside = below(real, real_folder);
  std::string_view by = inside ? ignores.ignored_by(folder, *inside) : std::string_view();
  // The same name under both: links lead to the folder only, not from within it.
  if (by.empty() && really_inside && really_inside != inside) by = ignores.ignored_by(real_folder, *really_inside);
  return by.empty() ? std::string() : "excluded (" + std::string(by) + ")";
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

std::string exclusion_reason(std::string_view uri, std::string_view language, const Exclusions& options,
                             const std::vector<std::string>& folders, IgnoreFiles& ignores) {
  if (!options.enabled) return "switched off (cinnabar.enabled)";
  if (is_off(std::string(language), options.languages))
    return "switched off for " + std::string(language) + " (cinnabar.languages)";
  std::string path = path_of(uri);
  if (path.starts_with('/')) path = std::filesystem::path(path).lexically_normal();
  if (path.empty()) return "only files, unsaved documents and notebook cells are completed";
  return reason_of(path, folder_of(path, folders), options, ignores);
}

bool may_be_read(const std::string& path, std::string_view language, const Exclusions& options,
                 const std::vector<std::string>& folders, IgnoreFiles& ignores) {
  std::string uri = "file://";
  for (const char c : path) uri += c == '%' ? "%25" : std::string(1, c);
  return exclusion_reason(uri, language, options, folders, ignores).empty();
}

}  // namespace cinnabar::daemon
