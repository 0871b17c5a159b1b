// SPDX-License-Identifier: Apache-2.0
//
// A whole server in this process, with libssh as its client: what the registry shows of live sessions, and what becomes
// of those it is told to end.
#include "host/ssh/server.h"

#include <gtest/gtest.h>
#include <libssh/libssh.h>
#include <libssh/sftp.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // sftp_read and sftp_write take one request at a time

namespace host::ssh {
namespace {

using namespace std::chrono_literals;

constexpr char kMd5Secret[] = "$1$saltsalt$9xy1btjgzLYfb7hivXtC//";  // "secret"

class Client {
 public:
  explicit Client(int port) : session_(ssh_new()) {
    const bool no_config = false;
    ssh_options_set(session_, SSH_OPTIONS_PROCESS_CONFIG, &no_config);
    ssh_options_set(session_, SSH_OPTIONS_HOST, "127.0.0.1");
    ssh_options_set(session_, SSH_OPTIONS_PORT, &port);
    EXPECT_EQ(ssh_connect(session_), SSH_OK) << ssh_get_error(session_);
  }
  ~Client() {
    if (sftp_ != nullptr) sftp_free(sftp_);
    ssh_free(session_);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool login(const char* user) { return ssh_userauth_password(session_, user, "secret") == SSH_AUTH_SUCCESS; }
  sftp_session sftp() {
    if (sftp_ == nullptr) {
      sftp_ = sftp_new(session_);
      EXPECT_EQ(sftp_init(sftp_), SSH_OK) << ssh_get_error(session_);
    }
    return sftp_;
  }
  bool lists(const char* path) {
    const auto dir = sftp_opendir(sftp(), path);
    return dir != nullptr && sftp_closedir(dir) == SSH_OK;
  }
  // Waits for the server to close the connection; what it said.
  std::string farewell() {
    ssh_set_blocking(session_, 0);
    const ssh_event event = ssh_event_new();
    ssh_event_add_session(event, session_);
    while (ssh_is_connected(session_) != 0 && ssh_event_dopoll(event, 10'000) == SSH_OK) continue;
    ssh_event_remove_session(event, session_);
    ssh_event_free(event);
    return ssh_get_error(session_);
  }

 private:
  ssh_session session_;
  sftp_session sftp_ = nullptr;
};

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    char name[] = "/tmp/sallyport-server-XXXXXX";
    dir_ = ::mkdtemp(name);
    plugin::RegistryOptions plugins;
    plugins.directory = PLUGIN_DIRECTORY;
    registry_ = std::make_unique<plugin::Registry>(std::move(plugins));
    users::StoreOptions provider;
    provider.driver = "memory";
    provider.provider_config_json = "{}";
    store_ = std::move(users::Store::open(*registry_, provider).value());
    login_ = std::make_unique<auth::Login>(*store_);
    logins_ = std::make_unique<auth::LoginFlow>(*login_, nullptr);
    const auto key_file = dir_ / "key";
    ssh_key key = nullptr;
    EXPECT_EQ(ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key), SSH_OK);
    EXPECT_EQ(ssh_pki_export_privkey_file(key, nullptr, nullptr, nullptr, key_file.c_str()), SSH_OK);
    ssh_key_free(key);
    ServerOptions options;
    options.address = "127.0.0.1";
    options.port = 0;
    options.host_keys = {key_file};
    options.software = "Test";
    options.io_threads = 2;
    options.drain_s = 0;
    server_ = std::move(
        Server::create(std::move(options), {registry_.get(), logins_.get(), &defender_, &sessions_, nullptr, nullptr})
            .value());
    thread_ = std::thread([this] { server_->run(); });
  }
  ~ServerTest() override {
    server_->stop();
    thread_.join();
    server_.reset();
    logins_.reset();
    login_.reset();
    store_.reset();
    registry_.reset();
    std::filesystem::remove_all(dir_);
  }

  void add(const std::string& name, std::int64_t max_sessions = 0, std::int64_t upload_bandwidth = 0) {
    users::User user;
    user.username = name;
    user.status = 1;
    user.password = kMd5Secret;
    user.home_dir = (dir_ / name).string();
    user.permissions[core::VirtualPath()] = users::kAll;
    user.max_sessions = max_sessions;
    user.upload_bandwidth = upload_bandwidth;
    const auto added = store_->add(user);
    ASSERT_TRUE(added) << added.error().text;
  }
  // Polls: what others do becomes visible some time.
  template <class Done>
  static bool soon(Done done) {
    for (const auto end = std::chrono::steady_clock::now() + 20s; !done(); std::this_thread::sleep_for(1ms)) {
      if (std::chrono::steady_clock::now() > end) return false;
    }
    return true;
  }
  int port() const { return server_->port(); }

