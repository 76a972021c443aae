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

// How vectors are passed depends on the instruction set; these functions are always inlined and pass nothing.
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpsabi"

typedef float kernel_float4 __attribute__((ext_vector_type(4)));
typedef float kernel_float8 __attribute__((ext_vector_type(8)));
typedef float kernel_float16 __attribute__((ext_vector_type(16)));
typedef double kernel_double4 __attribute__((ext_vector_type(4)));
typedef double kernel_double8 __attribute__((ext_vector_type(8)));
typedef double kernel_double16 __attribute__((ext_vector_type(16)));
typedef int kernel_int8 __attribute__((ext_vector_type(8)));
typedef int kernel_int16 __attribute__((ext_vector_type(16)));
typedef long kernel_long4 __attribute__((ext_vector_type(4)));
typedef long kernel_long8 __attribute__((ext_vector_type(8)));

// Sums of lanes. In Swift the optimizer takes them apart into scalars, at four times the cost.

static inline __attribute__((always_inline)) float sum_of_float8(kernel_float8 v) {
    kernel_float4 four = v.lo + v.hi;
    return (four.x + four.z) + (four.y + four.w);
}

static inline __attribute__((always_inline)) float sum_of_float16(kernel_float16 v) {
    return sum_of_float8(v.lo + v.hi);
}

static inline __attribute__((always_inline)) double sum_of_double4(kernel_double4 v) {
    return (v.x + v.z) + (v.y + v.w);
}

static inline __attribute__((always_inline)) double sum_of_double8(kernel_double8 v) {
    return sum_of_double4(v.lo + v.hi);
}

/// The sums of the lanes of both halves, in FP64.
static inline __attribute__((always_inline)) kernel_double4 fold_float8(kernel_float8 v) {
    return __builtin_convertvector(v.lo + v.hi, kernel_double4);
}

static inline __attribute__((always_inline)) kernel_double8 fold_float16(kernel_float16 v) {
    return __builtin_convertvector(v.lo + v.hi, kernel_double8);
}

/// Each lane in FP64.
static inline __attribute__((always_inline)) kernel_double8 widen_float8(kernel_float8 v) {
    return __builtin_convertvector(v, kernel_double8);
}

static inline __attribute__((always_inline)) kernel_double16 widen_float16(kernel_float16 v) {
    return __builtin_convertvector(v, kernel_double16);
}

// The last `count` lanes, zeros before them.

static inline __attribute__((always_inline)) kernel_float8 tail_of_float8(kernel_float8 v, long count) {
    kernel_int8 lanes = {0, 1, 2, 3, 4, 5, 6, 7};
    return (kernel_float8)((kernel_int8)v & (lanes >= (int)(8 - count)));
}

static inline __attribute__((always_inline)) kernel_float16 tail_of_float16(kernel_float16 v, long count) {
    kernel_int16 lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    return (kernel_float16)((kernel_int16)v & (lanes >= (int)(16 - count)));
}

static inline __attribute__((always_inline)) kernel_double4 tail_of_double4(kernel_double4 v, long count) {
    kernel_long4 lanes = {0, 1, 2, 3};
    return (kernel_double4)((kernel_long4)v & (lanes >= 4 - count));
}

static inline __attribute__((always_inline)) kernel_double8 tail_of_double8(kernel_double8 v, long count) {
    kernel_long8 lanes = {0, 1, 2, 3, 4, 5, 6, 7};
    return (kernel_double8)((kernel_long8)v & (lanes >= 8 - count));
}

#if defined(__AVX2__) || defined(__aarch64__)

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

/// As `rounded_to_bfloat16`, of results whose NaN have no payload but that of a BF16: nothing carries into the sign.
static inline __attribute__((always_inline)) kernel_uint32x16 plainly_rounded_to_bfloat16(kernel_float16 values) {
    kernel_uint32x16 bits = (kernel_uint32x16)values;
    return bits + 0x7fff + (bits >> 16 & 1);
}

static inline __attribute__((always_inline)) kernel_uint32x16 round_pairs_bfloat16(
    kernel_float16 even, kernel_float16 odd) {
    return plainly_rounded_to_bfloat16(even) >> 16 | (plainly_rounded_to_bfloat16(odd) & 0xffff0000);
}

#endif

#pragma clang diagnostic pop

#endif
