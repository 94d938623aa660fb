#include "daemon/workspace/exclusions.h"

#include <fnmatch.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <optional>
#include <utility>

#include "daemon/workspace/secret_names.h"
#include "daemon/workspace/uri.h"

namespace cinnabar::daemon {
namespace {

std::string small(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// Where "**" stands, every star crosses slashes: it may exclude a little more than asked for, never less.
bool matches_path(const std::string& path, std::string glob) {
  const bool deep = glob.find("**") != std::string::npos;
  for (std::size_t at = glob.find("**/"); at != std::string::npos; at = glob.find("**/")) glob.replace(at, 3, "*");
  return fnmatch(glob.c_str(), path.c_str(), (deep ? 0 : FNM_PATHNAME) | FNM_CASEFOLD) == 0;
}

// `path` as it stands below `folder`, which ends in a slash; none: elsewhere.
std::optional<std::string_view> below(std::string_view path, std::string_view folder) {
  if (folder.empty() || !path.starts_with(folder)) return std::nullopt;
  return path.substr(folder.size());
}

// Where `path` leads when its links are followed; what does not exist is taken as it stands.
std::string followed(const std::string& path) {
  std::error_code error;
  const auto found = std::filesystem::weakly_canonical(path, error);
  return error ? path : normalised(found.string());
}

// A folder of the workspace under the two names it may be reached by; both end in a slash.
struct Folder {
  std::string named, real;
};

// The innermost of the folders that hold the file, whichever side of a link it or the folder was named from.
Folder folder_of(const std::string& path, const std::string& real, const std::vector<std::string>& folders) {
  Folder innermost;
  for (const auto& named : folders) {
    Folder folder{named, followed(named) + "/"};
    if (folder.real == "//") folder.real = "/";
    const bool holds = below(path, folder.named) || below(path, folder.real) || below(real, folder.real);
    if (holds && folder.real.size() > innermost.real.size()) innermost = std::move(folder);
  }
  return innermost;
}

bool is_off(const std::string& language, const std::map<std::string, bool>& languages) {
  auto found = languages.find(language);
  if (found == languages.end()) found = languages.find("*");
  return found != languages.end() && !found->second;
}

std::string reason_of(const std::string& path, const Exclusions& options, const std::vector<std::string>& folders,
                      IgnoreFiles& ignores) {
  const std::string real = path.starts_with('/') ? followed(path) : path;
  const Folder folder = folder_of(path, real, folders);
  const auto fits = [&](std::string_view glob, bool anywhere) {
    return matches_glob(path, anywhere ? "" : folder.named, glob) ||
           (real != path && matches_glob(real, anywhere ? "" : folder.real, glob));
  };
  if (std::any_of(secret_names().begin(), secret_names().end(), [&](const auto& glob) { return fits(glob, true); }))
    return "this file may hold secrets";
  if (std::any_of(options.exclude.begin(), options.exclude.end(), [&](const auto& glob) { return fits(glob, false); }))
    return "excluded (cinnabar.exclude)";
  // The same name may come twice: most files lie where they seem to.
  std::vector<std::string_view> names;
  for (const auto& inside : {below(path, folder.named), below(path, folder.real), below(real, folder.real)})
    if (inside && std::find(names.begin(), names.end(), *inside) == names.end()) names.push_back(*inside);
  for (const std::string_view name : names) {
    const std::string_view by = ignores.ignored_by(folder.real, name);
    if (!by.empty()) return "excluded (" + std::string(by) + ")";
  }
  return {};
}

std::string switched_off(std::string_view language, const Exclusions& options) {
  if (!options.enabled) return "switched off (cinnabar.enabled)";
  if (is_off(std::string(language), options.languages))
    return "switched off for " + std::string(language) + " (cinnabar.languages)";
  return {};
}

}  // namespace

bool matches_glob(std::string_view path, std::string_view folder, std::string_view glob) {
  if (glob.empty()) return false;
  if (!folder.empty() && path.starts_with(folder)) path.remove_prefix(folder.size());
  while (path.starts_with('/')) path.remove_prefix(1);
  if (glob.ends_with('/') && glob.find('/') == glob.size() - 1) {  // a folder's name, at any depth
    return small("/" + std::string(path)).find(small("/" + std::string(glob))) != std::string::npos;
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
  std::string reason = switched_off(language, options);
  for (const std::string& path : paths_meant(uri)) {
    if (!reason.empty()) break;
    reason = path.empty() ? "only files, unsaved documents and notebook cells are completed"
                          : reason_of(path, options, folders, ignores);
  }
  return reason;
}

bool may_be_read(const std::string& path, std::string_view language, const Exclusions& options,
                 const std::vector<std::string>& folders, IgnoreFiles& ignores) {
  return switched_off(language, options).empty() && reason_of(normalised(path), options, folders, ignores).empty();
}

}  // namespace cinnabar::daemon
