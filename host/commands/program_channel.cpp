// SPDX-License-Identifier: Apache-2.0
//
// Moves bytes between a channel and a program's pipes, both without waiting: what cannot go on asks Programs to be
// woken up. Everything on the channel's I/O thread but launch(), which a thread of Programs runs. Whatever becomes of
// the channel, what the program has left is counted when it has ended.
#include "host/commands/program_channel.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>

#include "host/commands/limits.h"
#include "host/core/log.h"

namespace host::commands {
namespace {

using core::Error;
using core::Result;
using core::Status;

// What the replaced system says, but without paths of the server.
std::string_view reason(Status status) {
  switch (status) {
    case Status::kDenied: return "Permission denied. You don't have the permissions to execute this command";
    case Status::kUnsupported: return "command unsupported for this configuration";
    case Status::kCrossDevice:
      return "command unsupported for this account: git and rsync need files on the server's own disk, and this "
             "account's are in another storage; use sftp or scp";
    case Status::kNotFound: return "does not exist";
    case Status::kQuota: return "denying write due to space limit";
    case Status::kBusy: return "too many commands are running, try again later";
    default: return "cannot be run here";
  }
}

// RFC 4254 section 6.10.
const char* signal_name(int number) {
  struct Named {
    int number;
    const char* name;
  };
  static constexpr std::array kNames = {
      Named{SIGABRT, "ABRT"}, Named{SIGALRM, "ALRM"}, Named{SIGFPE, "FPE"},   Named{SIGHUP, "HUP"},
      Named{SIGILL, "ILL"},   Named{SIGINT, "INT"},   Named{SIGKILL, "KILL"}, Named{SIGPIPE, "PIPE"},
      Named{SIGQUIT, "QUIT"}, Named{SIGSEGV, "SEGV"}, Named{SIGTERM, "TERM"}, Named{SIGUSR1, "USR1"},
      Named{SIGUSR2, "USR2"},
  };
  const auto* found = std::ranges::find(kNames, number, &Named::number);
  return found == kNames.end() ? "KILL" : found->name;
}

constexpr const char* kNobody = "nobody waits for it";

class ProgramChannel final : public core::Channel {
 public:
  ProgramChannel(std::shared_ptr<Programs> programs, std::shared_ptr<vfs::SessionFs> fs, std::string line,
                 std::vector<core::ShellWord> words, Hooks hooks)
      : programs_(std::move(programs)),
        fs_(std::move(fs)),
        line_(std::move(line)),
        words_(std::move(words)),
        hooks_(std::move(hooks)) {
    const auto& throttle = fs_->identity().throttle;
    if (throttle.upload) upload_.emplace(throttle.upload);
    if (throttle.download) download_.emplace(throttle.download);
  }

  bool ready() const override { return input_.size() < limits::kProgramInput; }
  void on_data(std::span<const std::byte> data) override;
  void on_eof() override { input_ended_ = true; }
  core::BlockQueue& output() override { return output_; }
  core::BlockQueue* errors() override { return &errors_; }
  void fill(std::size_t budget) override;
  bool failed() const override { return false; }
  bool finished() const override { return phase_ == Phase::kOver && output_.empty() && errors_.empty(); }
  int exit_status() const override { return status_; }
  const char* exit_signal() const override { return signal_; }
  bool receiving_upload() const override { return phase_ == Phase::kRunning && taking_; }
  bool busy() const override { return phase_ != Phase::kNew && !finished(); }
  Time next_turn() const override { return next_turn_; }
  void abandon() override;

 private:
  enum class Phase { kNew, kStarting, kRunning, kOver };
  // What launch() came to.
  struct Launched {
    std::string refusal;  // for the client; empty: it runs
    bool taking = false;
  };

  std::shared_ptr<ProgramChannel> self() { return std::static_pointer_cast<ProgramChannel>(shared_from_this()); }
  void begin();
  bool gone() {
    const std::lock_guard lock(mutex_);
    return abandoned_;
  }
  Launched launch();
  Launched refuse(const std::string& path, const Error& error) const;
  ChildPlan plan_for(const Program& program, const vfs::ProgramAccess& access) const;
  void on_launched(const Launched& launched);
  void wake_up();
  void complain(std::string_view text);
  void feed();
  bool pay(std::optional<vfs::Flow>& flow, std::size_t bytes);
  void drain(PipeEnd end, UniqueFd& pipe, core::BlockQueue& into);
  void finish_if_over();

