# SPDX-License-Identifier: Apache-2.0
"""All real clients, by one name each."""
from client_libraries import AsyncSsh, Paramiko, Sshfs
from client_programs import Curl, Lftp, OpenSshScp, OpenSshSftp, Psftp, Rclone

ALL = [OpenSshSftp, OpenSshScp, Lftp, Psftp, Curl, Rclone, Paramiko, AsyncSsh, Sshfs]
