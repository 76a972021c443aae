#ifndef NORMSERVE_PREFETCH_H
#define NORMSERVE_PREFETCH_H

/// Asks for the cache line at `address`, which need not exist, to be brought into the second-level cache.
static inline __attribute__((always_inline)) void prefetch_line(const void *address) {
    __builtin_prefetch(address, 0, 2);
}

#endif
