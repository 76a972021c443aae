// What the system offers and Swift's Glibc module does not show.
#pragma once

#include <stddef.h>
#include <sys/socket.h>

/// mremap(2) with MREMAP_MAYMOVE; MAP_FAILED on failure.
void *system_remap(void *address, size_t old_size, size_t new_size);

/// accept4(2) with SOCK_NONBLOCK and SOCK_CLOEXEC.
int system_accept(int listener, struct sockaddr *address, socklen_t *address_length);

/// What a socket was given to send and the peer has not acknowledged, in bytes: ioctl(2) with TIOCOUTQ; 0 on failure.
int system_unsent_bytes(int socket);

/// Tells the allocator to keep `byte_count` freed bytes for the next one who asks, and to map single allocations from
/// `mapped_byte_count` on; and to have so many arenas at most, each of which keeps some memory for itself.
void system_keep_memory(int byte_count, int mapped_byte_count, int arena_count);

/// Has the allocator give back to the system what nobody uses, in all its arenas.
void system_release_memory(void);

