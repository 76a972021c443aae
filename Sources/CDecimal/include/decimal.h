#pragma once

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Enough room for any number that the functions below write.
enum { decimal_capacity = 512 };

/// Reads the decimal number in [first, last), rounded to nearest, ties to even. The caller has checked its grammar.
/// False where the rounded number is too large or too small for the type; `value` is then unchanged.
bool decimal_read_float(const char *first, const char *last, float *value);
bool decimal_read_double(const char *first, const char *last, double *value);

/// Writes the shortest decimal that reads back to the finite `value`, at most 24 characters; returns its length.
size_t decimal_write_double(char *buffer, size_t capacity, double value);

/// Writes the finite `value` as d.ddde±xx with `digits` digits after the point, at most 400, correctly rounded;
/// returns its length.
size_t decimal_write_scientific(char *buffer, size_t capacity, double value, int digits);

#ifdef __cplusplus
}
#endif
