#!/bin/sh
set -e
# Data and passphrase stay: they are money.
if [ -d /run/systemd/system ] && [ "$1" != upgrade ]; then
	systemctl disable --now quorate.service quorate-robot.service
fi
