#include "decimal.h"

#include <charconv>

bool decimal_read_float(const char *first, const char *last, float *value) {
    return std::from_chars(first, last, *value).ec == std::errc();
}

bool decimal_read_double(const char *first, const char *last, double *value) {
    return std::from_chars(first, last, *value).ec == std::errc();
}

size_t decimal_write_double(char *buffer, size_t capacity, double value) {
    return std::to_chars(buffer, buffer + capacity, value).ptr - buffer;
}

size_t decimal_write_scientific(char *buffer, size_t capacity, double value, int digits) {
    return std::to_chars(buffer, buffer + capacity, value, std::chars_format::scientific, digits).ptr - buffer;
}
