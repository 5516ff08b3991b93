// A disk that does as a test says. Loaded before the C library it stands in the way of the one
// call by which the ring and the files make sure of their bytes. What it does lies in the folder
// WEIR_DISK as files: while there is `stuck`, a sync does not end, and makes `waits` to show that
// it was begun; while there is `broken`, it fails.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int there(const char *name, int flags) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", getenv("WEIR_DISK"), name);
  int file = open(path, flags, 0600);
  if (file >= 0) close(file);
  return file >= 0;
}

int fdatasync(int file) {
  if (there("stuck", O_RDONLY)) {
    there("waits", O_CREAT | O_WRONLY);
    while (there("stuck", O_RDONLY)) usleep(10000);
  }
  if (there("broken", O_RDONLY)) {
    errno = EIO;
    return -1;
  }
  return syscall(SYS_fdatasync, file);
}
