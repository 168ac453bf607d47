package store_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// mount mounts something for a test, or skips it.
func mount(t *testing.T, args ...string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("not root: no file system can be mounted")
	}
	at := t.TempDir()
	if out, err := exec.Command("mount", append(args, at)...).CombinedOutput(); err != nil {
		t.Skipf("mount %v does not work here: %v: %s", args, err, out)
	}
	t.Cleanup(func() { unmount(t, at) })
	return at
}

func unmount(t *testing.T, at string) {
	if out, err := exec.Command("umount", at).CombinedOutput(); err != nil {
		t.Errorf("unmount: %v: %s", err, out)
	}
}

// diskImage makes a file with an ext4 file system.
func diskImage(t *testing.T, size string) string {
	t.Helper()
	mkfs, err := exec.LookPath("mkfs.ext4")
	if err != nil {
		if mkfs, err = exec.LookPath("/usr/sbin/mkfs.ext4"); err != nil {
			t.Skip("mkfs.ext4 is not installed")
		}
	}
	image := filepath.Join(t.TempDir(), "disk")
	if out, err := exec.Command("truncate", "-s", size, image).CombinedOutput(); err != nil {
		t.Skipf("truncate: %v: %s", err, out)
	}
	if out, err := exec.Command(mkfs, "-q", "-F", "-m", "0", image).CombinedOutput(); err != nil {
		t.Skipf("mkfs.ext4: %v: %s", err, out)
	}
	return image
}
