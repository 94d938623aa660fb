#include "daemon/workspace/exclusions.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/support/model_files.h"

namespace cinnabar::daemon {
namespace {

TEST_CASE("the path of a uri") {
  for (const char* uri :
       {"file:///r/x/a.py", "file:/r/x/a.py", "FILE:///r/x/a.py", "File:/r/x/a.py", "file://localhost/r/x/a.py",
        "file:////r//x/a.py", "file:///r/./x/../x/a.py", "file:///../r/x/a.py", "file:///r/x/a%2Epy",
        "file:///r%2Fx/a.py", "file:///r/x/a.py#L3", "file:///r/x/a.py?v=1", "file:///r/x/a.py/"}) {
    CAPTURE(uri);
    CHECK(path_of(uri) == "/r/x/a.py");
  }
  for (const char* uri : {"file:", "file://", "file://host", "file:a.py", "file:///a%00b", "", "/r/x", "a.py"}) {
    CAPTURE(uri);
    CHECK(path_of(uri).empty());
  }
  CHECK(path_of("file:///home/a%20b/c.py") == "/home/a b/c.py");
  CHECK(path_of("file://host/c.py") == "/c.py");
  CHECK(path_of("file:///odd%2") == "/odd%2");
  CHECK(path_of("vscode-notebook-cell:/n/b.ipynb#W0sZmlsZQ%3D%3D") == "/n/b.ipynb");
  CHECK(path_of("untitled:Untitled-1") == "Untitled-1");
  CHECK(path_of("git:/a.py").empty());
  CHECK(path_of("output:tasks").empty());
}

TEST_CASE("spellings of one uri, and of two") {
  struct Case {
    const char *one, *other;
    bool same;
  };
  const Case cases[] = {
      {"file:///c%3A/x.py", "file:///c:/x.py", true},
      {"file:///C:/x.py", "file:///c%3a/x.py", true},
      {"file:///a%20b", "file:///a b", true},
      {"file:/a", "file:///a", true},
      {"FILE:///a", "file:///a", true},
      {"file:///a//b/../c", "file:///a/c", true},
      {"untitled:Untitled-1", "untitled:Untitled-1", true},
      {"vscode-notebook-cell:/n%2Fa#W0", "vscode-notebook-cell:/n/a#W0", true},
      {"file:///a", "file:///A", false},
      {"file:///C/x", "file:///c/x", false},
      {"untitled:/a", "file:///a", false},
      {"vscode-notebook-cell:/n#W0", "vscode-notebook-cell:/n#W1", false},
  };
  for (const auto& [one, other, same] : cases) {
    CAPTURE(one, other);
    CHECK((canonical_uri(one) == canonical_uri(other)) == same);
  }
}

TEST_CASE("globs over paths") {
  struct Case {
    const char* path;
    const char* glob;
    bool matches;
  };
  const Case cases[] = {
      {"/w/a.pem", "*.pem", true},
      {"/w/A.PEM", "*.pem", true},
      {"/w/a.pem.txt", "*.pem", false},
      {"/w/secrets/a.py", "secrets/", true},
      {"/w/x/secrets/y/a.py", "secrets/", true},
      {"/w/mysecrets/a.py", "secrets/", false},
      {"/w/build/a.cc", "build/*.cc", true},
      {"/w/build/x/a.cc", "build/*.cc", false},
      {"/w/build/x/a.cc", "/build/**", true},
      {"/w/src/build/a.cc", "/build/**", false},
      {"/w/src/build/a.cc", "**/build/*.cc", true},
      {"/w/gen/x/a.cc", "gen/x/", true},
      {"/w/a.py", "", false},
  };
  for (const auto& c : cases) {
    INFO(c.path << " " << c.glob);
    CHECK(matches_glob(c.path, "/w/", c.glob) == c.matches);
  }
}

TEST_CASE("which documents are left alone") {
  Exclusions options;
  IgnoreFiles ignores;
  const auto alone = [&](const std::string& uri, const std::string& language = "python") {
    return !exclusion_reason(uri, language, options, {"/w/"}, ignores).empty();
  };
  for (const char* path : {"/w/.env", "/w/.env.local", "/w/prod.env", "/w/id_rsa", "/w/x.key", "/h/.ssh/config",
                           "/w/secrets/a.yaml", "/h/.aws/credentials", "/h/.docker/config.json"})
    CHECK(alone("file://" + std::string(path)));
  // A name of each kind of secret_names.h.
  for (const char* path : {"/w/.envrc",
                           "/w/terraform.tfstate",
                           "/w/terraform.tfstate.backup",
                           "/w/a.auto.tfvars",
                           "/w/service-account.json",
                           "/w/my-service-account.json",
                           "/w/kubeconfig",
                           "/w/prod.kubeconfig",
                           "/h/.dockerconfigjson",
                           "/h/.my.cnf",
                           "/h/_netrc",
                           "/w/wp-config.php",
                           "/w/office.ovpn",
                           "/h/.vault-token",
                           "/h/.yarnrc.yml",
                           "/h/.config/gh/hosts.yml",
                           "/h/.config/gcloud/x/token.db",
                           "/h/.m2/settings.xml",
                           "/h/.azure/a.json",
                           "/h/.cargo/credentials.toml",
                           "/w/putty.ppk",
                           "/w/AuthKey_1.p8",
                           "/w/client_secret_1.json",
                           "/w/deploy_rsa",
                           "/w/app.publishsettings",
                           "/w/prod-secrets.yaml",
                           "/h/.rclone.conf",
                           "/h/.pgpass",
                           "/w/config/master.key",
                           "/h/.password-store/a.gpg",
                           "/w/secret.yml",
                           "/h/.s3cfg",
                           "/h/.SSH/config",
                           "/W/SECRETS/a.yaml",
                           "/h/.Aws/config",
                           "/h/.Docker/Config.json",
                           "/w/PROD.ENV"}) {
    CAPTURE(path);
    CHECK(alone("file://" + std::string(path)));
  }
  for (const char* uri :
       {"file:///w/prod.env#x", "file:///w/prod.env?x", "FILE:///w/prod.env", "file:/w/prod.env", "file:////w/prod.env",
        "file:///w/a.py#/../prod.env", "file:///w/x%2F..%2Fprod.env", "vscode-notebook-cell:/w/secrets/a.ipynb#W0",
        "file:///w/prod.env/", "file:///w/prod%2Eenv"}) {
    CAPTURE(uri);
    CHECK(alone(uri));
  }
  for (const char* path :
       {"/w/token.py", "/w/password.go", "/w/secret.rs", "/w/database.yml", "/w/tfstate.py", "/w/envrc/a.py",
        "/w/local_settings.py", "/w/settings.xml", "/w/config.json", "/w/hosts.yml"}) {
    CAPTURE(path);
    CHECK_FALSE(alone("file://" + std::string(path)));
  }
  for (const char* path : {"/w/a.py", "/w/environment.py", "/w/keys.py", "/w/secrets.py", "/w/.envrc.py"})
    CHECK_FALSE(alone("file://" + std::string(path)));
  options.languages = {{"markdown", false}};
  CHECK(alone("file:///w/a.md", "markdown"));
  CHECK_FALSE(alone("file:///w/a.py"));
  options.languages = {{"*", false}, {"python", true}};
  CHECK(alone("file:///w/a.c", "c"));
  CHECK_FALSE(alone("file:///w/a.py"));
  options.exclude = {"generated/"};
  CHECK(alone("file:///w/generated/a.py"));
  options.enabled = false;
  CHECK(alone("file:///w/a.py"));
}

TEST_CASE("ignore files of the folder, where links lead, and the innermost folder") {
  const test::ModelFolder folder;
  namespace fs = std::filesystem;
  for (const char* name : {"ws/private", "ws/inner/private", "outside"}) fs::create_directories(folder.file(name));
  folder.write("ws/.gitignore", std::string("*.gen.py\n"));
  folder.write("ws/.cinnabarignore", std::string("/private/\n"));
  folder.write("outside/.gitignore", std::string("*\n"));
  folder.write("ws/private/a.py", std::string());
  fs::create_symlink("private/a.py", folder.file("ws/alias.py"));
  fs::create_symlink("../outside", folder.file("ws/link"));
  fs::create_symlink("ws", folder.file("also_ws"));
  folder.write("outside/id_rsa", std::string("key"));
  fs::create_symlink("../outside/id_rsa", folder.file("ws/harmless.txt"));
  IgnoreFiles ignores;
  std::vector<std::string> folders = {folder.file("ws/"), folder.file("also_ws/")};
  const auto reason = [&](const std::string& file) {
    return exclusion_reason("file://" + folder.file(file), "python", {}, folders, ignores);
  };
  CHECK(reason("ws/a.py").empty());
  CHECK(reason("ws/a.gen.py") == "excluded (.gitignore)");
  CHECK(reason("ws/x/../private/a.py") == "excluded (.cinnabarignore)");
  CHECK(reason("ws/alias.py") == "excluded (.cinnabarignore)");
  CHECK(reason("also_ws/private/a.py") == "excluded (.cinnabarignore)");
  folders = {
      folder.file("also_ws/")};  // the folder was opened by its link, the document named from the other side of it
  CHECK(reason("ws/private/a.py") == "excluded (.cinnabarignore)");
  CHECK(reason("ws/a.gen.py") == "excluded (.gitignore)");
  folders = {folder.file("ws/")};
  CHECK(reason("also_ws/a.gen.py") == "excluded (.gitignore)");
  folders.push_back(folder.file("also_ws/"));
  CHECK(reason("ws/link/a.py").empty());  // its .gitignore is no file of the folder's
  CHECK(reason("ws/harmless.txt") == "this file may hold secrets");
  CHECK(reason("outside/a.py").empty());
  CHECK(reason("ws/inner/private/a.gen.py") == "excluded (.gitignore)");
  folders.push_back(folder.file("ws/inner/"));
  CHECK(reason("ws/inner/private/a.gen.py").empty());
}

}  // namespace
}  // namespace cinnabar::daemon
