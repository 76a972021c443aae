#define _GNU_SOURCE
#include "system.h"

#include <malloc.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

void *system_remap(void *address, size_t old_size, size_t new_size) {
    return mremap(address, old_size, new_size, MREMAP_MAYMOVE);
}

int system_accept(int listener, struct sockaddr *address, socklen_t *address_length) {
    return accept4(listener, address, address_length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int system_unsent_bytes(int socket) {
    int count = 0;
    return ioctl(socket, TIOCOUTQ, &count) == 0 ? count : 0;
}

void system_keep_memory(int byte_count, int mapped_byte_count, int arena_count) {
    mallopt(M_TRIM_THRESHOLD, byte_count);
    mallopt(M_MMAP_THRESHOLD, mapped_byte_count);
    mallopt(M_ARENA_MAX, arena_count);
}

void system_release_memory(void) {
    malloc_trim(0);
}
