/* Shifts the date of a program that is linked dynamically, as an emulator is, by WEIR_DATE_SHIFT
 * seconds, and no other clock: what it emulates lives later, and its timers go on. libfaketime
 * moves timers as well, and the kernel refuses what comes out. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t shift(void) {
    const char *text = getenv("WEIR_DATE_SHIFT");
    return text ? strtoll(text, NULL, 10) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += shift();
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    int result = syscall(SYS_gettimeofday, now, zone);
    if (result == 0)
        now->tv_sec += shift();
    return result;
}
