// SPDX-License-Identifier: Apache-2.0
//
// From /proc/self (proc(5)); elsewhere only what getrusage and getrlimit know. Threads of services.
#include "host/admin/process_metrics.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace host::admin {
namespace {

void add_limit(std::vector<ProcessMetric>& all, decltype(RLIMIT_NOFILE) resource, std::string_view name,
               std::string_view help) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0) return;
  const double value = limit.rlim_cur == RLIM_INFINITY ? -1 : static_cast<double>(limit.rlim_cur);
  all.push_back({name, "gauge", help, value});
}

double seconds_since_1970_of_boot() {
  std::ifstream in("/proc/stat");
  for (std::string word; in >> word;) {
    double value = 0;
    if (word == "btime" && in >> value) return value;
  }
  return 0;
}

// Fields of /proc/self/stat behind the name of the program, which may hold anything.
void add_from_stat(std::vector<ProcessMetric>& all) {
  constexpr int kStartTime = 19, kVirtualBytes = 20, kResidentPages = 21;  // counted from the state
  std::ifstream in("/proc/self/stat");
  std::string text(std::istreambuf_iterator<char>(in), {});
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return;
  std::istringstream fields(text.substr(name_end + 1));
  double start = 0, virtual_bytes = 0, resident_pages = 0;
  std::string field;
  for (int i = 0; i <= kResidentPages && fields >> field; ++i) {
    if (i == kStartTime) start = std::stod(field);
    if (i == kVirtualBytes) virtual_bytes = std::stod(field);
    if (i == kResidentPages) resident_pages = std::stod(field);
  }
  const auto per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  all.push_back({"process_resident_memory_bytes", "gauge", "Resident memory", resident_pages * page});
  all.push_back({"process_virtual_memory_bytes", "gauge", "Virtual memory", virtual_bytes});
  all.push_back({"process_start_time_seconds", "gauge", "When the process began, in seconds since 1970",
                 seconds_since_1970_of_boot() + start / per_second});
}

}  // namespace

std::vector<ProcessMetric> process_metrics() {
  std::vector<ProcessMetric> all;
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    all.push_back({"process_cpu_seconds_total", "counter", "Processor time, in user and system mode",
                   seconds(usage.ru_utime) + seconds(usage.ru_stime)});
  }
  std::error_code problem;
  double open = 0;
  for (std::filesystem::directory_iterator it("/proc/self/fd", problem), end; !problem && it != end;
       it.increment(problem)) {
    ++open;
  }
  if (open > 0) all.push_back({"process_open_fds", "gauge", "Open file descriptors", open - 1});  // without our own
  add_limit(all, RLIMIT_NOFILE, "process_max_fds", "Most file descriptors that may be open");
  add_from_stat(all);
  add_limit(all, RLIMIT_AS, "process_virtual_memory_max_bytes", "Most virtual memory, -1 without a limit");
  return all;
}

}  // namespace host::admin
