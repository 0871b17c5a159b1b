// SPDX-License-Identifier: Apache-2.0
//
// Builds lines on the caller's thread and hands them to spdlog's asynchronous logger; spdlog's only thread here, named
// "log", writes them through an Output. Knows the fields of each kind of line, nothing of who logs them.
#include "host/core/log.h"

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "host/core/limits.h"
#include "host/core/log_line.h"
#include "host/core/log_sink.h"
#include "host/core/worker_pool.h"

namespace host::core::log {
namespace {

constexpr std::uint64_t kDefaultSizeMb = 100;  // what 0 meant in the replaced system

// Where many lines follow each other this closely, waking the log thread for each would cost whoever logs more than the
// line itself: it then naps once it has written all, while the queue fills without waking anyone.
constexpr auto kCloseTogether = std::chrono::milliseconds(1);
constexpr int kCrowd = 16;  // lines
constexpr auto kNap = std::chrono::microseconds(250);

std::string_view level_name(Level level) {
  switch (level) {
    case Level::kDebug: return "debug";
    case Level::kInfo: return "info";
    case Level::kWarn: return "warn";
    case Level::kError: return "error";
  }
  return "error";
}

// The log thread's end of the queue. It also notices lines that were dropped, and says so at most once a second.
class Sink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit Sink(std::unique_ptr<Output> output) : output_(std::move(output)) {}

  // Where dropped lines are counted; valid as long as the log thread runs.
  void watch(spdlog::details::thread_pool* queue) { queue_ = queue; }

  Result<void> reopen() {
    const std::lock_guard lock(mutex_);
    return output_ ? output_->reopen() : ok();
  }

  // After the last line: says what was dropped in total and closes the output.
  void finish(std::uint64_t dropped) {
    const std::lock_guard lock(mutex_);
    report(dropped);
    output_.reset();
  }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_report_ >= std::chrono::seconds(1)) {
      last_report_ = now;
      report(queue_->overrun_counter());
    }
    write({message.payload.data(), message.payload.size()});
    close_together_ = now - std::exchange(last_line_, now) < kCloseTogether ? close_together_ + 1 : 0;
    if (close_together_ >= kCrowd && queue_->queue_size() == 0) std::this_thread::sleep_for(kNap);
  }
  void flush_() override {}

  void report(std::uint64_t dropped) {
    if (dropped == reported_) return;
    Line line("warn", "log");
    line.text("connection_id", "").text("message", std::to_string(dropped - reported_) + " log lines were dropped");
    reported_ = dropped;
    write(line.finish());
  }

  // A full disk must not stop the server: complain once on standard error, go on trying.
  void write(std::string_view line) {
    if (!output_) return;
    if (unwritten_ > 0) {
      Line note("warn", "log");
      note.text("connection_id", "").text("message", std::to_string(unwritten_) + " log lines could not be written");
      if (output_->write_line(note.finish())) unwritten_ = 0;
    }
    const auto written = output_->write_line(line);
    if (!written && unwritten_++ == 0) {
      std::fprintf(stderr, "the log cannot be written: %s\n", written.error().message().c_str());
    }
  }

  std::unique_ptr<Output> output_;
  spdlog::details::thread_pool* queue_ = nullptr;
  std::uint64_t reported_ = 0;
  std::uint64_t unwritten_ = 0;  // lines since the last that could be written
  std::chrono::steady_clock::time_point last_report_{}, last_line_{};
  int close_together_ = 0;  // lines before the last one
};

struct OpenLog {
  std::shared_ptr<spdlog::details::thread_pool> queue;
  std::shared_ptr<Sink> sink;
};

std::mutex setup_mutex;
OpenLog open_log;  // under setup_mutex
std::atomic<spdlog::async_logger*> current = nullptr;
std::atomic<bool> verbose = true;

// Loggers live to the end of the process, so that a thread that logs while the log closes never holds a dead one; their
// queue and file do not.
std::vector<std::shared_ptr<spdlog::async_logger>>& all_loggers() {
  static auto* loggers = new std::vector<std::shared_ptr<spdlog::async_logger>>;
  return *loggers;
}

// False when the log is not open.
bool submit(Line& line) {
  auto* logger = current.load(std::memory_order_acquire);
  if (logger == nullptr) return false;
  const auto text = line.finish();
  logger->log(spdlog::level::info, spdlog::string_view_t(text.data(), text.size()));
  return true;
}

