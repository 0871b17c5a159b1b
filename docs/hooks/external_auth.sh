#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# External authentication from a file with lines "name:password" (SALLYPORT_SAMPLE_USERS). Homes are made below
# SALLYPORT_SAMPLE_HOMES. Names are checked before they become part of a path or of JSON: a stranger has typed them. So are
# passwords: grep takes each line of one for a pattern of its own, and the second may be the line of somebody else.
no() { echo '{"username":""}'; exit 0; }

case "$SFTPGO_AUTHD_USERNAME" in
  '' | *[!a-z0-9_-]*) no ;;
esac
case "$SFTPGO_AUTHD_PASSWORD" in
  '' | *'
'*) no ;;
esac
grep -qxF -e "$SFTPGO_AUTHD_USERNAME:$SFTPGO_AUTHD_PASSWORD" "$SALLYPORT_SAMPLE_USERS" || no
cat <<END
{"status": 1, "username": "$SFTPGO_AUTHD_USERNAME", "home_dir": "$SALLYPORT_SAMPLE_HOMES/$SFTPGO_AUTHD_USERNAME",
 "permissions": {"/": ["*"]}}
END
