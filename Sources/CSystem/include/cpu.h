// The instruction sets that the processor and the operating system offer together.
#pragma once

/// The highest x86-64 level that the kernels know: 2 for x86-64-v4 (AVX-512 F, BW, CD, DQ, VL), 1 for x86-64-v3
/// (AVX2, FMA, F16C, BMI, LZCNT, MOVBE), 0 for anything less and for other architectures.
int system_cpu_level(void);
