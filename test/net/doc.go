// Package net runs cosigners as processes in network namespaces, as hosts on a
// network that is slow, loses packets, is cut, moves hosts and hides them
// behind NAT. It needs root, /dev/net/tun, ip and nft, and skips without. What
// it measures is printed and never decides.
package net
