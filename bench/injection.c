/* Preloaded into a server: fails or ends it at chosen calls on files below one folder.
 *
 * The state is a file that `bench/injection.py` maps as well; its layout stands there.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN, WRITE, FSYNC, RENAME, UNLINK, MKDIR, KINDS };
enum { COUNT = 1, FAIL = 2, KILL = 3 };

struct state {
    _Atomic int32_t action;
    _Atomic int32_t error;
    _Atomic uint32_t kinds; /* a bit for each kind */
    _Atomic int32_t unused;
    _Atomic int64_t before; /* how many calls of these kinds still pass */
    _Atomic int64_t counts[KINDS];
    _Atomic int64_t hits;
    char folder[1024];
};

static struct state *state;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("INJECTION_STATE");
    int file = path ? (int)openat(AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    state = mapped == MAP_FAILED ? NULL : mapped;
    close(file);
}

static int is_below(int at, const char *path) {
    char whole[2 * PATH_MAX], link[64];
    if (path && path[0] == '/') return !strncmp(path, state->folder, strlen(state->folder));
    if (at == AT_FDCWD) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", at);
    ssize_t length = readlink(link, whole, PATH_MAX);
    if (length <= 0) return 0;
    whole[length] = 0;
    return !strncmp(whole, state->folder, strlen(state->folder));
}

/* Return whether this call fails; does not return where it ends the process. */
static int fails(int kind, int at, const char *path) {
    if (!state || !state->action || !is_below(at, path)) return 0;
    state->counts[kind]++;
    if (state->action == COUNT || !(state->kinds & (1u << kind))) return 0;
    if (atomic_fetch_sub(&state->before, 1) > 0) return 0;
    state->hits++;
    if (state->action == KILL) {
        kill(getpid(), SIGKILL);
        pause();
    }
    errno = state->error;
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define WRAP(result, name, kind, at, path, parameters, arguments) \
    result name parameters {                                      \
        static __typeof__(&name) real;                            \
        if (!real) real = REAL(name);                             \
        return fails(kind, at, path) ? -1 : real arguments;       \
    }
#define OPENING(name, first, at, named)                    \
    int name first {                                       \
        static __typeof__(&name) real;                     \
        if (!real) real = REAL(name);                      \
        va_list rest;                                      \
        va_start(rest, flags);                             \
        mode_t mode = va_arg(rest, mode_t);                \
        va_end(rest);                                      \
        return fails(OPEN, at, path) ? -1 : real named;    \
    }

OPENING(open, (const char *path, int flags, ...), AT_FDCWD, (path, flags, mode))
OPENING(open64, (const char *path, int flags, ...), AT_FDCWD, (path, flags, mode))
OPENING(openat, (int at, const char *path, int flags, ...), at, (at, path, flags, mode))
OPENING(openat64, (int at, const char *path, int flags, ...), at, (at, path, flags, mode))
WRAP(ssize_t, write, WRITE, file, NULL, (int file, const void *bytes, size_t size), (file, bytes, size))
WRAP(ssize_t, pwrite, WRITE, file, NULL, (int file, const void *bytes, size_t size, off_t place), (file, bytes, size, place))
WRAP(ssize_t, pwrite64, WRITE, file, NULL, (int file, const void *bytes, size_t size, off64_t place), (file, bytes, size, place))
WRAP(int, fsync, FSYNC, file, NULL, (int file), (file))
WRAP(int, fdatasync, FSYNC, file, NULL, (int file), (file))
WRAP(int, rename, RENAME, AT_FDCWD, to, (const char *from, const char *to), (from, to))
WRAP(int, renameat, RENAME, at, to, (int from_at, const char *from, int at, const char *to), (from_at, from, at, to))
WRAP(int, unlink, UNLINK, AT_FDCWD, path, (const char *path), (path))
WRAP(int, unlinkat, UNLINK, at, path, (int at, const char *path, int flags), (at, path, flags))
WRAP(int, mkdir, MKDIR, AT_FDCWD, path, (const char *path, mode_t mode), (path, mode))
WRAP(int, mkdirat, MKDIR, at, path, (int at, const char *path, mode_t mode), (at, path, mode))
