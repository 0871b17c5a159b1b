// SPDX-License-Identifier: Apache-2.0
//
// The channel behind channel.h. channel.cpp: bytes in and the life cycle; schedule.cpp: which request runs when and
// where. Everything here belongs to the I/O thread except side_, which workers share.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "host/sftp/batch.h"
#include "host/sftp/channel.h"
#include "host/sftp/handles.h"
#include "host/sftp/input.h"
#include "host/sftp/pacer.h"
#include "host/sftp/request_queue.h"

namespace host::sftp {

class ChannelImpl final : public Channel {
 public:
  // Hands a job to a pool; false when refused. `cleanup` jobs are not refused. Replaced where jobs must run at once.
  using Submit = bool (*)(core::WorkerPool& pool, core::WorkerPool::Job job, bool cleanup);
  static bool submit_to_pool(core::WorkerPool& pool, core::WorkerPool::Job job, bool cleanup);

  ChannelImpl(std::shared_ptr<vfs::SessionFs> fs, Hooks hooks, std::shared_ptr<Usage> usage,
              Submit submitter = submit_to_pool);
  ~ChannelImpl() override;

  bool ready() const override;
  void on_data(std::span<const std::byte> data) override;
  void on_eof() override;
  core::BlockQueue& output() override { return output_; }
  void fill(std::size_t budget) override;
  bool failed() const override { return failed_; }
  bool finished() const override;
  vfs::Time next_turn() const override;
  bool receiving_upload() const override;
  bool busy() const override {
    return handles_.files() > 0 || !running_.empty() || !queue_.empty() || !output_.empty() || !backlog_.empty();
  }
  void abandon() override;

 private:
  using BatchPtr = std::shared_ptr<Batch>;

  // channel.cpp
  bool has_place() const;
  void parse(std::span<const std::byte>& data);
  void parse_backlog();
  void drop_backlog();
  void accept(Input::Packet packet);
  void fail(const char* why);
  void drop_memory();

  // schedule.cpp
  void advance(std::size_t budget);
  enum class Step { kDone, kWait, kWorker };
  Step answer_in_place(std::size_t budget, std::size_t& produced);
  bool start_batch();
  void look_up(Request& request);
  core::WorkerPool* pool_of(const Request& request);
  bool take_into(Batch& batch);
  BatchPtr collect_sequence(bool lanes_too);
  BatchPtr collect_lane(std::uint32_t lanes);
  bool conflicts_with_running(const Request& request) const;
  void submit(const BatchPtr& batch);
  void refuse(const BatchPtr& batch);
  void run_here(const BatchPtr& batch);
  void complete(const BatchPtr& batch);
  void release_done();
  void take_replies(const BatchPtr& batch);
  void leave(const BatchPtr& batch);
  void settle(Request& request);

  const std::shared_ptr<WorkerSide> side_;
  const std::shared_ptr<Usage> usage_;
  std::function<void()> wake_;
  const std::function<bool()> alone_;
  const Submit submit_;
  const std::function<vfs::Time()> now_;
  Input input_;
  std::vector<std::byte> backlog_;  // received and not parsed yet; at most what libssh has buffered, a window
  std::size_t backlog_used_ = 0;    // of its front
  core::BlockQueue output_;
  RequestQueue queue_;
  std::vector<BatchPtr> running_;
  Handles handles_{usage_};
  std::unique_ptr<Pacer> pacer_;   // null: no bandwidth limits
  std::size_t held_bytes_ = 0;     // of requests that wait, for their turn or a worker, or run
  std::size_t held_requests_ = 0;  // the same, counted
  std::size_t running_bytes_ = 0;  // data that running batches move
  bool greeted_ = false;           // INIT has come
  bool eof_ = false;
  bool failed_ = false;
  bool abandoned_ = false;
};

}  // namespace host::sftp