Result<std::unique_ptr<Output>> make_output(const Options& options) {
  if (options.path.empty()) return standard_output();
  if (options.path == "/dev/null") return std::unique_ptr<Output>();  // a device must not be rotated
  RotationOptions rotation;
  rotation.path = options.path;
  rotation.max_bytes = (options.max_size_mb == 0 ? kDefaultSizeMb : options.max_size_mb) * 1024 * 1024;
  rotation.max_backups = options.max_backups;
  rotation.max_age_days = options.max_age_days;
  rotation.compress = options.compress;
  return rotating_file(rotation);
}

}  // namespace

Result<void> open(const Options& options) {
  close();
  auto output = make_output(options);
  if (!output) return output.error();
  const std::lock_guard lock(setup_mutex);
  verbose = options.verbose;
  open_log.queue =
      std::make_shared<spdlog::details::thread_pool>(limits::kLogQueueLines, 1, [] { set_thread_name("log"); });
  open_log.sink = std::make_shared<Sink>(std::move(*output));
  open_log.sink->watch(open_log.queue.get());
  auto logger = std::make_shared<spdlog::async_logger>("log", open_log.sink, open_log.queue,
                                                       spdlog::async_overflow_policy::overrun_oldest);
  logger->set_error_handler([](const std::string&) {});  // fires only for lines that come after close()
  current.store(logger.get(), std::memory_order_release);
  all_loggers().push_back(std::move(logger));
  return ok();
}

void close() {
  const std::lock_guard lock(setup_mutex);
  if (!open_log.queue) return;
  current.store(nullptr, std::memory_order_release);
  const auto dropped = open_log.queue->overrun_counter();
  open_log.queue.reset();  // writes what is queued, then ends the thread
  open_log.sink->finish(dropped);
  open_log.sink.reset();
}

Result<void> reopen() {
  const std::lock_guard lock(setup_mutex);
  return open_log.sink ? open_log.sink->reopen() : ok();
}

bool enabled(Level level) {
  if (level != Level::kDebug) return true;
  return verbose.load(std::memory_order_relaxed) && current.load(std::memory_order_relaxed) != nullptr;
}

void app(Level level, std::string_view sender, std::string_view connection_id, std::string_view message) {
  if (!enabled(level)) return;
  Line line(level_name(level), sender);
  line.text("connection_id", connection_id).text("message", message);
  if (submit(line)) return;
  const auto name = level_name(level);
  std::fprintf(stderr, "%.*s: %.*s: %.*s\n", static_cast<int>(name.size()), name.data(),
               static_cast<int>(sender.size()), sender.data(), static_cast<int>(message.size()), message.data());
}

void transfer(const Transfer& entry) {
  Line line("info", entry.sender);
  line.number("elapsed_ms", entry.elapsed_ms)
      .number("size_bytes", static_cast<std::int64_t>(entry.size_bytes))
      .text("username", entry.username)
      .text("file_path", entry.file_path)
      .text("connection_id", entry.connection_id)
      .text("protocol", entry.protocol);
  submit(line);
}

void command(const Command& entry) {
  Line line("info", entry.sender);
  line.text("username", entry.username)
      .text("file_path", entry.file_path)
      .text("target_path", entry.target_path)
      .text("filemode", entry.filemode)
      .number("uid", entry.uid)
      .number("gid", entry.gid)
      .text("access_time", entry.access_time)
      .text("modification_time", entry.modification_time)
      .text("ssh_command", entry.ssh_command)
      .text("connection_id", entry.connection_id)
      .text("protocol", entry.protocol);
  submit(line);
}

void connection_failed(const ConnectionFailed& entry) {
  Line line("debug", "connection_failed");
  line.text("client_ip", entry.client_ip)
      .text("username", entry.username)
      .text("login_type", entry.login_type)
      .text("error", entry.error);
  submit(line);
}

void http(const Http& entry) {
  Line line("info", entry.sender);
  line.text("method", entry.method)
      .text("proto", entry.proto)
      .text("remote_addr", entry.remote_addr)
      .text("request_id", entry.request_id)
      .text("uri", entry.uri)
      .text("user_agent", entry.user_agent)
      .number("resp_status", entry.resp_status)
      .number("resp_size", entry.resp_size)
      .number("elapsed_ms", entry.elapsed_ms);
  submit(line);
}

}  // namespace host::core::log
