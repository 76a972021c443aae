#pragma once

// What zlib only reads it takes through pointers to const.
#define ZLIB_CONST
#include <zlib.h>
