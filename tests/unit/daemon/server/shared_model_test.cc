#include "daemon/server/shared_model.h"

#include <catch2/catch.hpp>
#include <string>

namespace cinnabar::daemon {
namespace {

ModelOptions model(const std::string& path) {
  ModelOptions options;
  options.model = path;
  return options;
}

TEST_CASE("the client that has been there longest decides") {
  SharedModel shared(model("own"));
  const auto wants = [&](engine::ClientId client, const std::string& path) {
    const auto load = shared.request_model(client, model(path));
    return load ? load->model : "";
  };
  const auto leaves = [&](engine::ClientId client) {
    const auto load = shared.client_left(client);
    return load ? load->model : "";
  };
  CHECK(wants(2, "own").empty());
  CHECK(wants(3, "other").empty());
  CHECK(shared.present().model == "own");
  CHECK_FALSE(shared.is_served(3));
  CHECK(shared.is_served(2));
  CHECK(shared.is_served(9));  // has none

  CHECK(wants(2, "new") == "new");  // its own settings change
  CHECK_FALSE(shared.is_served(3));
  CHECK(wants(3, "new").empty());
  CHECK(shared.is_served(3));
  CHECK(wants(3, "other").empty());

  CHECK(leaves(2) == "other");
  CHECK(shared.is_served(3));
  CHECK(wants(4, "own").empty());
  CHECK(leaves(3) == "own");
  CHECK(leaves(4).empty());
  CHECK(wants(5, "other") == "other");
  CHECK(leaves(5).empty());  // nobody asks for anything: what is there stays
  CHECK(shared.present().model == "other");
}

TEST_CASE("another way to run the same model is another wish") {
  SharedModel shared(model("own"));
  ModelOptions two_threads = model("own");
  two_threads.device.cpu.threads = 2;
  shared.request_model(1, model("own"));
  CHECK_FALSE(shared.request_model(2, two_threads));
  CHECK_FALSE(shared.is_served(2));
}

}  // namespace
}  // namespace cinnabar::daemon
