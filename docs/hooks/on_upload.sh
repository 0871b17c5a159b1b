#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Action: a line for each upload, and its checksum beside the file. Arguments: action, username, path, target, command.
[ "$1" = upload ] && [ "$SFTPGO_ACTION_LOCAL_FILE" = true ] || exit 0  # in S3 $3 is no file here
sha256sum "$3" > "$3.sha256"
printf '%s %s %s\n' "$2" "$SFTPGO_ACTION_FILE_SIZE" "$3" >> "$SALLYPORT_SAMPLE_LOG"
