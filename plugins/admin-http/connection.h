// SPDX-License-Identifier: Apache-2.0
//
// One client's connection: requests one after the other on the thread that Poco gives it.
#pragma once

#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/TCPServerConnectionFactory.h>

#include "http_limits.h"

namespace admin_http {

class Server;

// Limits in Poco's terms.
Poco::Net::HTTPServerParams::Ptr http_params(const limits::Times& times);

class ConnectionFactory : public Poco::Net::TCPServerConnectionFactory {
 public:
  ConnectionFactory(Server& server, Poco::Net::HTTPServerParams::Ptr params) : server_(server), params_(params) {}
  Poco::Net::TCPServerConnection* createConnection(const Poco::Net::StreamSocket& socket) override;

 private:
  Server& server_;
  Poco::Net::HTTPServerParams::Ptr params_;
};

}  // namespace admin_http
