// Debian 12's libstdc++.a asks glibc 2.36 for arc4random (std::random_device). A self-contained program brings its own, so that it
// starts with glibc 2.35, too.
#include <stdlib.h>
#include <sys/random.h>
#include <sys/types.h>

unsigned arc4random(void) {
  unsigned value;
  if (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value) abort();  // cannot be: so few bytes come at once
  return value;
}
