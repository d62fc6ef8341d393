/* System calls on paths below a directory that fail when they are told to (LD_PRELOAD). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { OPEN, WRITE, PWRITE, FSYNC, FDATASYNC, RENAME, MKDIR, FTRUNCATE, FALLOCATE, LINK, UNLINK,
       FLOCK, FCNTL, CALLS };

static char store[PATH_MAX];
static int failing = -1, error_number, is_short, lasts;
static long failing_at;
static atomic_long numbers[CALLS];
static atomic_long failures;

/* From now on count calls; fail call `number` (from 1) of a kind, or all from there on. */
void failing_arm(const char *directory, int kind, long number, int error, int half, int from_there_on) {
    snprintf(store, sizeof store, "%s", directory);
    failing = kind, failing_at = number, error_number = error, is_short = half;
    lasts = from_there_on;
    for (int i = 0; i < CALLS; i++) numbers[i] = 0;
    failures = 0;
}

void failing_disarm(void) { store[0] = 0; }
long failing_number(int kind) { return numbers[kind]; }
long failing_failures(void) { return failures; }

static int below(const char *path) {
    size_t length = strlen(store);
    return length && !strncmp(path, store, length);
}

static int descriptor_below(int descriptor) {
    char link[64], path[PATH_MAX];
    if (!store[0]) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return below(path);
}

static int at_below(int directory, const char *path) {
    if (path[0] == '/' || directory == AT_FDCWD) return below(path);
    return descriptor_below(directory);
}

/* Count a call that concerns the store, and tell whether it fails. */
static int hit(int kind, int concerned) {
    if (!concerned) return 0;
    long number = ++numbers[kind];
    if (kind != failing || number < failing_at || (number > failing_at && !lasts)) return 0;
    failures++;
    errno = error_number;
    return 1;
}

#define REAL(type, name) \
    static __typeof__(type) real; \
    if (!real) real = (__typeof__(type))dlsym(RTLD_NEXT, name)

#define OPENS(name) \
    int name(const char *path, int flags, ...) { \
        REAL(int (*)(const char *, int, mode_t), #name); \
        va_list list; \
        va_start(list, flags); \
        mode_t mode = va_arg(list, mode_t); \
        va_end(list); \
        return hit(OPEN, below(path)) ? -1 : real(path, flags, mode); \
    }
OPENS(open)
OPENS(open64)

#define OPENS_AT(name) \
    int name(int directory, const char *path, int flags, ...) { \
        REAL(int (*)(int, const char *, int, mode_t), #name); \
        va_list list; \
        va_start(list, flags); \
        mode_t mode = va_arg(list, mode_t); \
        va_end(list); \
        return hit(OPEN, at_below(directory, path)) ? -1 : real(directory, path, flags, mode); \
    }
OPENS_AT(openat)
OPENS_AT(openat64)

ssize_t write(int descriptor, const void *data, size_t length) {
    REAL(ssize_t (*)(int, const void *, size_t), "write");
    if (!hit(WRITE, descriptor_below(descriptor))) return real(descriptor, data, length);
    return is_short && length > 1 ? real(descriptor, data, length / 2) : -1;
}

#define PWRITES(name) \
    ssize_t name(int descriptor, const void *data, size_t length, off_t offset) { \
        REAL(ssize_t (*)(int, const void *, size_t, off_t), #name); \
        if (!hit(PWRITE, descriptor_below(descriptor))) \
            return real(descriptor, data, length, offset); \
        return is_short && length > 1 ? real(descriptor, data, length / 2, offset) : -1; \
    }
PWRITES(pwrite)
PWRITES(pwrite64)

#define OF_DESCRIPTOR(name, kind) \
    int name(int descriptor) { \
        REAL(int (*)(int), #name); \
        return hit(kind, descriptor_below(descriptor)) ? -1 : real(descriptor); \
    }
OF_DESCRIPTOR(fsync, FSYNC)
OF_DESCRIPTOR(fdatasync, FDATASYNC)

int rename(const char *from, const char *to) {
    REAL(int (*)(const char *, const char *), "rename");
    return hit(RENAME, below(to)) ? -1 : real(from, to);
}

int renameat(int old, const char *from, int new, const char *to) {
    REAL(int (*)(int, const char *, int, const char *), "renameat");
    return hit(RENAME, at_below(new, to)) ? -1 : real(old, from, new, to);
}

int mkdir(const char *path, mode_t mode) {
    REAL(int (*)(const char *, mode_t), "mkdir");
    return hit(MKDIR, below(path)) ? -1 : real(path, mode);
}

#define TRUNCATES(name) \
    int name(int descriptor, off_t length) { \
        REAL(int (*)(int, off_t), #name); \
        return hit(FTRUNCATE, descriptor_below(descriptor)) ? -1 : real(descriptor, length); \
    }
TRUNCATES(ftruncate)
TRUNCATES(ftruncate64)

#define ALLOCATES(name) \
    int name(int descriptor, off_t offset, off_t length) { \
        REAL(int (*)(int, off_t, off_t), #name); \
        return hit(FALLOCATE, descriptor_below(descriptor)) ? error_number \
                                                             : real(descriptor, offset, length); \
    }
ALLOCATES(posix_fallocate)
ALLOCATES(posix_fallocate64)

int link(const char *from, const char *to) {
    REAL(int (*)(const char *, const char *), "link");
    return hit(LINK, below(to)) ? -1 : real(from, to);
}

int unlink(const char *path) {
    REAL(int (*)(const char *), "unlink");
    return hit(UNLINK, below(path)) ? -1 : real(path);
}

int unlinkat(int directory, const char *path, int flags) {
    REAL(int (*)(int, const char *, int), "unlinkat");
    return hit(UNLINK, at_below(directory, path)) ? -1 : real(directory, path, flags);
}

int flock(int descriptor, int operation) {
    REAL(int (*)(int, int), "flock");
    return hit(FLOCK, descriptor_below(descriptor)) ? -1 : real(descriptor, operation);
}

static int concerns_locks(int command) {
    return command == F_OFD_SETLK || command == F_OFD_GETLK || command == F_SETLK;
}

#define FCNTLS(name) \
    int name(int descriptor, int command, ...) { \
        REAL(int (*)(int, int, void *), #name); \
        va_list list; \
        va_start(list, command); \
        void *argument = va_arg(list, void *); \
        va_end(list); \
        if (hit(FCNTL, concerns_locks(command) && descriptor_below(descriptor))) return -1; \
        return real(descriptor, command, argument); \
    }
FCNTLS(fcntl)
FCNTLS(fcntl64)
