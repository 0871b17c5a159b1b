// SPDX-License-Identifier: Apache-2.0
//
// Life of the service plugin behind the httpd section. Main thread; reload comes from a worker. A service that cannot
// be reloaded or stopped is told in the log, no more.
#include "host/app/administration.h"

#include "host/app/settings.h"
#include "host/app/version.h"
#include "host/core/limits.h"
#include "host/core/log.h"

namespace host::app {

Administration::Administration(plugin::HostTables& tables, plugin::Registry& registry, users::Store& store,
                               vfs::Quotas& quotas, admin::Sessions& sessions, auth::Defender& defender,
                               events::Events& events, const config::Config& config)
    : tables_(tables),
      registry_(registry),
      config_(config),
      users_(registry, store, quotas, &events),
      jobs_(registry, store, quotas,
            {.backups = config.resolve(config.httpd.backups_path),
             .keep_usage = config.data_provider.track_quota != 0,
             .events = &events}),
      sessions_(sessions),
      bans_(defender),
      info_(registry, store, sessions, jobs_, {version(), build_date(), commit()}) {
  tables_.connect({&users_, &jobs_, &sessions_, &bans_, &info_});
}

Administration::~Administration() {
  service_.reset();
  tables_.connect({});
}

core::Result<void> Administration::start() {
  if (config_.httpd.bind_port == 0) return core::ok();
  auto settings = http_settings(config_);
  if (!settings) return settings.error();
  settings_ = std::move(*settings);
  auto service = registry_.make_service(kHttpPlugin, settings_, "httpd");
  if (!service) return service.error();
  service_ = std::move(*service);
  return service_->start();
}

void Administration::reload() {
  if (!service_) return;
  const auto done = service_->reload(settings_);
  if (!done) core::log::error("httpd", "", "not reloaded, all stays as it was: " + done.error().message());
}

bool Administration::stop() {
  jobs_.stop();  // or the service would wait for them
  if (!service_) return true;
  const auto done = service_->stop(core::limits::kServiceStopTime);
  if (!done) core::log::error("httpd", "", "not stopped: " + done.error().message());
  return done || done.error().status != core::Status::kTimedOut;
}

}  // namespace host::app
