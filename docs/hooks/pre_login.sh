#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Before the login: everybody is read-only while the file SALLYPORT_SAMPLE_FREEZE exists, and has all rights otherwise.
if [ -e "$SALLYPORT_SAMPLE_FREEZE" ]; then
  echo '{"permissions": {"/": ["list", "download"]}}'
else
  echo '{"permissions": {"/": ["*"]}}'
fi
