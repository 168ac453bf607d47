#!/bin/sh
set -e
if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers quorate.conf
fi
install -d -m 0700 /etc/quorate
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
