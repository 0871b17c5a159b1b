#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Action: a line for each upload with its checksum, in a file of the operator's (SALLYPORT_SAMPLE_LOG). Not beside what was
# uploaded: a link that the user has put there would be followed, as the server. sha256sum escapes line breaks in names.
# Arguments: action, username, path, target, command.
[ "$1" = upload ] && [ "$SFTPGO_ACTION_LOCAL_FILE" = true ] || exit 0  # in S3 $3 is no file here
[ -f "$3" ] && [ ! -L "$3" ] || exit 1
printf '%s %s %s\n' "$2" "$SFTPGO_ACTION_FILE_SIZE" "$(sha256sum "$3")" >> "$SALLYPORT_SAMPLE_LOG"
