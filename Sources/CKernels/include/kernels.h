#ifndef NORMSERVE_KERNELS_H
#define NORMSERVE_KERNELS_H

// What Swift has no words for; all of it becomes part of the kernels that use it.

/// Asks for the cache line at `address`, which need not exist, to be brought into the second-level cache.
static inline __attribute__((always_inline)) void prefetch_line(const void *address) {
    __builtin_prefetch(address, 0, 2);
}

/// The square root, rounded to nearest. Swift's own is a call that may set errno, and so never part of a vector loop.
static inline __attribute__((always_inline)) double square_root(double x) {
    return __builtin_elementwise_sqrt(x);
}

#if defined(__AVX2__) || defined(__aarch64__)

// How such vectors are passed depends on the instruction set; these functions are always inlined and pass nothing.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpsabi"

typedef float kernel_float16 __attribute__((ext_vector_type(16)));
typedef unsigned int kernel_uint32x16 __attribute__((ext_vector_type(16)));
typedef unsigned short kernel_uint16x16 __attribute__((ext_vector_type(16)));

/// FP32 rounded to the nearest BF16, ties to even, in the upper half of each lane. NaN that arithmetic made, which is
/// quiet, stays NaN: rounding carries nothing into its bit, and what would pass the sign is cut off.
static inline __attribute__((always_inline)) kernel_uint32x16 rounded_to_bfloat16(kernel_float16 values) {
    kernel_uint32x16 bits = (kernel_uint32x16)values;
    kernel_uint32x16 magnitude = (bits & 0x7fffffff) + 0x7fff + (bits >> 16 & 1);
    return __builtin_elementwise_min(magnitude, (kernel_uint32x16)0x7fffffff) | (bits & 0x80000000);
}

/// The values of sixteen BF16, which are the upper halves of FP32.
static inline __attribute__((always_inline)) kernel_float16 widen_bfloat16(kernel_uint16x16 bits) {
    return (kernel_float16)(__builtin_convertvector(bits, kernel_uint32x16) << 16);
}

static inline __attribute__((always_inline)) kernel_uint16x16 round_bfloat16(kernel_float16 values) {
    return __builtin_convertvector(rounded_to_bfloat16(values) >> 16, kernel_uint16x16);
}

/// The values of the BF16 in the lower halves of the lanes, and of those in the upper halves: 32 neighbours without a
/// conversion.
static inline __attribute__((always_inline)) kernel_float16 widen_even_bfloat16(kernel_uint32x16 pairs) {
    return (kernel_float16)(pairs << 16);
}

static inline __attribute__((always_inline)) kernel_float16 widen_odd_bfloat16(kernel_uint32x16 pairs) {
    return (kernel_float16)(pairs & 0xffff0000);
}

static inline __attribute__((always_inline)) kernel_uint32x16 round_pairs_bfloat16(
    kernel_float16 even, kernel_float16 odd) {
    return rounded_to_bfloat16(even) >> 16 | (rounded_to_bfloat16(odd) & 0xffff0000);
}

#pragma clang diagnostic pop

#endif

#endif
