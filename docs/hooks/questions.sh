#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two steps: the password, which the server compares, then a token, which must be the one in SALLYPORT_SAMPLE_TOKEN.
echo '{"instruction": "Two steps", "questions": ["Password: "], "echos": [false], "check_password": 1}'
read -r answer
[ "$answer" = OK ] || exit 1
echo '{"questions": ["Token: "], "echos": [true]}'
read -r answer
# A token that is missing or empty is nobody's answer.
token=$(cat "$SALLYPORT_SAMPLE_TOKEN") && [ -n "$token" ] || exit 1
if [ "$answer" = "$token" ]; then
  echo '{"auth_result": 1}'
else
  echo '{"auth_result": -1}'
fi
