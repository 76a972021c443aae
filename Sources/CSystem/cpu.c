#include "cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <stdint.h>

// Intel SDM, volume 2, CPUID: the bits of each leaf that a level of the x86-64 psABI asks for.
enum {
    LEAF_1_ECX_V3 = bit_SSE3 | bit_SSSE3 | bit_FMA | bit_CMPXCHG16B | bit_SSE4_1 | bit_SSE4_2 | bit_MOVBE | bit_POPCNT
        | bit_OSXSAVE | bit_AVX | bit_F16C,
    LEAF_7_EBX_V3 = bit_BMI | bit_AVX2 | bit_BMI2,
    LEAF_7_EBX_AVX512_LOW = bit_AVX512F | bit_AVX512DQ | bit_AVX512CD | bit_AVX512BW,
    EXTENDED_LEAF_1_ECX_V3 = 0x1 /* LAHF */ | 0x20 /* LZCNT */,
    XCR0_AVX = 0x6,     // XMM and YMM
    XCR0_AVX512 = 0xe6, // and opmask, upper ZMM, high ZMM
};
static const uint32_t leaf_7_ebx_v4 = (uint32_t)LEAF_7_EBX_AVX512_LOW | (uint32_t)bit_AVX512VL;

/// XCR0: the register states that the operating system saves at a context switch.
static uint32_t saved_states(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

int system_cpu_level(void) {
    uint32_t a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & LEAF_1_ECX_V3) != LEAF_1_ECX_V3) return 0;
    const uint32_t states = saved_states();
    if ((states & XCR0_AVX) != XCR0_AVX) return 0;
    if (!__get_cpuid(0x80000001, &a, &b, &c, &d) || (c & EXTENDED_LEAF_1_ECX_V3) != EXTENDED_LEAF_1_ECX_V3) return 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (b & LEAF_7_EBX_V3) != LEAF_7_EBX_V3) return 0;
    return (b & leaf_7_ebx_v4) == leaf_7_ebx_v4 && (states & XCR0_AVX512) == XCR0_AVX512 ? 2 : 1;
}
#else
int system_cpu_level(void) {
    return 0;
}
#endif