  std::filesystem::path dir_;
  std::unique_ptr<plugin::Registry> registry_;
  std::unique_ptr<users::Store> store_;
  std::unique_ptr<auth::Login> login_;
  std::unique_ptr<auth::LoginFlow> logins_;
  auth::Defender defender_{auth::DefenderOptions()};
  admin::Sessions sessions_{100};
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

TEST_F(ServerTest, SessionsAreListedFromLoginToEnd) {
  add("ada");
  const auto begun = vfs::wall_clock_ms();
  {
    Client client(port());
    EXPECT_TRUE(sessions_.list().empty()) << "before the login";
    ASSERT_TRUE(client.login("ada"));
    ASSERT_EQ(sessions_.list().size(), 1U);
    EXPECT_TRUE(sessions_.list()[0].channels.empty());
    auto* sftp = client.sftp();
    auto info = sessions_.list().at(0);
    EXPECT_EQ(info.username, "ada");
    EXPECT_EQ(info.connection_id.size(), 64U);
    EXPECT_TRUE(info.client_version.starts_with("SSH-2.0-libssh")) << info.client_version;
    EXPECT_TRUE(info.remote_address.starts_with("127.0.0.1:")) << info.remote_address;
    EXPECT_GE(info.connected_ms, begun);
    ASSERT_EQ(info.channels.size(), 1U);
    EXPECT_EQ(info.channels[0].protocol, "SFTP");
    EXPECT_TRUE(info.transfers.empty());
    const std::string data(10'000, 'x');
    const auto up = sftp_open(sftp, "/dir/../up", O_WRONLY | O_CREAT, 0644);
    ASSERT_NE(up, nullptr);
    EXPECT_EQ(sftp_write(up, data.data(), data.size()), static_cast<ssize_t>(data.size()));
    info = sessions_.list().at(0);
    ASSERT_EQ(info.transfers.size(), 1U);
    EXPECT_TRUE(info.transfers[0].upload);
    EXPECT_EQ(info.transfers[0].path, "/up");
    EXPECT_EQ(info.transfers[0].bytes, data.size());
    EXPECT_GE(info.transfers[0].last_activity_ms, info.transfers[0].started_ms);
    EXPECT_GE(info.last_activity_ms + 1000, info.transfers[0].last_activity_ms);
    EXPECT_EQ(sftp_close(up), SSH_OK);
    const auto down = sftp_open(sftp, "/up", O_RDONLY, 0);
    std::string back(4096, '\0');
    EXPECT_EQ(sftp_read(down, back.data(), back.size()), static_cast<ssize_t>(back.size()));
    info = sessions_.list().at(0);
    ASSERT_EQ(info.transfers.size(), 1U);
    EXPECT_FALSE(info.transfers[0].upload);
    EXPECT_GE(info.transfers[0].bytes, back.size());
    sftp_close(down);
    EXPECT_TRUE(sessions_.list().at(0).transfers.empty());
  }
  EXPECT_TRUE(soon([&] { return sessions_.list().empty(); }));
}

TEST_F(ServerTest, ASessionThatIsEndedIsToldSoAndItsUploadIsLost) {
  add("ada");
  add("bob");
  Client ada(port()), bob(port());
  ASSERT_TRUE(ada.login("ada"));
  ASSERT_TRUE(bob.login("bob"));
  auto* file = sftp_open(ada.sftp(), "/f", O_WRONLY | O_CREAT, 0644);
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(sftp_write(file, "data", 4), 4);
  EXPECT_TRUE(bob.lists("/"));
  std::string id;
  for (const auto& info : sessions_.list()) {
    if (info.username == "ada") id = info.connection_id;
  }
  EXPECT_TRUE(sessions_.close(id));
  EXPECT_TRUE(ada.farewell().ends_with("closed by the administrator")) << ada.farewell();
  EXPECT_TRUE(soon([&] { return sessions_.list().size() == 1; }));
  EXPECT_FALSE(sessions_.close(id));
  EXPECT_TRUE(bob.lists("/")) << "the other one goes on";
  sftp_close(file);
}

TEST_F(ServerTest, AllSessionsOfAUserAreEndedWhileTheyWaitForTheirBandwidth) {
  add("ada", 0, 1);
  Client first(port()), second(port());
  for (auto* client : {&first, &second}) {
    ASSERT_TRUE(client->login("ada"));
    const auto file = sftp_open(client->sftp(), "/f", O_WRONLY | O_CREAT, 0644);
    ASSERT_NE(file, nullptr);
    std::thread writer([&] {
      const std::string data(100'000, 'x');
      EXPECT_LT(sftp_write(file, data.data(), data.size()), 0) << "it would take more than a minute";
    });
    EXPECT_TRUE(soon([&] { return sessions_.close_user("ada") == 1; }));
    writer.join();
    sftp_close(file);
    EXPECT_TRUE(soon([&] { return sessions_.list().empty(); }));
  }
}

TEST_F(ServerTest, PlacesComeBackWithTheEndOfASession) {
  add("ada", 1);
  Client first(port()), second(port());
  ASSERT_TRUE(first.login("ada"));
  EXPECT_FALSE(second.login("ada"));
  EXPECT_EQ(sessions_.close_user("ada"), 1U);
  EXPECT_TRUE(soon([&] { return second.login("ada") || !sessions_.list().empty(); }));
}

}  // namespace
}  // namespace host::ssh
