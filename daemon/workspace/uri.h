// URIs of documents as the file system means them: one form for all the ways to write one. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cinnabar::daemon {

// The path of a file: URI or of a notebook cell's, percent-decoded and normalised; the URI's own path for untitled:.
// Letter case of the scheme does not count, nor do an authority, a query and a fragment. Empty for any other scheme,
// and for a path with a NUL in it.
std::string path_of(std::string_view uri);

// Every path that `uri` may mean: the one above, and where "?" or "#" stand in it the one of a client that does not
// encode those in names.
std::vector<std::string> paths_meant(std::string_view uri);

// Without "." and "..", double slashes and a slash at the end. A relative path stays one.
std::string normalised(std::string_view path);

// Equal for two spellings of one document's URI: letter case of the scheme and of a drive, percent-encoding, slashes.
std::string canonical_uri(std::string_view uri);

}  // namespace cinnabar::daemon
