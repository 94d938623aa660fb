#include "daemon/workspace/uri.h"

#include <algorithm>
#include <cctype>

namespace cinnabar::daemon {
namespace {

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return lower(c) >= 'a' && lower(c) <= 'f' ? lower(c) - 'a' + 10 : -1;
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

// A URI cut at its scheme.
struct Parts {
  std::string scheme;     // in small letters
  std::string_view path;  // still encoded, with query and fragment
};

Parts parts_of(std::string_view uri) {
  const auto colon = uri.find(':');
  if (colon == std::string_view::npos) return {};
  Parts parts{std::string(uri.substr(0, colon)), uri.substr(colon + 1)};
  std::transform(parts.scheme.begin(), parts.scheme.end(), parts.scheme.begin(), lower);
  return parts;
}

bool names_files(std::string_view scheme) { return scheme == "file" || scheme == "vscode-notebook-cell"; }

std::string_view without_authority(std::string_view path) {
  if (!path.starts_with("//")) return path;
  path.remove_prefix(2);
  return path.substr(std::min(path.find('/'), path.size()));
}

std::string file_path(std::string_view encoded) {
  std::string path = normalised(percent_decoded(encoded));
  return path.starts_with('/') && path.find('\0') == std::string::npos ? path : std::string();
}

}  // namespace

std::string normalised(std::string_view path) {
  const bool rooted = path.starts_with('/');
  std::vector<std::string_view> names;
  while (!path.empty()) {
    const auto slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (name == ".." && !names.empty() && names.back() != "..")
      names.pop_back();
    else if (!name.empty() && name != "." && (name != ".." || !rooted))
      names.push_back(name);
  }
  std::string out = rooted ? "/" : "";
  for (std::size_t i = 0; i < names.size(); ++i) out += (i > 0 ? "/" : "") + std::string(names[i]);
  return out;
}

std::string path_of(std::string_view uri) {
  const auto [scheme, path] = parts_of(uri);
  if (names_files(scheme)) return file_path(without_authority(path.substr(0, path.find_first_of("?#"))));
  if (scheme == "untitled") return percent_decoded(path);
  return {};
}

std::vector<std::string> paths_meant(std::string_view uri) {
  std::vector<std::string> paths = {path_of(uri)};
  const auto [scheme, path] = parts_of(uri);
  // A notebook cell's fragment is its number.
  const std::string_view whole = scheme == "file" ? path : path.substr(0, path.find('#'));
  if (names_files(scheme) && whole.find_first_of("?#") != std::string_view::npos)
    paths.push_back(file_path(without_authority(whole)));
  return paths;
}

std::string canonical_uri(std::string_view uri) {
  const auto [scheme, path] = parts_of(uri);
  if (scheme.empty()) return std::string(uri);
  if (!names_files(scheme)) return scheme + ":" + percent_decoded(path);
  std::string plain = normalised(percent_decoded(without_authority(path)));
  const bool drive = plain.size() >= 3 && plain[0] == '/' && plain[2] == ':' && (plain.size() == 3 || plain[3] == '/');
  if (drive) plain[1] = lower(plain[1]);
  return scheme + ":" + plain;
}

}  // namespace cinnabar::daemon