  const std::shared_ptr<Programs> programs_;
  const std::shared_ptr<vfs::SessionFs> fs_;
  const std::string line_;
  const std::vector<core::ShellWord> words_;
  Hooks hooks_;
  std::optional<vfs::Flow> upload_, download_;
  core::BlockQueue input_, output_, errors_;
  bool input_ended_ = false;
  bool taking_ = false;  // it writes files
  Phase phase_ = Phase::kNew;
  int status_ = 1;
  const char* signal_ = nullptr;
  std::size_t granted_ = 0;  // of the front of input_, by the quota
  bool stopped_ = false;     // by us: its own status says nothing
  Time next_turn_ = Time::max();
  std::shared_ptr<void> place_;                 // until a program holds it
  std::shared_ptr<vfs::ProgramAccess> access_;  // written by launch(), read once it has come back

  std::mutex mutex_;                         // between launch() and abandon()
  std::shared_ptr<RunningProgram> program_;  // written under mutex_ by launch(), read once it has come back
  bool abandoned_ = false;                   // under mutex_
};

void ProgramChannel::on_data(std::span<const std::byte> data) {
  if (phase_ == Phase::kOver) return;
  while (!data.empty()) {
    const auto part = data.first(std::min(data.size(), limits::kProgramPart));
    std::memcpy(input_.reserve(part.size()).data(), part.data(), part.size());
    input_.commit(part.size());
    data = data.subspan(part.size());
  }
}

void ProgramChannel::complain(std::string_view text) {
  const std::string whole = words_.front().text + ": " + std::string(text) + "\n";
  std::memcpy(errors_.reserve(whole.size()).data(), whole.data(), whole.size());
  errors_.commit(whole.size());
}

void ProgramChannel::wake_up() {
  if (const auto wake = hooks_.wake) wake();  // a copy: it may end in abandon()
}

void ProgramChannel::begin() {
  place_ = programs_->enter(fs_->identity().user.username);
  phase_ = Phase::kStarting;
  const bool begun = place_ && programs_->pool().submit([self = self()] {
    auto launched = self->launch();
    self->hooks_.post([self, launched = std::move(launched)] { self->on_launched(launched); });
  });
  if (begun) return;
  complain(reason(Status::kBusy));
  phase_ = Phase::kOver;
}

ProgramChannel::Launched ProgramChannel::refuse(const std::string& path, const Error& error) const {
  core::log::warn("commands", fs_->identity().connection_id,
                  "command \"" + line_ + "\" was refused: " + error.message());
  return {.refusal = path + (path.empty() ? "" : " ") + std::string(reason(error.status))};
}

ChildPlan ProgramChannel::plan_for(const Program& program, const vfs::ProgramAccess& access) const {
  ChildPlan plan;
  plan.file = find_program(program.name);
  plan.words.push_back(program.name);
  const auto& links = access.may_link() ? program.if_links : program.if_no_links;
  plan.words.insert(plan.words.end(), links.begin(), links.end());
  plan.words.insert(plan.words.end(), program.words.begin(), program.words.end());
  plan.environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent", "LC_ALL=C.UTF-8", "TZ=UTC"};
  plan.environment.insert(plan.environment.end(), program.environment.begin(), program.environment.end());
  plan.runs = program.runs;
  plan.directory = access.home();
  plan.below = access.below();
  plan.uid = access.uid();
  plan.gid = access.gid();
  plan.umask = access.umask();
  return plan;
}

ProgramChannel::Launched ProgramChannel::launch() {
  const auto parsed = parse_program(words_);
  if (!parsed) {
    core::log::info("commands", fs_->identity().connection_id,
                    "command \"" + line_ + "\" was refused: " + parsed.error().message());
    return {.refusal = parsed.error().message()};
  }
  const std::string path = parsed->request.paths.front().str();
  if (gone()) return {.refusal = kNobody};
  auto access = fs_->begin_program(parsed->request);
  if (!access) return refuse(path, access.error());
  access_ = *std::move(access);
  const auto plan = plan_for(*parsed, *access_);
  if (plan.file.empty()) return refuse("", Error(Status::kUnsupported, parsed->name + " is not installed"));
  if (gone()) return {.refusal = kNobody};  // it may have taken long
  const auto program = std::make_shared<RunningProgram>();
  program->user = fs_->identity().user.username;
  program->place = std::move(place_);
  program->wake = [weak = weak_from_this(), post = hooks_.post] {
    post([weak] {
      if (const auto channel = weak.lock()) static_cast<ProgramChannel&>(*channel).wake_up();
    });
  };
  if (access_->counts()) program->count = [access = access_, fs = fs_] { access->count(); };
  program->after = [access = access_, fs = fs_] { access->give_back(); };
  if (auto started = programs_->start(plan, program); !started) return refuse("", started.error());
  const std::lock_guard lock(mutex_);
  program_ = program;
  if (abandoned_) programs_->end(program_);
  return {.refusal = "", .taking = parsed->request.writes};
}

void ProgramChannel::on_launched(const Launched& launched) {
  taking_ = launched.taking;
  phase_ = launched.refusal.empty() ? Phase::kRunning : Phase::kOver;
  if (phase_ == Phase::kOver) {
    place_.reset();
    complain(launched.refusal);
    input_.clear();
  }
  wake_up();
}

void ProgramChannel::fill(std::size_t) {
  if (phase_ == Phase::kNew) begin();
  if (phase_ != Phase::kRunning) return;
  const bool was_ready = ready();
  next_turn_ = Time::max();
  feed();
  drain(PipeEnd::kOut, program_->child.out, output_);
  drain(PipeEnd::kErr, program_->child.err, errors_);
  finish_if_over();
  // The transport may ask ready() before it fills: tell it once more.
  if (!was_ready && ready()) {
    hooks_.post([self = self()] { self->wake_up(); });
  }
}

// False: not yet; next_turn() says when.
bool ProgramChannel::pay(std::optional<vfs::Flow>& flow, std::size_t bytes) {
  if (!flow) return true;
  const auto when = flow->pay(static_cast<std::int64_t>(bytes), hooks_.now());
  if (when) next_turn_ = std::min(next_turn_, *when);
  return !when;
}

void ProgramChannel::feed() {
  auto& in = program_->child.in;
  while (in && !input_.empty()) {
    const auto part = input_.front().first(std::min(input_.front().size(), limits::kProgramPart));
    // Before it gets them: with the last of them it may be done.
    if (granted_ < part.size()) {
      if (!access_->take(static_cast<std::int64_t>(part.size() - granted_))) {
        complain(reason(Status::kQuota));
        stopped_ = true;
        programs_->end(program_);
        in.reset();
        break;
      }
      granted_ = part.size();
    }
    if (!pay(upload_, part.size())) return;
    const auto written = ::write(in.get(), part.data(), part.size());
    const auto error = errno;
    const auto taken = written > 0 ? written : 0;
    if (upload_) upload_->correct(static_cast<std::int64_t>(part.size()) - taken);
    if (written < 0 && error == EINTR) continue;
    if (written < 0 && error == EAGAIN) return programs_->await(*program_, PipeEnd::kIn);
    if (written < 0) {  // it reads no more
      in.reset();
      break;
    }
    input_.consume(static_cast<std::size_t>(taken));
    granted_ -= static_cast<std::size_t>(taken);
  }
  if (!in) input_.clear();
  if (input_.empty() && input_ended_) in.reset();
}

void ProgramChannel::drain(PipeEnd end, UniqueFd& pipe, core::BlockQueue& into) {
  const bool ended = program_->ended;  // asked before the pipe is, so that what is in it then is all
  const bool pays = end == PipeEnd::kOut && download_.has_value();
  while (pipe && into.size() < limits::kProgramOutput) {
    const auto room = into.reserve(limits::kProgramPart);
    const std::size_t size = std::min(room.size(), limits::kProgramPart);
    if (pays && !pay(download_, size)) return;
    const auto got = ::read(pipe.get(), room.data(), size);
    const auto error = errno;
    if (pays) download_->correct(static_cast<std::int64_t>(size) - (got > 0 ? got : 0));
    if (got > 0) {
      into.commit(static_cast<std::size_t>(got));
    } else if (got < 0 && error == EINTR) {
      continue;
    } else if (got < 0 && error == EAGAIN && !ended) {
      return programs_->await(*program_, end);
    } else {  // at its end; or held by what the program has left behind, which has nothing to say here
      pipe.reset();
    }
  }
}

void ProgramChannel::finish_if_over() {
  if (!program_->over || program_->child.out || program_->child.err) return;
  phase_ = Phase::kOver;
  input_.clear();
  status_ = stopped_ ? 1 : program_->status;
  if (program_->signal != 0 && !stopped_) signal_ = signal_name(program_->signal);
  if (status_ == 0 && signal_ == nullptr) fs_->note_command(line_, core::VirtualPath::clean(words_.back().text));
}

void ProgramChannel::abandon() {
  hooks_.wake = nullptr;
  output_.clear();
  errors_.clear();
  const std::lock_guard lock(mutex_);
  abandoned_ = true;
  if (!program_) return;
  if (phase_ == Phase::kRunning) program_->child.in.reset();
  programs_->end(program_);
}

}  // namespace

std::shared_ptr<core::Channel> make_program_channel(std::shared_ptr<Programs> programs,
                                                    std::shared_ptr<vfs::SessionFs> fs, std::string line,
                                                    std::vector<core::ShellWord> words, core::Channel::Hooks hooks) {
  return std::make_shared<ProgramChannel>(std::move(programs), std::move(fs), std::move(line), std::move(words),
                                          std::move(hooks));
}

}  // namespace host::commands
