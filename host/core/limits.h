// SPDX-License-Identifier: Apache-2.0
//
// Every limit of the host, in one place. Nothing is unbounded; a limit that operators may want to change also has a
// configuration key, and then the value here is its default.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace host::core::limits {

// SFTP (filexfer-02 section 3; OpenSSH PROTOCOL section 4.8, limits@openssh.com)
inline constexpr std::uint32_t kMaxPacketBytes = 256 * 1024;  // one SFTP packet without its length word
inline constexpr std::uint32_t kMaxReadBytes = 261120;        // 255 KiB, what OpenSSH's server answers too
inline constexpr std::uint32_t kMaxWriteBytes = 261120;
inline constexpr std::uint32_t kMaxOpenHandles = 1000;  // per connection
inline constexpr std::size_t kMaxPathBytes = 4096;
inline constexpr std::uint32_t kMaxReaddirEntries = 128;  // per reply
inline constexpr std::size_t kMaxReaddirBytes = 64 * 1024;

// Flow control of one SFTP channel
inline constexpr std::size_t kMaxQueuedRequestBytes =
    2 * 1024 * 1024;  // parsed and waiting: beyond it we stop consuming
inline constexpr std::size_t kMaxQueuedRequests = 1024;
inline constexpr std::size_t kMaxSessionRequestBytes = 8 * 1024 * 1024;  // the same for all channels of a connection
inline constexpr std::size_t kMaxReplyBytes = 512 * 1024;  // encoded and unsent: beyond it nothing new is started
inline constexpr std::size_t kMaxBatchBytes = 512 * 1024;  // data moved by one hand-over to a worker
inline constexpr std::size_t kMaxBatchRequests = 64;

// Writes that overtook others, for storages that take a file in order (vfs/write_order.h)
inline constexpr std::size_t kMaxFileEarlyBytes = 8 * 1024 * 1024;  // what one client has under way
inline constexpr std::size_t kMaxSessionEarlyBytes = 32 * 1024 * 1024;
inline constexpr std::size_t kMaxEarlyBytes = 256 * 1024 * 1024;  // of all sessions
inline constexpr std::size_t kEarlyWriteBytes = 128;              // what keeping one takes besides its data

// SSH
inline constexpr std::size_t kTurnBytes = 128 * 1024;  // written per session and bulk turn before others run
inline constexpr std::uint64_t kBulkBytes =
    4 * 1024 * 1024;                                 // who moves as much in half a second lives apart (IoGroup)
inline constexpr std::uint32_t kShortRequests = 64;  // short ones within half a second make a session move (IoGroup)
inline constexpr std::size_t kShortRequestBytes = 16 * 1024;           // moved by each of them at most, on average
inline constexpr std::size_t kOwnThreads = 4;                          // per IoGroup, for sessions of that kind
inline constexpr auto kOwnThreadLook = std::chrono::microseconds(50);  // for the next request before it sleeps
inline constexpr unsigned kOwnThreadsLooking = 4;                      // at a time, of all groups
inline constexpr auto kOwnThreadRetry = std::chrono::seconds(1);       // after the system refused one
inline constexpr auto kSlowJob = std::chrono::milliseconds(50);        // by storage: the session's thread is not for it
inline constexpr auto kSlowStorageMemory = std::chrono::seconds(10);   // and for how long that is remembered
inline constexpr std::size_t kQuickBytes = 32 * 1024 + 512;     // written without a turn while others wait for theirs
inline constexpr std::uint32_t kChannelWriteBytes = 4 * 32758;  // four packets: libssh flushes the socket once per call
static_assert(kChannelWriteBytes <= kTurnBytes);
inline constexpr std::uint32_t kUploadWindowBytes = 8 * 1024 * 1024;
inline constexpr int kMaxWideWindows = 4;  // channels of one connection that get the window above
inline constexpr std::size_t kSocketReadBytes = 128 * 1024;
inline constexpr int kMaxChannelsPerSession = 16;
inline constexpr std::uint64_t kMaxPacketsWhileBlocked = 10'000;  // taken from a client that reads nothing
inline constexpr int kMaxUncheckedAuthRequests = 64;  // answered before a login without a check: methods, services
inline constexpr auto kWithoutChannels =
    std::chrono::minutes(2);  // a login with no channel open is of no use for longer
