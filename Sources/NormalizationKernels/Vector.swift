// The same files are compiled once per instruction set. Everything but the entry points is private to its file and
// inlined into them, so that no symbol compiled for one instruction set can stand in for that of another. Private
// even at the price of a few lines twice: a debug build inlines nothing across files.

#if FMA
typealias FloatVector = SIMD16<Float>
typealias DoubleVector = SIMD8<Double>
#else
// Sixteen registers of four floats: wider vectors would spill.
typealias FloatVector = SIMD8<Float>
typealias DoubleVector = SIMD4<Double>
#endif
