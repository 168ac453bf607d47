//go:build !linux

package main

// noEcho is not needed: the question for a secret switches the echo off itself.
func noEcho(int) {}