inline constexpr int kDefaultMaxAuthTries = 6;
inline constexpr std::size_t kMaxSessions = 20000;
inline constexpr std::size_t kMaxUnauthenticatedSessions = 1000;
inline constexpr std::size_t kMaxUnauthenticatedPerAddress = 200;  // an IPv6 address counts by its /64
inline constexpr std::size_t kMaxMountsPerUser = 256;              // under way, those whose client has left included
inline constexpr std::size_t kMaxAwaitingProxyHeader = 1000;       // connections; one of the proxies may have them all
inline constexpr std::size_t kMaxProxyHeaderBytes = 16 * 1024;     // version 2 with its TLVs, which are skipped

// Defender: what is remembered at most; beyond it the longest untouched goes
inline constexpr std::size_t kMaxDefenderCounts = 20000;  // addresses, and names tried from them
inline constexpr std::size_t kMaxDefenderBans = 10000;
inline constexpr std::size_t kMaxDefenderNameBytes = 128;  // of a name; longer ones count by their beginning

// Workers
inline constexpr std::size_t kStoragePoolThreads = 16;  // per storage plugin instance
inline constexpr std::size_t kSlowStorageCalls = 128;   // of an instance at once that take no place among those
inline constexpr auto kSlowStorageCall = std::chrono::seconds(1);  // from here on
inline constexpr std::size_t kStoragePoolQueue = 4096;
inline constexpr auto kStorageCallTime = std::chrono::minutes(10);  // deadline of one call: large directories take long
inline constexpr std::size_t kAuthPoolThreads = 8;                  // hashing and provider look-ups of logins
inline constexpr std::size_t kAuthPoolQueue = 1024;

// Bandwidth limits of users (vfs/throttle.h)
inline constexpr auto kThrottleBurst = std::chrono::milliseconds(200);  // of its rate, what an idle user saves up
inline constexpr auto kThrottleTurn = std::chrono::milliseconds(50);    // of its rate, what a transfer moves at a time
inline constexpr std::int64_t kMaxThrottleTurnBytes = 1024 * 1024;
inline constexpr std::int64_t kMaxBandwidth = 1'000'000'000;  // KB/s; more than this is this

// CPU time that threads with short work ask for at a time (prefer_short_slices)
inline constexpr auto kShortSlice = std::chrono::microseconds(200);

// Memory
inline constexpr std::size_t kBlockBytes = 256 * 1024 + 1024;  // one large reply with its headers
inline constexpr std::size_t kSmallBlockBytes = 2 * 1024;
inline constexpr std::size_t kPooledBlocks = 64;  // large blocks kept for reuse, whole process

// Log
inline constexpr std::size_t kLogQueueLines = 8192;
inline constexpr std::size_t kMaxLogTextBytes = 16 * 1024;

// Owner names remembered per channel, for listings
inline constexpr std::size_t kMaxOwnerNames = 256;

// Quotas
inline constexpr auto kUsageWriteDelay = std::chrono::milliseconds(50);  // counters reach the provider together
inline constexpr auto kUsageFresh = std::chrono::seconds(1);  // what other hosts have counted is read again after it
inline constexpr int kMaxLinkHops = 32;
inline constexpr std::size_t kMaxScanDirectories = 1'000'000;  // found and not read yet

// Conversations: scp and commands
inline constexpr std::size_t kMaxConversationInput = 2 * 1024 * 1024;  // received and not used: beyond it we stop
inline constexpr std::size_t kConversationOutput = 256 * 1024;         // unsent: above it nothing more is read
inline constexpr std::size_t kMaxConversationLine = 8 * 1024;
inline constexpr std::size_t kMaxScpDepth = 128;  // directories in each other
inline constexpr std::size_t kMaxWildcardMatches = 10000;

// Administration
inline constexpr std::size_t kJobThreads = 2;  // quota scans at once
inline constexpr std::size_t kJobQueue = 256;
inline constexpr std::size_t kUsersPerPage = 500;                 // read from the provider, and shown, at a time
inline constexpr std::size_t kMaxBackupBytes = 64 * 1024 * 1024;  // of a dump to restore
inline constexpr std::size_t kMaxRefusalsTold = 100;              // of one restore, by name
inline constexpr auto kProviderFresh = std::chrono::seconds(30);  // a verdict on the provider is repeated for as long
inline constexpr auto kServiceStopTime = std::chrono::seconds(5);

// Accounts
inline constexpr std::size_t kMaxUserRecordBytes = 1024 * 1024;
inline constexpr std::size_t kMaxPasswordBytes = 4096;
inline constexpr std::size_t kMaxConfigBytes = 4 * 1024 * 1024;

}  // namespace host::core::limits
