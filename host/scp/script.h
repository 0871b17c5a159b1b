// SPDX-License-Identifier: Apache-2.0
//
// What both sides of scp have in common: answers, and what the client is told of a failure.
#pragma once

#include <memory>
#include <string>

#include "host/core/conversation.h"
#include "host/scp/arguments.h"
#include "host/scp/messages.h"
#include "host/vfs/session_fs.h"

namespace host::scp {

class Script : public core::Conversation {
 protected:
  Script(std::shared_ptr<vfs::SessionFs> fs, Arguments arguments, Hooks hooks)
      : Conversation(std::move(hooks)), fs_(std::move(fs)), arguments_(std::move(arguments)) {}

  core::Task<int> talk() final;
  // What talk() is about; the exit status.
  virtual core::Task<int> copy() = 0;

  enum class Answer { kOk, kRefused, kEnd };
  // What the client says to what it was sent.
  core::Task<Answer> answer();

  // Waits until a bandwidth limit lets `bytes` move.
  core::Task<bool> paid(vfs::Flow* flow, std::size_t bytes);
  void say_ok() { say(kAccepted); }
  // One file failed; the client is told and the exit status will tell.
  void warn(const core::VirtualPath& path, const core::Error& error) { warn(path, core::describe(error.status)); }
  void warn(const core::VirtualPath& path, std::string_view why);
  // The conversation is over.
  int fail(std::string_view why);
  int status() const { return warned_ ? 1 : 0; }
  core::WorkerPool& pool(const core::VirtualPath& path) { return fs_->pool(path); }

  const std::shared_ptr<vfs::SessionFs> fs_;
  const Arguments arguments_;
  bool warned_ = false;
};

}  // namespace host::scp
